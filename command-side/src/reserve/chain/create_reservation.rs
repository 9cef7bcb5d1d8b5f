//! CreadorDeReserva.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::{Order, order::Created},
};
use async_trait::async_trait;
use contract::{
    Answer, Ask, Command, Money, Reply,
    commands::{ReservationAction, ReservationCommand},
    events::ReservationRequested,
};

/// How long is waited for the log at the least before a reservation that the broker keeps counts as queued, in
/// milliseconds: whoever asks for an answer at once wants to find the reservation under its `Location`.
const QUEUED_AFTER_MS: u64 = 2_000;

/// Makes the reservation. When this has passed, its first event is durable, or the broker keeps its command until
/// the log is back; either way it is carried to an outcome, whatever crashes.
pub struct CreateReservation;

#[async_trait]
impl Link for CreateReservation {
    fn name(&self) -> &'static str {
        "CreateReservation"
    }

    async fn handle(&self, app: &App, mut order: Order) -> Result<Order, Rejection> {
        let request = request(app, &order);
        let action = ReservationAction::Request {
            request: Box::new(request.clone()),
        };
        let command = Command::Reservation(ReservationCommand {
            reservation_id: order.reservation_id,
            action,
        });
        let reply = match app.broker.keeps_asks() {
            true => submit(app, &order, command).await?,
            false => Some(app.ask(&order.cause, order.command("request"), command).await?),
        };
        let (repeated, position) = match reply {
            None => (false, None),
            Some(Reply { answer, position }) => match answer {
                Answer::Requested { repeated } => (repeated, position),
                other => return Err(Rejection::unexpected(&other)),
            },
        };
        order.created = Some(Created {
            repeated,
            request,
            position,
        });
        Ok(order)
    }
}

fn request(app: &App, order: &Order) -> ReservationRequested {
    let nothing = Money {
        minor: 0,
        currency: app.settings.currency,
    };
    ReservationRequested {
        reservation_id: order.reservation_id,
        user_id: order.user_id,
        show_id: order.show_id,
        choice: order.choice.clone(),
        quantity: order.quote.as_ref().map_or(0, |quote| quote.quantity),
        amount: order.price.unwrap_or(nothing),
        payment_token: order.payment_token.clone(),
        line_until_ms: order.line_until_ms,
        requested_at_ms: app.clock.now(),
        fingerprint: order.fingerprint,
    }
}

/// Hands the command to the broker for good. `None` when nobody has carried it out within the buyer's patience.
async fn submit(app: &App, order: &Order, command: Command) -> Result<Option<Reply>, Rejection> {
    let ask = Ask {
        id: order.command("request"),
        cause: order.cause.clone(),
        deadline_ms: Ask::NEVER,
        command,
    };
    let until = order
        .answer_until_ms
        .max(app.clock.now().plus_ms(QUEUED_AFTER_MS));
    let reply = app.submit(ask).await?;
    tokio::select! {
        // An answer that is there counts. None comes when the broker is lost, which keeps the command.
        biased;
        reply = reply => reply.ok().map(App::judge).transpose(),
        () = app.clock.sleep_until(until) => Ok(None),
    }
}
