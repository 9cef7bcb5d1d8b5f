//! `GET /api/operaciones/sagas`: purchases that are not settled.

use axum::{Json, Router, extract::State, routing::get};
use contract::collections::RESERVATIONS;
use ports::{Filter, Op, Query, ReadStore};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;
use views::reservation::{Reservation, Status};
use web::{Code, Params, Problem, RequestContext, render, schema::Reserva};

/// More open sagas than this are counted, not shown.
const SHOWN: usize = 1_000;

/// Reads, and how long a read may wait for its position.
#[derive(Clone)]
pub(super) struct Reader {
    store: Arc<dyn ReadStore>,
    wait: Duration,
}

pub(super) fn routes(store: Arc<dyn ReadStore>, wait: Duration) -> Router {
    Router::new().route(
        "/api/operaciones/sagas",
        get(list).with_state(Reader { store, wait }),
    )
}

/// Purchases that are not settled.
#[derive(Serialize, ToSchema)]
pub(super) struct Sagas {
    /// Las primeras mil, las atascadas delante
    sagas: Vec<SagaAbierta>,
    /// Cuántas de ellas están atascadas
    atascadas: usize,
}

/// A purchase that is not settled.
#[derive(Serialize, ToSchema)]
pub(super) struct SagaAbierta {
    /// La reserva, con sus pasos
    #[serde(flatten)]
    reserva: Reserva,
    /// Por qué está atascada
    #[serde(skip_serializing_if = "Option::is_none")]
    atasco: Option<String>,
}

/// Las compras sin terminar, las atascadas delante
#[utoipa::path(
    get, path = "/api/operaciones/sagas", operation_id = "listarSagas", tag = "Operaciones",
    params(("posicion" = Option<u64>, Query, description = "Espera a que la lectura haya aplicado esta posición")),
    responses((status = 200, body = Sagas, description = "Las que no han terminado"))
)]
pub(super) async fn list(
    State(Reader { store, wait }): State<Reader>,
    _: RequestContext,
    params: Params,
) -> Result<Json<Sagas>, Problem> {
    let position = params.position()?;
    if let Some(position) = position {
        // An error of the wait is the end of its time or of the store; either way it has not been seen.
        let mut applied = store.applied();
        let seen = applied.wait_for(|applied| *applied >= Some(position));
        let seen = tokio::time::timeout(wait, seen)
            .await
            .is_ok_and(|seen| seen.is_ok());
        if !seen {
            return Err(Problem::new(Code::ReadLag));
        }
    }
    let filters = vec![Filter {
        field: "open",
        op: Op::Eq(1.into()),
    }];
    let query = Query {
        filters,
        order: None,
        after: None,
        limit: SHOWN,
    };
    let found = store.find(&RESERVATIONS, query).await.map_err(|error| {
        tracing::warn!(%error, "open sagas could not be read");
        Problem::new(Code::Unavailable)
    })?;
    let mut sagas = Vec::with_capacity(found.len());
    for document in found {
        let saga: Reservation =
            serde_json::from_slice(&document.body).map_err(|error| Problem::internal(&error))?;
        sagas.push(saga);
    }
    sagas.sort_by_key(|saga| (saga.status != Status::Stuck, saga.created_at_ms));
    let atascadas = sagas.iter().filter(|saga| saga.status == Status::Stuck).count();
    let sagas = sagas.into_iter().map(|saga| SagaAbierta {
        reserva: render::reservation(&saga),
        atasco: saga.stuck,
    });
    Ok(Json(Sagas {
        sagas: sagas.collect(),
        atascadas,
    }))
}
