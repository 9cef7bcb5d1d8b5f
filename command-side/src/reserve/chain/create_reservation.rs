//! CreadorDeReserva.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::{Order, order::Created},
};
use async_trait::async_trait;
use contract::{
    Answer, Command,
    commands::{ReservationAction, ReservationCommand},
    events::ReservationRequested,
};

/// Makes the reservation. When this has passed, its first event is durable and its saga carries it to an
/// outcome, whatever crashes.
pub struct CreateReservation;

#[async_trait]
impl Link for CreateReservation {
    fn name(&self) -> &'static str {
        "CreateReservation"
    }

    async fn handle(&self, app: &App, mut order: Order) -> Result<Order, Rejection> {
        let request = ReservationRequested {
            reservation_id: order.reservation_id,
            user_id: order.user_id,
            show_id: order.show_id,
            choice: order.choice.clone(),
            quantity: order.quoted()?.quantity,
            amount: order.priced()?,
            payment_token: order.payment_token.clone(),
            line_until_ms: order.line_until_ms,
            requested_at_ms: app.clock.now(),
            fingerprint: order.fingerprint,
        };
        let action = ReservationAction::Request {
            request: Box::new(request.clone()),
        };
        let command = ReservationCommand {
            reservation_id: order.reservation_id,
            action,
        };
        let reply = app
            .ask(
                &order.cause,
                order.command("request"),
                Command::Reservation(command),
            )
            .await?;
        match reply.answer {
            Answer::Requested { repeated } => {
                order.created = Some(Created {
                    repeated,
                    request,
                    position: reply.position,
                });
            }
            other => return Err(Rejection::unexpected(&other)),
        }
        Ok(order)
    }
}
