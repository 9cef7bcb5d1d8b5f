//! Use case: somebody logs out.

use super::{Denied, RefreshToken, by, session, session::Session};
use crate::app::{App, Produced};
use contract::{Cause, SessionId, events::SessionEnd};

/// Ends a session: neither its access tokens nor its refresh tokens are valid any more. Durable on return. Again
/// needs nothing.
///
/// # Errors
/// The log is away.
pub async fn log_out(app: &App, cause: &Cause, session: SessionId) -> Result<Produced<()>, Denied> {
    let cause = Cause {
        correlation: session.0,
        ..cause.clone()
    };
    let position = session::close(app, &cause, session, SessionEnd::LoggedOut).await?;
    Ok(Produced { value: (), position })
}

/// Ends the session of a refresh token, of an earlier one, too: whoever has it may end it. A token that never was
/// any needs nothing, as RFC 7009 has it.
///
/// # Errors
/// The log is away.
pub async fn give_back(app: &App, cause: &Cause, token: &RefreshToken) -> Result<Produced<()>, Denied> {
    match Session::load(app, token.session()).await? {
        Some(session) if session.tokens.contains(&token.digest(app)) => {
            let cause = by(session.user(), session.id.0, cause);
            log_out(app, &cause, session.id).await
        }
        _ => Ok(Produced {
            value: (),
            position: None,
        }),
    }
}
