//! `GET /api/reservar/{reserva_id}`: a reservation and its steps.

use crate::{
    app::Shared,
    reads::{self, catch_up},
};
use axum::{extract::State, response::Response};
use contract::ReservationId;
use web::{
    Code, Id, Params, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
    headers::Access,
    render,
    schema::Reserva,
};

/// Una reserva
#[utoipa::path(
    get, path = "/api/reservar/{reserva_id}", operation_id = "verReserva", tag = "Reservas",
    params(
        ("reserva_id" = uuid::Uuid, Path, description = "La reserva"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Reserva, description = "La reserva, con sus pasos"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn describe(
    State(reader): State<Shared>,
    Access(caller): Access,
    Id(id): Id<ReservationId>,
    params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    catch_up(&reader.app, &params).await?;
    let reservation = reads::reservation(&reader.app, id).await?;
    let reservation = reservation.ok_or_else(|| Problem::new(Code::ReservationNotFound))?;
    caller.reaches(reservation.user_id)?;
    Ok(Tagged::json(&render::reservation(&reservation))?.respond(&has, Privacy::Personal))
}
