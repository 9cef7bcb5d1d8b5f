//! What a reservation's stream says to those who want something of it. Its saga reads more out of the same
//! stream; see the orchestrator.

use contract::{Digest, Event, ReservationId, Timestamp};

/// How far it has come, as far as wishes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its saga goes forward.
    Pending,
    /// A step failed; its saga undoes what was done.
    Failing,
    /// Paid, recorded and sold.
    Confirmed,
    /// It came to nothing.
    Rejected,
    /// Somebody wants it undone, and it will be.
    CancellationRequested,
    /// Undone on request.
    Cancelled,
}

/// A reservation that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub reservation_id: ReservationId,
    pub fingerprint: Option<Digest>,
    pub requested_at: Timestamp,
    pub phase: Phase,
    /// A compensation kept failing; the saga waits for an operator.
    pub stuck: bool,
}

/// A reservation as its stream tells. `Default` is one that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(super) known: Option<Known>,
}

impl State {
    /// Moves the state behind an event; those of other aggregates mean nothing to it.
    pub fn evolve(&mut self, event: &Event) {
        if let Event::ReservationRequested(event) = event {
            self.known = Some(Known {
                reservation_id: event.reservation_id,
                fingerprint: event.fingerprint,
                requested_at: event.requested_at_ms,
                phase: Phase::Pending,
                stuck: false,
            });
        }
        let Some(known) = &mut self.known else { return };
        match event {
            // Undoing on request begins like undoing after a failure; it stays what it was.
            Event::CompensationStarted(_) if known.phase == Phase::CancellationRequested => {}
            Event::CompensationStarted(_) => known.phase = Phase::Failing,
            Event::ReservationConfirmed(_) => known.phase = Phase::Confirmed,
            Event::ReservationRejected(_) => known.phase = Phase::Rejected,
            Event::CancellationRequested(_) => known.phase = Phase::CancellationRequested,
            Event::ReservationCancelled(_) => known.phase = Phase::Cancelled,
            Event::SagaStuck(_) => known.stuck = true,
            Event::SagaResumed(_) => known.stuck = false,
            _ => {}
        }
    }
}
