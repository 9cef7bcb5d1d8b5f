//! What the tests of the whole program share: the program as a child process on a folder of its own, and a
//! client that speaks the HTTP contract.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code
)]

use eventflow::client::{Connection, request};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// How long anything may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "{name}-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What a failed test leaves is what explains it.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// The program, without whatever EVENTFLOW_ variables the tests themselves run under.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eventflow"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EVENTFLOW_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a subcommand to its end.
pub fn run(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

pub fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// `verify` on a folder, which must find that everything holds.
pub fn verify_holds(data: &Path) {
    let output = run(&["verify", "--data", data.to_str().unwrap()]);
    assert!(output.status.success(), "verify: {}", text(&output));
}

/// `dev` as a child process. Dropping it kills it.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub data: PathBuf,
}

impl Server {
    /// Starts `dev` and returns when it listens.
    pub fn start(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::try_start(data, environment).unwrap_or_else(|said| panic!("dev did not start: {said}"))
    }

    /// Starts `dev`; when it ends instead of listening, what it said on standard error.
    pub fn try_start(data: &Path, environment: &[(&str, &str)]) -> Result<Self, String> {
        let mut child = program()
            .args(["dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.read_to_end(&mut said);
            let said = String::from_utf8_lossy(&said).into_owned();
            eprint!("{said}");
            said
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.trim().strip_prefix("listening on http://")?.parse().ok());
        let Some(address) = address else {
            child.wait().unwrap();
            return Err(said.join().unwrap());
        };
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self {
            child,
            address,
            data: data.to_path_buf(),
        })
    }

    /// kill -9. The process is reaped when the server is dropped.
    pub fn signal_kill(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    pub fn ask_to_stop(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits for the end of a server that was asked to stop.
    pub fn ended_within(&mut self, limit: Duration) -> ExitStatus {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(asked.elapsed() < limit, "still running {limit:?} after SIGTERM");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn stop(mut self) {
        self.ask_to_stop();
        let status = self.ended_within(Duration::from_secs(10));
        assert!(status.success(), "{status}");
    }

    pub async fn client(&self) -> Client {
        Client::open(self.address).await
    }

    /// Waits until `/salud/lista` is 200.
    pub async fn ready(&self) {
        let started = Instant::now();
        let mut client = self.client().await;
        loop {
            let answer = client.get("/salud/lista").await;
            if answer.status == 200 {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not ready: {}", answer.body);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub text: String,
    pub position: Option<u64>,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub content_type: String,
}

impl Answer {
    /// The answer, when it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The answer, when it is a problem of this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, self.body["codigo"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.content_type, "application/problem+json");
        self
    }

    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}", self.text))
            .to_string()
    }
}

/// A client on one connection.
pub struct Client {
    connection: Connection,
    /// The greatest position seen: what reads wait for.
    pub position: u64,
}

impl Client {
    pub async fn open(address: SocketAddr) -> Self {
        Self {
            connection: Connection::open(address).await.unwrap(),
            position: 0,
        }
    }

    /// Sends a request; `None` when the connection broke, and nothing is known.
    pub async fn try_send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let mut bytes = Vec::new();
        request(&mut bytes, method, path, headers, body.as_bytes());
        let response = self.connection.send(&bytes).await.ok()?;
        let header = |name: &str| response.header(name).map(str::to_string);
        let answer = Answer {
            status: response.status,
            body: response.json(),
            text: String::from_utf8_lossy(response.body).into_owned(),
            position: response.position(),
            location: header("location"),
            etag: header("etag"),
            content_type: header("content-type").unwrap_or_default(),
        };
        self.position = self.position.max(answer.position.unwrap_or(0));
        Some(answer)
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let answer = self.try_send(method, path, headers, body).await;
        answer.unwrap_or_else(|| panic!("{method} {path}: the connection broke"))
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", "").await
    }

    /// A read that has seen all that this client did.
    pub async fn get_fresh(&mut self, path: &str) -> Answer {
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{joint}posicion={}", self.position);
        let started = Instant::now();
        loop {
            let answer = self.get(&path).await;
            if answer.status != 503 || started.elapsed() > PATIENCE {
                return answer;
            }
        }
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, "", &body.to_string()).await
    }

    pub async fn post_with_key(&mut self, path: &str, key: &str, body: Value) -> Answer {
        self.send(
            "POST",
            path,
            &format!("Idempotency-Key: {key}\r\n"),
            &body.to_string(),
        )
        .await
    }

    /// Registers a person and returns their id. `name` makes document and address.
    pub async fn register(&mut self, name: &str) -> String {
        self.post("/api/usuarios", person(name))
            .await
            .expect(201)
            .field("usuario_id")
    }

    /// Schedules a show with this many tickets and returns its id.
    pub async fn schedule(&mut self, tickets: u32) -> String {
        self.post("/api/eventos", show(json!({ "aforo_total": tickets })))
            .await
            .expect(201)
            .field("evento_id")
    }

    /// Schedules a show with one section of numbered seats and returns its id.
    pub async fn schedule_seats(&mut self, rows: u32, seats_per_row: u32) -> String {
        let sections = json!([{ "nombre": "Platea", "filas": rows, "asientos_por_fila": seats_per_row }]);
        let body = show(json!({ "mapa_asientos": { "secciones": sections } }));
        self.post("/api/eventos", body)
            .await
            .expect(201)
            .field("evento_id")
    }

    /// Available, held and sold tickets of a show, as fresh as this client.
    pub async fn tally(&mut self, show: &str) -> [u64; 3] {
        let body = self
            .get_fresh(&format!("/api/eventos/{show}"))
            .await
            .expect(200)
            .body;
        ["entradas_disponibles", "entradas_retenidas", "entradas_vendidas"]
            .map(|field| body[field].as_u64().unwrap())
    }

    /// Waits until nothing of the show is held any more and returns what is available and sold.
    pub async fn settled_tally(&mut self, show: &str) -> [u64; 2] {
        let started = Instant::now();
        loop {
            let [free, held, sold] = self.tally(show).await;
            if held == 0 {
                return [free, sold];
            }
            assert!(started.elapsed() < PATIENCE, "{held} tickets are still held");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn person(name: &str) -> Value {
    json!({
        "tipo_documento": "DNI",
        "nro_documento": format!("D-{name}"),
        "nombre": "Ana",
        "apellido": "Rojas",
        "email": format!("{name}@example.org"),
    })
}

/// A show; `layout` holds its tickets and whatever else is to be set.
pub fn show(layout: Value) -> Value {
    let mut show = json!({
        "nombre": "La función",
        "fecha": "2099-11-21T20:00:00Z",
        "lugar": "Teatro Municipal",
        "precio": 49.9,
        "categoria": "teatro",
    });
    let fields = show.as_object_mut().unwrap();
    fields.extend(layout.as_object().unwrap().clone());
    show
}

pub fn purchase(person: &str, show: &str, quantity: u32) -> Value {
    json!({ "usuario_id": person, "evento_id": show, "cantidad": quantity })
}

pub fn with_token(mut purchase: Value, token: &str) -> Value {
    purchase["pago"] = json!({ "metodo": "tarjeta", "token": token });
    purchase
}
