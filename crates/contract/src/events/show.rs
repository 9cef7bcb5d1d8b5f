//! What happens to a show and its tickets: stream `show-{id}`. Every event that moves tickets carries the tally
//! after it, so that readers set what it says and never count.

use super::layout::Layout;
use crate::{
    envelope::Digest,
    ids::{HoldId, ReservationId, ShowId, UserId},
    money::Money,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The letters of a row: 0 is A, 25 is Z, 26 is AA.
pub fn row_letters(mut index: u32) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + (index % 26) as u8);
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

/// The index of a row's letters; `None` when they are not letters A to Z or far too many.
pub fn row_index(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 5 || !letters.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    Some(
        letters
            .bytes()
            .fold(0_u32, |index, b| index * 26 + u32::from(b - b'A') + 1)
            - 1,
    )
}

/// A seat's name: `Platea-A-12`. `row` counts from 0, `number` from 1.
pub fn seat_name(section: &str, row: u32, number: u32) -> String {
    format!("{section}-{}-{number}", row_letters(row))
}

/// Section, row (from 0) and number (from 1) of a seat's name; `None` when it is not one. A section's name may
/// contain dashes, and numbers have one spelling (`07` is none).
pub fn parse_seat(name: &str) -> Option<(&str, u32, u32)> {
    let (rest, number_text) = name.rsplit_once('-')?;
    let (section, letters) = rest.rsplit_once('-')?;
    Some((section, row_index(letters)?, seat_number(number_text)?))
}

/// A seat's number in its row, from 1; `None` when it is not one, or not spelt like one.
pub(super) fn seat_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

/// Where all tickets of a show are: `free + held + sold` is its capacity, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Anybody may have these.
    pub free: u32,
    /// Held, with a deadline.
    pub held: u32,
    /// Sold.
    pub sold: u32,
}

/// `show_scheduled.v1`, or `show_scheduled.v2` when places are blocked: the first event of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowScheduled {
    /// The show.
    pub show_id: ShowId,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it begins.
    pub starts_at_ms: Timestamp,
    /// Where.
    pub venue: String,
    /// The price of a ticket, where its section has no other.
    pub price: Money,
    /// What kind of show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many tickets one person may have, over holds and purchases.
    pub limit_per_user: u32,
    /// Its tickets.
    pub layout: Layout,
    /// When it was scheduled.
    pub scheduled_at_ms: Timestamp,
    /// Whose show it is: the organiser who scheduled it. Nobody's in particular when an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organiser: Option<UserId>,
    /// What was asked under an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
}

impl ShowScheduled {
    /// Whether it is a `show_scheduled.v2`. A program that knows only the first version cannot read it and sells
    /// nothing; as a `.v1` it would read past the blocked places and sell them.
    pub(super) fn has_blocked(&self) -> bool {
        self.layout.has_blocked()
    }
}

/// `tickets_held.v1`: a person has a claim on tickets until a deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsHeld {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose.
    pub user_id: UserId,
    /// The reservation that pays for it, when it was made for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// How many tickets.
    pub quantity: u32,
    /// Which seats; empty for general admission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// What they cost together.
    pub amount: Money,
    /// The hold is over when this has passed.
    pub deadline_ms: Timestamp,
    /// Where the tickets are now.
    pub tally: Tally,
    /// What was asked under an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
}

/// `hold_adopted.v1`: a reservation now pays for a hold that was made before it. The deadline stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldAdopted {
    /// The hold.
    pub hold_id: HoldId,
    /// The reservation.
    pub reservation_id: ReservationId,
}

/// Why a hold ended without a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// Its owner gave it back.
    Released,
    /// Its deadline passed.
    Expired,
    /// Its reservation was compensated.
    Compensated,
    /// The show was cancelled.
    ShowCancelled,
}

/// `hold_released.v1`: the tickets of a hold are free again. With quantity 0, a tombstone: the hold was never
/// made and now never can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldReleased {
    /// The hold.
    pub hold_id: HoldId,
    /// Why.
    pub reason: ReleaseReason,
    /// How many tickets.
    pub quantity: u32,
    /// Which seats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// Where the tickets are now.
    pub tally: Tally,
}

/// `tickets_sold.v1`: a hold became a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsSold {
    /// The hold that was.
    pub hold_id: HoldId,
    /// The reservation that paid.
    pub reservation_id: ReservationId,
    /// Whose tickets they are.
    pub user_id: UserId,
    /// How many.
    pub quantity: u32,
    /// Which seats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// What was paid.
    pub amount: Money,
    /// Where the tickets are now.
    pub tally: Tally,
}

/// `tickets_returned.v1`: a sale was undone; its tickets are free again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsReturned {
    /// The hold that was sold.
    pub hold_id: HoldId,
    /// The reservation that had paid.
    pub reservation_id: ReservationId,
    /// Whose tickets they were.
    pub user_id: UserId,
    /// How many.
    pub quantity: u32,
    /// Which seats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// Where the tickets are now.
    pub tally: Tally,
}

/// `show_cancelled.v1`: nothing more is sold; open holds were released just before, sales are given back after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowCancelled {
    /// The show.
    pub show_id: ShowId,
    /// Where the tickets are now.
    pub tally: Tally,
    /// When.
    pub at_ms: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lettered_like_a_spreadsheet() {
        assert_eq!(
            [0, 25, 26, 51, 52, 701, 702].map(row_letters),
            ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
        );
        for index in 0..20_000 {
            assert_eq!(row_index(&row_letters(index)), Some(index));
        }
        assert_eq!(row_index("a"), None);
        assert_eq!(row_index(""), None);
    }

    #[test]
    fn a_seat_has_one_name() {
        assert_eq!(
            parse_seat(&seat_name("Platea-Alta", 27, 12)),
            Some(("Platea-Alta", 27, 12))
        );
        assert_eq!(parse_seat("Platea-A-012"), None);
        assert_eq!(parse_seat("Platea-A-0"), None);
        assert_eq!(parse_seat("Platea-A-+1"), None);
        assert_eq!(parse_seat("Platea"), None);
    }
}
