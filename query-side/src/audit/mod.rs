//! `GET /api/auditoria/…`: the log itself. Personal data stays sealed.

pub(crate) mod history;
pub(crate) mod story;
pub(crate) mod streams;
pub(crate) mod time_travel;
pub(crate) mod verification;

use contract::Recorded;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use web::schema::Time;

/// Por qué ocurrió algo.
#[derive(Serialize, ToSchema)]
pub(crate) struct Causa {
    /// A qué pertenece: en una compra, su reserva, en todos los streams.
    correlacion: Uuid,
    /// La orden que lo decidió.
    causacion: Uuid,
    /// Quién.
    actor: String,
}

/// Un registro de la historia.
#[derive(Serialize, ToSchema)]
pub(crate) struct Registro {
    /// Su lugar en toda la historia.
    posicion: u64,
    /// Su número en el stream.
    revision: u64,
    /// El stream.
    stream: String,
    /// Su nombre y versión.
    #[schema(example = "tickets_sold.v1")]
    tipo: String,
    /// Cuándo se decidió; `null` si no se puede leer.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    en: Option<Time>,
    /// Lo que dice, tal como se guardó; los datos personales, sellados.
    #[schema(value_type = Object)]
    datos: Value,
    /// Por qué; `null` si no se puede leer.
    #[schema(required = true)]
    causa: Option<Causa>,
}

impl Registro {
    /// Shows what can be read: an auditor must see an altered event, too.
    pub fn of(recorded: &Recorded) -> Self {
        let meta = recorded.meta().ok();
        Self {
            posicion: recorded.position.0,
            revision: recorded.revision,
            stream: recorded.stream.to_string(),
            tipo: recorded.kind.to_string(),
            en: meta.as_ref().map(|meta| Time(meta.at_ms)),
            datos: serde_json::from_slice(&recorded.data).unwrap_or(Value::Null),
            causa: meta.map(|meta| Causa {
                correlacion: meta.correlation,
                causacion: meta.causation,
                actor: meta.actor.into_owned(),
            }),
        }
    }
}
