//! Refusals and failures as problem documents: one table.

use crate::{codes::Code, problem::Problem};
use contract::{
    Failure, Refusal,
    refusal::{DeclineReason, Unavailable},
};
use serde_json::json;

/// The code of a refusal: also the `motivo` of a reservation that came to nothing.
pub fn code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::UserNotFound => Code::UserNotFound,
        Refusal::UserForgotten => Code::UserForgotten,
        Refusal::DocumentRegistered => Code::DocumentRegistered,
        Refusal::EmailRegistered => Code::EmailRegistered,
        Refusal::ShowNotFound => Code::ShowNotFound,
        Refusal::ShowUnavailable { .. } => Code::ShowUnavailable,
        Refusal::SoldOut { .. } | Refusal::AllHeld { .. } => Code::SoldOut,
        Refusal::SeatsTaken { .. } => Code::SeatsTaken,
        Refusal::ShowInThePast
        | Refusal::SeatsUnknown { .. }
        | Refusal::NotNumbered
        | Refusal::SectionUnknown { .. }
        | Refusal::AmountTooLarge => Code::InvalidData,
        Refusal::PurchaseLimit { .. } => Code::PurchaseLimit,
        Refusal::HoldNotFound => Code::HoldNotFound,
        Refusal::HoldExpired => Code::HoldExpired,
        Refusal::HoldInUse => Code::HoldInUse,
        Refusal::PaymentDeclined { .. } => Code::PaymentDeclined,
        Refusal::ReservationNotFound => Code::ReservationNotFound,
        Refusal::NotCancellable => Code::NotCancellable,
        Refusal::NotStuck => Code::NotStuck,
        Refusal::KeyReused => Code::KeyReused,
        Refusal::TooLate { .. } => Code::ReservationExpired,
        Refusal::PriceChanged { .. } => Code::PriceChanged,
        Refusal::Cancelled => Code::ReservationCancelled,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let problem = Problem::new(code(&refusal));
        match refusal {
            Refusal::ShowUnavailable {
                why: Unavailable::Cancelled,
            } => problem.detail("El evento fue cancelado."),
            Refusal::ShowUnavailable {
                why: Unavailable::Begun,
            } => problem.detail("El evento ya comenzó."),
            Refusal::ShowInThePast => problem.field("fecha", "debe estar en el futuro"),
            Refusal::SoldOut { free } => sold_out(problem, free),
            Refusal::AllHeld { free, .. } => sold_out(problem, free)
                .detail("Las entradas que quedan están retenidas por otras personas; alguna puede volver."),
            Refusal::SeatsTaken { seats } => problem
                .detail("Elija otros asientos: los indicados están retenidos o vendidos.")
                .with("asientos", json!(seats)),
            Refusal::SeatsUnknown { seats } => problem
                .field("asientos", "contiene asientos que este evento no tiene")
                .with("asientos", json!(seats)),
            Refusal::NotNumbered => problem.field("asientos", "este evento no tiene asientos numerados"),
            Refusal::SectionUnknown { .. } => problem.field("seccion", "este evento no tiene esa sección"),
            Refusal::AmountTooLarge => problem.field("cantidad", "el monto total es demasiado grande"),
            Refusal::PurchaseLimit { limit, already } => problem
                .detail(format!(
                    "El límite es de {limit} por persona y ya tiene {already}."
                ))
                .with("limite", json!(limit))
                .with("ya_tiene", json!(already)),
            Refusal::PaymentDeclined { reason } => problem.detail(decline(reason)),
            Refusal::PriceChanged { now } => problem
                .detail(format!("Ahora cuesta {now}."))
                .with("monto_total", now.major_json())
                .with("moneda", json!(now.currency.code())),
            Refusal::NotCancellable => problem.detail(
                "Solo se cancela una reserva confirmada o pendiente, antes de que empiece el evento.",
            ),
            Refusal::UserNotFound
            | Refusal::UserForgotten
            | Refusal::DocumentRegistered
            | Refusal::EmailRegistered
            | Refusal::ShowNotFound
            | Refusal::HoldNotFound
            | Refusal::HoldExpired
            | Refusal::HoldInUse
            | Refusal::ReservationNotFound
            | Refusal::NotStuck
            | Refusal::KeyReused
            | Refusal::TooLate { .. }
            | Refusal::Cancelled => problem,
        }
    }
}

fn sold_out(problem: Problem, free: u32) -> Problem {
    problem
        .detail(format!("Quedan {free} entradas disponibles."))
        .with("entradas_disponibles", json!(free))
}

