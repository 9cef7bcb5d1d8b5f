//! A numbered show of two sections of ten seats, and what happens to its seats.

use crate::world::{SHOW, USER, World, usd};
use contract::{Event, HoldId, ReservationId, StreamName, Timestamp, events::*};
use query_side::Settings;
use serde_json::json;
use std::{collections::BTreeMap, sync::Mutex, time::Duration};
use uuid::Uuid;

pub struct Stage {
    pub world: World,
    /// How each seat is that is not free.
    taken: Mutex<BTreeMap<String, char>>,
}

/// News at once: a test makes one thing happen after the other.
pub fn at_once() -> Settings {
    Settings {
        changes_every: Duration::ZERO,
        ..Settings::default()
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(at_once()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let world = World::with(settings);
        let section = |name: &str| {
            serde_json::from_value(json!({ "name": name, "rows": 2, "seats_per_row": 5 })).unwrap()
        };
        let sections = vec![section("Platea"), section("Palco-B")];
        world
            .schedule(SHOW, |show| show.layout = Layout::Numbered { sections })
            .await;
        world.project().await;
        let taken = Mutex::default();
        Self { world, taken }
    }

    /// These seats are held (`h`), sold (`s`) or free again (`f`): in the log, and not yet in the read models.
    pub async fn append(&self, state: char, seats: &[&str]) {
        let tally = self.tally(state, seats);
        self.append_event(happens(state, seats, tally)).await;
    }

    pub async fn append_event(&self, event: Event) {
        self.world
            .append(&StreamName::show(SHOW), SHOW.0, vec![event])
            .await;
    }

    /// The same, and everybody sees it.
    pub async fn happen(&self, state: char, seats: &[&str]) {
        self.append(state, seats).await;
        self.world.project().await;
    }

    pub async fn cancel(&self) {
        let tally = self.tally('f', &[]);
        let (show_id, at_ms) = (SHOW, Timestamp(0));
        let cancelled = ShowCancelled {
            show_id,
            tally,
            at_ms,
        };
        self.append_event(cancelled.into()).await;
        self.world.project().await;
    }

    fn tally(&self, state: char, seats: &[&str]) -> Tally {
        let mut taken = self.taken.lock().unwrap();
        for seat in seats {
            match state {
                'f' => taken.remove(*seat),
                _ => taken.insert((*seat).to_owned(), state),
            };
        }
        let count = |wanted| u32::try_from(taken.values().filter(|state| **state == wanted).count()).unwrap();
        let (held, sold) = (count('h'), count('s'));
        let free = 20 - held - sold;
        Tally { free, held, sold }
    }

    /// `/asientos`, as it is now.
    pub async fn map(&self, query: &str) -> serde_json::Value {
        let answer = self
            .world
            .get(&format!("/api/eventos/{SHOW}/asientos?{query}"))
            .await;
        assert_eq!(answer.status, 200);
        answer.body
    }
}

/// An event that gives these seats this state.
pub fn happens(state: char, seats: &[&str], tally: Tally) -> Event {
    let (hold_id, user_id) = (HoldId(Uuid::nil()), USER);
    let reservation_id = ReservationId(Uuid::nil());
    let quantity = u32::try_from(seats.len()).unwrap();
    let seats: Vec<String> = seats.iter().map(|seat| (*seat).to_owned()).collect();
    match state {
        'h' => TicketsHeld {
            hold_id,
            user_id,
            reservation_id: None,
            quantity,
            seats,
            amount: usd(0),
            deadline_ms: Timestamp(0),
            tally,
            fingerprint: None,
        }
        .into(),
        's' => TicketsSold {
            hold_id,
            reservation_id,
            user_id,
            quantity,
            seats,
            amount: usd(0),
            tally,
        }
        .into(),
        _ => HoldReleased {
            hold_id,
            reason: ReleaseReason::Released,
            quantity,
            seats,
            tally,
        }
        .into(),
    }
}
