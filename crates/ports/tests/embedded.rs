//! What the embedded adapters promise beyond their ports: the data folder, keys, and how the simulated gateway and
//! the caches behave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use async_trait::async_trait;
use contract::{Currency, Money, Position, ReservationId, Timestamp, UserId, collections::SHOWS};
use ports::{
    Change, Charge, ChargeOutcome, Clock, Document, Payments, ReadStore, Vault,
    embedded::{
        DataFolder, FileVault, FolderError, GatewayOptions, MasterKeyError, OpenError, ReadStoreOptions,
        SimulatedGateway, SqliteReadStore, master_key, parse_master_key,
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;
use uuid::Uuid;

/// A folder for one test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("eventflow-embedded-{}", Uuid::new_v4()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A clock that stands still until it is set.
struct SetClock(watch::Sender<Timestamp>);

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }
    async fn sleep_until(&self, deadline: Timestamp) {
        self.0.subscribe().wait_for(|now| *now >= deadline).await.unwrap();
    }
}

#[test]
fn a_second_process_is_kept_out_of_the_folder_and_told_who_has_it() {
    let scratch = Scratch::new();
    let path = scratch.file("new/data");
    let folder = DataFolder::open(&path).unwrap();
    folder.announce("127.0.0.1:8080").unwrap();
    let refused = DataFolder::open(&path).unwrap_err();
    let FolderError::InUse { holder, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(
        *holder,
        format!("pid {} listening on 127.0.0.1:8080", std::process::id())
    );
    drop(folder);
    let again = DataFolder::open(&path).unwrap();
    assert_eq!(again.events(), path.join("events.db"));
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_by_its_name() {
    let scratch = Scratch::new();
    fs::write(scratch.file("file"), "not a folder").unwrap();
    let refused = DataFolder::open(&scratch.file("file")).unwrap_err();
    assert!(matches!(refused, FolderError::Unwritable { .. }));
    assert!(refused.to_string().contains("file"), "{refused}");
}

#[test]
fn the_master_key_is_made_once_and_only_its_owner_reads_it() {
    let scratch = Scratch::new();
    let path = scratch.file("master.key");
    let key = master_key(&path).unwrap();
    assert_ne!(key, [0; 32]);
    assert_eq!(master_key(&path).unwrap(), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(
        fs::read_dir(&scratch.0).unwrap().count(),
        1,
        "a draft was left behind"
    );
}

#[test]
fn a_damaged_master_key_is_refused_and_never_replaced() {
    let scratch = Scratch::new();
    let path = scratch.file("master.key");
    fs::write(&path, "c2hvcnQ=\n").unwrap();
    assert!(matches!(master_key(&path), Err(MasterKeyError::Malformed)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "c2hvcnQ=\n");
}

#[test]
fn a_master_key_is_read_with_or_without_padding() {
    let padded = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let key = parse_master_key(padded).unwrap();
    assert_eq!(key[..3], [1, 2, 3]);
    assert_eq!(parse_master_key(padded.trim_end_matches('=')).unwrap(), key);
    for wrong in ["", "=", "AQID", "not base64 at all !", &padded.repeat(2)] {
        assert!(parse_master_key(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_vault_does_not_open_with_another_master_key() {
    let scratch = Scratch::new();
    let path = scratch.file("vault.db");
    drop(FileVault::open(&path, [1; 32]).unwrap());
    let refused = FileVault::open(&path, [2; 32]).err();
    assert!(
        matches!(refused, Some(OpenError::WrongMasterKey { .. })),
        "{refused:?}"
    );
    FileVault::open(&path, [1; 32]).unwrap();
}

#[tokio::test]
async fn a_destroyed_key_is_in_none_of_the_files() {
    let scratch = Scratch::new();
    let path = scratch.file("vault.db");
    let vault = FileVault::open(&path, [1; 32]).unwrap();
    let person = UserId(Uuid::new_v4());
    vault.create_key(person).await.unwrap();
    let wrapped: Vec<u8> = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT wrapped FROM persons WHERE person = ?1",
            [person.0.as_bytes()],
            |row| row.get(0),
        )
        .unwrap();
    let found = |name: &str| {
        let bytes = fs::read(scratch.file(name)).unwrap_or_default();
        bytes.windows(wrapped.len()).any(|window| window == wrapped)
    };
    assert!(found("vault.db-wal") || found("vault.db"));
    vault.destroy(person).await.unwrap();
    assert!(!found("vault.db-wal") && !found("vault.db"));
}

fn charge(token: &str) -> Charge {
    let reservation_id = ReservationId(Uuid::new_v4());
    Charge {
        reservation_id,
        amount: Money::new(100, Currency::USD),
        token: token.into(),
    }
}

async fn captured(gateway: &SimulatedGateway, charge: &Charge) -> i64 {
    gateway
        .find(charge.reservation_id)
        .await
        .unwrap()
        .map_or(0, |ledger| ledger.captured.minor)
}

#[tokio::test]
async fn a_slow_gateway_charges_at_once_and_answers_after_three_seconds() {
    let scratch = Scratch::new();
    let time = watch::Sender::new(Timestamp(1_000));
    let clock = Arc::new(SetClock(time.clone()));
    let options = GatewayOptions {
        clock,
        ..GatewayOptions::default()
    };
    let gateway = SimulatedGateway::open(&scratch.file("gateway.db"), options).unwrap();
    let slow = charge("tok_lenta");
    let answer = tokio::spawn({
        let (gateway, slow) = (gateway.clone(), slow.clone());
        async move { gateway.charge(slow).await.unwrap() }
    });
    while captured(&gateway, &slow).await == 0 || time.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    time.send_replace(Timestamp(3_999));
    tokio::task::yield_now().await;
    assert!(!answer.is_finished());
    time.send_replace(Timestamp(4_000));
    assert_eq!(answer.await.unwrap(), ChargeOutcome::Captured);
}

fn show(version: u64) -> Vec<Change> {
    let body = r#"{"starts_at_ms":1,"category":"rock","unsettled":0}"#.into();
    let document = Arc::new(Document {
        key: "s".into(),
        version,
        body,
    });
    vec![Change::Put {
        collection: &SHOWS,
        document,
    }]
}

fn store(path: &Path) -> Arc<SqliteReadStore> {
    SqliteReadStore::open(path, ReadStoreOptions::default()).unwrap()
}

#[tokio::test]
async fn shows_are_in_memory_from_the_start() {
    let scratch = Scratch::new();
    let path = scratch.file("views.db");
    let first = store(&path);
    first
        .apply(first.active().await.unwrap(), show(7), Position(1))
        .await
        .unwrap();
    drop(first);
    let store = store(&path);
    // A read that is ready at once did not go to the file.
    let mut get = store.get(&SHOWS, "s");
    let got = std::future::poll_fn(|context| std::task::Poll::Ready(get.as_mut().poll(context))).await;
    assert!(got.is_ready());
}

#[tokio::test]
async fn what_a_crash_left_of_a_past_generation_is_removed_when_the_store_is_opened() {
    let scratch = Scratch::new();
    let path = scratch.file("views.db");
    drop(store(&path));
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("CREATE TABLE shows_g7 (key TEXT); CREATE TABLE notes_g7 (text TEXT);")
        .unwrap();
    let tables = || {
        let select = "SELECT count(*) FROM sqlite_schema WHERE name = 'shows_g7'";
        file.query_row(select, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(tables(), 1);
    drop(store(&path));
    assert_eq!(tables(), 0);
    file.execute_batch("DROP TABLE notes_g7")
        .expect("a table that is not ours was taken");
}
