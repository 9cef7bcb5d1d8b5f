//! What a show's stream says.

use super::{
    hold::{Hold, Phase},
    seats::{Seat, SeatMap},
};
use contract::{
    Event, HoldId, Refusal, ReservationId, Timestamp, UserId,
    events::{HoldAdopted, HoldGrant, HoldReleased, Layout, ShowScheduled, Tally, TicketsHeld},
    refusal::Unavailable,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use uuid::Uuid;

/// How long a hold that ended is remembered, in milliseconds of the stream's own time: as long as an idempotency
/// key must live.
pub const REMEMBERED_FOR_MS: u64 = 24 * 60 * 60 * 1_000;
/// How many ended holds are remembered at the most; beyond it the oldest are forgotten early. Bounds the memory
/// of a show whose holds are made and given back all day.
pub const MAX_REMEMBERED: usize = 100_000;

/// What follows from the holds, kept so that no decision must go through them all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Books {
    tally: Tally,
    /// The seat map of a numbered show.
    seats: Option<SeatMap>,
    /// Active holds, the next to expire first.
    due: BTreeSet<(Timestamp, HoldId)>,
    /// Active holds by person.
    held_by: BTreeSet<(UserId, HoldId)>,
    /// How many tickets each person has bought.
    sold_to: BTreeMap<UserId, u32>,
    /// The reservations that own a sale. One reservation owns at most one.
    sales: BTreeSet<ReservationId>,
}

impl Books {
    /// Enters a hold. Counts saturate: a state never fails, and `decide` never lets it come to that.
    fn enter(&mut self, id: HoldId, hold: &Hold) {
        let counter = match hold.phase {
            Phase::Active => {
                self.due.insert((hold.deadline, id));
                self.held_by.insert((hold.user_id, id));
                &mut self.tally.held
            }
            Phase::Sold => {
                let sold = self.sold_to.entry(hold.user_id).or_default();
                *sold = sold.saturating_add(hold.quantity);
                self.sales.extend(hold.reservation_id);
                &mut self.tally.sold
            }
            Phase::Over => return,
        };
        *counter = counter.saturating_add(hold.quantity);
        self.tally.free = self.tally.free.saturating_sub(hold.quantity);
        if let Some(map) = &mut self.seats {
            map.take(&hold.seats, hold.phase == Phase::Sold);
        }
    }

    /// Strikes a hold out again, as it was entered.
    fn strike(&mut self, id: HoldId, hold: &Hold) {
        let counter = match hold.phase {
            Phase::Active => {
                self.due.remove(&(hold.deadline, id));
                self.held_by.remove(&(hold.user_id, id));
                &mut self.tally.held
            }
            Phase::Sold => {
                if let Some(sold) = self.sold_to.get_mut(&hold.user_id) {
                    *sold = sold.saturating_sub(hold.quantity);
                    if *sold == 0 {
                        self.sold_to.remove(&hold.user_id);
                    }
                }
                if let Some(reservation) = hold.reservation_id {
                    self.sales.remove(&reservation);
                }
                &mut self.tally.sold
            }
            Phase::Over => return,
        };
        *counter = counter.saturating_sub(hold.quantity);
        self.tally.free = self.tally.free.saturating_add(hold.quantity);
        if let Some(map) = &mut self.seats {
            map.free(&hold.seats);
        }
    }
}

/// A show as its stream tells it. `Default` is a show that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(super) show: Option<Arc<ShowScheduled>>,
    pub(super) cancelled: bool,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    books: Books,
    /// The holds that are over, the first to end first, each with the stream's time at its end. `None` until
    /// the stream next tells a time: not all events do.
    pub(super) ended: VecDeque<(HoldId, Option<Timestamp>)>,
    /// The latest time that the stream has told. Deadlines count, so it runs ahead of the clock by the holds'
    /// time to live; only differences are taken from it.
    pub(super) clock: Timestamp,
}

