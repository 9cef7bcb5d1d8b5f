//! CreadorDeReserva.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::{Order, order::Created},
};
use async_trait::async_trait;
use contract::{
    Answer, Ask, Command, Money, Position, Reply, StreamEnd, StreamName,
    commands::{ReservationAction, ReservationCommand},
    events::{Checked, ReservationRequested},
};
use ports::Expected;

/// How long is waited for the log at the least before a reservation that the broker keeps counts as queued, in
/// milliseconds: whoever asks for an answer at once wants to find the reservation under its `Location`.
const QUEUED_AFTER_MS: u64 = 2_000;

/// How long the log may take to make a reservation before it is left to its lane, in milliseconds.
const APPENDED_WITHIN_MS: u64 = 1_000;

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
        let reply = if !app.broker.keeps_asks() {
            Some(app.ask(&order.cause, order.command("request"), command).await?)
        } else if let Some(position) = append(app, &order, &request).await? {
            Some(Reply {
                position: Some(position),
                answer: Answer::Requested { repeated: false },
            })
        } else {
            submit(app, &order, command).await?
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
        checked: order.quote.as_ref().filter(|_| order.user_exists).map(|quote| {
            Box::new(Checked {
                show_name: quote.show_name.clone(),
                category: quote.category.clone(),
            })
        }),
        fingerprint: order.fingerprint,
    }
}

/// Makes the reservation without its lane, which a message there and one back would take: nobody else writes to a
/// stream that does not exist, and the store itself sees to that. `None` when there is one, or when the log does not
/// say yes: then the lane finds out what is there, and the broker keeps the command until it can. The events are the
/// same as the lane's, so that what was appended after all is known for what it is.
async fn append(
    app: &App,
    order: &Order,
    request: &ReservationRequested,
) -> Result<Option<Position>, Rejection> {
    if order.quote.is_none() {
        // Nobody could be asked for a quote: something is away, most likely the log.
        return Ok(None);
    }
    let stream = StreamName::reservation(order.reservation_id);
    let event = request.clone().into();
    let mut end = StreamEnd::NEW;
    let events = end
        .link(
            &stream,
            order.command("request"),
            &order.cause,
            app.clock.now(),
            [event],
        )
        .map_err(contract::Unreadable::from)?;
    // A log that says nothing is left alone soon: the buyer waits.
    let give_up = app.clock.now().plus_ms(APPENDED_WITHIN_MS);
    tokio::select! {
        appended = app.log.append(&stream, Expected::NoStream, events) => match appended {
            Ok(appended) => Ok(Some(appended.position)),
            Err(error) => {
                tracing::debug!(%stream, %error, "the reservation is left to its lane");
                Ok(None)
            }
        },
        () = app.clock.sleep_until(give_up) => Ok(None),
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
