//! `GET /salud/viva` and `GET /salud/lista`.

use crate::world::Watch;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use contract::{Position, ReservationId};
use ports::{EventLog, Payments, ReadStore};
use projector::Health;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;
use uuid::Uuid;

/// Read models that are older than this make the server unready: whoever balances load should ask another one.
const MAX_LAG_MS: u64 = 5_000;
const READY: &str = "lista";

/// What is looked at to tell whether the server is ready.
#[derive(Clone)]
pub struct Probes {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// The read models.
    pub store: Arc<dyn ReadStore>,
    /// How the projector is doing.
    pub projector: Arc<Health>,
    /// The payment gateway.
    pub payments: Arc<dyn Payments>,
    /// The end of the log when this process started: readers must have seen it once.
    pub start: Option<Position>,
    /// The tasks of the process, by the dependency that they are.
    pub tasks: [(&'static str, Watch); 4],
}

pub(super) fn routes(probes: Probes) -> Router {
    Router::new()
        .route("/salud/viva", get(alive))
        .route("/salud/lista", get(ready).with_state(probes))
}

/// ¿Está vivo el proceso?
#[utoipa::path(
    get, path = "/salud/viva", operation_id = "viva", tag = "Operaciones",
    responses((status = 200, description = "Está vivo"))
)]
pub(super) async fn alive() -> Response {
    let mut response = Response::new(r#"{"estado":"viva"}"#.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whether the server is ready, and each of its dependencies.
#[derive(Serialize, ToSchema)]
pub(super) struct Salud {
    /// `lista` o `no_lista`
    estado: &'static str,
    /// Cada dependencia por su nombre
    dependencias: BTreeMap<&'static str, Dependencia>,
}

/// One dependency.
#[derive(Serialize, ToSchema)]
pub(super) struct Dependencia {
    /// `bien` o `mal`
    estado: &'static str,
    /// Qué ocurre, cuando está mal
    #[serde(skip_serializing_if = "Option::is_none")]
    detalle: Option<String>,
    /// Hasta dónde ha llegado, en posiciones del registro
    #[serde(skip_serializing_if = "Option::is_none")]
    posicion: Option<u64>,
    /// Cuánto le falta, en posiciones del registro
    #[serde(skip_serializing_if = "Option::is_none")]
    retraso: Option<u64>,
    /// La edad del evento más antiguo que le falta, en milisegundos
    #[serde(skip_serializing_if = "Option::is_none")]
    retraso_ms: Option<u64>,
}

impl Dependencia {
    pub(super) fn new(trouble: Option<String>) -> Self {
        let estado = if trouble.is_none() { "bien" } else { "mal" };
        Self {
            estado,
            detalle: trouble,
            posicion: None,
            retraso: None,
            retraso_ms: None,
        }
    }

    fn at(self, position: Option<Position>, head: Option<Position>) -> Self {
        let (position, head) = (position.unwrap_or_default().0, head.unwrap_or_default().0);
        Self {
            posicion: Some(position),
            retraso: Some(head.saturating_sub(position)),
            ..self
        }
    }
}

/// ¿Puede atender? Cada dependencia, con su retraso
#[utoipa::path(
    get, path = "/salud/lista", operation_id = "lista", tag = "Operaciones",
    responses(
        (status = 200, body = Salud, description = "Puede atender"),
        (status = 503, body = Salud, description = "Alguna dependencia está mal"),
    )
)]
pub(super) async fn ready(State(probes): State<Probes>) -> Response {
    let dependencias = probes.look().await;
    let ready = dependencias
        .values()
        .all(|dependency| dependency.estado == "bien");
    Salud::new(ready, dependencias).into_response_with_status()
}

impl Salud {
    pub(super) fn new(ready: bool, dependencias: BTreeMap<&'static str, Dependencia>) -> Self {
        let estado = if ready { READY } else { "no_lista" };
        Self { estado, dependencias }
    }

    /// 200 when it is ready, 503 when not.
    pub(super) fn into_response_with_status(self) -> Response {
        let status = if self.estado == READY {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl Probes {
    async fn look(&self) -> BTreeMap<&'static str, Dependencia> {
        let head = self.log.head().await;
        let log = Dependencia::new(head.as_ref().err().map(|_| "no se puede leer".to_string()));
        let head = head.ok().flatten();
        let payments = self.payments.find(ReservationId(Uuid::nil())).await;
        let forwarded = self.store.mark("forwarder").await;
        let messages = Dependencia::new(
            forwarded
                .as_ref()
                .err()
                .map(|_| "no se sabe hasta dónde llegó".to_string()),
        );
        let mut found = BTreeMap::from([
            ("registro", log.at(head, head)),
            ("lecturas", self.read_models(head)),
            ("mensajes", messages.at(forwarded.ok().flatten(), head)),
            (
                "pagos",
                Dependencia::new(payments.err().map(|_| "la pasarela no responde".to_string())),
            ),
            ("comandos", Dependencia::new(None)),
            ("sagas", Dependencia::new(None)),
        ]);
        for (name, _) in self.tasks.iter().filter(|(_, task)| !task.is_at_work()) {
            found.insert(
                name,
                Dependencia::new(Some("se detuvo por un fallo; hay que reiniciar".to_string())),
            );
        }
        found
    }

    fn read_models(&self, head: Option<Position>) -> Dependencia {
        let applied = *self.store.applied().borrow();
        let parked = self.projector.parked_streams();
        let lag_ms = self.projector.lag_ms();
        let trouble = if parked > 0 {
            Some(format!("{parked} flujos apartados porque no se pueden leer"))
        } else if self.projector.is_failing() {
            Some("no se puede proyectar; se reintenta".to_string())
        } else if applied < self.start {
            Some("se ponen al día".to_string())
        } else if lag_ms > MAX_LAG_MS {
            Some("van con retraso".to_string())
        } else {
            None
        };
        Dependencia {
            retraso_ms: Some(lag_ms),
            ..Dependencia::new(trouble).at(applied, head)
        }
    }
}
