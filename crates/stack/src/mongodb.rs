//! A server that speaks MongoDB's wire protocol: SecantusDB (PyPI), a one-node replica set on WiredTiger. A peer to
//! be correct against, not to be fast against; no MongoDB is packaged for this system.

use crate::{Failed, Scratch, Server, free_port};
use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// A running server.
pub struct MongoDb {
    server: Server,
    port: u16,
    folder: Scratch,
}

/// Where `./check` puts the tools that it fetches: `EVENTFLOW_TOOLS`, or a folder in the user's cache.
pub fn tools() -> PathBuf {
    match env::var_os("EVENTFLOW_TOOLS") {
        Some(folder) => folder.into(),
        None => PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/eventflow-tools"),
    }
}

/// Starts one. When it is killed, it loses the commits of its last milliseconds, whole ones, as a MongoDB does for
/// writes that did not ask for its journal.
///
/// # Errors
/// When it is not installed or does not start.
pub fn start() -> Result<MongoDb, Failed> {
    start_with(&[])
}

/// Starts one that keeps what it acknowledged when it is killed, as a MongoDB does for writes with `majority` or
/// `journal`. Slower: each commit is on the disk.
///
/// # Errors
/// As [`start`].
pub fn start_durable() -> Result<MongoDb, Failed> {
    start_with(&["--sync-on-commit"])
}

fn start_with(options: &'static [&'static str]) -> Result<MongoDb, Failed> {
    let folder = Scratch::new("mongodb")?;
    let port = free_port()?;
    let dir = folder.path().join("data");
    std::fs::create_dir_all(&dir)?;
    let program = tools().join("servers/bin/secantusd-py");
    let make = move || {
        let mut command = Command::new(&program);
        command
            .arg("--port")
            .arg(port.to_string())
            .arg("--storage-path")
            .arg(&dir)
            .args(options);
        command
    };
    let server = Server::start(
        "mongodb",
        folder.path(),
        SocketAddr::from(([127, 0, 0, 1], port)),
        make,
    )?;
    Ok(MongoDb { server, port, folder })
}

impl MongoDb {
    /// Its connection string, without a database.
    pub fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port)
    }

    /// The connection string of a database.
    pub fn database(&self, name: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{name}?directConnection=true", self.port)
    }

    /// Where it keeps its files and what it printed.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub fn server(&self) -> &Server {
        &self.server
    }
}