impl State {
    /// Moves the state behind an event; those of other aggregates mean nothing to it.
    pub fn evolve(&mut self, event: &Event) {
        match event {
            Event::ShowScheduled(event) => self.schedule(Arc::new(event.clone())),
            Event::TicketsHeld(event) => self.hold_tickets(event),
            Event::HoldAdopted(event) => self.adopt(event),
            Event::HoldReleased(event) => self.release(event),
            Event::TicketsSold(event) => self.change(event.hold_id, |hold| {
                hold.phase = Phase::Sold;
                hold.reservation_id = Some(event.reservation_id);
            }),
            Event::TicketsReturned(event) => self.end(event.hold_id),
            Event::ShowCancelled(event) => {
                self.cancelled = true;
                self.tell_time(event.at_ms);
            }
            _ => {}
        }
    }

    pub(super) fn schedule(&mut self, show: Arc<ShowScheduled>) {
        self.books.tally = Tally {
            free: show.layout.capacity(),
            held: 0,
            sold: 0,
        };
        self.books.seats = match &show.layout {
            Layout::General { .. } => None,
            Layout::Numbered { sections } => Some(SeatMap::new(sections, show.price)),
        };
        self.tell_time(show.scheduled_at_ms);
        self.show = Some(show);
    }

    fn hold_tickets(&mut self, event: &TicketsHeld) {
        let seats = match &self.books.seats {
            Some(map) => event.seats.iter().filter_map(|name| map.find(name)).collect(),
            None => Box::default(),
        };
        let hold = Hold {
            user_id: event.user_id,
            phase: Phase::Active,
            reservation_id: event.reservation_id,
            quantity: event.quantity,
            amount: event.amount,
            deadline: event.deadline_ms,
            seats,
            fingerprint: event.fingerprint.map(Box::new),
        };
        self.tell_time(event.deadline_ms);
        self.insert(event.hold_id, hold);
    }

    /// Adds a hold to those that are known, and to the books.
    pub(super) fn insert(&mut self, id: HoldId, hold: Hold) {
        if let Some(before) = self.holds.get(&id) {
            self.books.strike(id, before);
        }
        self.books.enter(id, &hold);
        self.holds.insert(id, hold);
    }

    fn adopt(&mut self, event: &HoldAdopted) {
        if let Some(hold) = self.holds.get_mut(&event.hold_id) {
            hold.reservation_id = Some(event.reservation_id);
        }
    }

    fn release(&mut self, event: &HoldReleased) {
        match self.holds.contains_key(&event.hold_id) {
            true => self.end(event.hold_id),
            false => {
                self.holds.insert(event.hold_id, Hold::tombstone());
                self.remember(event.hold_id);
            }
        }
    }

    fn end(&mut self, id: HoldId) {
        if self.holds.get(&id).is_some_and(|hold| hold.phase != Phase::Over) {
            self.change(id, |hold| hold.phase = Phase::Over);
            self.remember(id);
        }
    }

    fn remember(&mut self, id: HoldId) {
        self.ended.push_back((id, None));
        self.forget();
    }

    fn change(&mut self, id: HoldId, change: impl FnOnce(&mut Hold)) {
        if let Some(hold) = self.holds.get_mut(&id) {
            self.books.strike(id, hold);
            change(hold);
            self.books.enter(id, hold);
        }
    }

    /// The stream has told a time: what ended since it last did, ended before it.
    fn tell_time(&mut self, time: Timestamp) {
        self.clock = self.clock.max(time);
        for (_, ended) in self
            .ended
            .iter_mut()
            .rev()
            .take_while(|(_, ended)| ended.is_none())
        {
            *ended = Some(self.clock);
        }
        self.forget();
    }

    /// Forgets the holds that ended long ago.
    fn forget(&mut self) {
        let old = |ended: Option<Timestamp>| {
            ended.is_some_and(|ended| ended.plus_ms(REMEMBERED_FOR_MS) <= self.clock)
        };
        while let Some((id, ended)) = self.ended.front().copied() {
            if !old(ended) && self.ended.len() <= MAX_REMEMBERED {
                break;
            }
            self.ended.pop_front();
            if self.holds.get(&id).is_some_and(|hold| hold.phase == Phase::Over) {
                self.holds.remove(&id);
            }
        }
    }
}

