//! A server as a child process that can be killed, paused and started again.

use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fs::{self, File},
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a server may take until it accepts connections.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end when it is told to.
const STOPS_WITHIN: Duration = Duration::from_secs(30);
/// How often is looked whether something has come about; nothing is ever waited for by time alone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a server does not run, with the end of what it said.
#[derive(Debug)]
pub struct Failed(pub String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Failed {}
impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A port of the loopback interface that nobody listens on now. Another process may take it before it is used.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The repository's root, above the folder in which Cargo runs a test. Not the folder in which the test was compiled:
/// two clones may share a target folder.
///
/// # Errors
/// When it is not found.
pub fn repository() -> Result<PathBuf, Failed> {
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|folder| folder.join("compose/compose.yaml").is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| Failed(format!("{} is not in the repository", here.display())))
}

/// A temporary folder, removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new, empty one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("eventflow-{name}-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server: how it is started, and its process while it runs. All methods take `&self`, so that tests can break it
/// while others use it. Dropping it kills it with all its children.
pub struct Server {
    name: String,
    make: Box<dyn Fn() -> Command + Send + Sync>,
    /// It is ready when it accepts connections here.
    address: SocketAddr,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Starts it and waits until it accepts connections at `address`. `make` makes the same command every time;
    /// what it prints goes to `{name}.log` in `folder`, behind what was there.
    ///
    /// # Errors
    /// When it ends by itself or is not ready in time.
    pub fn start(
        name: &str,
        folder: &Path,
        address: SocketAddr,
        make: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Result<Self, Failed> {
        let server = Self::prepare(name, folder, address, make);
        server.begin()?;
        Ok(server)
    }

    /// As [`Server::start`], without starting it yet.
    pub fn prepare(
        name: &str,
        folder: &Path,
        address: SocketAddr,
        make: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            make: Box::new(make),
            address,
            log: folder.join(format!("{name}.log")),
            child: Mutex::new(None),
        }
    }

    /// Starts it again after it was killed or stopped, on the same ports and folders, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn begin(&self) -> Result<(), Failed> {
        self.spawn()?;
        self.ready()
    }

    /// Starts it without waiting.
    ///
    /// # Errors
    /// When the process cannot be made.
    pub fn spawn(&self) -> Result<(), Failed> {
        let mut child = self.child();
        if child.is_some() {
            return Err(Failed(format!("{} runs already", self.name)));
        }
        let out = File::options().create(true).append(true).open(&self.log)?;
        let mut command = (self.make)();
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            // A group of its own: whatever it starts is killed, paused and resumed with it.
            .process_group(0);
        let started = command
            .spawn()
            .map_err(|error| Failed(format!("{} cannot be started: {error}", self.name)))?;
        *child = Some(started);
        Ok(())
    }

    /// Waits until it accepts connections.
    ///
    /// # Errors
    /// When it ends by itself or is not ready in time.
    pub fn ready(&self) -> Result<(), Failed> {
        let give_up = Instant::now() + READY_WITHIN;
        while TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_err() {
            let ended = match self.child().as_mut() {
                Some(child) => child.try_wait()?,
                None => return Err(Failed(format!("{} was stopped", self.name))),
            };
            if let Some(status) = ended {
                *self.child() = None;
                return Err(Failed(format!(
                    "{} ended with {status}:\n{}",
                    self.name,
                    self.said()
                )));
            }
            if Instant::now() > give_up {
                return Err(Failed(format!("{} is not ready:\n{}", self.name, self.said())));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child().as_ref().map(Child::id)
    }

    /// The end of what it has printed.
    pub fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let end = &text[text.len().saturating_sub(4_000)..];
        String::from_utf8_lossy(end).into_owned()
    }

    /// SIGKILL, to it and all that it started: nothing is flushed, nobody is told.
    pub fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            signal(&child, Signal::KILL);
            let _ = child.wait();
        }
    }

    /// SIGTERM, and waits until it has ended; kills it when that takes too long.
    pub fn stop(&self) {
        let Some(mut child) = self.child().take() else {
            return;
        };
        signal(&child, Signal::TERM);
        let give_up = Instant::now() + STOPS_WITHIN;
        while Instant::now() < give_up {
            if matches!(child.try_wait(), Ok(Some(_))) {
                // What it started and left behind.
                signal(&child, Signal::KILL);
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        signal(&child, Signal::KILL);
        let _ = child.wait();
    }

    /// SIGSTOP: it is there and does not answer.
    pub fn pause(&self) {
        if let Some(child) = &*self.child() {
            signal(child, Signal::STOP);
        }
    }

    /// SIGCONT.
    pub fn resume(&self) {
        if let Some(child) = &*self.child() {
            signal(child, Signal::CONT);
        }
    }

    /// Brings it back, whatever a failed test has done to it.
    pub fn heal(&self) {
        self.resume();
        let dead = match self.child().as_mut() {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => true,
        };
        if dead {
            *self.child() = None;
            let _ = self.begin();
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To the whole group; one that is gone needs none.
fn signal(child: &Child, signal: Signal) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
