#![allow(clippy::unwrap_used)]

use super::*;
use crate::embedded::scratch::Scratch;
use std::sync::{Arc, Mutex, mpsc as std_mpsc};

/// Writes texts into a table; what it was told lands in `heard`.
struct Notes {
    heard: Arc<Mutex<Vec<&'static str>>>,
    /// Holds the first batch until a message comes.
    gate: Option<std_mpsc::Receiver<()>>,
}

impl Work for Notes {
    type Request = String;
    type Reply = i64;

    fn carry_out(&mut self, connection: &Connection, text: String) -> rusqlite::Result<i64> {
        if let Some(gate) = self.gate.take() {
            gate.recv().unwrap();
        }
        connection.execute("INSERT INTO notes (text) VALUES (?1)", [&text])?;
        connection.query_row("SELECT count(*) FROM notes", (), |row| row.get(0))
    }
    fn committed(&mut self, connection: &Connection, _took: Duration) {
        assert!(connection.is_autocommit());
        self.heard.lock().unwrap().push("committed");
    }
    fn rolled_back(&mut self) {
        self.heard.lock().unwrap().push("rolled back");
    }
}

type Heard = Arc<Mutex<Vec<&'static str>>>;

fn start(folder: &Scratch, gate: Option<std_mpsc::Receiver<()>>) -> (Arc<GroupCommit<Notes>>, Heard) {
    let connection = Connection::open(folder.file("notes.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT); PRAGMA max_page_count = 40;",
        )
        .unwrap();
    let heard = Heard::default();
    let work = Notes {
        heard: heard.clone(),
        gate,
    };
    (
        Arc::new(GroupCommit::start("notes", connection, work).unwrap()),
        heard,
    )
}

#[tokio::test]
async fn what_waits_is_committed_together() {
    let folder = Scratch::new().unwrap();
    let (open, gate) = std_mpsc::channel();
    let (writer, heard) = start(&folder, Some(gate));
    // The first is taken alone or with others; the rest gathers while it is held.
    let asked: Vec<_> = (0..20)
        .map(|index| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.submit(index.to_string()).await })
        })
        .collect();
    // Every task has had its turn when this one has it again: on one thread they take turns.
    tokio::task::yield_now().await;
    open.send(()).unwrap();
    let mut counts = Vec::new();
    for asked in asked {
        counts.push(asked.await.unwrap().unwrap());
    }
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
    assert!(heard.lock().unwrap().len() <= 2, "{:?}", heard.lock().unwrap());
}

#[tokio::test]
async fn a_full_disk_rolls_the_batch_back_and_the_writer_goes_on() {
    let folder = Scratch::new().unwrap();
    let (writer, heard) = start(&folder, None);
    assert_eq!(writer.submit("small".into()).await.unwrap(), 1);
    let error = writer.submit("x".repeat(1 << 20)).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::RolledBack(why) if why.contains("full")),
        "{error}"
    );
    assert_eq!(writer.submit("small".into()).await.unwrap(), 2);
    assert_eq!(*heard.lock().unwrap(), ["committed", "rolled back", "committed"]);
}

#[tokio::test]
async fn one_failure_fails_its_whole_batch_and_leaves_nothing_of_it() {
    let folder = Scratch::new().unwrap();
    let (open, gate) = std_mpsc::channel();
    let (writer, _) = start(&folder, Some(gate));
    let first = tokio::spawn({
        let writer = writer.clone();
        async move { writer.submit("first".into()).await }
    });
    tokio::task::yield_now().await;
    let texts = ["before".to_owned(), "x".repeat(1 << 20), "after".to_owned()];
    let batch: Vec<_> = texts
        .into_iter()
        .map(|text| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.submit(text).await })
        })
        .collect();
    tokio::task::yield_now().await;
    open.send(()).unwrap();
    let mut written = i64::from(first.await.unwrap().is_ok());
    for asked in batch {
        written += i64::from(asked.await.unwrap().is_ok());
    }
    // Whoever was told "written" is there, and nobody else.
    assert_eq!(writer.submit("last".into()).await.unwrap(), written + 1);
}

#[tokio::test]
async fn dropping_the_writer_carries_out_what_is_queued() {
    let folder = Scratch::new().unwrap();
    let (writer, _) = start(&folder, None);
    let mut asked = Box::pin(writer.submit("queued".into()));
    let _ = std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context))).await;
    drop(asked);
    drop(writer);
    let connection = Connection::open(folder.file("notes.db")).unwrap();
    assert_eq!(
        connection
            .query_row("SELECT text FROM notes", (), |row| row.get::<_, String>(0))
            .unwrap(),
        "queued"
    );
}
