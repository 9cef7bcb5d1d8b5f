//! Use case: the buyer wants a reservation undone.

use super::request::Reserved;
use crate::{
    app::{App, Rejection},
    idempotency::Request,
};
use contract::{
    Answer, Cause, Command, Event, Refusal, ReservationId, StreamName, UserId,
    commands::{ReservationAction, ReservationCommand, ShowAction, ShowCommand},
    events::{CancelReason, Choice, ReservationRequested},
    refusal::Unavailable,
};
use views::reservation;

/// Asks the reservation's saga to undo it: money back, stock back. Durable on return; carried out afterwards.
///
/// # Errors
/// [`Refusal::ReservationNotFound`]; [`Refusal::ShowUnavailable`] once the show has begun;
/// [`Refusal::NotCancellable`] when it came to nothing before.
pub async fn cancel(
    app: &App,
    cause: Cause,
    request: Request,
    reservation_id: ReservationId,
) -> Result<Reserved, Rejection> {
    let made = made_by(app, reservation_id).await?;
    if has_begun(app, &cause, &request, &made).await? {
        return Err(Refusal::ShowUnavailable {
            why: Unavailable::Begun,
        }
        .into());
    }
    let action = ReservationAction::Cancel {
        reason: CancelReason::Buyer,
    };
    let command = Command::Reservation(ReservationCommand {
        reservation_id,
        action,
    });
    app.ask(&cause, request.command().derived("cancel"), command)
        .await?;
    as_it_stands(app, reservation_id).await
}

/// The reservation as the log has it.
///
/// # Errors
/// [`Refusal::ReservationNotFound`]; the log is away or damaged.
pub async fn as_it_stands(app: &App, reservation_id: ReservationId) -> Result<Reserved, Rejection> {
    let (mut document, mut position) = (None, None);
    for recorded in app.read(&StreamName::reservation(reservation_id)).await? {
        document = reservation::evolve(document, &recorded.decode()?.0, recorded.revision);
        position = Some(recorded.position);
    }
    let reservation = document.ok_or(Refusal::ReservationNotFound)?;
    Ok(Reserved {
        reservation,
        position,
    })
}

/// Whose reservation it is.
///
/// # Errors
/// [`Refusal::ReservationNotFound`]; the log is away or damaged.
pub async fn buyer(app: &App, id: ReservationId) -> Result<UserId, Rejection> {
    Ok(made_by(app, id).await?.user_id)
}

async fn made_by(app: &App, id: ReservationId) -> Result<ReservationRequested, Rejection> {
    let first = app
        .read_first(&StreamName::reservation(id))
        .await?
        .ok_or(Refusal::ReservationNotFound)?;
    match &first.decode()?.0 {
        Event::ReservationRequested(made) => Ok(made.clone()),
        _ => Err(Refusal::ReservationNotFound.into()),
    }
}

/// The show itself says when it begins. What it would say to another ticket does not matter here.
async fn has_begun(
    app: &App,
    cause: &Cause,
    request: &Request,
    made: &ReservationRequested,
) -> Result<bool, Rejection> {
    let choice = Choice::Quantity {
        quantity: 1,
        section: None,
    };
    let action = ShowAction::Quote {
        user_id: made.user_id,
        choice,
    };
    let command = Command::Show(ShowCommand {
        show_id: made.show_id,
        action,
    });
    match app
        .ask(cause, request.command().derived("quote"), command)
        .await?
        .answer
    {
        Answer::Quoted(quote) => Ok(quote.starts_at_ms <= app.clock.now()),
        other => Err(Rejection::unexpected(&other)),
    }
}