fn decline(reason: DeclineReason) -> &'static str {
    match reason {
        DeclineReason::Declined => "El emisor rechazó el pago. No se cobró nada.",
        DeclineReason::InsufficientFunds => "La tarjeta no tiene fondos suficientes. No se cobró nada.",
        DeclineReason::CaptureFailed => "El cobro no se pudo completar; la autorización se anuló.",
        DeclineReason::NoAnswer => "La pasarela de pago no respondió; el pago se anuló y no se cobrará.",
        DeclineReason::Voided => "El pago se anuló antes de hacerse. No se cobró nada.",
        DeclineReason::UnknownToken => "La pasarela no reconoce el token. No se cobró nada.",
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        match failure {
            Failure::Busy { retry_after_ms } => {
                Problem::new(Code::Busy).retry_after(retry_after_ms.div_ceil(1_000))
            }
            Failure::Unavailable { what } => {
                tracing::warn!(%what, "a request was turned away: something it needs is unavailable");
                Problem::new(Code::Unavailable).detail("No se hizo nada. Vuelva a intentarlo.")
            }
            Failure::Unknown { what } => {
                tracing::warn!(%what, "the outcome of a request is unknown");
                Problem::new(Code::Unavailable).detail(
                    "No se sabe si la operación llegó a hacerse. Repítala con la misma Idempotency-Key: \
                     no se hará dos veces.",
                )
            }
            Failure::Unreadable { what } => Problem::internal(&what),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::{Currency, Money, Timestamp};

    fn every_refusal() -> Vec<(Refusal, &'static str, u16)> {
        let seats = || vec!["Platea-A-1".to_owned()];
        vec![
            (Refusal::UserNotFound, "USUARIO_NO_ENCONTRADO", 404),
            (Refusal::UserForgotten, "USUARIO_OLVIDADO", 410),
            (Refusal::DocumentRegistered, "DOCUMENTO_REGISTRADO", 409),
            (Refusal::EmailRegistered, "EMAIL_REGISTRADO", 409),
            (Refusal::ShowNotFound, "EVENTO_NO_ENCONTRADO", 404),
            (
                Refusal::ShowUnavailable {
                    why: Unavailable::Begun,
                },
                "EVENTO_NO_DISPONIBLE",
                409,
            ),
            (Refusal::ShowInThePast, "DATOS_INVALIDOS", 422),
            (Refusal::SoldOut { free: 1 }, "SIN_DISPONIBILIDAD", 409),
            (Refusal::AllHeld { free: 1, held: 2 }, "SIN_DISPONIBILIDAD", 409),
            (Refusal::SeatsTaken { seats: seats() }, "ASIENTOS_OCUPADOS", 409),
            (Refusal::SeatsUnknown { seats: seats() }, "DATOS_INVALIDOS", 422),
            (Refusal::NotNumbered, "DATOS_INVALIDOS", 422),
            (
                Refusal::SectionUnknown { section: "X".into() },
                "DATOS_INVALIDOS",
                422,
            ),
            (
                Refusal::PurchaseLimit {
                    limit: 10,
                    already: 9,
                },
                "LIMITE_DE_COMPRA",
                409,
            ),
            (Refusal::HoldNotFound, "BLOQUEO_NO_ENCONTRADO", 404),
            (Refusal::HoldExpired, "BLOQUEO_VENCIDO", 409),
            (Refusal::HoldInUse, "BLOQUEO_EN_USO", 409),
            (
                Refusal::PaymentDeclined {
                    reason: DeclineReason::Declined,
                },
                "PAGO_RECHAZADO",
                402,
            ),
            (Refusal::ReservationNotFound, "RESERVA_NO_ENCONTRADA", 404),
            (Refusal::NotCancellable, "RESERVA_NO_CANCELABLE", 409),
            (Refusal::NotStuck, "SAGA_NO_ATASCADA", 409),
            (Refusal::KeyReused, "CLAVE_REUTILIZADA", 422),
            (
                Refusal::TooLate {
                    deadline_ms: Timestamp(0),
                },
                "RESERVA_VENCIDA",
                409,
            ),
            (Refusal::AmountTooLarge, "DATOS_INVALIDOS", 422),
            (
                Refusal::PriceChanged {
                    now: Money::new(100, Currency::USD),
                },
                "PRECIO_CAMBIADO",
                409,
            ),
            (Refusal::Cancelled, "RESERVA_CANCELADA", 409),
        ]
    }

    #[test]
    fn every_refusal_has_the_status_and_code_of_the_contract() {
        for (refusal, codigo, status) in every_refusal() {
            let problem = Problem::from(refusal.clone());
            assert_eq!(problem.code().text(), codigo, "{refusal:?}");
            assert_eq!(problem.code().status().as_u16(), status, "{refusal:?}");
            let invalid = problem.code() == Code::InvalidData;
            assert_eq!(
                invalid,
                !problem.errors().is_empty(),
                "{refusal:?}: invalid data names its field"
            );
        }
    }

    #[test]
    fn taken_seats_are_named() {
        let problem = Problem::from(Refusal::SeatsTaken {
            seats: vec!["Platea-A-1".into()],
        });
        assert_eq!(
            serde_json::to_value(problem).unwrap()["asientos"],
            json!(["Platea-A-1"])
        );
    }

    #[test]
    fn failures_keep_busy_unknown_and_broken_apart() {
        assert_eq!(
            Problem::from(Failure::Busy {
                retry_after_ms: 1_500
            }),
            Problem::new(Code::Busy).retry_after(2)
        );
        let unknown = Problem::from(Failure::Unknown { what: "x".into() });
        assert!(
            serde_json::to_value(&unknown).unwrap()["detail"]
                .as_str()
                .unwrap()
                .contains("Idempotency-Key")
        );
        assert_eq!(
            Problem::from(Failure::Unreadable { what: "x".into() }).code(),
            Code::Internal
        );
    }
}
