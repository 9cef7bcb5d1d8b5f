//! `POST /api/operaciones/sagas/{reserva_id}/reintentar`

use super::{Endpoint, bodies::ConClave, request, reservations::accepted};
use crate::{app::App, reserve::resume};
use axum::{Router, extract::State, response::Response, routing::post};
use contract::ReservationId;
use web::{
    Id, IdempotencyKey, OptionalJson, Problem, RequestContext,
    schema::{Problema, Reserva},
};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/operaciones/sagas/{reserva_id}/reintentar", post(retry))
}

/// Deja que una reserva atascada lo intente otra vez
#[utoipa::path(
    post, path = "/api/operaciones/sagas/{reserva_id}/reintentar", operation_id = "reintentarSaga", tag = "Operaciones",
    params(
        ("reserva_id" = uuid::Uuid, Path, description = "La reserva"),
        ConClave,
    ),
    responses(
        (status = 202, body = Reserva, description = "Lo intenta otra vez; se sigue en `Location`"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`RESERVA_NO_ENCONTRADA`, `SAGA_NO_ATASCADA`, `CLAVE_REUTILIZADA`"),
    )
)]
pub(super) async fn retry(
    State(app): State<App>,
    context: RequestContext,
    Id(reservation_id): Id<ReservationId>,
    key: IdempotencyKey,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Problem> {
    let request = request(&app, &context, Endpoint::Resume(reservation_id), key, &body);
    let cause = context.cause(reservation_id.0);
    Ok(accepted(
        &resume::resume(&app, cause, request, reservation_id).await?,
    ))
}
