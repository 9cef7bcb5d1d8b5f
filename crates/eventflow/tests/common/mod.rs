//! What the tests of the whole program share: the program as a child process on a folder of its own, and a
//! client that speaks the HTTP contract.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code
)]

pub mod client;

pub use client::*;

use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

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
