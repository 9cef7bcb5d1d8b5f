//! How long the export of many people takes and how much memory, on the embedded read store:
//! `cargo run --release -p query-side --example export_of_many -- 100000`
#![allow(clippy::unwrap_used, missing_docs)]

use async_trait::async_trait;
use axum::{body::Body, http::Request};
use contract::{
    Currency, Digest, Money, Position, ReservationId, Sealed, ShowId, Timestamp, UserId, collections,
    events::DocumentType,
};
use http_body_util::BodyExt;
use ports::{
    Change, Document, ReadStore, Rewrapping, SystemClock, Vault, VaultError,
    embedded::{GatewayOptions, LogOptions, ReadStoreOptions, SimulatedGateway, SqliteLog, SqliteReadStore},
};
use query_side::{App, Settings};
use serde::Serialize;
use std::{sync::Arc, time::Instant};
use tower::ServiceExt;
use uuid::Uuid;
use views::{purchase::Purchase, user::User};
use web::server::Closing;

/// Opens what was never sealed: the vault's disk is not what is measured.
struct OpenVault;

#[async_trait]
impl Vault for OpenVault {
    async fn create_key(&self, _: UserId) -> Result<(), VaultError> {
        Ok(())
    }
    async fn seal(&self, _: UserId, _: &str, clear: &str) -> Result<Sealed<String>, VaultError> {
        Ok(Sealed::from_bytes(clear.as_bytes().to_vec()))
    }
    async fn open(&self, person: UserId, _: &str, _: &Sealed<String>) -> Result<String, VaultError> {
        let domains = ["correo.example", "mail.example", "post.example"];
        let number = person.0.as_u128();
        let rare = number
            .is_multiple_of(50)
            .then(|| format!("x@d{}.example", number % 5_000));
        Ok(rare.unwrap_or_else(|| format!("x@{}", domains[(number % 3) as usize])))
    }
    async fn destroy(&self, _: UserId) -> Result<(), VaultError> {
        Ok(())
    }
    async fn rewrap(&self, _: Option<UserId>) -> Result<Rewrapping, VaultError> {
        Err(VaultError::NoKey)
    }
    fn pseudonym(&self, _: &str, _: &[u8]) -> Digest {
        Digest::ZERO
    }
}

fn put(collection: &'static collections::Collection, key: Uuid, body: &impl Serialize) -> Change {
    let document = Document {
        key: key.to_string(),
        version: 1,
        body: serde_json::to_vec(body).unwrap().into(),
    };
    Change::Put {
        collection,
        document: Arc::new(document),
    }
}

fn person(number: u64) -> User {
    let nothing = || Sealed::from_bytes(vec![0; 48]);
    User {
        user_id: UserId(Uuid::from_u128(u128::from(number))),
        document_type: if number.is_multiple_of(9) {
            DocumentType::Passport
        } else {
            DocumentType::Dni
        },
        document: nothing(),
        given_name: nothing(),
        family_name: nothing(),
        email: nothing(),
        registered_at_ms: Timestamp(1_767_225_600_000 + (number % 300).cast_signed() * 86_400_000),
        forgotten_at_ms: None,
        revision: 0,
    }
}

fn purchase(number: u64, of: u64) -> Purchase {
    let show = (number * 7 + of * 13) % 40;
    Purchase {
        user_id: UserId(Uuid::from_u128(u128::from(number))),
        reservation_id: ReservationId(Uuid::from_u128(u128::from(number * 16 + of))),
        show_id: ShowId(Uuid::from_u128(u128::from(show))),
        show_name: format!("Show {show}"),
        category: Some(format!("category {}", show % 5)),
        quantity: u32::try_from(1 + number % 3).unwrap(),
        amount: Money::new(4_990 * (1 + number % 3).cast_signed(), Currency::USD),
        at_ms: Timestamp(1_793_836_800_000 + ((number * 31 + of * 17) % 2_000_000).cast_signed() * 1_000),
    }
}

/// Resident memory of this process now and at its highest, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
    };
    (value("VmRSS:"), value("VmHWM:"))
}

#[tokio::main]
async fn main() {
    let people: u64 = std::env::args()
        .nth(1)
        .map_or(100_000, |count| count.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("eventflow-export-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteReadStore::open(&folder.join("views.db"), ReadStoreOptions::default()).unwrap();
    let generation = store.active().await.unwrap();
    let mut bought = 0;
    for batch in 0..people.div_ceil(1_000) {
        let mut changes = Vec::new();
        for number in batch * 1_000..people.min(batch * 1_000 + 1_000) {
            let person = person(number);
            changes.push(put(&collections::USERS, person.user_id.0, &person));
            for of in 0..number % 7 {
                let purchase = purchase(number, of);
                changes.push(put(&collections::PURCHASES, purchase.reservation_id.0, &purchase));
                bought += 1;
            }
        }
        store
            .apply(generation, changes, Position(batch + 1))
            .await
            .unwrap();
    }
    let (_closer, closing) = Closing::pair();
    let app = App {
        store,
        log: SqliteLog::open(&folder.join("events.db"), LogOptions::default()).unwrap(),
        vault: Arc::new(OpenVault),
        payments: SimulatedGateway::open(&folder.join("gateway.db"), GatewayOptions::default()).unwrap(),
        clock: Arc::new(SystemClock),
        closing,
        settings: Settings::default(),
    };
    let router = query_side::router(app);
    println!("{people} people, {bought} purchases");
    // What the kernel remembers as the highest so far is that of filling the store.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, begun) = (memory().0, Instant::now());
    let request = Request::get("/api/usuarios/exportar?formato=ndjson")
        .body(Body::empty())
        .unwrap();
    let mut response = router.oneshot(request).await.unwrap();
    println!("first byte after {:.2} s", begun.elapsed().as_secs_f64());
    let (mut bytes, mut rows, mut with_history) = (0, 0, 0);
    while let Some(frame) = response.body_mut().frame().await {
        let data = frame.unwrap().into_data().unwrap();
        bytes += data.len();
        let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for line in lines {
            rows += 1;
            with_history += usize::from(!line.ends_with(b"\"historial\":[]}"));
        }
    }
    println!(
        "{rows} rows ({with_history} with a history), {:.1} MiB, after {:.2} s",
        bytes as f64 / 1_048_576.0,
        begun.elapsed().as_secs_f64()
    );
    println!("memory: {before} MiB before, {} MiB at the highest", memory().1);
    let _ = std::fs::remove_dir_all(&folder);
}
