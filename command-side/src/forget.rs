//! Use case: a person is forgotten.
//!
//! | step | durable in | what it does |
//! |---|---|---|
//! | the lane decides `user_forgotten.v1` | the log | from here on it is certain; read models purge what they hold, tokens are void |
//! | the key is destroyed | the vault | what is sealed in the log, in read models and backups is noise from here on |
//! | the address is released | the log | others can register with it |
//!
//! Each step can be done again and then changes nothing. Whoever begins goes through all three before they answer;
//! [`worker`] hears of the first and completes what a crash left. Reservations, payments and purchases stay: they
//! are accounts, and nobody's in particular from here on. The document cannot be registered again, because its id
//! is the person's.

pub mod worker;

use crate::{
    app::{App, Produced, Rejection},
    register,
};
use contract::{
    Cause, Command, CommandId, Failure, UserId,
    commands::{UserAction, UserCommand},
    events::ForgetReason,
};
use ports::VaultError;

/// Forgets a person, for good. All three steps are durable on return; again it completes what is missing.
///
/// # Errors
/// [`contract::Refusal::UserNotFound`]; technical failures, after which it is to be asked again. Once the event is
/// there it is completed in any case, by [`worker`].
pub async fn forget(
    app: &App,
    cause: &Cause,
    user_id: UserId,
    reason: ForgetReason,
) -> Result<Produced<()>, Rejection> {
    let action = UserAction::Forget { reason };
    let command = Command::User(UserCommand { user_id, action });
    let reply = app.ask(cause, CommandId(app.ids.fresh()), command).await?;
    // This process refuses their tokens from now on; the others, once their read model tells.
    app.tokens.revoke(user_id.0, app.clock.now());
    complete(app, cause, user_id).await?;
    Ok(Produced {
        value: (),
        position: reply.position,
    })
}

/// What follows from `user_forgotten.v1`: destroys the key and releases the address. Again needs nothing.
///
/// # Errors
/// Technical failures; then it is to be repeated.
pub async fn complete(app: &App, cause: &Cause, user_id: UserId) -> Result<(), Rejection> {
    if !is_destroyed(app, user_id).await {
        app.vault
            .destroy(user_id)
            .await
            .map_err(|error| Failure::Unavailable {
                what: error.to_string(),
            })?;
    }
    register::release_address(app, cause, user_id).await
}

/// Asks before it destroys: a destruction waits for the disk.
async fn is_destroyed(app: &App, user_id: UserId) -> bool {
    matches!(app.vault.seal(user_id, "", "").await, Err(VaultError::Forgotten))
}
