//! The server under measurement: this very program as a child process.

use crate::{
    ProgramError,
    client::{Connection, request},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// What is driven.
pub enum Target {
    /// A server that somebody else runs: its process cannot be looked at.
    Running(SocketAddr),
    /// A child process.
    Own(Server),
}

impl Target {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self {
            Target::Running(address) => *address,
            Target::Own(server) => server.address,
        }
    }

    /// The child, when it is one.
    pub fn own(&self) -> Option<&Server> {
        match self {
            Target::Running(_) => None,
            Target::Own(server) => Some(server),
        }
    }

    /// Waits until `/salud/lista` is 200.
    ///
    /// # Errors
    /// When it is not within `patience`.
    pub async fn ready(&self, patience: Duration) -> Result<(), ProgramError> {
        ready(self.address(), patience).await
    }
}

/// Waits until the server there says that it is ready.
pub async fn ready(address: SocketAddr, patience: Duration) -> Result<(), ProgramError> {
    let mut bytes = Vec::new();
    request(&mut bytes, "GET", "/salud/lista", "", b"");
    let give_up = Instant::now() + patience;
    let mut last = String::from("it does not answer");
    while Instant::now() < give_up {
        if let Ok(mut connection) = Connection::open(address).await
            && let Ok(response) = connection.send(&bytes).await
        {
            if response.status == 200 {
                return Ok(());
            }
            last = String::from_utf8_lossy(response.body).into_owned();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Err(ProgramError::Bench(format!(
        "the server was not ready within {patience:?}: {last}"
    )))
}

/// `dev` as a child process. Dropping it kills it.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// When it was started.
    pub started: Instant,
    /// Its data folder.
    pub data: PathBuf,
}

impl Server {
    /// Starts `dev` on a folder and a free port, and waits until it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(data: &Path) -> Result<Self, ProgramError> {
        let started = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["dev", "--listen", "127.0.0.1:0", "--log", "warn", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(
            child
                .stdout
                .take()
                .ok_or(ProgramError::Bench("no output".into()))?,
        )
        .lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.trim()
                .strip_prefix("listening on http://")?
                .parse::<SocketAddr>()
                .ok()
        });
        let Some(address) = address else {
            let status = child.wait()?;
            return Err(ProgramError::Bench(format!("the server did not start: {status}")));
        };
        // The child must never wait for somebody to read what it prints.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self {
            child,
            address,
            started,
            data: data.to_path_buf(),
        })
    }

    /// The most memory that it has held, in bytes; `None` where the system does not tell.
    pub fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// The processor time that it has used; `None` where the system does not tell.
    pub fn cpu(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name in parentheses may contain anything; user and system time are the 12th and 13th after it.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        Some(Duration::from_millis(
            ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1),
        ))
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it does not stop within 10 s, or not well.
    pub fn stop(mut self) -> Result<(), ProgramError> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).map_err(std::io::Error::from)?;
        }
        let give_up = Instant::now() + Duration::from_secs(10);
        while Instant::now() < give_up {
            if let Some(status) = self.child.try_wait()? {
                return match status.success() {
                    true => Ok(()),
                    false => Err(ProgramError::Bench(format!("the server stopped with {status}"))),
                };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(ProgramError::Bench(
            "the server did not stop within 10 s of SIGTERM".into(),
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs another subcommand of this program on a folder, and returns how long it took.
///
/// # Errors
/// When it fails; what it printed is in the error.
pub fn run_to_end(subcommand: &str, data: &Path) -> Result<Duration, ProgramError> {
    let started = Instant::now();
    let output = Command::new(std::env::current_exe()?)
        .args([subcommand, "--log", "warn", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(started.elapsed());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(ProgramError::Bench(format!(
        "`{subcommand}` failed: {}",
        String::from_utf8_lossy(&said)
    )))
}
