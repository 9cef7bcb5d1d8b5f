//! Group commit: one thread owns a file's only writing connection and makes what many callers ask for durable
//! together.
//!
//! A commit waits for the disk, some hundred microseconds whether it holds one request or a thousand. So the
//! writer takes all that is waiting, carries it out inside one transaction, commits once, and only then answers.
//! While it waits for the disk the next batch gathers by itself, and when batches are large it gathers for a
//! moment more, because a commit costs the processor about the same whether it holds ten requests or fifty. A lone
//! caller waits for nobody.

use rusqlite::{Connection, ErrorCode};
use std::{
    io,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How many requests one transaction takes at the most, so that the first of them is not kept waiting.
const MAX_BATCH: usize = 1_024;
/// After a batch of so many requests the writer is busy enough that waiting for more pays …
const BUSY_BATCH: usize = 8;
/// … for so long: a good part of what a commit costs, which is mostly writing the same few pages and waiting for the disk.
/// A lone caller never waits for it.
const GATHER: Duration = Duration::from_micros(300);
/// How many requests may wait. Past it, callers wait for room.
const MAX_QUEUE: usize = 4_096;

/// What the writer does with a request.
///
/// The methods run on the writer's thread, within the order `carry_out`…, `before_commit`, then either
/// `committed` or `rolled_back`.
pub trait Work: Send + 'static {
    /// What callers ask for.
    type Request: Send + 'static;
    /// What they are answered, after the commit.
    type Reply: Send + 'static;

    /// Carries one request out inside the open transaction. A request that cannot be granted says so in its reply
    /// and must leave nothing behind, because its batch mates are committed.
    ///
    /// # Errors
    /// When the database fails; the whole batch is rolled back.
    fn carry_out(&mut self, connection: &Connection, request: Self::Request)
    -> rusqlite::Result<Self::Reply>;

    /// Writes what belongs to the batch as a whole, once, just before its commit.
    ///
    /// # Errors
    /// When the database fails; the whole batch is rolled back.
    fn before_commit(&mut self, _connection: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    /// The batch is durable and nobody has been answered yet: the moment to make it visible in memory.
    fn committed(&mut self, _connection: &Connection, _took: Duration) {}

    /// Nothing of the batch was written: whatever memory holds of it must be forgotten.
    fn rolled_back(&mut self);

    /// All are answered: the moment for house-keeping.
    fn at_rest(&mut self, _connection: &Connection) {}
}

/// Why a request was not carried out, or is not known to have been.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written.
    #[error("nothing was written: {0}")]
    RolledBack(String),
    /// The disk failed while the commit was being made durable. This process sees none of it, but a crash now may
    /// bring it back.
    #[error("the commit was interrupted: {0}")]
    Unknown(String),
}

/// The writer's callers' end. Dropping it carries out what is queued, closes the file and ends the thread.
pub struct GroupCommit<W: Work> {
    queue: Option<mpsc::Sender<Queued<W>>>,
    thread: Option<JoinHandle<()>>,
}

struct Queued<W: Work> {
    request: W::Request,
    reply: Reply<W>,
}

type Reply<W> = oneshot::Sender<Result<<W as Work>::Reply, CommitError>>;

impl<W: Work> GroupCommit<W> {
    /// Starts the writer in a thread of this name.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str, connection: Connection, work: W) -> io::Result<Self> {
        let (queue, requests) = mpsc::channel(MAX_QUEUE);
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || write(&connection, work, requests))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Has a request carried out; returns after the commit. A caller that stops waiting changes nothing: a request
    /// that was queued is carried out.
    ///
    /// # Errors
    /// [`CommitError`] when it was not carried out, or is not known to have been.
    pub async fn submit(&self, request: W::Request) -> Result<W::Reply, CommitError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || CommitError::RolledBack("the writer has stopped".into());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue
            .send(Queued { request, reply })
            .await
            .map_err(|_| stopped())?;
        answer
            .await
            .unwrap_or_else(|_| Err(CommitError::Unknown("the writer has died".into())))
    }
}

impl<W: Work> Drop for GroupCommit<W> {
    fn drop(&mut self) {
        // Only a closed queue ends the thread; waiting for it means that the file is closed when we return.
        self.queue = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a writer thread had panicked");
        }
    }
}

fn write<W: Work>(connection: &Connection, mut work: W, mut requests: mpsc::Receiver<Queued<W>>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut replies: Vec<Reply<W>> = Vec::with_capacity(MAX_BATCH);
    let mut answers = Vec::with_capacity(MAX_BATCH);
    let mut busy = false;
    while requests.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
        if busy {
            thread::sleep(GATHER);
            while batch.len() < MAX_BATCH {
                match requests.try_recv() {
                    Ok(request) => batch.push(request),
                    Err(_) => break,
                }
            }
        }
        busy = batch.len() >= BUSY_BATCH;
        let begun = Instant::now();
        let outcome = commit(connection, &mut work, &mut batch, &mut replies, &mut answers);
        match outcome {
            Ok(()) => {
                work.committed(connection, begun.elapsed());
                for (reply, answer) in replies.drain(..).zip(answers.drain(..)) {
                    // An asker that has gone away does not need the answer.
                    let _ = reply.send(Ok(answer));
                }
            }
            Err(error) => {
                tracing::error!(%error, requests = replies.len(), "a group commit failed");
                work.rolled_back();
                answers.clear();
                for reply in replies.drain(..) {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
        work.at_rest(connection);
    }
}

/// Carries out and commits one batch. All its askers are in `replies` when this returns, whatever came of it.
fn commit<W: Work>(
    connection: &Connection,
    work: &mut W,
    batch: &mut Vec<Queued<W>>,
    replies: &mut Vec<Reply<W>>,
    answers: &mut Vec<W::Reply>,
) -> Result<(), CommitError> {
    let carried_out = (|| {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        for Queued { request, reply } in batch.drain(..) {
            replies.push(reply);
            answers.push(work.carry_out(connection, request)?);
        }
        work.before_commit(connection)
    })();
    // What an error left over was not begun; it fails with the rest.
    replies.extend(batch.drain(..).map(|queued| queued.reply));
    carried_out
        .map_err(|error| CommitError::RolledBack(error.to_string()))
        .and_then(|()| {
            let committed = connection
                .prepare_cached("COMMIT")
                .and_then(|mut commit| commit.execute(()));
            committed.map(|_| ()).map_err(|error| failed_commit(&error))
        })
        .inspect_err(|_| roll_back(connection))
}

/// Tells apart a commit that did not happen from one that may yet turn up. A transaction is there once its last
/// page is in the journal, and an error of the disk may come after that, while the journal is being synced.
fn failed_commit(error: &rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => CommitError::Unknown(error.to_string()),
        _ => CommitError::RolledBack(error.to_string()),
    }
}

fn roll_back(connection: &Connection) {
    // SQLite has rolled back by itself after a full disk and some other errors.
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a failed transaction could not be rolled back");
    }
}

#[cfg(test)]
mod tests;
