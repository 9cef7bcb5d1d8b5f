//! The places of a numbered show, one letter each. Beside the show's document, because it is large and changes
//! with every seat.

use contract::{
    Event, Money, Revision, ShowId,
    events::{Layout, Section, ShowScheduled, parse_seat},
};
use serde::{Deserialize, Serialize};

/// Anybody may have the seat.
pub const FREE: char = 'f';
/// Held, with a deadline.
pub const HELD: char = 'h';
/// Sold.
pub const SOLD: char = 's';
/// No seat: the place is blocked and stays so.
pub const BLOCKED: char = 'x';

/// A document of [`contract::collections::SEAT_MAPS`], under the show's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatMap {
    /// The show.
    pub show_id: ShowId,
    /// The show's price, where a section has no other.
    pub price: Money,
    /// The sections, in the order in which they are shown.
    pub sections: Vec<SectionSeats>,
    /// The revision of the last event that is in here.
    pub revision: Revision,
}

/// The seats of a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSeats {
    /// The section's name, unique in the show.
    pub name: String,
    /// What a seat costs here.
    pub price: Money,
    /// How many rows; A is the first.
    pub rows: u32,
    /// How many places in each row; 1 is the first.
    pub seats_per_row: u32,
    /// Behind which numbers there is an aisle, in every row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aisles: Vec<u32>,
    /// One character per place, row by row: [`FREE`], [`HELD`], [`SOLD`] or [`BLOCKED`].
    pub states: String,
}

/// The seat map after an event of the show's stream. Only events that name seats are in it; see
/// [`crate::project::targets`].
pub fn evolve(doc: Option<SeatMap>, event: &Event, revision: Revision) -> Option<SeatMap> {
    let mut map = match (doc, event) {
        (Some(map), _) if revision <= map.revision => return Some(map),
        (_, Event::ShowScheduled(scheduled)) => return scheduled_map(scheduled, revision),
        (Some(map), _) => map,
        (None, _) => return None,
    };
    match event {
        Event::TicketsHeld(held) => map.set(&held.seats, HELD),
        Event::HoldReleased(released) => map.set(&released.seats, FREE),
        Event::TicketsSold(sold) => map.set(&sold.seats, SOLD),
        Event::TicketsReturned(returned) => map.set(&returned.seats, FREE),
        _ => return Some(map),
    }
    map.revision = revision;
    Some(map)
}

impl SeatMap {
    /// Sets seats by name. A name that is not in the map is left out: what grants seats has checked it, and a
    /// projection has nobody to refuse.
    fn set(&mut self, seats: &[String], state: char) {
        for seat in seats {
            let Some((section, row, number)) = parse_seat(seat) else {
                continue;
            };
            let Some(section) = self.sections.iter_mut().find(|s| s.name == section) else {
                continue;
            };
            section.set(row, number, state);
        }
    }
}

impl SectionSeats {
    /// Sets one seat: row from 0, number from 1. A blocked place stays what it is.
    fn set(&mut self, row: u32, number: u32, state: char) {
        if row < self.rows && (1..=self.seats_per_row).contains(&number) {
            let index = row as usize * self.seats_per_row as usize + number as usize - 1;
            // All states are one byte each, so an index of places is an index of bytes.
            if self
                .states
                .as_bytes()
                .get(index)
                .is_some_and(|state| char::from(*state) != BLOCKED)
            {
                self.states
                    .replace_range(index..=index, state.encode_utf8(&mut [0; 4]));
            }
        }
    }
}

fn scheduled_map(event: &ShowScheduled, revision: Revision) -> Option<SeatMap> {
    let Layout::Numbered { sections } = &event.layout else {
        return None;
    };
    let sections = sections
        .iter()
        .map(|section| SectionSeats {
            name: section.name.clone(),
            price: section.price.unwrap_or(event.price),
            rows: section.rows,
            seats_per_row: section.seats_per_row,
            aisles: section.aisles.clone(),
            states: states(section),
        })
        .collect();
    Some(SeatMap {
        show_id: event.show_id,
        price: event.price,
        sections,
        revision,
    })
}

/// Before anybody has held a seat.
fn states(section: &Section) -> String {
    let mut states = vec![FREE; section.places() as usize];
    for place in section.blocked.iter().filter(|place| section.has(**place)) {
        let index = place.row as usize * section.seats_per_row as usize + place.number as usize - 1;
        if let Some(state) = states.get_mut(index) {
            *state = BLOCKED;
        }
    }
    states.into_iter().collect()
}
