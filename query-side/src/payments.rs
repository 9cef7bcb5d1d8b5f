//! `GET /api/pagos/{reserva_id}`: what the payment gateway holds for a reservation.

use crate::{app::Shared, reads};
use axum::{extract::State, response::Response};
use contract::{Money, ReservationId};
use ports::PaymentError;
use serde::Serialize;
use utoipa::ToSchema;
use web::{
    Code, Id, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
    schema::{Amount, CurrencyCode},
};

/// Lo que la pasarela tiene de una reserva.
#[derive(Serialize, ToSchema)]
pub(crate) struct EstadoDePago {
    /// Autorizado en total.
    #[schema(value_type = f64, minimum = 0)]
    autorizado: Amount,
    /// Cobrado.
    #[schema(value_type = f64, minimum = 0)]
    capturado: Amount,
    /// Devuelto.
    #[schema(value_type = f64, minimum = 0)]
    reembolsado: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    moneda: CurrencyCode,
}

impl EstadoDePago {
    fn of(authorised: Money, captured: Money, refunded: Money) -> Self {
        Self {
            autorizado: Amount(authorised),
            capturado: Amount(captured),
            reembolsado: Amount(refunded),
            moneda: CurrencyCode(authorised.currency),
        }
    }
}

/// Lo que la pasarela de pago tiene de una reserva
#[utoipa::path(
    get, path = "/api/pagos/{reserva_id}", operation_id = "verPago", tag = "Pagos",
    params(
        ("reserva_id" = uuid::Uuid, Path, description = "La reserva"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = EstadoDePago, description = "Lo que tiene; ceros si nunca se le pidió nada"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn describe(
    State(reader): State<Shared>,
    Id(id): Id<ReservationId>,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    let app = &reader.app;
    let shown = match app.payments.find(id).await.map_err(unavailable)? {
        Some(ledger) => EstadoDePago::of(ledger.authorised, ledger.captured, ledger.refunded),
        None => {
            // The gateway was never asked: nothing, in the reservation's currency, if there is one.
            let reservation = reads::reservation(app, id).await?;
            let amount = reservation
                .ok_or_else(|| Problem::new(Code::ReservationNotFound))?
                .amount;
            let nothing = Money::zero(amount.currency);
            EstadoDePago::of(nothing, nothing, nothing)
        }
    };
    Ok(Tagged::json(&shown)?.respond(&has, Privacy::Personal))
}

fn unavailable(error: PaymentError) -> Problem {
    tracing::warn!(%error, "a payment could not be looked up");
    Problem::new(Code::Unavailable).detail("La pasarela de pago no responde.")
}
