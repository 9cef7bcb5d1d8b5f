//! A small world for the tests: the embedded adapters in a folder of their own, a clock that stands still until
//! it is told, and a projection that runs when it is told.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request},
};
use contract::{
    Cause, CommandId, Currency, Digest, Event, HoldId, Money, Position, ReservationId, ShowId, StreamEnd,
    StreamName, Timestamp, UserId, events::*,
};
use http_body_util::BodyExt;
use ports::{
    Change, Clock, Document, EventLog, Expected, ReadStore, Vault,
    embedded::{
        FileVault, GatewayOptions, LogOptions, ReadStoreOptions, SimulatedGateway, SqliteLog, SqliteReadStore,
    },
};
use query_side::{App, Settings};
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::watch;
use tower::ServiceExt;
use uuid::Uuid;
use views::project;
use web::{
    Caller,
    server::{Closer, Closing},
};

pub const USER: UserId = UserId(Uuid::from_u128(0x1));
pub const SHOW: ShowId = ShowId(Uuid::from_u128(0x2));
pub const RESERVATION: ReservationId = ReservationId(Uuid::from_u128(0x3));
/// When the show of the tests begins.
pub const BEGINS: Timestamp = Timestamp(2_000_000_000_000);

/// A clock that stands still until it is set.
pub struct TestClock(watch::Sender<i64>);

impl TestClock {
    pub fn set(&self, now: i64) {
        self.0.send_replace(now);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(*self.0.borrow())
    }
    async fn sleep_until(&self, deadline: Timestamp) {
        let _ = self.0.subscribe().wait_for(|now| *now >= deadline.0).await;
    }
}

/// What a GET was answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    pub fn codigo(&self) -> &str {
        self.body["codigo"].as_str().unwrap_or_default()
    }
}

