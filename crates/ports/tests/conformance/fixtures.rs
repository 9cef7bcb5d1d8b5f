//! What the suites get their adapters from.

use async_trait::async_trait;
use ports::conformance::{Failed, Fixture};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// The master key of the vaults under test.
pub const MASTER: [u8; 32] = [9; 32];

/// Adapters over files, each fresh one in a folder of its own; all folders go when this goes.
pub struct Files<F> {
    folder: PathBuf,
    current: Mutex<PathBuf>,
    open: F,
}

impl<F> Files<F> {
    pub fn new(open: F) -> Self {
        let folder = std::env::temp_dir().join(format!("eventflow-conformance-{}", Uuid::new_v4()));
        Self {
            current: Mutex::new(folder.clone()),
            folder,
            open,
        }
    }

    /// The adapter over this folder.
    pub fn open<P: ?Sized>(&self, path: &Path) -> Result<Arc<P>, Failed>
    where
        F: Fn(&Path) -> Result<Arc<P>, Failed>,
    {
        (self.open)(path)
    }
}

impl<F> Drop for Files<F> {
    fn drop(&mut self) {
        // There may be none, when nothing was opened.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[async_trait]
impl<P: ?Sized + Send + Sync + 'static, F: Fn(&Path) -> Result<Arc<P>, Failed> + Send + Sync> Fixture<P>
    for Files<F>
{
    async fn fresh(&self) -> Result<Arc<P>, Failed> {
        let path = self.folder.join(Uuid::new_v4().to_string());
        fs::create_dir_all(&path)?;
        self.current.lock().unwrap().clone_from(&path);
        (self.open)(&path)
    }

    async fn reopen(&self, port: Arc<P>) -> Result<Arc<P>, Failed> {
        drop(port);
        let path = self.current.lock().unwrap().clone();
        (self.open)(&path)
    }
}

/// Adapters that keep nothing.
pub struct Memory<F>(pub F);

#[async_trait]
impl<P: ?Sized + Send + Sync + 'static, F: Fn() -> Arc<P> + Send + Sync> Fixture<P> for Memory<F> {
    async fn fresh(&self) -> Result<Arc<P>, Failed> {
        Ok((self.0)())
    }

    async fn reopen(&self, _port: Arc<P>) -> Result<Arc<P>, Failed> {
        Ok((self.0)())
    }
}

/// Takes the last event out of a log's file, as a disk would that lied about having written it: the file is sound,
/// only younger than it said.
pub fn lose_the_last_event(path: &Path) {
    if !path.exists() {
        return;
    }
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(
        "BEGIN;
         UPDATE head SET next = coalesce(last, next), count = max(count - 1, 0);
         DELETE FROM events WHERE pos = (SELECT max(pos) FROM events);
         UPDATE head SET last = (SELECT max(pos) FROM events);
         COMMIT;",
    )
    .unwrap();
}
