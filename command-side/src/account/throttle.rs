//! Guessing passwords is slow: after some failures, further attempts are not looked at for a while.
//!
//! | counted by | failures in five minutes | against |
//! |---|---|---|
//! | account and address | 5 | guessing one person's password |
//! | account | 20 | the same, from many addresses |
//! | address | 100 | trying one password on many people |
//!
//! An account is an e-mail address's pseudonym, whether anybody has it or not, so that being throttled tells nothing.
//! In memory, per process and bounded: with several nodes a guesser has as many times the attempts, and the hash is
//! slow on each.

use contract::{Digest, Timestamp};
use quick_cache::unsync::Cache;
use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

/// How long failures count, from the first of them, in milliseconds.
const WINDOW_MS: u64 = 300_000;
/// How many of each kind are remembered; of more, those who come seldom are forgotten.
const REMEMBERED: usize = 65_536;

const PER_PAIR: u32 = 5;
const PER_ACCOUNT: u32 = 20;
const PER_ADDRESS: u32 = 100;

/// Who tries, on which account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// The pseudonym of the e-mail address.
    pub account: Digest,
    /// From where, when it is known.
    pub address: Option<IpAddr>,
}

/// Failures, counted.
pub(super) struct Throttle(Mutex<Counts>);

struct Counts {
    pairs: Cache<(Digest, Option<IpAddr>), Window>,
    accounts: Cache<Digest, Window>,
    addresses: Cache<IpAddr, Window>,
}

#[derive(Clone, Copy)]
struct Window {
    since: Timestamp,
    failures: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            pairs: Cache::new(REMEMBERED),
            accounts: Cache::new(REMEMBERED),
            addresses: Cache::new(REMEMBERED),
        }))
    }
}

impl Throttle {
    /// Whether an attempt is looked at; if not, in how many seconds the next will be.
    pub fn check(&self, attempt: Attempt, now: Timestamp) -> Result<(), u64> {
        let attempt = attempt.of_a_network();
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = left(&counts.pairs, &(attempt.account, attempt.address), PER_PAIR, now);
        let account = left(&counts.accounts, &attempt.account, PER_ACCOUNT, now);
        let address = attempt
            .address
            .and_then(|address| left(&counts.addresses, &address, PER_ADDRESS, now));
        match pair.max(account).max(address) {
            Some(left_ms) => Err(left_ms.div_ceil(1_000)),
            None => Ok(()),
        }
    }

    /// Counts a failure.
    pub fn failed(&self, attempt: Attempt, now: Timestamp) {
        let attempt = attempt.of_a_network();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counts.pairs, (attempt.account, attempt.address), now);
        count(&mut counts.accounts, attempt.account, now);
        if let Some(address) = attempt.address {
            count(&mut counts.addresses, address, now);
        }
    }

    /// Forgets the failures on this account from this address: its owner is there.
    pub fn succeeded(&self, attempt: Attempt) {
        let attempt = attempt.of_a_network();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.pairs.remove(&(attempt.account, attempt.address));
    }
}

impl Attempt {
    /// Whoever has one address of IPv6 has at least the 2⁶⁴ around it.
    fn of_a_network(self) -> Self {
        let address = self.address.map(|address| match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => IpAddr::V4(v4),
                None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            },
            v4 @ IpAddr::V4(_) => v4,
        });
        Self { address, ..self }
    }
}

/// How long it takes, in milliseconds, until fewer failures than `limit` count; `None` when it is so now.
fn left<K: Hash + Eq>(counts: &Cache<K, Window>, key: &K, limit: u32, now: Timestamp) -> Option<u64> {
    let window = counts.peek(key).filter(|window| window.failures >= limit)?;
    Some(WINDOW_MS.saturating_sub(now.ms_since(window.since))).filter(|left_ms| *left_ms > 0)
}

fn count<K: Hash + Eq>(counts: &mut Cache<K, Window>, key: K, now: Timestamp) {
    let window = match counts.get(&key) {
        Some(window) if now.ms_since(window.since) < WINDOW_MS => Window {
            failures: window.failures.saturating_add(1),
            ..*window
        },
        _ => Window {
            since: now,
            failures: 1,
        },
    };
    counts.insert(key, window);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const T0: Timestamp = Timestamp(1_000_000);

    fn attempt(account: u8, address: &str) -> Attempt {
        Attempt {
            account: Digest([account; 32]),
            address: Some(address.parse().unwrap()),
        }
    }

    fn fail(throttle: &Throttle, attempt: Attempt, times: u32) {
        for _ in 0..times {
            throttle.failed(attempt, T0);
        }
    }

    #[test]
    fn five_failures_on_one_account_from_one_address_are_enough_until_five_minutes_have_passed() {
        let (throttle, ana) = (Throttle::default(), attempt(1, "10.0.0.1"));
        fail(&throttle, ana, 4);
        assert_eq!(throttle.check(ana, T0), Ok(()));
        fail(&throttle, ana, 1);
        assert_eq!(throttle.check(ana, T0.plus_ms(1)), Err(300));
        assert_eq!(throttle.check(ana, T0.plus_ms(299_999)), Err(1));
        assert_eq!(throttle.check(ana, T0.plus_ms(300_000)), Ok(()));
        assert_eq!(throttle.check(attempt(1, "10.0.0.2"), T0), Ok(()));
        assert_eq!(throttle.check(attempt(2, "10.0.0.1"), T0), Ok(()));
    }

    #[test]
    fn twenty_failures_on_one_account_are_enough_wherever_they_come_from() {
        let throttle = Throttle::default();
        for n in 0..20 {
            assert_eq!(throttle.check(attempt(1, "10.9.9.9"), T0), Ok(()));
            fail(&throttle, attempt(1, &format!("10.0.0.{n}")), 1);
        }
        assert!(throttle.check(attempt(1, "10.9.9.9"), T0).is_err());
        assert_eq!(throttle.check(attempt(2, "10.9.9.9"), T0), Ok(()));
    }

    #[test]
    fn a_hundred_failures_from_one_address_are_enough_whomever_they_are_for() {
        let throttle = Throttle::default();
        for n in 0..100 {
            fail(&throttle, attempt(n, "10.0.0.1"), 1);
        }
        assert!(throttle.check(attempt(200, "10.0.0.1"), T0).is_err());
        assert_eq!(throttle.check(attempt(200, "10.0.0.2"), T0), Ok(()));
    }

    #[test]
    fn a_success_forgets_the_failures_of_its_account_and_address_only() {
        let (throttle, ana) = (Throttle::default(), attempt(1, "10.0.0.1"));
        fail(&throttle, ana, 4);
        fail(&throttle, attempt(1, "10.0.0.2"), 5);
        throttle.succeeded(ana);
        fail(&throttle, ana, 4);
        assert_eq!(throttle.check(ana, T0), Ok(()));
        assert!(throttle.check(attempt(1, "10.0.0.2"), T0).is_err());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_a_mapped_address_is_itself() {
        let throttle = Throttle::default();
        fail(&throttle, attempt(1, "2001:db8::1"), 5);
        assert!(throttle.check(attempt(1, "2001:db8::ffff"), T0).is_err());
        assert_eq!(throttle.check(attempt(1, "2001:db8:0:1::1"), T0), Ok(()));
        fail(&throttle, attempt(1, "10.0.0.1"), 5);
        assert!(throttle.check(attempt(1, "::ffff:10.0.0.1"), T0).is_err());
    }
}
