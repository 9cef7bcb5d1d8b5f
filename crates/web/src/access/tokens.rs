//! Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256 by keys that all nodes derive alike.
//!
//! Written out here instead of taken from a library, because one algorithm and one form of header are all that there
//! is, and what makes JWT dangerous is the rest: a header is compared, never obeyed. The signature is checked, in
//! constant time, before a byte of the claims is read.

use super::caller::{RoleSet, role_from, role_word};
use crate::{codes::Code, problem::Problem};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{Role, SessionId, Timestamp, UserId};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{fmt, sync::Arc};
use uuid::Uuid;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4 << 10;
/// How long a key signs, in milliseconds: a week. The epoch's number is the token's `kid`.
const EPOCH_MS: i64 = 7 * 86_400_000;
/// How far another node's clock may be ahead of ours, in milliseconds: it may sign with the next week's key already.
const SKEW_MS: u64 = 60_000;
/// How many revocations of this process are remembered; the read model has all.
const REMEMBERED: usize = 16_384;

/// A key by the number of its epoch.
type Keys = dyn Fn(u64) -> [u8; 32] + Send + Sync;
/// What time it is.
type Now = dyn Fn() -> Timestamp + Send + Sync;

/// Issues access tokens and verifies them.
pub struct Tokens {
    keys: Arc<Keys>,
    now: Arc<Now>,
    revoked: Cache<Uuid, Timestamp>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who.
    pub user_id: UserId,
    /// Since which log-in.
    pub session: SessionId,
    /// What they may be; [`Role::Customer`] always.
    pub roles: RoleSet,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is not valid any more.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    /// Extensions that must be understood; we understand none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    sub: Uuid,
    sid: Uuid,
    roles: Vec<String>,
    iat: i64,
    exp: i64,
    iat_ms: i64,
}

impl Tokens {
    /// Tokens that are signed with these keys. `keys` gives the secret of an epoch (a week, counted from 1970), the
    /// same on every node; `now` is the clock.
    pub fn new(
        keys: Arc<dyn Fn(u64) -> [u8; 32] + Send + Sync>,
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        Self {
            keys,
            now,
            revoked: Cache::new(REMEMBERED),
        }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// A token that is valid from now on for `ttl_s` seconds.
    pub fn issue(
        &self,
        user_id: UserId,
        session: SessionId,
        roles: &RoleSet,
        now: Timestamp,
        ttl_s: u64,
    ) -> String {
        let kid = epoch(now);
        let issued_s = now.0.div_euclid(1_000);
        let header = Header {
            alg: "HS256".into(),
            kid: kid.to_string(),
            typ: Some("JWT".into()),
            crit: None,
        };
        let body = Body {
            sub: user_id.0,
            sid: session.0,
            roles: with_customer(roles)
                .into_iter()
                .map(|role| role_word(role).to_owned())
                .collect(),
            iat: issued_s,
            exp: issued_s.saturating_add(i64::try_from(ttl_s).unwrap_or(i64::MAX)),
            iat_ms: now.0,
        };
        let mut token = format!("{}.{}", encoded(&header), encoded(&body));
        let signature = self.signed(kid, token.as_bytes()).finalize().into_bytes();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// What a token says, when it is one of ours and still valid by the clock. Whether it was revoked, this does not
    /// know.
    ///
    /// # Errors
    /// `NO_AUTENTICADO`, with a reason for people that tells an attacker nothing.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Problem> {
        let claims = self.read(token, now).ok_or_else(invalid)?;
        if claims.expires_at <= now {
            return Err(Problem::new(Code::Unauthenticated).detail("El token venció: pida otro."));
        }
        Ok(claims)
    }

    /// Everything but the expiry. `None` whatever is wrong.
    fn read(&self, token: &str, now: Timestamp) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, body) = signed.split_once('.')?;
        let header: Header = decoded(header)?;
        if header.alg != "HS256" || header.crit.is_some() {
            return None;
        }
        // Written as we write it, so that a key has one name.
        let kid: u64 = header
            .kid
            .parse()
            .ok()
            .filter(|kid: &u64| kid.to_string() == header.kid)?;
        if !(epoch(now).saturating_sub(1)..=epoch(now.plus_ms(SKEW_MS))).contains(&kid) {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.signed(kid, signed.as_bytes())
            .verify_slice(&signature)
            .ok()?;
        // From here on it is what we wrote.
        let body: Body = decoded(body)?;
        let roles: Option<RoleSet> = body.roles.iter().map(|word| role_from(word)).collect();
        Some(Claims {
            user_id: UserId(body.sub),
            session: SessionId(body.sid),
            roles: with_customer(&roles?),
            issued_at: Timestamp(body.iat_ms),
            expires_at: Timestamp(body.exp.saturating_mul(1_000)),
        })
    }

    fn signed(&self, epoch: u64, bytes: &[u8]) -> Hmac<Sha256> {
        // A key shorter than a block is a block padded with zeros: so says HMAC, and so it cannot be refused.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&(self.keys)(epoch));
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(bytes);
        mac
    }

    /// Makes this process refuse at once the tokens that `id` (a session or a user) was given until now, before the
    /// read model tells everybody. Bounded: what is forgotten here is in the read model.
    pub fn revoke(&self, id: Uuid, until: Timestamp) {
        self.revoked.insert(id, until);
    }

    /// Until when this process was told to refuse tokens of `id`.
    pub fn revoked_until(&self, id: Uuid) -> Option<Timestamp> {
        self.revoked.get(&id)
    }
}

/// The number of the week, counted from 1970.
fn epoch(at: Timestamp) -> u64 {
    u64::try_from(at.0.div_euclid(EPOCH_MS)).unwrap_or(0)
}

/// Everybody who registered is a customer.
fn with_customer(roles: &RoleSet) -> RoleSet {
    let mut roles = roles.clone();
    roles.insert(Role::Customer);
    roles
}

fn invalid() -> Problem {
    Problem::new(Code::Unauthenticated).detail("El token no es válido.")
}

fn encoded(part: &impl Serialize) -> String {
    // Texts and numbers: writing them cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn decoded<T: for<'a> Deserialize<'a>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
