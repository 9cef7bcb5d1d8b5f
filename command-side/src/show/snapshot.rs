//! The stored form of a show's state: the show and its holds, one short row each. The books and the seat map
//! follow from them and are made again when it is read. The show is stored as in its event, so a program that does
//! not know of blocked places cannot read a snapshot with any.

use super::{
    hold::{Hold, Phase},
    seats::Seat,
    state::State,
};
use contract::{Currency, Digest, HoldId, Money, ReservationId, Timestamp, UserId, events::ShowScheduled};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};
use std::{collections::VecDeque, sync::Arc};

/// Changes whenever the stored form does: a snapshot of another form is not read but made anew.
pub const SNAPSHOT_FORM: u32 = 1;

/// A hold as an array, because names would be most of its bytes.
#[derive(Serialize, Deserialize)]
struct Row(
    HoldId,
    UserId,
    Phase,
    /// Left out for a reservation that pays for its own hold, whose id is the hold's.
    Option<ReservationId>,
    /// Whether the reservation was left out for that reason.
    bool,
    /// Quantity, amount in minor units, currency.
    (u32, i64, Currency),
    Timestamp,
    Vec<Seat>,
    Option<Digest>,
);

impl Row {
    fn of(id: HoldId, hold: &Hold) -> Self {
        let own = hold
            .reservation_id
            .is_some_and(|reservation| reservation.own_hold() == id);
        Self(
            id,
            hold.user_id,
            hold.phase,
            hold.reservation_id.filter(|_| !own),
            own,
            (hold.quantity, hold.amount.minor, hold.amount.currency),
            hold.deadline,
            hold.seats.to_vec(),
            hold.fingerprint.as_deref().copied(),
        )
    }

    fn hold(self) -> (HoldId, Hold) {
        let Self(id, user_id, phase, other, own, (quantity, minor, currency), deadline, seats, fingerprint) =
            self;
        let hold = Hold {
            user_id,
            phase,
            reservation_id: if own { Some(ReservationId::from(id)) } else { other },
            quantity,
            amount: Money::new(minor, currency),
            deadline,
            seats: seats.into_boxed_slice(),
            fingerprint: fingerprint.map(Box::new),
        };
        (id, hold)
    }
}

/// The holds of a state, written one after another without a copy of them all.
struct Rows<'a>(&'a State);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.holds.len()))?;
        for (id, hold) in &self.0.holds {
            rows.serialize_element(&Row::of(*id, hold))?;
        }
        rows.end()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<Show, Holds, Ended> {
    show: Option<Show>,
    cancelled: bool,
    clock_ms: Timestamp,
    holds: Holds,
    ended: Ended,
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored {
            show: self.show.as_deref(),
            cancelled: self.cancelled,
            clock_ms: self.clock,
            holds: Rows(self),
            ended: &self.ended,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Read = Stored<ShowScheduled, Vec<Row>, VecDeque<(HoldId, Option<Timestamp>)>>;
        let stored = Read::deserialize(deserializer)?;
        let mut state = State::default();
        if let Some(show) = stored.show {
            state.schedule(Arc::new(show));
        }
        for row in stored.holds {
            let (id, hold) = row.hold();
            state.insert(id, hold);
        }
        state.cancelled = stored.cancelled;
        state.clock = stored.clock_ms;
        state.ended = stored.ended;
        Ok(state)
    }
}
