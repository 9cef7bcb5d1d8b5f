//! A folder for one test.

use std::{fs, io, path::PathBuf};
use uuid::Uuid;

/// Removed with all that is in it when it is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("eventflow-{}", Uuid::new_v4()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What the system keeps from us, it removes itself one day.
        let _ = fs::remove_dir_all(&self.0);
    }
}
