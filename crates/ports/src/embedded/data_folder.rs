//! The folder with all files of one EventFlow, and the lock that keeps a second process out of it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
};

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it. `holder` is what that process wrote about itself: its pid and where it listens.
    #[error("another EventFlow is using {}: {holder}", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// What is known of the other process.
        holder: String,
    },
    /// The folder cannot be made or written to.
    #[error("cannot write to the data folder {}: {source}", path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A data folder that this process alone uses, until it is dropped or the process ends, however it ends.
///
/// | file | |
/// |---|---|
/// | `events.db` | the log: the truth |
/// | `views.db` | read models; can be made again from the log |
/// | `vault.db` | the keys of persons, wrapped |
/// | `master.key` | what they are wrapped with, when it does not come from the configuration |
/// | `master.key.previous` | only while that is exchanged for another: the one before |
/// | `gateway.db` | what the simulated payment gateway remembers |
/// | `lock` | held by the process that uses the folder; says which |
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, and takes it.
    ///
    /// # Errors
    /// [`FolderError`] when another process has it or it cannot be written to.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let unwritable = |source| FolderError::Unwritable {
            path: path.into(),
            source,
        };
        fs::create_dir_all(path).map_err(unwritable)?;
        let name = path.join("lock");
        // Not truncated: what is in it belongs to whoever holds the lock.
        let mut options = OpenOptions::new();
        let mut lock = options
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&name)
            .map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only to tell people; the lock itself is what counts.
                let _ = lock.read_to_string(&mut holder);
                let holder = holder.split_whitespace().collect::<Vec<_>>().join(" ");
                return Err(FolderError::InUse {
                    path: path.into(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(source)),
        }
        let folder = Self {
            path: path.into(),
            lock,
        };
        folder.write_holder("").map_err(unwritable)?;
        Ok(folder)
    }

    /// Writes down where this process listens, for whoever tries to open the folder.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn announce(&self, address: &str) -> io::Result<()> {
        self.write_holder(address)
    }

    fn write_holder(&self, address: &str) -> io::Result<()> {
        let mut lock = &self.lock;
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "pid {}", process::id())?;
        if !address.is_empty() {
            writeln!(lock, "listening on {address}")?;
        }
        lock.flush()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `events.db`
    pub fn events(&self) -> PathBuf {
        self.path.join("events.db")
    }

    /// `views.db`
    pub fn views(&self) -> PathBuf {
        self.path.join("views.db")
    }

    /// `vault.db`
    pub fn vault(&self) -> PathBuf {
        self.path.join("vault.db")
    }

    /// `gateway.db`
    pub fn gateway(&self) -> PathBuf {
        self.path.join("gateway.db")
    }

    /// `master.key`
    pub fn master_key(&self) -> PathBuf {
        self.path.join("master.key")
    }

    /// `master.key.previous`
    pub fn previous_master_key(&self) -> PathBuf {
        self.path.join("master.key.previous")
    }
}
