//! The care of people: at the start and once a day a pass goes over everybody, completes what was begun of their
//! forgetting, and forgets whoever has had no show for longer than people are kept. Beside it, what hears of
//! forgetting as it happens, and what wraps keys anew while the master key is exchanged.
//!
//! Every process of the command side does this. Two at once do no harm: whatever they do to a person can be done
//! twice. Readers and sellers go on meanwhile; a pass looks at one person after the other.

use crate::{commands::keys, settings::Settings, world::stages::Stage};
use chrono::{DateTime, Months, Utc};
use command_side::{app::App, forget};
use contract::{
    Cause, Timestamp, UserId,
    collections::{self, Collection},
    events::ForgetReason,
};
use ports::{Filter, Op, Order, Query, ReadStore, StoreError, Vault};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use std::sync::Arc;
use views::{purchase::Purchase, show::Show};

/// How long after a pass the next begins.
const EVERY_MS: u64 = 24 * 60 * 60 * 1_000;
/// How long after a pass that failed it is tried again.
const AGAIN_MS: u64 = 60_000;
/// How many documents are looked at at a time.
const PAGE: usize = 200;

/// Starts all of it.
pub(crate) fn start(
    app: &App,
    store: &Arc<dyn ReadStore>,
    vault: &Arc<dyn Vault>,
    settings: &Settings,
) -> Stage {
    let mut care = Stage::new("care of people");
    let worker = app.clone();
    care.run(|shutdown| forget::worker::run(worker, shutdown));
    let passes = Passes {
        app: app.clone(),
        store: store.clone(),
        months: settings.retention_months,
    };
    care.run(|mut shutdown| async move {
        tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => {}
            () = passes.for_ever() => {}
        }
    });
    if settings.master_key_previous.is_some() {
        let vault = vault.clone();
        care.run(|mut shutdown| async move {
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => {}
                () = keys::rewrap_in_the_background(&*vault) => {}
            }
        });
    }
    care
}

/// Whether somebody whose last show (or registration, when there was none) was at `last` is to be forgotten at
/// `now`: more than so many calendar months have passed. Zero months = nobody ever is.
pub fn is_over(last: Timestamp, months: u32, now: Timestamp) -> bool {
    let at = |time: Timestamp| DateTime::<Utc>::from_timestamp_millis(time.0);
    match (at(last), at(now)) {
        (Some(last), Some(now)) if months > 0 => last
            .checked_add_months(Months::new(months))
            .is_some_and(|kept_until| now > kept_until),
        _ => false,
    }
}

/// What a pass looks at of a person.
#[derive(Deserialize)]
struct Person {
    user_id: UserId,
    registered_at_ms: Timestamp,
    #[serde(default)]
    forgotten_at_ms: Option<Timestamp>,
}

struct Passes {
    app: App,
    store: Arc<dyn ReadStore>,
    months: u32,
}

/// Why a pass did not come to its end.
type Stopped = Box<dyn std::error::Error + Send + Sync>;

impl Passes {
    async fn for_ever(&self) {
        loop {
            let pause_ms = match self.pass().await {
                Ok(forgotten) => {
                    if forgotten > 0 {
                        tracing::info!(forgotten, "people whose last show is long ago were forgotten");
                    }
                    EVERY_MS
                }
                Err(error) => {
                    tracing::warn!(%error, "the pass over everybody stopped; it begins again");
                    AGAIN_MS
                }
            };
            let clock = &self.app.clock;
            clock.sleep_until(clock.now().plus_ms(pause_ms)).await;
        }
    }

    /// Goes over everybody who was known when it began; how many were forgotten for their last show.
    async fn pass(&self) -> Result<u64, Stopped> {
        let head = self.app.log.head().await?;
        // Who was forgotten just before a crash is found only where the read models know of it.
        self.store.applied().wait_for(|applied| *applied >= head).await?;
        let (mut forgotten, mut after) = (0, None);
        loop {
            let page = self.people(after.take()).await?;
            let Some((last, _)) = page.last() else {
                return Ok(forgotten);
            };
            after = Some((0, last.clone()));
            for (_, person) in page {
                forgotten += u64::from(self.attend(&person).await?);
            }
        }
    }

    async fn people(&self, after: Option<(i64, String)>) -> Result<Vec<(String, Person)>, Stopped> {
        let query = Query {
            filters: Vec::new(),
            order: None,
            after,
            limit: PAGE,
        };
        let found = self.store.find(&collections::USERS, query).await?;
        found
            .into_iter()
            .map(|document| Ok((document.key.clone(), serde_json::from_slice(&document.body)?)))
            .collect()
    }

