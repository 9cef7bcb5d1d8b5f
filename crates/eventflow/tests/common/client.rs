//! A client that speaks the HTTP contract, for the tests of the embedded default and of the platform on servers.

use eventflow::client::{Connection, request};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How long anything may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub text: String,
    pub position: Option<u64>,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub retry_after: Option<String>,
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
            retry_after: header("retry-after"),
            content_type: header("content-type").unwrap_or_default(),
        };
        self.position = self.position.max(answer.position.unwrap_or(0));
        Some(answer)
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut answer = self.try_send(method, path, headers, body).await;
        if answer.is_none() && method == "GET" {
            // A proxy closes connections that were idle for long; reads may be repeated.
            answer = self.try_send(method, path, headers, body).await;
        }
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
