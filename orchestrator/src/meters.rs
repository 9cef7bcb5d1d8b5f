//! What the orchestrator counts. Handles are made once: the recorder must be installed before.

use crate::reservation::step_name;
use contract::{ReservationId, events::Step};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// How one try of a step ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StepOutcome {
    Done,
    Refused,
    /// A technical failure; it is tried again.
    Failed,
    /// Its deadline passed.
    Expired,
}

impl StepOutcome {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Done, "done"),
        (Self::Refused, "refused"),
        (Self::Failed, "failed"),
        (Self::Expired, "expired"),
    ];
}

pub(crate) struct Meters {
    steps: [[Counter; 4]; 6],
    compensations: [Counter; 6],
    reloads: Counter,
    halted: Counter,
    seconds: Histogram,
    open: Gauge,
    stuck: Mutex<BTreeSet<ReservationId>>,
    stuck_gauge: Gauge,
}

impl Meters {
    pub fn new() -> Self {
        let steps = Step::ALL.map(|step| {
            StepOutcome::ALL.map(|(_, outcome)| {
                counter!("eventflow_saga_steps_total", "step" => step_name(step), "outcome" => outcome)
            })
        });
        let compensations =
            Step::ALL.map(|step| counter!("eventflow_saga_compensations_total", "step" => step_name(step)));
        Self {
            steps,
            compensations,
            reloads: counter!("eventflow_saga_reloads_total"),
            halted: counter!("eventflow_sagas_halted_total"),
            seconds: histogram!("eventflow_saga_seconds"),
            open: gauge!("eventflow_sagas_open"),
            stuck: Mutex::default(),
            stuck_gauge: gauge!("eventflow_sagas_stuck"),
        }
    }

    /// A try of a step has ended.
    pub fn step(&self, step: Step, outcome: StepOutcome) {
        self.steps[step as usize][outcome as usize].increment(1);
    }

    /// A step was undone.
    pub fn compensated(&self, step: Step) {
        self.compensations[step as usize].increment(1);
    }

    /// A saga was read from the log.
    pub fn reloaded(&self) {
        self.reloads.increment(1);
    }

    /// A saga cannot go on in this process.
    pub fn halted(&self) {
        self.halted.increment(1);
    }

    /// A saga settled, so long after its request.
    pub fn settled(&self, after_ms: u64) {
        self.seconds.record(after_ms as f64 / 1_000.0);
    }

    /// The gauge of sagas at work.
    pub fn open(&self) -> &Gauge {
        &self.open
    }

    /// Whether a saga waits for an operator. By id, so that hearing of it twice counts once; true when it is news.
    pub fn stuck(&self, id: ReservationId, stuck: bool) -> bool {
        let mut all = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        let news = if stuck { all.insert(id) } else { all.remove(&id) };
        if news {
            self.stuck_gauge.set(all.len() as f64);
        }
        news
    }
}
