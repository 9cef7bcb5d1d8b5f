//! Refresh tokens: `{session}.{secret}`, the session's id as 32 hexadecimal digits and 32 bytes in base64url.
//!
//! The log has only the keyed HMAC of a secret. A secret is itself a keyed HMAC, of ids that were never used before
//! and are not kept, or of the request's idempotency key: then the same request is given the same token again.

use crate::{app::App, idempotency::Request};
use contract::{Digest, SessionId};
use serde::{Deserialize, de::value::StrDeserializer};
use std::fmt;
use uuid::Uuid;

/// How long its text is: 32 digits, a dot, 43 characters.
const LENGTH: usize = 76;

/// A refresh token in the clear. Secret: never stored or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    session: SessionId,
    secret: Digest,
}

impl RefreshToken {
    /// A new one for a session. `number` tells it apart from the session's others.
    pub(super) fn make(app: &App, request: Request, session: SessionId, number: u64) -> Self {
        let mut parts = vec![session.0.as_bytes().to_vec(), number.to_be_bytes().to_vec()];
        match request.fingerprint {
            Some(fingerprint) => parts.extend([request.id.as_bytes().to_vec(), fingerprint.0.to_vec()]),
            None => parts.extend([(); 2].map(|()| app.ids.fresh().as_bytes().to_vec())),
        }
        let secret = app.vault.pseudonym("refresh_token_secret", &parts.concat());
        Self { session, secret }
    }

    /// Reads a token; `None` when it is not of this form.
    pub fn read(text: &str) -> Option<Self> {
        let (session, secret) = text.split_once('.')?;
        if text.len() != LENGTH || session.len() != 32 {
            return None;
        }
        let secret: StrDeserializer<'_, serde::de::value::Error> = StrDeserializer::new(secret);
        Some(Self {
            session: SessionId(Uuid::try_parse(session).ok()?),
            secret: Digest::deserialize(secret).ok()?,
        })
    }

    /// Which session it is for.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// What is sent.
    pub fn text(&self) -> String {
        format!("{}.{}", self.session.0.simple(), self.secret)
    }

    /// What is stored.
    pub(super) fn digest(&self, app: &App) -> Digest {
        app.vault.pseudonym("refresh_token", &self.secret.0)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({})", self.session)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_reads_as_it_is_written_and_does_not_show_its_secret() {
        let token = RefreshToken {
            session: SessionId(Uuid::from_u128(7)),
            secret: Digest([9; 32]),
        };
        assert_eq!(RefreshToken::read(&token.text()).unwrap(), token);
        assert_eq!(token.text().len(), LENGTH);
        let secret = token.secret.to_string();
        assert!(!format!("{token:?}").contains(&secret));
    }

    #[test]
    fn nothing_else_is_a_token() {
        let session = Uuid::from_u128(7);
        for bad in [
            String::new(),
            ".".into(),
            session.simple().to_string(),
            format!("{session}.{}", Digest::ZERO),
            format!("{}.{}x", session.simple(), Digest::ZERO),
            format!("{}.{}", session.simple(), "?".repeat(43)),
        ] {
            assert_eq!(RefreshToken::read(&bad), None, "{bad}");
        }
    }
}
