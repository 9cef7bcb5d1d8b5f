//! The tickets of a show as they stand at a moment. A hold whose deadline has come is over, whether or not the
//! log says so yet: its tickets count as free, and whoever decides to give them away releases it first.

use super::{
    best_seats::best,
    hold::Hold,
    seats::{Seat, SeatMap},
    state::State,
};
use contract::{
    Event, HoldId, Money, Refusal, Timestamp, UserId,
    events::{Choice, HoldReleased, ReleaseReason, ShowScheduled, Tally},
};
use std::{borrow::Cow, collections::BTreeSet};

/// How many holds one decision releases at the most, so that it fits one append with others.
pub const MAX_RELEASES: usize = 1_000;

/// What somebody wants, understood: the seats exist, and so does the section.
pub(super) enum Wish {
    /// So many tickets of a show without seats.
    Tickets(u32),
    /// These seats.
    Seats(Vec<Seat>),
    /// The best seats for so many, perhaps only in one section.
    Best { quantity: u32, section: Option<usize> },
}

impl Wish {
    /// Understands a choice.
    ///
    /// # Errors
    /// `NotNumbered`, `SeatsUnknown` (also for a seat that is named twice, and for nothing at all),
    /// `SectionUnknown`; `HoldNotFound` for a hold, which is no wish for more tickets.
    pub fn of(state: &State, choice: &Choice) -> Result<Self, Refusal> {
        match (choice, state.seats()) {
            (Choice::Quantity { quantity: 0, .. }, _) => Err(Refusal::SeatsUnknown { seats: Vec::new() }),
            (
                Choice::Quantity {
                    quantity,
                    section: None,
                },
                None,
            ) => Ok(Self::Tickets(*quantity)),
            (Choice::Quantity { section: Some(_), .. } | Choice::Seats { .. }, None) => {
                Err(Refusal::NotNumbered)
            }
            (
                Choice::Quantity {
                    quantity,
                    section: None,
                },
                Some(_),
            ) => Ok(Self::Best {
                quantity: *quantity,
                section: None,
            }),
            (
                Choice::Quantity {
                    quantity,
                    section: Some(name),
                },
                Some(map),
            ) => match map.section(name) {
                Some(section) => Ok(Self::Best {
                    quantity: *quantity,
                    section: Some(section),
                }),
                None => Err(Refusal::SectionUnknown {
                    section: name.clone(),
                }),
            },
            (Choice::Seats { seats }, Some(map)) => Self::named(map, seats),
            (Choice::Hold { .. }, _) => Err(Refusal::HoldNotFound),
        }
    }

    fn named(map: &SeatMap, names: &[String]) -> Result<Self, Refusal> {
        let mut known = BTreeSet::new();
        let mut seats = Vec::with_capacity(names.len());
        let mut unknown = Vec::new();
        for name in names {
            match map.find(name).filter(|seat| known.insert(*seat)) {
                Some(seat) => seats.push(seat),
                None => unknown.push(name.clone()),
            }
        }
        match unknown.is_empty() && !seats.is_empty() {
            true => Ok(Self::Seats(seats)),
            false => Err(Refusal::SeatsUnknown { seats: unknown }),
        }
    }

    /// How many tickets it is.
    pub fn quantity(&self) -> u32 {
        match self {
            Self::Tickets(quantity) | Self::Best { quantity, .. } => *quantity,
            Self::Seats(seats) => u32::try_from(seats.len()).unwrap_or(u32::MAX),
        }
    }
}

/// The tickets at a moment.
pub(super) struct Stock<'a> {
    state: &'a State,
    show: &'a ShowScheduled,
    now: Timestamp,
    /// The overdue holds, the longest overdue first; at most [`MAX_RELEASES`]. The rest still counts as held.
    overdue: Vec<(HoldId, &'a Hold)>,
    /// Where the tickets are when those are released.
    tally: Tally,
    /// The seat map when those are released.
    seats: Option<Cow<'a, SeatMap>>,
}

