//! The seats of a numbered show, one letter each. Beside the show's document, because it is large and changes
//! with every seat.

use contract::{
    Event, Money, Revision, ShowId,
    events::{Layout, ShowScheduled, parse_seat},
};
use serde::{Deserialize, Serialize};

/// Anybody may have the seat.
pub const FREE: char = 'f';
/// Held, with a deadline.
pub const HELD: char = 'h';
/// Sold.
pub const SOLD: char = 's';

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
    /// How many seats in each row; 1 is the first.
    pub seats_per_row: u32,
    /// One character per seat, row by row: [`FREE`], [`HELD`] or [`SOLD`].
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
    /// Sets one seat: row from 0, number from 1.
    fn set(&mut self, row: u32, number: u32, state: char) {
        if row < self.rows && (1..=self.seats_per_row).contains(&number) {
            let index = row as usize * self.seats_per_row as usize + number as usize - 1;
            // All states are one byte each, so an index of seats is an index of bytes.
            if index < self.states.len() {
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
            states: FREE
                .to_string()
                .repeat(section.rows as usize * section.seats_per_row as usize),
        })
        .collect();
    Some(SeatMap {
        show_id: event.show_id,
        price: event.price,
        sections,
        revision,
    })
}
