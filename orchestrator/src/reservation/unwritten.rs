//! What the saga knows and the log does not yet.

use contract::{
    Event,
    events::{HoldGrant, ReservationProgressed, StepRecord},
};

/// Events that were decided and are not written yet, joined to as few as can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwritten(Vec<Event>);

impl Unwritten {
    /// Adds an event. Steps that wait to be told ride on it.
    pub fn push(&mut self, mut event: Event) {
        if let Some(Event::ReservationProgressed(earlier)) = self.0.last_mut()
            && carry(earlier, &mut event)
        {
            self.0.pop();
        }
        self.0.push(event);
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Something waits that must be durable before the saga goes on: all but progress is a decision.
    pub fn must_be_written(&self) -> bool {
        self.0
            .iter()
            .any(|event| !matches!(event, Event::ReservationProgressed(_)))
    }

    /// The events, in order; then nothing waits.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.0)
    }
}

/// Moves what `earlier` tells into `later`, in front of what that tells. False, with nothing moved, when `later`
/// has no place for it.
fn carry(earlier: &mut ReservationProgressed, later: &mut Event) -> bool {
    let (steps, hold): (&mut Vec<StepRecord>, Option<&mut Option<HoldGrant>>) = match later {
        Event::ReservationProgressed(event) => (&mut event.steps, Some(&mut event.hold)),
        Event::CompensationStarted(event) => (&mut event.steps, Some(&mut event.hold)),
        Event::ReservationConfirmed(event) => {
            // It names the tickets itself.
            earlier.hold = None;
            (&mut event.steps, None)
        }
        Event::ReservationRejected(event) => (&mut event.steps, None),
        Event::ReservationCancelled(event) => (&mut event.steps, None),
        Event::SagaStuck(event) => (&mut event.steps, None),
        // No other event is the saga's own.
        _ => return false,
    };
    match hold {
        Some(hold) => *hold = hold.take().or(earlier.hold.take()),
        None if earlier.hold.is_some() => return false,
        None => {}
    }
    let mut told = std::mem::take(&mut earlier.steps);
    told.append(steps);
    *steps = told;
    true
}
