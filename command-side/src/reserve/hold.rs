//! Use cases around holds: tickets are claimed without a reservation, looked at, and given back.

use super::hold_ids;
use crate::{
    app::{App, Produced, Rejection},
    idempotency::Request,
};
use contract::{
    Answer, Cause, Command, CommandId, HoldId, Refusal, ShowId, UserId,
    commands::{HoldPhase, HoldStatus, ShowAction, ShowCommand, UserAction, UserCommand},
    events::Choice,
};

/// What a person wants held.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// On which show.
    pub show_id: ShowId,
    /// For whom.
    pub user_id: UserId,
    /// Which tickets: a quantity or seats.
    pub choice: Choice,
}

/// Holds tickets, all or none. Does not wait in line: whoever holds without buying takes what is there.
///
/// # Errors
/// [`Refusal::UserNotFound`], and whatever the show refuses.
pub async fn hold(
    app: &App,
    cause: &Cause,
    request: Request,
    wanted: Wanted,
) -> Result<Produced<HoldStatus>, Rejection> {
    let Wanted {
        show_id,
        user_id,
        choice,
    } = wanted;
    let check = Command::User(UserCommand {
        user_id,
        action: UserAction::Check,
    });
    let hold_id = hold_ids::hold_id(show_id, request.id);
    let action = ShowAction::Hold {
        hold_id,
        user_id,
        choice,
        reservation_id: None,
        ttl_ms: app.settings.hold_ttl_ms,
        line_until_ms: None,
        fingerprint: request.fingerprint,
    };
    let command = Command::Show(ShowCommand { show_id, action });
    let asked = match app
        .ask(cause, request.command().derived("check_user"), check)
        .await
    {
        Ok(_) => app.ask(cause, request.command().derived("hold"), command).await,
        refused => refused,
    };
    match asked {
        Ok(reply) => match reply.answer {
            Answer::Held(grant) => {
                let phase = HoldPhase::Active { reservation_id: None };
                let value = HoldStatus {
                    grant,
                    user_id,
                    phase,
                    fingerprint: request.fingerprint,
                };
                Ok(Produced {
                    value,
                    position: reply.position,
                })
            }
            other => Err(Rejection::unexpected(&other)),
        },
        Err(Rejection::Refused(refusal)) => match request.keyed() {
            // The same request may have been granted before, and the hold be over by now.
            Some(keyed) => match describe(app, cause, request.command(), show_id, hold_id).await {
                Ok(before) => {
                    keyed.same_as(before.value.fingerprint)?;
                    Ok(before)
                }
                Err(Rejection::Refused(_)) => Err(not_waiting(refusal)),
                Err(failed) => Err(failed),
            },
            None => Err(not_waiting(refusal)),
        },
        Err(failed) => Err(failed),
    }
}

/// To somebody who does not wait, tickets that others hold are not there.
fn not_waiting(refusal: Refusal) -> Rejection {
    match refusal {
        Refusal::AllHeld { free, .. } => Refusal::SoldOut { free }.into(),
        other => other.into(),
    }
}

/// The hold as its show knows it.
///
/// # Errors
/// [`Refusal::ShowNotFound`], [`Refusal::HoldNotFound`].
pub async fn describe(
    app: &App,
    cause: &Cause,
    request: CommandId,
    show_id: ShowId,
    hold_id: HoldId,
) -> Result<Produced<HoldStatus>, Rejection> {
    let command = Command::Show(ShowCommand {
        show_id,
        action: ShowAction::DescribeHold { hold_id },
    });
    let reply = app.ask(cause, request.derived("describe_hold"), command).await?;
    match reply.answer {
        Answer::Hold(value) => Ok(Produced {
            value,
            position: reply.position,
        }),
        other => Err(Rejection::unexpected(&other)),
    }
}

/// Gives the tickets of a hold back. One that is over already needs nothing.
///
/// # Errors
/// [`Refusal::ShowNotFound`], [`Refusal::HoldNotFound`]; [`Refusal::HoldInUse`] when it is being paid for.
pub async fn release(
    app: &App,
    cause: &Cause,
    request: CommandId,
    show_id: ShowId,
    hold_id: HoldId,
) -> Result<Produced<()>, Rejection> {
    let command = Command::Show(ShowCommand {
        show_id,
        action: ShowAction::ReleaseHold { hold_id },
    });
    let reply = app.ask(cause, request.derived("release_hold"), command).await?;
    Ok(Produced {
        value: (),
        position: reply.position,
    })
}
