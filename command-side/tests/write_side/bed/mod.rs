//! The write side in a folder of its own, with a clock that the tests move.

pub mod access;
pub mod clock;
pub mod keeping;
pub mod saga;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use clock::HandClock;
use command_side::{
    app::{App, Parts, Settings},
    http, lanes,
    lanes::{LaneLimits, LanePorts},
    outcomes,
    payment::participant,
};
use contract::{
    Answer, Cause, Command, CommandId, Event, ReservationId, ShowId, StreamKind, StreamName, Timestamp,
    UserId,
    commands::{PaymentAction, PaymentCommand},
};
use http_body_util::BodyExt;
pub use keeping::Keeping;
use ports::{
    Broker, Clock, EventLog, Payments, SystemIds,
    embedded::{
        BrokerOptions, FileVault, GatewayOptions, LogOptions, MemoryBroker, ReadStoreOptions,
        SimulatedGateway, SqliteLog, SqliteReadStore,
    },
};
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::watch;
use tower::ServiceExt;
use uuid::Uuid;

/// The write side, running.
pub struct Bed {
    pub app: App,
    pub clock: Arc<HandClock>,
    pub gateway: Arc<SimulatedGateway>,
    router: Router,
    folder: PathBuf,
    stop: watch::Sender<bool>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Bed {
    /// With a saga that settles every reservation.
    pub async fn new() -> Self {
        let bed = Self::without_a_saga().await;
        saga::start(&bed.app).await;
        bed
    }

    /// Reservations stay as they are requested.
    pub async fn without_a_saga() -> Self {
        Self::on(|broker| broker).await
    }

    /// On a broker that keeps asks while the log is away, as RabbitMQ does; with a saga.
    pub async fn keeping_asks() -> (Self, Arc<Keeping>) {
        let mut kept = None;
        let bed = Self::on(|broker| {
            let keeping = Arc::new(Keeping::of(broker));
            kept = Some(keeping.clone());
            keeping
        })
        .await;
        saga::start(&bed.app).await;
        (bed, kept.unwrap())
    }

    async fn on(broker: impl FnOnce(Arc<dyn Broker>) -> Arc<dyn Broker>) -> Self {
        let folder = std::env::temp_dir().join(format!("eventflow-write-side-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = Arc::new(HandClock::default());
        let (stop, shutdown) = watch::channel(false);
        let log = SqliteLog::open(&folder.join("events.db"), LogOptions::default()).unwrap();
        let views = SqliteReadStore::open(&folder.join("views.db"), ReadStoreOptions::default()).unwrap();
        let vault = FileVault::open(&folder.join("vault.db"), [7; 32]).unwrap();
        let options = GatewayOptions {
            clock: clock.clone(),
            ..GatewayOptions::default()
        };
        let gateway = SimulatedGateway::open(&folder.join("gateway.db"), options).unwrap();
        let broker = broker(MemoryBroker::new(BrokerOptions::default(), clock.clone()));

        let ports = LanePorts {
            log: log.clone(),
            snapshots: views,
            clock: clock.clone(),
        };
        let lanes = lanes::start(&ports, LaneLimits::default(), &broker, &shutdown)
            .await
            .unwrap();
        tokio::spawn(lanes.join_all());
        let outcomes = outcomes::start(broker.clone(), log.clone(), clock.clone(), shutdown.clone())
            .await
            .unwrap();
        let app = App::new(Parts {
            log: log.clone(),
            broker: broker.clone(),
            vault: vault.clone(),
            payments: gateway.clone(),
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            outcomes,
            tokens: access::tokens(vault.clone(), clock.clone()),
            settings: Settings::default(),
        });
        let mailboxes = broker.serve(StreamKind::Payment).await.unwrap();
        tokio::spawn(participant::serve(app.clone(), mailboxes, shutdown));
        tokio::spawn(forward(log, broker));
        Self {
            router: access::guarded(&app, http::router(app.clone())),
            app,
            clock,
            gateway,
            folder,
            stop,
        }
    }

    /// Sends a request with these headers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// As somebody with this access token.
    pub async fn send_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[("authorization", &bearer)], body).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    pub async fn post_with(&self, path: &str, header: (&str, &str), body: Value) -> Reply {
        self.send(Method::POST, path, &[header], Some(body)).await
    }

    /// A registered person; a different one for each number.
    pub async fn user(&self, number: u32) -> Uuid {
        self.post("/api/usuarios", person(number))
            .await
            .expect(201)
            .id("usuario_id")
    }

    /// A show without seats, with at most 10 tickets per person.
    pub async fn show(&self, capacity: u32) -> Uuid {
        let mut show = show(self);
        show["aforo_total"] = capacity.into();
        self.post("/api/eventos", show).await.expect(201).id("evento_id")
    }

    /// A show with seats `Platea-A-1` … `Platea-B-3`.
    pub async fn seated_show(&self) -> Uuid {
        let mut show = show(self);
        show["mapa_asientos"] =
            json!({"secciones": [{"nombre": "Platea", "filas": 2, "asientos_por_fila": 3}]});
        self.post("/api/eventos", show).await.expect(201).id("evento_id")
    }

    /// The events of a stream.
    pub async fn events(&self, stream: StreamName) -> Vec<Event> {
        let recorded = self.app.read(&stream).await.unwrap();
        recorded
            .iter()
            .map(|recorded| recorded.decode().unwrap().0.clone())
            .collect()
    }

    /// How many events the log has.
    pub async fn events_in_all(&self) -> usize {
        self.app.log.read_all(None, 10_000).await.unwrap().len()
    }

    /// Asks for a payment, as the saga does.
    pub async fn pay(&self, id: ReservationId, action: PaymentAction) -> Answer {
        let name = match &action {
            PaymentAction::Take { .. } => "take_payment",
            PaymentAction::GiveBack => "give_back",
        };
        let command = Command::Payment(PaymentCommand {
            reservation_id: id,
            action,
        });
        ask(&self.app, CommandId(id.0).derived(name), command).await
    }
}

/// Asks as the saga does.
pub async fn ask(app: &App, id: CommandId, command: Command) -> Answer {
    let cause = Cause {
        correlation: command.key(),
        actor: "saga".into(),
        trace: None,
    };
    let deadline_ms = app.clock.now().plus_ms(60_000);
    app.broker
        .ask(contract::Ask {
            id,
            cause,
            deadline_ms,
            command,
        })
        .await
        .unwrap()
        .answer
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Reply {
    /// The reply, when it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }

    /// The reply, when it is a problem with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.body["codigo"].as_str()),
            (status, Some(code)),
            "{:#}",
            self.body
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        self
    }

    pub fn id(&self, field: &str) -> Uuid {
        self.body[field].as_str().unwrap().parse().unwrap()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"))
            .to_str()
            .unwrap()
    }

    /// The fields that the problem names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errores"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        errors
            .iter()
            .map(|error| error["campo"].as_str().unwrap())
            .collect()
    }
}

/// The body of a registration.
pub fn person(number: u32) -> Value {
    json!({
        "tipo_documento": "DNI",
        "nro_documento": format!("30.000.{number:03}"),
        "nombre": "Ana",
        "apellido": "Pérez",
        "email": format!("ana{number}@example.com"),
    })
}

/// The body of a show, but for its tickets.
pub fn show(bed: &Bed) -> Value {
    json!({
        "nombre": "Noche de jazz",
        "fecha": bed.clock.now().plus_ms(86_400_000).rfc3339(),
        "lugar": "Teatro Colón",
        "precio": 49.9,
        "categoria": "música",
    })
}

/// The id types that tests need from what HTTP answers.
pub fn reservation_stream(id: Uuid) -> StreamName {
    StreamName::reservation(ReservationId(id))
}
pub fn show_stream(id: Uuid) -> StreamName {
    StreamName::show(ShowId(id))
}
pub fn user_stream(id: Uuid) -> StreamName {
    StreamName::user(UserId(id))
}

/// The forwarder, without its mark: publishes the log as it grows.
async fn forward(log: Arc<dyn EventLog>, broker: Arc<dyn Broker>) {
    let mut tail = log.tail(None).await.unwrap();
    drop(log);
    while let Ok(events) = tail.next(1_000).await {
        broker.publish(&events).await.unwrap();
    }
}

/// What the gateway holds: authorised, captured, refunded.
pub async fn ledger(bed: &Bed, id: ReservationId) -> Option<(i64, i64, i64)> {
    let ledger = bed.gateway.find(id).await.unwrap()?;
    Some((
        ledger.authorised.minor,
        ledger.captured.minor,
        ledger.refunded.minor,
    ))
}

/// A time that a test names in milliseconds from now.
pub fn in_ms(bed: &Bed, ms: u64) -> Timestamp {
    bed.clock.now().plus_ms(ms)
}
