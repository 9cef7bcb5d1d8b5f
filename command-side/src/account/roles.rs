//! Use case: what somebody may be.
//!
//! Whoever takes the last administrator's role away leaves none; `eventflow admin grant` makes one again.

use super::{exists, session::ATTEMPTS};
use crate::app::{App, Produced, Rejection};
use contract::{
    Cause, CommandId, Event, Failure, Position, Role, StreamEnd, StreamKind, StreamName, Timestamp, UserId,
    events::RolesChanged,
};
use ports::Expected;
use std::collections::BTreeSet;

/// What somebody may be, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// All their roles; [`Role::Customer`] always.
    pub roles: BTreeSet<Role>,
    /// When they changed last; `None` = never.
    pub since: Option<Timestamp>,
}

/// The account's stream, read.
struct Account {
    standing: Standing,
    position: Option<Position>,
    end: StreamEnd,
}

/// What somebody may be, as the log says now.
///
/// # Errors
/// The log is away or damaged.
pub async fn standing(app: &App, user_id: UserId) -> Result<Standing, Rejection> {
    Ok(load(app, user_id).await?.standing)
}

/// Gives somebody these roles and no others, but [`Role::Customer`], which everybody has. Durable on return; tokens
/// that say something else are refused by this process from now on, and by the others as soon as their read model
/// tells. When they have exactly these, nothing is written.
///
/// # Errors
/// [`contract::Refusal::UserNotFound`], [`contract::Refusal::UserForgotten`]; technical failures.
pub async fn change(
    app: &App,
    cause: &Cause,
    user_id: UserId,
    roles: BTreeSet<Role>,
) -> Result<Produced<BTreeSet<Role>>, Rejection> {
    exists(app, cause, user_id).await?;
    let mut wanted = roles;
    wanted.insert(Role::Customer);
    let command = CommandId(app.ids.fresh());
    let stream = stream(user_id);
    for _ in 0..ATTEMPTS {
        let mut account = load(app, user_id).await?;
        if account.standing.roles == wanted {
            return Ok(Produced {
                value: wanted,
                position: account.position,
            });
        }
        // Later than the change before, whatever the clock says: the later one counts for readers, too.
        let before = account.standing.since.map_or(Timestamp(0), |at| at.plus_ms(1));
        let at_ms = app.clock.now().max(before);
        let changed = RolesChanged {
            roles: wanted.clone(),
            at_ms,
        };
        let expected = Expected::before(account.end.next);
        let events = account
            .end
            .link(&stream, command, cause, at_ms, [changed.into()])
            .map_err(contract::Unreadable::from)?;
        if let Some(appended) = app.append(&stream, expected, events).await? {
            app.tokens.revoke(user_id.0, at_ms);
            return Ok(Produced {
                value: wanted,
                position: Some(appended.position),
            });
        }
    }
    let retry_after_ms = 1_000;
    Err(Failure::Busy { retry_after_ms }.into())
}

async fn load(app: &App, user_id: UserId) -> Result<Account, Rejection> {
    let mut account = Account {
        standing: Standing {
            roles: BTreeSet::from([Role::Customer]),
            since: None,
        },
        position: None,
        end: StreamEnd::NEW,
    };
    for recorded in app.read(&stream(user_id)).await? {
        account.end = recorded.end()?;
        account.position = Some(recorded.position);
        if let Event::RolesChanged(changed) = &recorded.decode()?.0 {
            account.standing.roles.clone_from(&changed.roles);
            account.standing.roles.insert(Role::Customer);
            account.standing.since = Some(changed.at_ms);
        }
    }
    Ok(account)
}

fn stream(user_id: UserId) -> StreamName {
    StreamName::of(StreamKind::Account, user_id.0)
}