/// What a decision asks of the state.
impl State {
    /// The show, when it exists.
    ///
    /// # Errors
    /// `ShowNotFound`.
    pub(super) fn show(&self) -> Result<&ShowScheduled, Refusal> {
        self.show.as_deref().ok_or(Refusal::ShowNotFound)
    }

    /// The show, when its tickets can be had.
    ///
    /// # Errors
    /// `ShowNotFound`, `ShowUnavailable`.
    pub(super) fn on_sale(&self, now: Timestamp) -> Result<&ShowScheduled, Refusal> {
        let show = self.show()?;
        if self.cancelled {
            return Err(Refusal::ShowUnavailable {
                why: Unavailable::Cancelled,
            });
        }
        if show.starts_at_ms <= now {
            return Err(Refusal::ShowUnavailable {
                why: Unavailable::Begun,
            });
        }
        Ok(show)
    }

    /// Where the tickets are: `free + held + sold` is the capacity.
    pub fn tally(&self) -> Tally {
        self.books.tally
    }

    pub(super) fn seats(&self) -> Option<&SeatMap> {
        self.books.seats.as_ref()
    }

    pub(super) fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// Active holds whose deadline has come, the first to come first. On a cancelled show all of them are due.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = (HoldId, &Hold)> {
        let until = if self.cancelled { Timestamp(i64::MAX) } else { now };
        let due = self.books.due.range(..=(until, HoldId(Uuid::max())));
        due.filter_map(|(_, id)| self.holds.get(id).map(|hold| (*id, hold)))
    }

    /// Active holds, the next to expire first.
    pub(super) fn active(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.books
            .due
            .iter()
            .filter_map(|(_, id)| self.holds.get(id).map(|hold| (*id, hold)))
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let first = self.books.due.first().map(|(deadline, _)| *deadline);
        if self.cancelled {
            first.map(|_| Timestamp::default())
        } else {
            first
        }
    }

    /// A person's active holds whose deadline has not come.
    pub(super) fn held_by(&self, user: UserId, now: Timestamp) -> impl Iterator<Item = &Hold> {
        let theirs = self
            .books
            .held_by
            .range((user, HoldId(Uuid::nil()))..=(user, HoldId(Uuid::max())));
        theirs
            .filter_map(|(_, id)| self.holds.get(id))
            .filter(move |hold| hold.phase_at(now) == Phase::Active)
    }

    /// How many tickets a person has, over holds whose deadline has not come and purchases.
    pub(super) fn already(&self, user: UserId, now: Timestamp) -> u32 {
        let bought = self.books.sold_to.get(&user).copied().unwrap_or_default();
        self.held_by(user, now)
            .fold(bought, |sum, hold| sum.saturating_add(hold.quantity))
    }

    pub(super) fn owns_a_sale(&self, reservation: ReservationId) -> bool {
        self.books.sales.contains(&reservation)
    }

    /// The reservations that own sales, in the order of their ids, behind `after`.
    pub(super) fn sales(&self, after: Option<ReservationId>) -> impl Iterator<Item = ReservationId> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.books
            .sales
            .range((after.map_or(Unbounded, Excluded), Unbounded))
            .copied()
    }

    /// The names of a hold's seats; empty for general admission.
    pub(super) fn seat_names(&self, seats: &[Seat]) -> Vec<String> {
        self.seats()
            .map_or_else(Vec::new, |map| seats.iter().map(|seat| map.name(*seat)).collect())
    }

    pub(super) fn grant(&self, id: HoldId, hold: &Hold) -> HoldGrant {
        HoldGrant {
            hold_id: id,
            quantity: hold.quantity,
            seats: self.seat_names(&hold.seats),
            amount: hold.amount,
            deadline_ms: hold.deadline,
        }
    }
}
