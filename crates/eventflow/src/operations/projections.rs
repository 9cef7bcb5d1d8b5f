//! The read models as an operator sees them: how far they are, and making them anew.

use crate::leading::Leading;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use projector::{Projector, RebuildError};
use serde::Serialize;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use utoipa::ToSchema;
use web::{Code, Problem, RequestContext, schema::Problema};

/// The last rebuild of this process, shared between the task that does it and whoever asks.
pub(super) struct Desk {
    /// Of the stores that hold read models; each is rebuilt, one after the other.
    projectors: Vec<Arc<Projector>>,
    leading: Option<Leading>,
    done: AtomicU64,
    total: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Clone)]
enum Last {
    None,
    Running,
    Finished { events: u64 },
    Failed { why: &'static str },
}

pub(super) fn routes(projectors: Vec<Arc<Projector>>, leading: Option<Leading>) -> Router {
    let desk = Desk {
        projectors,
        leading,
        done: AtomicU64::new(0),
        total: AtomicU64::new(0),
        last: Mutex::new(Last::None),
    };
    Router::new()
        .route("/api/operaciones/proyecciones", get(state))
        .route("/api/operaciones/proyecciones/reconstruir", post(rebuild))
        .with_state(Arc::new(desk))
}

/// The state of the read models.
#[derive(Serialize, ToSchema)]
pub(super) struct Proyecciones {
    /// Hasta dónde han aplicado el registro
    posicion: Option<u64>,
    /// La edad del evento más antiguo que les falta, en milisegundos
    retraso_ms: u64,
    /// Flujos apartados porque no se pueden leer
    apartados: u64,
    /// La última reconstrucción de este proceso
    reconstruccion: Reconstruccion,
}

/// A rebuild.
#[derive(Serialize, ToSchema)]
pub(super) struct Reconstruccion {
    /// `ninguna`, `en_curso`, `terminada` o `fallida`
    estado: &'static str,
    /// Hasta dónde ha llegado, en posiciones del registro
    #[serde(skip_serializing_if = "Option::is_none")]
    hecho: Option<u64>,
    /// El final del registro cuando empezó
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Cuántos eventos fueron
    #[serde(skip_serializing_if = "Option::is_none")]
    eventos: Option<u64>,
    /// Por qué no terminó
    #[serde(skip_serializing_if = "Option::is_none")]
    detalle: Option<&'static str>,
}

/// Cómo están los modelos de lectura
#[utoipa::path(
    get, path = "/api/operaciones/proyecciones", operation_id = "verProyecciones", tag = "Operaciones",
    responses(
        (status = 200, body = Proyecciones, description = "Su estado"),
        (status = 503, body = Problema, content_type = "application/problem+json",
            description = "Este nodo está en espera; otro lleva las proyecciones"),
    )
)]
pub(super) async fn state(
    State(desk): State<Arc<Desk>>,
    _: RequestContext,
) -> Result<Json<Proyecciones>, Problem> {
    desk.is_at_work()?;
    Ok(Json(desk.state()))
}

/// Rehace los modelos de lectura junto a los actuales y los cambia al final; la venta sigue
#[utoipa::path(
    post, path = "/api/operaciones/proyecciones/reconstruir", operation_id = "reconstruir", tag = "Operaciones",
    responses((status = 202, body = Proyecciones, description = "En curso; su avance se ve en `/api/operaciones/proyecciones`"))
)]
pub(super) async fn rebuild(State(desk): State<Arc<Desk>>, _: RequestContext) -> Result<Response, Problem> {
    desk.is_at_work()?;
    // Asked twice, it is done once: the second is told how far the first is.
    if desk.begin() {
        tokio::spawn(desk.clone().rebuild());
    }
    Ok((StatusCode::ACCEPTED, Json(desk.state())).into_response())
}

impl Desk {
    /// A node that stands by knows neither how far the one at work is nor what it rebuilds. nginx asks the next node
    /// when it hears this.
    fn is_at_work(&self) -> Result<(), Problem> {
        if self.leading.as_ref().is_some_and(|leading| !leading.is_ours()) {
            return Err(Problem::new(Code::Unavailable)
                .detail("Este nodo está en espera; otro lleva las proyecciones.")
                .retry_after(1));
        }
        Ok(())
    }

    /// True when it was idle until now.
    fn begin(&self) -> bool {
        let mut last = self.last();
        if matches!(*last, Last::Running) {
            return false;
        }
        *last = Last::Running;
        self.done.store(0, Relaxed);
        true
    }

    async fn rebuild(self: Arc<Self>) {
        let progress = |done, total| {
            self.done.store(done, Relaxed);
            self.total.store(total, Relaxed);
        };
        let mut outcome = Last::None;
        for projector in &self.projectors {
            outcome = match projector.rebuild(&progress).await {
                Ok(rebuilt) => Last::Finished {
                    events: rebuilt.events,
                },
                Err(error) => {
                    tracing::error!(%error, "the rebuild came to nothing; readers see what they saw before");
                    let why = match error {
                        RebuildError::Running => "otra reconstrucción está en curso",
                        RebuildError::Failed(_) => "el registro o los modelos fallaron",
                        RebuildError::Interrupted => "se interrumpió al final",
                    };
                    Last::Failed { why }
                }
            };
            if matches!(outcome, Last::Failed { .. }) {
                break;
            }
        }
        *self.last() = outcome;
    }

    fn state(&self) -> Proyecciones {
        let health: Vec<_> = self
            .projectors
            .iter()
            .map(|projector| projector.health())
            .collect();
        Proyecciones {
            posicion: health
                .iter()
                .filter_map(|health| health.applied())
                .map(|position| position.0)
                .min(),
            retraso_ms: health.iter().map(|health| health.lag_ms()).max().unwrap_or(0),
            apartados: health
                .iter()
                .map(|health| health.parked_streams())
                .max()
                .unwrap_or(0),
            reconstruccion: self.describe(),
        }
    }

    fn describe(&self) -> Reconstruccion {
        let told = |estado| Reconstruccion {
            estado,
            hecho: None,
            total: None,
            eventos: None,
            detalle: None,
        };
        let (done, total) = (self.done.load(Relaxed), self.total.load(Relaxed));
        match self.last().clone() {
            Last::None => told("ninguna"),
            Last::Running => Reconstruccion {
                hecho: Some(done),
                total: Some(total),
                ..told("en_curso")
            },
            Last::Finished { events } => Reconstruccion {
                eventos: Some(events),
                ..told("terminada")
            },
            Last::Failed { why } => Reconstruccion {
                detalle: Some(why),
                ..told("fallida")
            },
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        // Whole values are put in and read out: nobody can leave half of one.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
