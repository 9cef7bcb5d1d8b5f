//! Redis (Debian's `redis-server`), keeping nothing on disk.

use crate::{Failed, Scratch, Server, free_port};
use std::{net::SocketAddr, path::Path, process::Command};

/// A running Redis.
pub struct Redis {
    server: Server,
    port: u16,
    folder: Scratch,
}

/// Starts one.
///
/// # Errors
/// When it is not installed or does not start.
pub fn start() -> Result<Redis, Failed> {
    let folder = Scratch::new("redis")?;
    let port = free_port()?;
    let dir = folder.path().to_owned();
    let make = move || {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        command.arg(&dir).arg("--port").arg(port.to_string());
        command
    };
    let server = Server::start(
        "redis",
        folder.path(),
        SocketAddr::from(([127, 0, 0, 1], port)),
        make,
    )?;
    Ok(Redis { server, port, folder })
}

impl Redis {
    /// Its connection string.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
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
