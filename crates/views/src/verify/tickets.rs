//! The verifier's own account of every ticket.

use super::{
    Rule,
    findings::Findings,
    seats::{Seat, Seats},
};
use contract::{
    Event, HoldId, Money, ReservationId, ShowId, Timestamp, UserId,
    events::{
        HoldReleased, Layout, ReleaseReason, ShowScheduled, Tally, TicketsHeld, TicketsReturned, TicketsSold,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// All shows.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    shows: BTreeMap<ShowId, Show>,
}

#[derive(Debug)]
struct Show {
    price: Money,
    capacity: u32,
    limit: u32,
    /// `None` for general admission.
    seats: Option<Seats>,
    cancelled: bool,
    held: u64,
    sold: u64,
    holds: BTreeMap<HoldId, Hold>,
    /// Tickets held and sold per person.
    owned: BTreeMap<UserId, u64>,
    /// A wrong tally makes all that follow wrong: it is told once.
    tally_told: bool,
}

/// A claim and what became of it.
#[derive(Debug)]
pub(super) struct Hold {
    pub user_id: UserId,
    pub reservation_id: Option<ReservationId>,
    pub quantity: u32,
    pub amount: Money,
    pub phase: Phase,
    deadline_ms: Timestamp,
    seats: Box<[Seat]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Active,
    Sold,
    Over,
}

impl Tickets {
    pub fn shows(&self) -> u64 {
        self.shows.len() as u64
    }

    pub fn hold(&self, show_id: ShowId, hold_id: HoldId) -> Option<&Hold> {
        self.shows.get(&show_id)?.holds.get(&hold_id)
    }

    /// Enters an event of a show's stream, decided at `at`.
    pub fn enter(&mut self, id: ShowId, event: &Event, at: Timestamp, found: &mut Findings) {
        if let Event::ShowScheduled(scheduled) = event {
            if scheduled.show_id != id || self.shows.contains_key(&id) {
                return found.add(Rule::Ordered, "scheduled under another id, or twice".to_owned());
            }
            self.shows.insert(id, Show::new(scheduled));
            return;
        }
        let Some(show) = self.shows.get_mut(&id) else {
            return found.add(Rule::Ordered, "the show was never scheduled".to_owned());
        };
        match event {
            Event::TicketsHeld(held) => show.hold(held, at, found),
            Event::HoldAdopted(adopted) => show.adopt(adopted.hold_id, adopted.reservation_id, at, found),
            Event::HoldReleased(released) => show.release(released, at, found),
            Event::TicketsSold(sold) => show.sell(sold, at, found),
            Event::TicketsReturned(returned) => show.take_back(returned, found),
            Event::ShowCancelled(cancelled) => {
                show.cancelled = true;
                show.check_tally(cancelled.tally, found);
            }
            _ => {}
        }
    }
}

impl Show {
    fn new(event: &ShowScheduled) -> Self {
        let seats = match &event.layout {
            Layout::General { .. } => None,
            Layout::Numbered { sections } => Some(Seats::new(sections, event.price)),
        };
        Self {
            price: event.price,
            capacity: seats.as_ref().map_or(event.layout.capacity(), Seats::count),
            limit: event.limit_per_user,
            seats,
            cancelled: false,
            held: 0,
            sold: 0,
            holds: BTreeMap::new(),
            owned: BTreeMap::new(),
            tally_told: false,
        }
    }

    fn hold(&mut self, event: &TicketsHeld, at: Timestamp, found: &mut Findings) {
        if self.holds.contains_key(&event.hold_id) {
            return found.add(Rule::Hold, format!("{} is held a second time", event.hold_id));
        }
        if self.cancelled {
            found.add(Rule::Hold, "held after the show was cancelled".to_owned());
        }
        if at >= event.deadline_ms {
            found.add(Rule::Deadline, format!("held at {at}, behind its own deadline"));
        }
        let seats = self.take_seats(event, found);
        self.held += u64::from(event.quantity);
        if self.held + self.sold > u64::from(self.capacity) {
            found.add(
                Rule::NeverOversold,
                format!("{} held and {} sold of {}", self.held, self.sold, self.capacity),
            );
        }
        *self.owned.entry(event.user_id).or_default() += u64::from(event.quantity);
        self.holds.insert(
            event.hold_id,
            Hold {
                user_id: event.user_id,
                reservation_id: event.reservation_id,
                quantity: event.quantity,
                amount: event.amount,
                phase: Phase::Active,
                deadline_ms: event.deadline_ms,
                seats,
            },
        );
        self.check_limit(event.user_id, at, found);
        self.check_tally(event.tally, found);
    }

    /// The seats of a new hold, at their price.
    fn take_seats(&mut self, event: &TicketsHeld, found: &mut Findings) -> Box<[Seat]> {
        let due = i128::from(self.price.minor) * i128::from(event.quantity);
        let (seats, due) = match &mut self.seats {
            None => (Box::default(), Some(due)),
            Some(seats) => seats.take(event.quantity, &event.seats, found),
        };
        let asked = (i128::from(event.amount.minor), event.amount.currency);
        if due.is_some_and(|due| asked != (due, self.price.currency)) {
            found.add(
                Rule::Price,
                format!("{} for {} tickets", event.amount, event.quantity),
            );
        }
        seats
    }

    fn check_limit(&self, user_id: UserId, at: Timestamp, found: &mut Findings) {
        if self
            .owned
            .get(&user_id)
            .is_none_or(|owned| *owned <= u64::from(self.limit))
        {
            return;
        }
        // A hold whose deadline has passed counts no more, whether or not it was released yet.
        let owned: u64 = self
            .holds
            .values()
            .filter(|hold| hold.user_id == user_id)
            .filter(|hold| match hold.phase {
                Phase::Active => at < hold.deadline_ms,
                Phase::Sold => true,
                Phase::Over => false,
            })
            .map(|hold| u64::from(hold.quantity))
            .sum();
        if owned > u64::from(self.limit) {
            found.add(
                Rule::Limit,
                format!("{owned} tickets for one person, the limit is {}", self.limit),
            );
        }
    }

    fn adopt(&mut self, id: HoldId, reservation_id: ReservationId, at: Timestamp, found: &mut Findings) {
        match self.holds.get_mut(&id) {
            Some(hold) if hold.phase == Phase::Active => {
                if hold.reservation_id.is_some_and(|owner| owner != reservation_id) {
                    found.add(Rule::Hold, format!("{id} belongs to another reservation"));
                }
                if at >= hold.deadline_ms {
                    found.add(
                        Rule::Deadline,
                        format!("adopted at {at}, the hold ended at {}", hold.deadline_ms),
                    );
                }
                hold.reservation_id = Some(reservation_id);
            }
            _ => found.add(Rule::Hold, format!("{id} is not held and cannot be adopted")),
        }
    }

    fn release(&mut self, event: &HoldReleased, at: Timestamp, found: &mut Findings) {
        match self.holds.get_mut(&event.hold_id) {
            Some(hold) if hold.phase == Phase::Active => {
                if event.reason == ReleaseReason::Expired && at < hold.deadline_ms {
                    found.add(
                        Rule::Deadline,
                        format!("expired at {at}, held until {}", hold.deadline_ms),
                    );
                }
                hold.phase = Phase::Over;
                self.held -= u64::from(hold.quantity);
                self.give_back(event.hold_id, event.quantity, &event.seats, found);
            }
            None if event.quantity == 0 && event.seats.is_empty() => {
                self.holds.insert(event.hold_id, Hold::tombstone(self.price));
            }
            _ => found.add(
                Rule::Hold,
                format!("{} is not held and cannot be released", event.hold_id),
            ),
        }
        self.check_tally(event.tally, found);
    }

    fn sell(&mut self, event: &TicketsSold, at: Timestamp, found: &mut Findings) {
        let Some(hold) = self
            .holds
            .get_mut(&event.hold_id)
            .filter(|hold| hold.phase == Phase::Active)
        else {
            found.add(
                Rule::Hold,
                format!("{} is not held and cannot be sold", event.hold_id),
            );
            return;
        };
        if at >= hold.deadline_ms {
            found.add(
                Rule::Deadline,
                format!("sold at {at}, held until {}", hold.deadline_ms),
            );
        }
        if hold.user_id != event.user_id
            || hold
                .reservation_id
                .is_some_and(|owner| owner != event.reservation_id)
        {
            found.add(
                Rule::Hold,
                format!("{} is sold to somebody else than its holder", event.hold_id),
            );
        }
        if (hold.quantity, hold.amount) != (event.quantity, event.amount) {
            found.add(
                Rule::Hold,
                format!("{} is not sold as it was held", event.hold_id),
            );
        }
        hold.phase = Phase::Sold;
        hold.reservation_id = Some(event.reservation_id);
        self.held -= u64::from(hold.quantity);
        self.sold += u64::from(hold.quantity);
        self.check_seats(event.hold_id, &event.seats, found);
        self.check_tally(event.tally, found);
    }

    fn take_back(&mut self, event: &TicketsReturned, found: &mut Findings) {
        let Some(hold) = self
            .holds
            .get_mut(&event.hold_id)
            .filter(|hold| hold.phase == Phase::Sold)
        else {
            found.add(
                Rule::Hold,
                format!("{} is not sold and cannot be returned", event.hold_id),
            );
            return;
        };
        if (hold.user_id, hold.reservation_id) != (event.user_id, Some(event.reservation_id)) {
            found.add(
                Rule::Hold,
                format!("{} is returned by somebody else than its buyer", event.hold_id),
            );
        }
        hold.phase = Phase::Over;
        self.sold -= u64::from(hold.quantity);
        self.give_back(event.hold_id, event.quantity, &event.seats, found);
        self.check_tally(event.tally, found);
    }

    /// The tickets of a hold that is over are anybody's again.
    fn give_back(&mut self, id: HoldId, quantity: u32, seats: &[String], found: &mut Findings) {
        self.check_seats(id, seats, found);
        let Some(hold) = self.holds.get_mut(&id) else {
            return;
        };
        if hold.quantity != quantity {
            found.add(
                Rule::Hold,
                format!("{quantity} tickets come back of {}", hold.quantity),
            );
        }
        let given_back = std::mem::take(&mut hold.seats);
        if let Some(seats) = &mut self.seats {
            seats.give_back(&given_back);
        }
        if let Some(owned) = self.owned.get_mut(&hold.user_id) {
            *owned -= u64::from(hold.quantity);
            if *owned == 0 {
                self.owned.remove(&hold.user_id);
            }
        }
    }

    /// The event must name the seats that the hold has.
    fn check_seats(&self, id: HoldId, names: &[String], found: &mut Findings) {
        let held: BTreeSet<Seat> = self
            .holds
            .get(&id)
            .into_iter()
            .flat_map(|hold| hold.seats.iter().copied())
            .collect();
        let find = |name: &String| self.seats.as_ref().and_then(|seats| seats.find(name));
        let named: BTreeSet<Seat> = names.iter().filter_map(find).collect();
        if held != named || named.len() != names.len() {
            found.add(Rule::Hold, format!("the seats are not those of {id}"));
        }
    }

    fn check_tally(&mut self, told: Tally, found: &mut Findings) {
        let (held, sold) = (self.held, self.sold);
        let free = u64::from(self.capacity).saturating_sub(held + sold);
        let counted = (free, held, sold);
        if !self.tally_told && counted != (u64::from(told.free), u64::from(told.held), u64::from(told.sold)) {
            self.tally_told = true;
            found.add(
                Rule::Tally,
                format!("the event says {told:?}; counted are {free} free, {held} held, {sold} sold"),
            );
        }
    }
}

impl Hold {
    /// A hold that never was and now never can be.
    fn tombstone(price: Money) -> Self {
        Self {
            user_id: UserId(uuid::Uuid::nil()),
            reservation_id: None,
            quantity: 0,
            amount: Money { minor: 0, ..price },
            phase: Phase::Over,
            deadline_ms: Timestamp(0),
            seats: Box::new([]),
        }
    }
}
