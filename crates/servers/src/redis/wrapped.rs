//! Wrapped keys of persons beside the vault's own, so that people can be read while MongoDB is away.
//!
//! Under `{eventflow}:vault:<person>` stands the key, wrapped by the master key, or [`DESTROYED`]: without the master
//! key it says nothing about anybody. A mark of destruction stays for good (it is few bytes, and few people are
//! forgotten), so that no late `put` brings a key back. A destruction is one command; Redis tells all processes that
//! have read the key, and none of them gives it out any more once they have heard, some tenths of a millisecond later.

use super::{RedisStore, keys::vault};
use async_trait::async_trait;
use contract::UserId;
use ports::{
    VaultError,
    sealing::{Kept, WrappedKeys},
};
use redis::{RedisError, cmd};
use std::{sync::Arc, time::Instant};

/// What stands in place of a destroyed key. A wrapped key is 60 bytes.
const DESTROYED: &[u8] = b"destroyed";

/// Puts another wrapping in place of this one, in one step.
const REPLACE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end return 0";

fn unavailable(error: &dyn std::fmt::Display) -> VaultError {
    VaultError::Unavailable(format!("redis: {error}"))
}

fn kept(value: Vec<u8>) -> Kept {
    if value == DESTROYED {
        Kept::Destroyed
    } else {
        Kept::Wrapped(value)
    }
}

impl RedisStore {
    /// The connection, if there is one now: a second place for keys is not waited for.
    fn link_now(&self) -> Result<Arc<super::link::Link>, VaultError> {
        let link = self.shared.link.borrow().clone();
        link.filter(|link| link.seen.is_trusted(Instant::now()))
            .ok_or_else(|| unavailable(&"no connection"))
    }
}

#[async_trait]
impl WrappedKeys for RedisStore {
    async fn get(&self, person: UserId) -> Result<Option<Kept>, VaultError> {
        let link = self.link_now()?;
        let id = person.to_string();
        let place = vault(&id);
        if let Some(kept) = link.seen.wrapped.get(&place, Instant::now()) {
            return Ok(Some(kept));
        }
        let ticket = link.seen.wrapped.ticket(&place);
        let value: Option<Vec<u8>> = link
            .read(cmd("GET").arg(self.shared.keys.wrapped(person)))
            .await
            .map_err(|error| unavailable(&error))?;
        let found = value.map(kept);
        if let Some(kept) = &found {
            link.seen
                .wrapped
                .fill(ticket, &place, kept.clone(), Instant::now());
        }
        Ok(found)
    }

    async fn put(&self, person: UserId, wrapped: &[u8]) -> Result<(), VaultError> {
        let link = self.link_now()?;
        let mut set = cmd("SET");
        set.arg(self.shared.keys.wrapped(person)).arg(wrapped).arg("NX");
        let answer: Result<Option<String>, RedisError> = set.query_async(&mut link.writes()).await;
        link.noticed(answer)
            .map(drop)
            .map_err(|error| unavailable(&error))
    }

    async fn replace(&self, person: UserId, wrapped: &[u8], anew: &[u8]) -> Result<(), VaultError> {
        let link = self.link_now()?;
        let mut set = cmd("EVAL");
        set.arg(REPLACE)
            .arg(1)
            .arg(self.shared.keys.wrapped(person))
            .arg(wrapped)
            .arg(anew);
        let answer = set.exec_async(&mut link.writes()).await;
        link.seen.wrapped.forget(&vault(&person.to_string()));
        link.noticed(answer).map_err(|error| unavailable(&error))
    }

    async fn destroyed(&self, person: UserId) -> Result<(), VaultError> {
        let link = self.link_now()?;
        let mut set = cmd("SET");
        set.arg(self.shared.keys.wrapped(person)).arg(DESTROYED);
        let answer = set.exec_async(&mut link.writes()).await;
        // Also when the outcome is unknown: what is read again is right.
        link.seen.wrapped.forget(&vault(&person.to_string()));
        link.noticed(answer).map_err(|error| unavailable(&error))
    }
}