    /// Does what is due for one person; true when they were forgotten for their last show.
    async fn attend(&self, person: &Person) -> Result<bool, Stopped> {
        let cause = Cause {
            correlation: person.user_id.0,
            actor: "retention".into(),
            trace: None,
        };
        if person.forgotten_at_ms.is_some() {
            forget::complete(&self.app, &cause, person.user_id).await?;
            return Ok(false);
        }
        let now = self.app.clock.now();
        // Shows come after the registration: whoever came lately is not even asked for them.
        if !is_over(person.registered_at_ms, self.months, now) || !self.has_no_late_show(person, now).await? {
            return Ok(false);
        }
        forget::forget(&self.app, &cause, person.user_id, ForgetReason::Retention).await?;
        tracing::info!(user_id = %person.user_id, "forgotten: the last show is long ago");
        Ok(true)
    }

    /// True when every show of theirs is over for so long, and nothing is on its way.
    async fn has_no_late_show(&self, person: &Person, now: Timestamp) -> Result<bool, Stopped> {
        let of_person = Filter {
            field: "user_id",
            op: Op::Eq(json!(person.user_id)),
        };
        let open = Query {
            filters: vec![
                Filter {
                    field: "open",
                    op: Op::Eq(json!(1)),
                },
                of_person.clone(),
            ],
            order: None,
            after: None,
            limit: 1,
        };
        if !self
            .store
            .find(&collections::RESERVATIONS, open)
            .await?
            .is_empty()
        {
            return Ok(false);
        }
        let mut after = None;
        loop {
            let query = Query {
                filters: vec![of_person.clone()],
                order: Some(Order {
                    field: "at_ms",
                    descending: true,
                }),
                after: after.take(),
                limit: PAGE,
            };
            let found = self.store.find(&collections::PURCHASES, query).await?;
            for document in &found {
                let purchase: Purchase = serde_json::from_slice(&document.body)?;
                // Newest first, and a show begins after it is bought: most are answered by the first.
                if !is_over(purchase.at_ms, self.months, now) || !self.show_is_over(&purchase, now).await? {
                    return Ok(false);
                }
                after = Some((purchase.at_ms.0, document.key.clone()));
            }
            if found.len() < PAGE {
                return Ok(true);
            }
        }
    }

    /// A show that is not known is taken for one to come: rather late than wrong.
    async fn show_is_over(&self, purchase: &Purchase, now: Timestamp) -> Result<bool, Stopped> {
        let show: Option<Show> = self
            .get(&collections::SHOWS, &purchase.show_id.to_string())
            .await?;
        Ok(show.is_some_and(|show| is_over(show.starts_at_ms, self.months, now)))
    }

    async fn get<T: DeserializeOwned>(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<T>, Stopped> {
        let found: Result<_, StoreError> = self.store.get(collection, key).await;
        let parsed = found?.map(|document| serde_json::from_slice(&document.body));
        Ok(parsed.transpose()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn somebody_is_kept_for_so_many_calendar_months_and_not_a_moment_longer() {
        let last = at("2024-05-10T20:00:00Z");
        assert!(!is_over(last, 24, at("2026-05-10T20:00:00Z")));
        assert!(is_over(last, 24, at("2026-05-10T20:00:00.001Z")));
        assert!(!is_over(last, 25, at("2026-05-10T20:00:01Z")));
    }

    #[test]
    fn a_month_without_that_day_ends_on_its_last() {
        let last = at("2023-01-31T12:00:00Z");
        assert!(!is_over(last, 1, at("2023-02-28T12:00:00Z")));
        assert!(is_over(last, 1, at("2023-02-28T12:00:01Z")));
        assert!(!is_over(
            at("2024-01-31T12:00:00Z"),
            1,
            at("2024-02-29T11:00:00Z")
        ));
    }

    #[test]
    fn zero_months_is_for_ever_and_a_coming_show_is_not_over() {
        assert!(!is_over(
            at("1990-01-01T00:00:00Z"),
            0,
            at("2026-01-01T00:00:00Z")
        ));
        assert!(!is_over(
            at("2099-01-01T00:00:00Z"),
            1,
            at("2026-01-01T00:00:00Z")
        ));
        assert!(!is_over(Timestamp(i64::MAX), 1, at("2026-01-01T00:00:00Z")));
    }
}
