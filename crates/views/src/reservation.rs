//! The reservation as its buyer follows it: state, steps, and why it came to nothing if it did.

use contract::{
    Digest, Event, Money, Refusal, ReservationId, Revision, ShowId, Timestamp, UserId,
    events::{Choice, HoldGrant, ReservationRequested, Step, StepRecord, StepState},
};
use serde::{Deserialize, Serialize};

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The saga is at work, forwards or backwards, and nothing is decided in the buyer's eyes.
    Pending,
    /// Paid, recorded and sold. Stays so while a later cancellation is carried out.
    Confirmed,
    /// It came to nothing, and all that was done is undone.
    Rejected,
    /// Undone on request: money back, stock back.
    Cancelled,
    /// Like rejected, because a deadline passed.
    Expired,
    /// Undoing keeps failing; an operator must look.
    Stuck,
}

/// One of the six steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// Which.
    pub step: Step,
    /// How it ended; `None` while it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StepState>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<Timestamp>,
}

/// A document of [`contract::collections::RESERVATIONS`], under the reservation's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The buyer.
    pub user_id: UserId,
    /// The show.
    pub show_id: ShowId,
    /// How many tickets.
    pub quantity: u32,
    /// Which seats: those that are held or sold, before that those that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// What they cost together.
    pub amount: Money,
    /// Where it stands.
    pub status: Status,
    /// Why it came to nothing, from the moment that this is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The step at which it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<Step>,
    /// All six steps, in order.
    pub steps: Vec<StepView>,
    /// When it was requested.
    pub created_at_ms: Timestamp,
    /// When it was confirmed; stays when it is cancelled later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at_ms: Option<Timestamp>,
    /// When its saga came to rest: confirmed, rejected or cancelled. `None` while there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at_ms: Option<Timestamp>,
    /// 1 while the saga has something to do, also when it is stuck. A number, because it is an indexed field.
    pub open: u8,
    /// The failure at which the saga is stuck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
    /// What was asked under an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
    /// The revision of the last event that is in here.
    pub revision: Revision,
}

/// The reservation after an event of its stream.
pub fn evolve(doc: Option<Reservation>, event: &Event, revision: Revision) -> Option<Reservation> {
    let mut doc = match (doc, event) {
        (Some(doc), _) if revision <= doc.revision => return Some(doc),
        (_, Event::ReservationRequested(request)) => return Some(requested(request, revision)),
        (Some(doc), _) => doc,
        (None, _) => return None,
    };
    doc.revision = revision;
    match event {
        Event::ReservationProgressed(progressed) => {
            doc.record(&progressed.steps);
            doc.claim(progressed.hold.as_ref());
        }
        Event::CompensationStarted(started) => {
            doc.record(&started.steps);
            doc.claim(started.hold.as_ref());
            doc.failed_step = Some(started.failed_step);
            doc.refusal = Some(started.refusal.clone());
        }
        Event::ReservationConfirmed(confirmed) => {
            doc.record(&confirmed.steps);
            doc.claim(Some(&confirmed.grant));
            doc.confirmed_at_ms = Some(confirmed.confirmed_at_ms);
            doc.settle(Status::Confirmed, confirmed.confirmed_at_ms);
        }
        Event::ReservationRejected(rejected) => {
            doc.record(&rejected.steps);
            doc.failed_step = Some(rejected.failed_step);
            doc.refusal = Some(rejected.refusal.clone());
            doc.settle(status_of(&rejected.refusal), rejected.at_ms);
        }
        Event::CancellationRequested(_) => doc.reopen(),
        Event::ReservationCancelled(cancelled) => {
            doc.record(&cancelled.steps);
            doc.refusal = Some(Refusal::Cancelled);
            doc.settle(Status::Cancelled, cancelled.at_ms);
        }
        Event::SagaStuck(stuck) => {
            doc.record(&stuck.steps);
            doc.reopen();
            doc.status = Status::Stuck;
            doc.stuck = Some(stuck.detail.clone());
        }
        Event::SagaResumed(_) => doc.reopen(),
        _ => {}
    }
    Some(doc)
}

/// What a reservation is that came to nothing for this reason.
fn status_of(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::HoldExpired | Refusal::TooLate { .. } => Status::Expired,
        Refusal::Cancelled => Status::Cancelled,
        _ => Status::Rejected,
    }
}

fn requested(request: &ReservationRequested, revision: Revision) -> Reservation {
    let mut doc = Reservation {
        reservation_id: request.reservation_id,
        user_id: request.user_id,
        show_id: request.show_id,
        quantity: if request.is_quoted() {
            request.quantity
        } else {
            request.choice.quantity()
        },
        seats: match &request.choice {
            Choice::Seats { seats } => seats.clone(),
            Choice::Quantity { .. } | Choice::Hold { .. } => Vec::new(),
        },
        amount: request.amount,
        status: Status::Pending,
        refusal: None,
        failed_step: None,
        steps: Step::ALL
            .into_iter()
            .map(|step| StepView {
                step,
                state: None,
                at_ms: None,
            })
            .collect(),
        created_at_ms: request.requested_at_ms,
        confirmed_at_ms: None,
        settled_at_ms: None,
        open: 1,
        stuck: None,
        fingerprint: request.fingerprint,
        revision,
    };
    doc.record(&request.steps());
    doc
}

impl Reservation {
    fn record(&mut self, records: &[StepRecord]) {
        for record in records {
            if let Some(view) = self.steps.iter_mut().find(|view| view.step == record.step) {
                view.state = Some(record.state);
                view.at_ms = Some(record.at_ms);
            }
        }
    }

    fn claim(&mut self, grant: Option<&HoldGrant>) {
        if let Some(grant) = grant {
            self.quantity = grant.quantity;
            self.seats.clone_from(&grant.seats);
            self.amount = grant.amount;
        }
    }

    /// The saga has come to rest.
    fn settle(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.settled_at_ms = Some(at);
        self.open = 0;
        self.stuck = None;
    }

    /// The saga has something to do again. What was confirmed stays so until it is undone.
    fn reopen(&mut self) {
        self.status = if self.confirmed_at_ms.is_some() {
            Status::Confirmed
        } else {
            Status::Pending
        };
        self.settled_at_ms = None;
        self.open = 1;
        self.stuck = None;
    }
}
