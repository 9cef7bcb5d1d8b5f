//! The verifier's own account of every reservation and its money.

use super::{
    Rule,
    findings::Findings,
    tickets::{Phase, Tickets},
};
use contract::{
    Event, HoldId, Money, Position, ReservationId, Revision, ShowId, StreamName, UserId,
    events::{Choice, ReservationConfirmed, ReservationRequested},
};
use std::collections::BTreeMap;

/// All reservations.
#[derive(Debug, Default)]
pub(super) struct Purchases {
    reservations: BTreeMap<ReservationId, Reservation>,
}

#[derive(Debug)]
struct Reservation {
    user_id: UserId,
    show_id: ShowId,
    hold_id: HoldId,
    state: State,
    recorded: bool,
    /// A wrong outcome is told once.
    told: bool,
    payment: Payment,
    captured: Option<Money>,
    /// Of the event that settled it.
    settled: (Position, Revision),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Confirmed,
    Undone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payment {
    None,
    /// Declined or voided: no money was taken, and none will be.
    Refused,
    Captured,
    Refunded,
}

impl Purchases {
    pub fn reservations(&self) -> u64 {
        self.reservations.len() as u64
    }

    pub fn confirmed(&self) -> u64 {
        self.count(State::Confirmed)
    }

    pub fn open(&self) -> u64 {
        self.count(State::Open)
    }

    fn count(&self, state: State) -> u64 {
        self.reservations
            .values()
            .filter(|reservation| reservation.state == state)
            .count() as u64
    }

    pub fn knows(&self, id: ReservationId) -> bool {
        self.reservations.contains_key(&id)
    }

    /// Enters an event of a reservation's stream.
    pub fn enter(
        &mut self,
        id: ReservationId,
        event: &Event,
        revision: Revision,
        tickets: &Tickets,
        found: &mut Findings,
    ) {
        if let Event::ReservationRequested(request) = event {
            if request.reservation_id != id || self.knows(id) {
                return found.add(Rule::Ordered, "requested under another id, or twice".to_owned());
            }
            self.reservations.insert(id, Reservation::new(request));
            return;
        }
        let Some(reservation) = self.reservations.get_mut(&id) else {
            return found.add(Rule::Ordered, "the reservation was never requested".to_owned());
        };
        match event {
            Event::ReservationConfirmed(confirmed) => {
                reservation.settle(State::Confirmed, revision, found);
                reservation.check_grant(confirmed, tickets, found);
                reservation.check_outcome(id, tickets, found);
            }
            Event::ReservationRejected(_) | Event::ReservationCancelled(_) => {
                reservation.settle(State::Undone, revision, found);
                reservation.check_outcome(id, tickets, found);
            }
            _ if reservation.state == State::Undone => {
                found.add(Rule::Outcome, "goes on after it came to its end".to_owned());
            }
            Event::CancellationRequested(_) => reservation.state = State::Open,
            _ => {}
        }
    }

    /// Enters an event of a payment's stream.
    pub fn pay(&mut self, id: ReservationId, event: &Event, found: &mut Findings) {
        let Some(reservation) = self.reservations.get_mut(&id) else {
            return found.add(
                Rule::Paid,
                "a payment for a reservation that is not in the log".to_owned(),
            );
        };
        let before = reservation.payment;
        let after = match event {
            Event::PaymentCaptured(captured) => {
                reservation.captured = Some(captured.amount);
                Payment::Captured
            }
            Event::PaymentDeclined(_) | Event::PaymentVoided(_) => Payment::Refused,
            Event::PaymentRefunded(refunded) => {
                if reservation
                    .captured
                    .is_some_and(|captured| captured != refunded.amount)
                {
                    found.add(
                        Rule::Paid,
                        format!("{} given back, which is not what was taken", refunded.amount),
                    );
                }
                Payment::Refunded
            }
            _ => return,
        };
        reservation.payment = after;
        let sound = matches!(
            (before, after),
            (Payment::None, Payment::Captured | Payment::Refused)
                | (Payment::Refused, Payment::Refused)
                | (Payment::Captured, Payment::Refunded)
        );
        if !sound {
            found.add(Rule::Paid, format!("{after:?} after {before:?}"));
        }
    }

