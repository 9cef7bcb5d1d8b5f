//! nginx as the edge of the platform, with the very template that compose and Kubernetes use.

use crate::{Failed, Scratch, Server, free_port, repository};
use std::{fs, net::SocketAddr, path::Path, process::Command};

/// A running nginx.
pub struct Nginx {
    server: Server,
    address: SocketAddr,
    folder: Scratch,
}

fn list(addresses: &[SocketAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    texts.join(",")
}

/// Starts one in front of these nodes.
///
/// # Errors
/// When it is not installed or does not take the configuration.
pub fn start(
    command_side: &[SocketAddr],
    query_side: &[SocketAddr],
    projector: &[SocketAddr],
) -> Result<Nginx, Failed> {
    let folder = Scratch::new("nginx")?;
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let rendered = Command::new(repository()?.join("compose/nginx/render"))
        .args([
            "--command-side",
            &list(command_side),
            "--query-side",
            &list(query_side),
        ])
        .args(["--projector", &list(projector), "--listen", &address.to_string()])
        .arg("--run")
        .arg(folder.path())
        .output()?;
    if !rendered.status.success() {
        return Err(Failed(String::from_utf8_lossy(&rendered.stderr).into_owned()));
    }
    let configuration = folder.path().join("nginx.conf");
    fs::write(&configuration, rendered.stdout)?;
    let make = move || {
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&configuration).args(["-g", "daemon off;"]);
        command
    };
    let server = Server::start("nginx", folder.path(), address, make)?;
    Ok(Nginx {
        server,
        address,
        folder,
    })
}

impl Nginx {
    /// Where buyers come in.
    pub fn address(&self) -> SocketAddr {
        self.address
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
