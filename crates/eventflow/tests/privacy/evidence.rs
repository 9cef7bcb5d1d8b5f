//! A person, what a folder holds of them byte by byte, and a way into the log behind the program's back.

use crate::common::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{Cause, CommandId, Event, StreamEnd, StreamName, Timestamp, UserId};
use ports::{
    EventLog, Expected,
    embedded::{LogOptions, SqliteLog, master_key},
    sealing,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use uuid::Uuid;

pub const GIVEN_NAME: &str = "Xóchitl-Quetzalli";
pub const FAMILY_NAME: &str = "Ñañagüiro-Zbkwq";
pub const DOCUMENT: &str = "ZQX-918273645-Q";
pub const EMAIL: &str = "Xochitl.Q7731@correo-privado.example";
pub const PASSWORD: &str = "una clave muy larga 7731";

/// `dev` at debug level, all that it says in files beside its folder.
pub struct Logged {
    child: Child,
    pub address: SocketAddr,
    pub said: [PathBuf; 2],
}

impl Logged {
    pub fn start(folder: &Folder) -> Self {
        let said = ["out", "err"].map(|name| folder.0.join(name));
        let [out, err] = said.each_ref().map(|path| File::create(path).unwrap());
        let child = program()
            .args(["dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.data())
            .env("EVENTFLOW_LOG", "trace,h2=off")
            .stdout(Stdio::from(out))
            .stderr(Stdio::from(err))
            .spawn()
            .unwrap();
        let began = Instant::now();
        let address = loop {
            let text = fs::read_to_string(&said[0]).unwrap();
            let line = text.lines().next().filter(|_| text.contains('\n'));
            if let Some(address) = line.and_then(|line| line.strip_prefix("listening on http://")) {
                break address.parse().unwrap();
            }
            assert!(began.elapsed() < PATIENCE, "dev did not start");
            std::thread::sleep(Duration::from_millis(5));
        };
        Self { child, address, said }
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn somebody() -> Value {
    json!({
        "tipo_documento": "Pasaporte", "nro_documento": DOCUMENT, "nombre": GIVEN_NAME, "apellido": FAMILY_NAME,
        "email": EMAIL, "password": PASSWORD,
    })
}

/// The person's data in every spelling in which they could stand somewhere.
pub fn clear_spellings() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for text in [GIVEN_NAME, FAMILY_NAME, DOCUMENT, EMAIL, PASSWORD] {
        let plain = text.replace(['.', '-'], "");
        for spelling in [
            text,
            &text.to_lowercase(),
            &text.to_uppercase(),
            &plain,
            &plain.to_lowercase(),
        ] {
            found.push((spelling.to_owned(), spelling.as_bytes().to_vec()));
            let utf16 = spelling.encode_utf16().flat_map(u16::to_le_bytes).collect();
            found.push((format!("{spelling} in UTF-16"), utf16));
            // Whatever stands before it: without the ends, which its neighbours change.
            let encoded = STANDARD.encode(spelling.as_bytes());
            found.push((
                format!("{spelling} in base64"),
                encoded.as_bytes()[..encoded.len() - 4].to_vec(),
            ));
            found.push((
                format!("{spelling} in JSON"),
                json!(spelling).to_string().replace('"', "").into_bytes(),
            ));
        }
    }
    found.push(("a password hash".into(), b"$argon2".to_vec()));
    found
}

pub fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// None of these is in any file of the folder or in what the program said.
#[track_caller]
pub fn nowhere(folder: &Folder, patterns: &[(String, Vec<u8>)]) {
    let all = files(&folder.0);
    assert!(all.len() > 5, "{all:?}");
    for path in all {
        let bytes = fs::read(&path).unwrap();
        for (what, pattern) in patterns {
            assert!(pattern.len() >= 7, "{what} is too short to be looked for");
            let at = memchr(&bytes, pattern);
            assert!(at.is_none(), "{what} is in {} at {at:?}", path.display());
        }
    }
}

pub fn stands_somewhere(folder: &Folder, pattern: &[u8]) -> bool {
    let all = files(&folder.0);
    all.iter()
        .any(|path| memchr(&fs::read(path).unwrap(), pattern).is_some())
}

pub fn memchr(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == pattern[0]) {
        let at = from + at;
        if bytes[at..].starts_with(pattern) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The wrapped key of the pseudonyms, which is exchanged after all persons' keys.
pub fn wrapped_secret(data: &Path) -> Vec<u8> {
    let vault = Connection::open_with_flags(data.join("vault.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    vault
        .query_row(
            "SELECT wrapped FROM secrets WHERE name = 'pseudonym_key'",
            [],
            |row| row.get(0),
        )
        .unwrap()
}

/// The wrapped key in the vault; `None` when it was destroyed.
pub fn wrapped_key(data: &Path, user: &str) -> Option<Vec<u8>> {
    let vault = Connection::open_with_flags(data.join("vault.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let id = Uuid::parse_str(user).unwrap();
    vault
        .query_row(
            "SELECT wrapped FROM persons WHERE person = ?1",
            [id.as_bytes()],
            |row| row.get(0),
        )
        .optional()
        .unwrap()
        .expect("a row")
}

pub fn key_bytes(data: &Path, user: &str) -> Vec<(String, Vec<u8>)> {
    let wrapped = wrapped_key(data, user).expect("a key");
    let master = master_key(&data.join("master.key")).unwrap();
    let key = sealing::unwrap(&master, UserId(Uuid::parse_str(user).unwrap()), &wrapped).unwrap();
    vec![
        ("the wrapped key".into(), wrapped.clone()),
        // Past the nonce, should a part of it be overwritten.
        ("the wrapped key's end".into(), wrapped[28..].to_vec()),
        ("the key".into(), key.to_vec()),
        ("the key in base64".into(), STANDARD.encode(key).into_bytes()),
    ]
}

pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Appends to a stream of a folder that nobody uses.
pub async fn append(data: &Path, stream: &StreamName, events: Vec<Event>) {
    let log = SqliteLog::open(&data.join("events.db"), LogOptions::default()).unwrap();
    let there = log.read(stream, 0, 1_000).await.unwrap();
    let mut end = there.last().map_or(StreamEnd::NEW, |last| last.end().unwrap());
    let expected = Expected::before(end.next);
    let cause = Cause {
        correlation: Uuid::now_v7(),
        actor: "admin".into(),
        trace: None,
    };
    let at = Timestamp(chrono::Utc::now().timestamp_millis());
    let linked = end
        .link(stream, CommandId(Uuid::now_v7()), &cause, at, events)
        .unwrap();
    log.append(stream, expected, linked).await.unwrap();
}