    /// Enters an event of a user's stream.
    pub fn record(&mut self, user_id: UserId, event: &Event, found: &mut Findings) {
        let (id, recorded) = match event {
            Event::PurchaseRecorded(event) => (event.reservation_id, true),
            Event::PurchaseUnrecorded(event) => (event.reservation_id, false),
            _ => return,
        };
        match self.reservations.get_mut(&id) {
            Some(reservation) if reservation.user_id == user_id => reservation.recorded = recorded,
            Some(_) => found.add(Rule::Recorded, format!("{id} is another person's reservation")),
            None => found.add(Rule::Recorded, format!("{id} is not in the log")),
        }
    }

    /// What held when a reservation was settled must still hold at the end.
    pub fn finish(&mut self, tickets: &Tickets, found: &mut Findings) {
        for (id, reservation) in &mut self.reservations {
            let (position, revision) = reservation.settled;
            if reservation.state != State::Open && !reservation.told {
                found.at(position, &StreamName::reservation(*id), revision);
                reservation.check_outcome(*id, tickets, found);
            }
        }
    }
}

impl Reservation {
    fn new(request: &ReservationRequested) -> Self {
        Self {
            user_id: request.user_id,
            show_id: request.show_id,
            hold_id: match request.choice {
                Choice::Hold { hold_id } => hold_id,
                Choice::Quantity { .. } | Choice::Seats { .. } => request.reservation_id.own_hold(),
            },
            state: State::Open,
            recorded: false,
            told: false,
            payment: Payment::None,
            captured: None,
            settled: (Position(0), 0),
        }
    }

    fn settle(&mut self, state: State, revision: Revision, found: &mut Findings) {
        if self.state != State::Open {
            found.add(Rule::Outcome, format!("{state:?} after it was {:?}", self.state));
        }
        self.state = state;
        self.settled = (found.position(), revision);
    }

    /// The confirmation names what the buyer has.
    fn check_grant(&self, event: &ReservationConfirmed, tickets: &Tickets, found: &mut Findings) {
        let grant = &event.grant;
        let sold = tickets.hold(self.show_id, self.hold_id);
        let same = sold.is_some_and(|hold| (hold.quantity, hold.amount) == (grant.quantity, grant.amount));
        if grant.hold_id != self.hold_id || !same {
            found.add(
                Rule::Sold,
                "confirmed are other tickets than were held".to_owned(),
            );
        }
        if self.captured.is_some_and(|captured| captured != grant.amount) {
            found.add(
                Rule::Paid,
                format!("{} confirmed, another amount was taken", grant.amount),
            );
        }
        if (event.user_id, event.show_id) != (self.user_id, self.show_id) {
            found.add(Rule::Outcome, "confirmed for another person or show".to_owned());
        }
    }

    fn check_outcome(&mut self, id: ReservationId, tickets: &Tickets, found: &mut Findings) {
        let hold = tickets
            .hold(self.show_id, self.hold_id)
            .filter(|hold| hold.reservation_id == Some(id));
        let phase = hold.map_or(Phase::Over, |hold| hold.phase);
        let mut wrong = |rule: Rule, detail: &str| {
            self.told = true;
            found.add(rule, detail.to_owned());
        };
        match self.state {
            State::Open => {}
            State::Confirmed => {
                if phase != Phase::Sold {
                    wrong(Rule::Sold, "confirmed, but its tickets are not sold to it");
                }
                if self.payment != Payment::Captured {
                    wrong(Rule::Paid, "confirmed, but not paid");
                }
                if !self.recorded {
                    wrong(Rule::Recorded, "confirmed, but not in the buyer's history");
                }
            }
            State::Undone => {
                if phase != Phase::Over {
                    wrong(Rule::Sold, "undone, but it still has tickets");
                }
                if self.payment == Payment::Captured {
                    wrong(Rule::Paid, "undone, but the money was not given back");
                }
                if self.recorded {
                    wrong(Rule::Recorded, "undone, but still in the buyer's history");
                }
            }
        }
    }
}
