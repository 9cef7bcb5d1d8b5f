//! The verifier's own account of who has which numbered seat.

use super::{Rule, findings::Findings};
use contract::{
    Money,
    events::{Section, parse_seat},
};
use std::collections::BTreeSet;

/// A seat: section, row, number, as counted in the layout.
pub(super) type Seat = (u32, u32, u32);

/// The seats of a show.
#[derive(Debug)]
pub(super) struct Seats {
    sections: Vec<Section>,
    price: Money,
    /// Where there is no seat.
    blocked: BTreeSet<Seat>,
    taken: BTreeSet<Seat>,
}

impl Seats {
    pub fn new(sections: &[Section], price: Money) -> Self {
        let mut blocked = BTreeSet::new();
        for (section, index) in sections.iter().zip(0..) {
            let there = section.blocked.iter().filter(|place| section.has(**place));
            blocked.extend(there.map(|place| (index, place.row, place.number)));
        }
        Self {
            sections: sections.to_vec(),
            price,
            blocked,
            taken: BTreeSet::new(),
        }
    }

    /// How many seats there are, by this account: a place that is blocked twice counts once.
    pub fn count(&self) -> u32 {
        let places = self
            .sections
            .iter()
            .fold(0_u32, |sum, section| sum.saturating_add(section.places()));
        places.saturating_sub(u32::try_from(self.blocked.len()).unwrap_or(u32::MAX))
    }

    /// The seat of this name, if the layout has it.
    pub fn find(&self, name: &str) -> Option<Seat> {
        let (section_name, row, number) = parse_seat(name)?;
        let index = self
            .sections
            .iter()
            .position(|section| section.name == section_name)?;
        let section = &self.sections[index];
        let seat = (u32::try_from(index).ok()?, row, number);
        let exists = row < section.rows && number <= section.seats_per_row && !self.blocked.contains(&seat);
        exists.then_some(seat)
    }

    /// Takes seats that nobody else may have. Gives them with what they cost together in minor units; `None`
    /// when some could not be taken, which is told already.
    pub fn take(
        &mut self,
        quantity: u32,
        names: &[String],
        found: &mut Findings,
    ) -> (Box<[Seat]>, Option<i128>) {
        if names.len() != quantity as usize {
            found.add(
                Rule::SeatOnce,
                format!("{quantity} tickets, {} seats", names.len()),
            );
        }
        let mut seats = Vec::with_capacity(names.len());
        for name in names {
            match self.find(name) {
                None => found.add(Rule::SeatOnce, format!("there is no seat {name}")),
                Some(seat) if self.taken.insert(seat) => seats.push(seat),
                Some(_) => found.add(Rule::SeatOnce, format!("{name} has an owner already")),
            }
        }
        let due = seats.iter().map(|seat| self.price_minor(*seat)).sum();
        let whole = seats.len() == quantity as usize;
        (seats.into(), whole.then_some(due))
    }

    pub fn give_back(&mut self, seats: &[Seat]) {
        for seat in seats {
            self.taken.remove(seat);
        }
    }

    fn price_minor(&self, seat: Seat) -> i128 {
        let own = self
            .sections
            .get(seat.0 as usize)
            .and_then(|section| section.price);
        i128::from(own.unwrap_or(self.price).minor)
    }
}
