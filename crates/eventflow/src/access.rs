//! Who is let in: the guard of `web`, with this installation's keys, revocations and settings.

use crate::settings::Settings;
use async_trait::async_trait;
use axum::Router;
use contract::{Timestamp, collections};
use ports::{Clock, ReadStore, Vault};
use quick_cache::sync::Cache;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;
use views::revocation::Revocation;
use web::access::{Guard, RateLimit, Revocations, Tokens};

/// What the keys of access tokens are derived for.
const PURPOSE: &str = "access_token_key";
/// Requests per second and caller, where nobody set it: `dev` has one caller, who may want to measure.
const RATE_DEV: u32 = 0;
const RATE_SERVE: u32 = 100;
/// How long a request waits to learn whether its token was revoked. Then the token is trusted until it expires.
const ASK_WITHIN: Duration = Duration::from_millis(500);

/// Access tokens under keys that follow from the vault's own, so that all nodes agree and nothing more is to be kept.
pub fn tokens(vault: &Arc<dyn Vault>, clock: &Arc<dyn Clock>) -> Arc<Tokens> {
    let (vault, clock) = (vault.clone(), clock.clone());
    Arc::new(Tokens::new(
        Arc::new(move |epoch| vault.pseudonym(PURPOSE, &epoch.to_be_bytes()).0),
        Arc::new(move || clock.now()),
    ))
}

/// How long a token that was not revoked counts as such without another look: whoever is busy would otherwise cost
/// two look-ups with each request. What is revoked by this very process it knows at once, by `Tokens`.
const FINE_FOR: Duration = Duration::from_millis(250);
/// For how many people and sessions that is remembered.
const REMEMBERED: usize = 10_000;

/// Whether a token is needed where the table of endpoints says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// `serve`.
    Yes,
    /// `dev`: who sends none is the operator.
    No,
}

/// The router behind the guard. Every route must be there.
pub fn guard(
    router: Router,
    tokens: Arc<Tokens>,
    store: Arc<dyn ReadStore>,
    settings: &Settings,
    required: Required,
) -> Router {
    let per_second = settings.rate_limit.unwrap_or(match required {
        Required::Yes => RATE_SERVE,
        Required::No => RATE_DEV,
    });
    let guard = Guard {
        tokens,
        revocations: Arc::new(Revoked {
            store,
            fine: Cache::new(REMEMBERED),
        }),
        required: required == Required::Yes,
        rate: RateLimit { per_second },
        proxies: settings.trusted_proxies.clone(),
    };
    web::access::guard(router, guard)
}

/// Revocations, from the read models.
struct Revoked {
    store: Arc<dyn ReadStore>,
    /// Whose tokens were not revoked when it was last looked.
    fine: Cache<Uuid, Instant>,
}

#[async_trait]
impl Revocations for Revoked {
    async fn until(&self, id: Uuid) -> Option<Timestamp> {
        if self.fine.get(&id).is_some_and(|at| at.elapsed() < FINE_FOR) {
            return None;
        }
        let looked = Instant::now();
        let until = self.look(id).await;
        if until.is_none() {
            self.fine.insert(id, looked);
        }
        until
    }
}

impl Revoked {
    async fn look(&self, id: Uuid) -> Option<Timestamp> {
        let key = id.to_string();
        let asked = tokio::time::timeout(ASK_WITHIN, self.store.get(&collections::REVOCATIONS, &key)).await;
        let document = match asked {
            Ok(Ok(found)) => found?,
            Ok(Err(error)) => {
                tracing::debug!(%error, "whether a token was revoked is not known now");
                return None;
            }
            Err(_) => {
                tracing::debug!("whether a token was revoked was not told in time");
                return None;
            }
        };
        match serde_json::from_slice::<Revocation>(&document.body) {
            Ok(revocation) => Some(revocation.until_ms),
            Err(error) => {
                // Something was revoked; until when cannot be read: all of it.
                tracing::error!(%error, "a revocation cannot be read");
                Some(Timestamp(i64::MAX))
            }
        }
    }
}
