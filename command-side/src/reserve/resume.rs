//! Use case: an operator lets a stuck saga try again.

use super::{cancel::as_it_stands, request::Reserved};
use crate::{
    app::{App, Rejection},
    idempotency::{self, Request},
};
use contract::{
    Cause, Command, Refusal, ReservationId, StreamName,
    commands::{ReservationAction, ReservationCommand},
};

/// Records that the saga may try again; it does so when it hears of it.
///
/// # Errors
/// [`Refusal::ReservationNotFound`]; [`Refusal::NotStuck`]; [`Refusal::KeyReused`].
pub async fn resume(
    app: &App,
    cause: Cause,
    request: Request,
    reservation_id: ReservationId,
) -> Result<Reserved, Rejection> {
    idempotency::claim(app, &cause, &request).await?;
    let id = request.command().derived("resume");
    let command = ReservationCommand {
        reservation_id,
        action: ReservationAction::Resume,
    };
    match app.ask(&cause, id, Command::Reservation(command)).await {
        // This may have been carried out before: by the same request, or by this very ask, which the broker brought
        // twice. Then the event that it decided is there.
        Err(Rejection::Refused(Refusal::NotStuck)) => {
            let mut decided = false;
            for recorded in app.read(&StreamName::reservation(reservation_id)).await? {
                decided |= recorded.decode()?.1.causation == id.0;
            }
            if !decided {
                return Err(Refusal::NotStuck.into());
            }
        }
        other => drop(other?),
    }
    as_it_stands(app, reservation_id).await
}
