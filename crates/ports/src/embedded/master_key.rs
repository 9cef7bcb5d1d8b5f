//! The master key, which wraps all other keys.

use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// It is not 32 bytes in base64.
    #[error("a master key is 32 bytes in base64")]
    Malformed,
    /// The file cannot be read or made.
    #[error("cannot read or make the master key {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// Reads a master key from its text: base64 of 32 bytes, with or without padding.
///
/// # Errors
/// [`MasterKeyError::Malformed`]; the text is not repeated in it.
pub fn parse_master_key(text: &str) -> Result<[u8; 32], MasterKeyError> {
    let padded = format!("{}=", text.trim().trim_end_matches('='));
    let bytes = STANDARD.decode(padded).map_err(|_| MasterKeyError::Malformed)?;
    bytes.try_into().map_err(|_| MasterKeyError::Malformed)
}

/// Reads a master key from its file; `None` when there is no such file.
///
/// # Errors
/// When the file cannot be read or is not a master key.
pub fn read_master_key(path: &Path) -> Result<Option<[u8; 32]>, MasterKeyError> {
    match fs::read_to_string(path) {
        Ok(text) => parse_master_key(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(MasterKeyError::File {
            path: path.into(),
            source,
        }),
    }
}

/// A new master key, in no file yet.
///
/// # Errors
/// When the system gives no random bytes.
pub fn fresh_master_key() -> Result<[u8; 32], MasterKeyError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(key)
}

/// Writes a master key into its file, which only this user can read; replaces what is there. Durable on return: a
/// crash leaves the one or the other, whole.
///
/// # Errors
/// When the file cannot be written.
pub fn write_master_key(path: &Path, key: &[u8; 32]) -> Result<(), MasterKeyError> {
    write_key(path, &STANDARD.encode(key)).map_err(|source| MasterKeyError::File {
        path: path.into(),
        source,
    })
}

/// Overwrites a master key's file and removes it. Durable on return; one that is not there needs nothing.
///
/// # Errors
/// When the file cannot be written or removed.
pub fn remove_master_key(path: &Path) -> Result<(), MasterKeyError> {
    let failed = |source| MasterKeyError::File {
        path: path.into(),
        source,
    };
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(source)),
    };
    let length = file.metadata().map_err(failed)?.len().min(4_096);
    let nothing = vec![b'0'; usize::try_from(length).unwrap_or(0)];
    file.write_all(&nothing).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::remove_file(path).map_err(failed)?;
    sync_folder(path).map_err(failed)
}

/// Reads the master key from its file, or makes one that only this user can read.
///
/// # Errors
/// When the file cannot be read or made, or is not a master key. A key that is there is never replaced.
pub fn master_key(path: &Path) -> Result<[u8; 32], MasterKeyError> {
    let failed = |source| MasterKeyError::File {
        path: path.into(),
        source,
    };
    match fs::read_to_string(path) {
        Ok(text) => parse_master_key(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            getrandom::fill(&mut key)?;
            write_key(path, &STANDARD.encode(key)).map_err(failed)?;
            Ok(key)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes the key beside its place and moves it there when it is durable: a crash leaves a whole key or none, and
/// none is used that could be lost.
fn write_key(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