impl<'a> Stock<'a> {
    pub fn at(state: &'a State, show: &'a ShowScheduled, now: Timestamp) -> Self {
        let overdue: Vec<_> = state.due(now).take(MAX_RELEASES).collect();
        let mut tally = state.tally();
        let mut seats = state.seats().map(Cow::Borrowed);
        for (_, hold) in &overdue {
            release_from(&mut tally, hold);
            if let Some(map) = &mut seats {
                map.to_mut().free(&hold.seats);
            }
        }
        Self {
            state,
            show,
            now,
            overdue,
            tally,
            seats,
        }
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The events that release the overdue holds.
    pub fn releases(&self) -> Vec<Event> {
        released(self.state, self.overdue.iter().copied(), |_| {
            ReleaseReason::Expired
        })
        .0
    }

    /// The tickets that the wish comes to, and their price.
    ///
    /// # Errors
    /// `SeatsTaken`, `AllHeld`, `SoldOut`, `AmountTooLarge`.
    pub fn pick(&self, wish: &Wish, user: UserId) -> Result<(Vec<Seat>, Money), Refusal> {
        let seats = match (wish, &self.seats) {
            (Wish::Seats(seats), Some(map)) => {
                let taken: Vec<Seat> = seats.iter().copied().filter(|seat| !map.is_free(*seat)).collect();
                if !taken.is_empty() {
                    return Err(Refusal::SeatsTaken {
                        seats: self.state.seat_names(&taken),
                    });
                }
                seats.clone()
            }
            (Wish::Best { quantity, section }, Some(map)) => {
                best(map, *quantity, *section).ok_or_else(|| self.too_few(*quantity, *section, user))?
            }
            (wish, _) if wish.quantity() > self.tally.free => {
                return Err(self.too_few(wish.quantity(), None, user));
            }
            _ => Vec::new(),
        };
        let amount = match &self.seats {
            Some(map) => map.price(&seats, Money::zero(self.show.price.currency)),
            None => self.show.price.times(wish.quantity()),
        };
        Ok((seats, amount.ok_or(Refusal::AmountTooLarge)?))
    }

    /// What the wish would cost, roughly when its seats cannot be chosen now.
    ///
    /// # Errors
    /// `AmountTooLarge`.
    pub fn estimate(&self, wish: &Wish) -> Result<Money, Refusal> {
        let amount = match (wish, &self.seats) {
            (Wish::Seats(seats), Some(map)) => map.price(seats, Money::zero(self.show.price.currency)),
            (
                Wish::Best {
                    quantity,
                    section: Some(section),
                },
                Some(map),
            ) => map
                .sections()
                .get(*section)
                .map_or(self.show.price, |section| section.price)
                .times(*quantity),
            (wish, _) => self.show.price.times(wish.quantity()),
        };
        amount.ok_or(Refusal::AmountTooLarge)
    }

    /// Sold out; or worth waiting, when enough tickets would come back if every other buyer's hold failed.
    fn too_few(&self, wanted: u32, section: Option<usize>, user: UserId) -> Refusal {
        let in_section = |hold: &Hold| match (section, &self.seats) {
            (Some(section), Some(map)) => {
                let there = |seat: &&Seat| map.section_of(**seat).is_some_and(|(index, _)| index == section);
                hold.seats.iter().filter(there).count() as u32
            }
            _ => hold.quantity,
        };
        let tally = match (section, &self.seats) {
            (Some(section), Some(map)) => map.tally(section),
            _ => self.tally,
        };
        let own: u32 = self.state.held_by(user, self.now).map(in_section).sum();
        let held = tally.held.saturating_sub(own);
        match tally.free.saturating_add(held) >= wanted {
            true => Refusal::AllHeld {
                free: tally.free,
                held,
            },
            false => Refusal::SoldOut { free: tally.free },
        }
    }
}

/// The events that release these holds, and where the tickets are then.
pub(super) fn released<'a>(
    state: &State,
    holds: impl Iterator<Item = (HoldId, &'a Hold)>,
    reason: impl Fn(&Hold) -> ReleaseReason,
) -> (Vec<Event>, Tally) {
    let mut tally = state.tally();
    let events = holds
        .map(|(hold_id, hold)| {
            release_from(&mut tally, hold);
            Event::from(HoldReleased {
                hold_id,
                reason: reason(hold),
                quantity: hold.quantity,
                seats: state.seat_names(&hold.seats),
                tally,
            })
        })
        .collect();
    (events, tally)
}

fn release_from(tally: &mut Tally, hold: &Hold) {
    tally.held = tally.held.saturating_sub(hold.quantity);
    tally.free = tally.free.saturating_add(hold.quantity);
}
