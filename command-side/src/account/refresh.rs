//! Use case: a refresh token is exchanged for an access token and the next refresh token.
//!
//! Each refresh token is good for one exchange. One that comes a second time was stolen, from its owner or by them,
//! and nobody can tell who has the other: the session ends, with all its tokens (RFC 9700, 4.14.2). Whoever sends
//! refreshes under an idempotency key may repeat one whose answer was lost.

use super::{
    Denied, Granted, RefreshToken, by, grant,
    session::{self, Session},
};
use crate::{
    app::{App, Produced},
    idempotency::{self, Request},
};
use contract::{
    Cause,
    events::{SessionEnd, SessionRenewed},
};

/// Renews a session. Durable on return. Roles are those that the log has now.
///
/// # Errors
/// [`Denied::NotLetIn`] when there is no such token, it was used before, the session has ended or its owner is
/// forgotten; [`contract::Refusal::KeyReused`]; technical failures, after which the same request can be sent again.
pub async fn refresh(
    app: &App,
    cause: &Cause,
    request: Request,
    token: &RefreshToken,
) -> Result<Produced<Granted>, Denied> {
    let now = app.clock.now();
    let Some(session) = Session::load(app, token.session()).await? else {
        return Err(Denied::NotLetIn);
    };
    let presented = token.digest(app);
    let Some(number) = session.tokens.iter().position(|known| *known == presented) else {
        // Ids of sessions are no secret: whoever made the rest up must not end one.
        return Err(Denied::NotLetIn);
    };
    if !session.is_open(now) {
        return Err(Denied::NotLetIn);
    }
    let cause = by(session.user(), session.id.0, cause);
    idempotency::claim(app, &cause, &request).await?;
    let next = RefreshToken::make(app, request, session.id, number as u64 + 1);
    if session.current() != Some(presented) {
        return repeated(app, &cause, request, &session, next).await;
    }

    // Before anything is written: whoever is forgotten or has no standing gets nothing.
    let granted = grant(app, &cause, session.user(), next.clone(), now).await?;
    let renewed = SessionRenewed {
        refresh: next.digest(app),
        at_ms: now,
    };
    let position = session
        .append(app, &cause, request.command().derived("renew"), renewed.into())
        .await?;
    if position.is_some() {
        return Ok(Produced {
            value: granted,
            position,
        });
    }
    // Another came at the same moment: with the same token, or to log out.
    match Session::load(app, session.id).await? {
        Some(session) if session.is_open(now) => repeated(app, &cause, request, &session, next).await,
        _ => Err(Denied::NotLetIn),
    }
}

/// A token that was exchanged before: fine when it was by this very request, and its answer still counts.
async fn repeated(
    app: &App,
    cause: &Cause,
    request: Request,
    session: &Session,
    next: RefreshToken,
) -> Result<Produced<Granted>, Denied> {
    if request.keyed().is_some() && session.current() == Some(next.digest(app)) {
        let value = grant(app, cause, session.user(), next, session.given_at_ms).await?;
        return Ok(Produced {
            value,
            position: Some(session.position),
        });
    }
    tracing::warn!(session = %session.id, "a refresh token was used twice: the session ends");
    session::close(app, cause, session.id, SessionEnd::TokenReused).await?;
    Err(Denied::NotLetIn)
}
