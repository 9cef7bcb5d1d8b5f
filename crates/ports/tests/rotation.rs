//! The master key is exchanged while the vault holds keys: nothing is lost, nothing of the old wrapping stays.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use contract::UserId;
use ports::{
    Vault, VaultError,
    embedded::{FileVault, OpenError, read_master_key, remove_master_key, write_master_key},
    sealing::Masters,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use uuid::Uuid;

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("eventflow-rotation-{}", Uuid::new_v4()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether these bytes are in any file of the vault.
fn stands_in_a_file(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let file = fs::read(entry.unwrap().path()).unwrap();
        file.windows(bytes.len()).any(|window| window == bytes)
    })
}

fn wrapped(path: &Path, person: UserId) -> Vec<u8> {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .query_row(
            "SELECT wrapped FROM persons WHERE person = ?1",
            [person.0.as_bytes()],
            |row| row.get(0),
        )
        .unwrap()
}

#[tokio::test]
async fn every_key_is_wrapped_anew_batch_by_batch_and_no_old_wrapping_stays_in_a_file() {
    let scratch = Scratch::new();
    let path = scratch.0.join("vault.db");
    let vault = FileVault::open(&path, OLD).unwrap();
    let (pseudonym, mut people) = (vault.pseudonym("document", b"1"), Vec::new());
    // All at once, so that many keys share a commit.
    let mut making = tokio::task::JoinSet::new();
    for number in 0..1_100_u128 {
        let (vault, person) = (vault.clone(), UserId(Uuid::from_u128(number + 1)));
        making.spawn(async move { vault.create_key(person).await.unwrap() });
    }
    making.join_all().await;
    for number in 0..1_100_u128 {
        let person = UserId(Uuid::from_u128(number + 1));
        people.push((person, vault.seal(person, "name", "Ana").await.unwrap()));
    }
    vault.destroy(people[3].0).await.unwrap();
    drop(vault);
    let before: Vec<_> = [0, 600, 1_099]
        .map(|index| wrapped(&path, people[index].0))
        .into();

    // Killed behind the first batch: both kinds of wrapping open.
    let masters = Masters::new(NEW, Some(OLD));
    let both = FileVault::open_with(&path, masters.clone()).unwrap();
    let first = both.rewrap(None).await.unwrap();
    assert_eq!((first.rewrapped, first.next.is_some()), (500, true));
    drop(both);
    let both = FileVault::open_with(&path, masters).unwrap();
    for (person, sealed) in [&people[0], &people[1_099]] {
        assert_eq!(both.open(*person, "name", sealed).await.unwrap(), "Ana");
    }
    // Who comes meanwhile gets a key under the new one.
    let late = UserId(Uuid::from_u128(0));
    both.create_key(late).await.unwrap();
    let (mut rewrapped, mut after) = (0, None);
    loop {
        let step = both.rewrap(after).await.unwrap();
        rewrapped += step.rewrapped;
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(
        rewrapped,
        1_100 - 1 - 500 + 1,
        "the rest, and the key of the pseudonyms"
    );
    for old in &before {
        assert!(!stands_in_a_file(&scratch.0, old));
    }
    drop(both);

    let vault = FileVault::open(&path, NEW).unwrap();
    assert_eq!(vault.pseudonym("document", b"1"), pseudonym);
    for (index, (person, sealed)) in people.iter().enumerate() {
        match vault.open(*person, "name", sealed).await {
            Ok(name) => assert_eq!(name, "Ana"),
            Err(VaultError::Forgotten) => assert_eq!(index, 3),
            Err(error) => panic!("{error}"),
        }
    }
    vault.seal(late, "name", "Eva").await.unwrap();
    assert_eq!(vault.rewrap(None).await.unwrap().rewrapped, 0);
    drop(vault);
    let old = FileVault::open(&path, OLD);
    assert!(matches!(old, Err(OpenError::WrongMasterKey { .. })));
}

#[tokio::test]
async fn a_key_that_neither_master_key_opens_stops_the_exchange_and_changes_nothing() {
    let scratch = Scratch::new();
    let path = scratch.0.join("vault.db");
    let vault = FileVault::open(&path, OLD).unwrap();
    let (one, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    vault.create_key(one).await.unwrap();
    vault.create_key(other).await.unwrap();
    drop(vault);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let foreign = vec![7_u8; 60];
    connection
        .execute(
            "UPDATE persons SET wrapped = ?2 WHERE person = ?1",
            rusqlite::params![other.0.as_bytes(), foreign],
        )
        .unwrap();
    drop(connection);
    let before = wrapped(&path, one);
    let both = FileVault::open_with(&path, Masters::new(NEW, Some(OLD))).unwrap();
    assert!(matches!(both.rewrap(None).await, Err(VaultError::Unavailable(_))));
    drop(both);
    assert_eq!(wrapped(&path, one), before);
    FileVault::open(&path, OLD).unwrap();
}

#[test]
fn a_master_key_is_written_whole_read_back_and_removed_for_good() {
    let scratch = Scratch::new();
    let path = scratch.0.join("master.key.previous");
    assert_eq!(read_master_key(&path).unwrap(), None);
    write_master_key(&path, &OLD).unwrap();
    write_master_key(&path, &NEW).unwrap();
    assert_eq!(read_master_key(&path).unwrap(), Some(NEW));
    remove_master_key(&path).unwrap();
    remove_master_key(&path).unwrap();
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
}