pub struct World {
    pub router: Router,
    /// What the router was made from: another can be, with another store or log.
    pub app: App,
    pub log: Arc<SqliteLog>,
    pub store: Arc<SqliteReadStore>,
    pub vault: Arc<FileVault>,
    pub gateway: Arc<SimulatedGateway>,
    pub clock: Arc<TestClock>,
    pub closer: Closer,
    folder: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let folder = std::env::temp_dir().join(format!("eventflow-query-side-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = SqliteLog::open(&folder.join("events.db"), LogOptions::default()).unwrap();
        let store = SqliteReadStore::open(&folder.join("views.db"), ReadStoreOptions::default()).unwrap();
        let vault = FileVault::open(&folder.join("vault.db"), [7; 32]).unwrap();
        let gateway = SimulatedGateway::open(&folder.join("gateway.db"), GatewayOptions::default()).unwrap();
        let clock = Arc::new(TestClock(watch::Sender::new(1_000_000_000_000)));
        let (closer, closing) = Closing::pair();
        let app = App {
            store: store.clone(),
            log: log.clone(),
            vault: vault.clone(),
            payments: gateway.clone(),
            clock: clock.clone(),
            closing,
            settings,
        };
        let router = web::telemetry::instrument(query_side::router(app.clone()), 1_000);
        Self {
            router,
            app,
            log,
            store,
            vault,
            gateway,
            clock,
            closer,
            folder,
        }
    }

    /// Appends events to a stream, without projecting them.
    pub async fn append(&self, stream: &StreamName, correlation: Uuid, events: Vec<Event>) -> Position {
        let there = self.log.read(stream, 0, 10_000).await.unwrap();
        let mut end = there.last().map_or(StreamEnd::NEW, |last| last.end().unwrap());
        let expected = Expected::before(end.next);
        let cause = Cause {
            correlation,
            actor: "admin".into(),
            trace: None,
        };
        let command = CommandId(Uuid::new_v4());
        let linked = end
            .link(stream, command, &cause, self.clock.now(), events)
            .unwrap();
        self.log.append(stream, expected, linked).await.unwrap().position
    }

    /// Projects all that is in the log and not yet in the read models, event by event.
    pub async fn project(&self) {
        let generation = self.store.active().await.unwrap();
        let after = self.store.checkpoint(generation).await.unwrap();
        for recorded in self.log.read_all(after, 10_000).await.unwrap() {
            let event = recorded.event().unwrap();
            let mut changes = Vec::new();
            for target in project::targets(&event, &recorded.stream)
                .unwrap()
                .into_iter()
                .flatten()
            {
                let (collection, key) = (target.collection(), target.key());
                let before = self.store.get_in(generation, collection, &key).await.unwrap();
                let before = before.map(|document| target.read(&document.body).unwrap());
                changes.push(match target.evolve(before, &event, recorded.revision) {
                    Some(doc) => {
                        let body = Bytes::from(doc.body().unwrap());
                        let version = recorded.revision + 1;
                        Change::Put {
                            collection,
                            document: Arc::new(Document { key, version, body }),
                        }
                    }
                    None => Change::Delete { collection, key },
                });
            }
            self.store
                .apply(generation, changes, recorded.position)
                .await
                .unwrap();
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A GET by somebody whom the guard has found to be this.
    pub async fn get_as(&self, caller: &Caller, path: &str) -> Answer {
        let request = Request::get(path).extension(caller.clone());
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub async fn register(&self) {
        self.vault.create_key(USER).await.unwrap();
        let seal = async |field: &str, clear: &str| self.vault.seal(USER, field, clear).await.unwrap();
        let registered = UserRegistered {
            user_id: USER,
            document_type: DocumentType::Dni,
            document: seal("document", "12.345.678").await,
            given_name: seal("given_name", "Ana").await,
            family_name: seal("family_name", "Núñez").await,
            email: seal("email", "ana@ejemplo.org").await,
            email_pseudonym: Digest::ZERO,
            password: None,
            registered_at_ms: Timestamp(1_000),
            fingerprint: None,
        };
        self.append(&StreamName::user(USER), USER.0, vec![registered.into()])
            .await;
    }

    /// Schedules a show for ten at 49.90 USD.
    pub async fn schedule(&self, show_id: ShowId, change: impl FnOnce(&mut ShowScheduled)) -> Position {
        let mut show = ShowScheduled {
            show_id,
            name: "Concierto".into(),
            description: None,
            starts_at_ms: BEGINS,
            venue: "Teatro Colón".into(),
            price: usd(4_990),
            category: Some("rock".into()),
            limit_per_user: 10,
            layout: Layout::General { capacity: 10 },
            scheduled_at_ms: Timestamp(0),
            organiser: None,
            fingerprint: None,
        };
        change(&mut show);
        self.append(&StreamName::show(show_id), show_id.0, vec![show.into()])
            .await
    }

    pub async fn request(&self, id: ReservationId, choice: Choice) -> Position {
        let requested = ReservationRequested {
            reservation_id: id,
            user_id: USER,
            show_id: SHOW,
            choice,
            quantity: 2,
            amount: usd(9_980),
            payment_token: "tok_ok".into(),
            line_until_ms: Timestamp(0),
            requested_at_ms: Timestamp(5_000),
            checked: None,
            fingerprint: None,
        };
        self.append(&StreamName::reservation(id), id.0, vec![requested.into()])
            .await
    }

    pub async fn hold(
        &self,
        hold_id: HoldId,
        reservation_id: Option<ReservationId>,
        correlation: Uuid,
        sold: u32,
    ) {
        let held = TicketsHeld {
            hold_id,
            user_id: USER,
            reservation_id,
            quantity: 2,
            seats: Vec::new(),
            amount: usd(9_980),
            deadline_ms: BEGINS,
            tally: Tally {
                free: 8 - sold,
                held: 2,
                sold,
            },
            fingerprint: None,
        };
        self.append(&StreamName::show(SHOW), correlation, vec![held.into()])
            .await;
    }

    /// The rest of a purchase that was requested, `sold` tickets having been sold before it.
    pub async fn settle(&self, id: ReservationId, hold_id: HoldId, sold: u32) -> Position {
        let at = Timestamp(6_000 + i64::from(sold));
        let done = |steps: &[Step]| {
            steps
                .iter()
                .map(|step| StepRecord {
                    step: *step,
                    state: StepState::Done,
                    at_ms: at,
                })
                .collect::<Vec<_>>()
        };
        let grant = HoldGrant {
            hold_id,
            quantity: 2,
            seats: Vec::new(),
            amount: usd(9_980),
            deadline_ms: BEGINS,
        };
        let (reservation, show) = (StreamName::reservation(id), StreamName::show(SHOW));
        let steps = done(&[Step::ValidateUser, Step::ValidateShow, Step::HoldInventory]);
        let progressed = ReservationProgressed {
            steps,
            hold: Some(grant.clone()),
        };
        self.append(&reservation, id.0, vec![progressed.into()]).await;
        let captured = PaymentCaptured {
            reservation_id: id,
            amount: usd(9_980),
            at_ms: at,
        };
        self.append(&StreamName::payment(id), id.0, vec![captured.into()])
            .await;
        let recorded = PurchaseRecorded {
            reservation_id: id,
            show_id: SHOW,
            show_name: "Concierto".into(),
            category: None,
            quantity: 2,
            amount: usd(9_980),
            at_ms: at,
        };
        self.append(&StreamName::user(USER), id.0, vec![recorded.into()])
            .await;
        let sale = TicketsSold {
            hold_id,
            reservation_id: id,
            user_id: USER,
            quantity: 2,
            seats: Vec::new(),
            amount: usd(9_980),
            tally: Tally {
                free: 8 - sold,
                held: 0,
                sold: sold + 2,
            },
        };
        self.append(&show, id.0, vec![sale.into()]).await;
        let confirmed = ReservationConfirmed {
            reservation_id: id,
            user_id: USER,
            show_id: SHOW,
            grant,
            steps: done(&[Step::TakePayment, Step::RecordHistory, Step::Confirm]),
            confirmed_at_ms: at,
        };
        self.append(&reservation, id.0, vec![confirmed.into()]).await
    }

    /// A whole purchase of two tickets.
    pub async fn buy(&self, id: ReservationId, sold: u32) -> Position {
        self.request(
            id,
            Choice::Quantity {
                quantity: 2,
                section: None,
            },
        )
        .await;
        self.hold(id.own_hold(), Some(id), id.0, sold).await;
        self.settle(id, id.own_hold(), sold).await
    }
}

pub fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}
