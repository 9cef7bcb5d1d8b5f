//! What is different between two versions of a seat map, and which places an event is about: what followers of a
//! show are told instead of the whole map.

use crate::seat_map::{SeatMap, SectionSeats};
use contract::{Event, events::parse_seat};

/// How many places are compared at once; most of them are as they were.
const BLOCK: usize = 64;

/// Where a seat is in a seat map. Ordered as the map is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Which section, counted from 0.
    pub section: usize,
    /// Which of its places, row by row, counted from 0.
    pub index: usize,
}

/// Places of a section that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// Where it begins.
    pub first: Place,
    /// How they are, one letter each.
    pub states: &'a [u8],
}

/// The places that are not as they were, in their order. `None` when the maps do not have the same places: then
/// nothing can be told as changes.
pub fn between(before: &SeatMap, after: &SeatMap) -> Option<Vec<Place>> {
    if before.sections.len() != after.sections.len() {
        return None;
    }
    let mut places = Vec::new();
    for (section, (old, new)) in before.sections.iter().zip(&after.sections).enumerate() {
        if !has_the_same_places(old, new) {
            return None;
        }
        let changed = changed(old.states.as_bytes(), new.states.as_bytes());
        places.extend(changed.map(|index| Place { section, index }));
    }
    Some(places)
}

fn has_the_same_places(old: &SectionSeats, new: &SectionSeats) -> bool {
    old.name == new.name && old.seats_per_row == new.seats_per_row && old.states.len() == new.states.len()
}

fn changed<'a>(old: &'a [u8], new: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let blocks = old.chunks(BLOCK).zip(new.chunks(BLOCK)).enumerate();
    blocks
        .filter(|(_, (old, new))| old != new)
        .flat_map(|(block, (old, new))| {
            let states = old.iter().zip(new).enumerate();
            let changed = states.filter(|(_, (old, new))| old != new);
            changed.map(move |(index, _)| block * BLOCK + index)
        })
}

/// The seats that an event of a show's stream gives another state.
pub fn touched(event: &Event) -> &[String] {
    match event {
        Event::TicketsHeld(held) => &held.seats,
        Event::HoldReleased(released) => &released.seats,
        Event::TicketsSold(sold) => &sold.seats,
        Event::TicketsReturned(returned) => &returned.seats,
        _ => &[],
    }
}

/// The place of a seat's name; `None` when it is not in the map.
pub fn place(map: &SeatMap, seat: &str) -> Option<Place> {
    let (name, row, number) = parse_seat(seat)?;
    let section = map.sections.iter().position(|section| section.name == name)?;
    let seats = map.sections.get(section)?;
    let index = row as usize * seats.seats_per_row as usize + number as usize - 1;
    let is_there = row < seats.rows && number <= seats.seats_per_row && index < seats.states.len();
    is_there.then_some(Place { section, index })
}

/// Places in their order, put together where one follows the other in its section.
pub fn runs<'a>(map: &'a SeatMap, places: &'a [Place]) -> impl Iterator<Item = Run<'a>> {
    let follows = |a: &Place, b: &Place| a.section == b.section && a.index + 1 == b.index;
    places.chunk_by(follows).filter_map(|run| {
        let first = *run.first()?;
        let states = map.sections.get(first.section)?.states.as_bytes();
        let states = states.get(first.index..first.index + run.len())?;
        Some(Run { first, states })
    })
}

#[cfg(test)]
#[path = "seat_changes_tests.rs"]
mod tests;
