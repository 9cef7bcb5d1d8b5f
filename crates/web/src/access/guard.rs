//! The guard: what stands between the world and every handler.

use super::{
    address::{ClientAddress, Network, Peer},
    caller::Caller,
    limits::{RateLimit, RateLimits},
    table::{self, Rule},
    tokens::{Claims, MAX_TOKEN_BYTES, Tokens},
};
use crate::{codes::Code, problem::Problem};
use async_trait::async_trait;
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use contract::{Timestamp, UserId};
use std::{net::IpAddr, sync::Arc};
use uuid::Uuid;

/// Tokens that are no longer valid before they expire.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Until when tokens of this session or this user are not valid: those that were issued at this time or before.
    /// `None` also when it cannot be known now: a signed token is trusted then, until it expires.
    async fn until(&self, id: Uuid) -> Option<Timestamp>;
}

/// What the guard works with.
#[derive(Clone)]
pub struct Guard {
    /// Verifies tokens, and knows the time.
    pub tokens: Arc<Tokens>,
    /// Knows which were revoked.
    pub revocations: Arc<dyn Revocations>,
    /// Whether a token is needed where the table says so. If not, who sends none is the operator.
    pub required: bool,
    /// How often one caller may ask.
    pub rate: RateLimit,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<Network>,
}

/// Whom a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    User(UserId),
    Place(IpAddr),
    Unknown,
}

struct Post {
    guard: Guard,
    limits: RateLimits<Counted>,
}

/// Puts the guard before every route that the router has. Call it when all are there, and before
/// [`crate::telemetry::instrument`], which goes around it.
pub fn guard(router: Router, guard: Guard) -> Router {
    let limits = RateLimits::new(guard.rate);
    router.layer(from_fn_with_state(Arc::new(Post { guard, limits }), stand))
}

async fn stand(State(post): State<Arc<Post>>, mut request: Request, next: Next) -> Response {
    // Whatever prints headers, this one it does not.
    if let Some(value) = request.headers_mut().get_mut(header::AUTHORIZATION) {
        value.set_sensitive(true);
    }
    match post.admit(&mut request).await {
        Ok(()) => next.run(request).await,
        Err(refused) => refused,
    }
}

impl Post {
    /// Puts the caller into the request, or says why they do not get past.
    #[allow(
        clippy::result_large_err,
        reason = "the answer, made where its headers are known"
    )]
    async fn admit(&self, request: &mut Request) -> Result<(), Response> {
        let peer = request.extensions().get::<Peer>().copied();
        let address = peer.map(|peer| ClientAddress::of(peer, request.headers(), &self.guard.proxies));
        if let Some(address) = address {
            request.extensions_mut().insert(address);
        }
        let route = request.extensions().get::<MatchedPath>().cloned();
        let route = route.as_ref().map_or("", MatchedPath::as_str);
        let row = table::row(request.method().as_str(), route);
        let now = self.guard.tokens.now();

        let sent = match token(request.headers()) {
            Sent::Nothing => Ok(None),
            Sent::Token(token) => self.guard.tokens.verify(token, now).map(Some),
            Sent::Nonsense => Err(bad("La cabecera Authorization debe ser «Bearer» y un token.")),
        };
        let user = sent
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(|claims| claims.user_id);
        if !(route.starts_with("/salud/") || route == "/metrics") {
            self.count(user, address, now)?;
        }
        let sent = match sent {
            Ok(Some(claims)) if self.revoked(&claims).await => Err(bad("El token fue revocado.")),
            sent => sent,
        };
        let claims = match sent {
            Ok(claims) => claims,
            // Whoever comes for another token often still carries the old one.
            Err(_) if row.is_some_and(|row| row.rule == Rule::Entrance) => None,
            Err(problem) => return Err(invalid_token(problem)),
        };

        let caller = match (claims, row) {
            // Whoever is about to say who they are is nobody yet, in `dev` as well.
            (None, Some(row)) if row.rule == Rule::Entrance => row.anonymous(),
            (None, _) if !self.guard.required => Ok(Caller::operator()),
            (_, None) => Err(Problem::new(Code::Forbidden).detail("Esta dirección está cerrada.")),
            (None, Some(row)) => row.anonymous(),
            (Some(claims), Some(row)) => table::allowed(row.rule, &claims.roles).map(|reach| {
                Caller::logged_in(claims.user_id, claims.session, claims.roles, reach)
                    .until(claims.expires_at)
            }),
        };
        request
            .extensions_mut()
            .insert(caller.map_err(IntoResponse::into_response)?);
        Ok(())
    }

    #[allow(clippy::result_large_err, reason = "as `admit`")]
    fn count(
        &self,
        user: Option<UserId>,
        address: Option<ClientAddress>,
        now: Timestamp,
    ) -> Result<(), Response> {
        let counted = match (user, address) {
            (Some(user), _) => Counted::User(user),
            (None, Some(address)) => Counted::Place(address.place()),
            (None, None) => Counted::Unknown,
        };
        self.limits.take(counted, now).map_err(|seconds| {
            Problem::new(Code::TooManyRequests)
                .retry_after(seconds)
                .into_response()
        })
    }

    /// Whether the token was revoked: the person's all, or the session's.
    async fn revoked(&self, claims: &Claims) -> bool {
        let Guard {
            tokens, revocations, ..
        } = &self.guard;
        let (user, session) = (claims.user_id.0, claims.session.0);
        let (of_user, of_session) =
            futures_util::future::join(revocations.until(user), revocations.until(session)).await;
        [
            of_user,
            of_session,
            tokens.revoked_until(user),
            tokens.revoked_until(session),
        ]
        .into_iter()
        .flatten()
        .any(|until| claims.issued_at <= until)
    }
}

/// What came in `Authorization`.
enum Sent<'a> {
    Nothing,
    Token(&'a str),
    Nonsense,
}

fn token(headers: &HeaderMap) -> Sent<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Sent::Nothing;
    };
    let told_once = values.next().is_none() && value.len() <= MAX_TOKEN_BYTES + "Bearer ".len();
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    match parts {
        Some((scheme, token)) if told_once && scheme.eq_ignore_ascii_case("Bearer") => {
            Sent::Token(token.trim())
        }
        _ => Sent::Nonsense,
    }
}

fn bad(why: &'static str) -> Problem {
    Problem::new(Code::Unauthenticated).detail(why)
}

/// RFC 6750: the token that was sent is the reason.
fn invalid_token(problem: Problem) -> Response {
    let mut response = problem.into_response();
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer error=\"invalid_token\""),
    );
    response
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
