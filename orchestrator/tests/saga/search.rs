//! Every state that a saga can reach, with every input in each: all that can be answered, refused, lost, late,
//! repeated or timed out, with a crash, a cancellation and an operator at every point.

use crate::common::{
    T0, checked, no, request, reservation, settings,
    world::{Hold, Payment, World},
    yes,
};
use contract::{
    Answer, Command, Event, Failure, Refusal, Timestamp,
    events::{
        CancelReason, CancellationRequested, ReservationRequested, SagaResumed, Step, StepRecord, StepState,
    },
};
use orchestrator::reservation::{
    Direction, Input, Outcome, Owed, Phase, State, Unwritten, deadline, owed, react,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const NOW: Timestamp = Timestamp(T0.0 + 1_000);
const HOLD_UNTIL: Timestamp = Timestamp(T0.0 + 600_000);

/// All that there is: the log, one process's memory, the participants, and asks that are still on their way.
#[derive(Clone, Debug)]
struct Node {
    /// The fold of what is in the log.
    durable: State,
    /// The saga in memory.
    memory: State,
    unwritten: Unwritten,
    world: World,
    /// Forward asks that were sent and may still arrive.
    on_the_way: BTreeMap<Step, Command>,
}

impl Node {
    fn start(request: &ReservationRequested) -> Self {
        let durable = State::fold([&Event::from(request.clone())]).unwrap();
        Self {
            durable,
            memory: State::begin(request),
            unwritten: Unwritten::default(),
            world: World::default(),
            on_the_way: BTreeMap::new(),
        }
    }

    fn key(&self) -> String {
        let Self {
            durable,
            memory,
            unwritten,
            world,
            on_the_way,
        } = self;
        let late: Vec<_> = on_the_way.keys().collect();
        format!("{durable:?}{memory:?}{unwritten:?}{world:?}{late:?}")
    }

    fn owed(&self) -> Option<Owed> {
        owed(&self.memory, &settings())
    }

    /// As the runner does: react, evolve, and write what cannot wait.
    fn take_in(&mut self, input: Input) -> Vec<Event> {
        let events = react(&self.memory, input, NOW);
        for event in &events {
            self.memory.evolve(event);
            self.unwritten.push(event.clone());
        }
        if self.unwritten.must_be_written() {
            self.write();
        }
        events
    }

    fn write(&mut self) {
        for event in self.unwritten.take() {
            self.durable.evolve(&event);
        }
        // What was joined says the same as what was decided; but whoever reads it undoes more, to be sure.
        let mut known = State {
            fresh: self.durable.fresh,
            show: None,
            ..self.memory.clone()
        };
        if let (
            Phase::Compensating(known) | Phase::Stuck(known),
            Phase::Compensating(told) | Phase::Stuck(told),
        ) = (&mut known.phase, &self.durable.phase)
        {
            assert!(known.pending.iter().all(|step| told.pending.contains(step)));
            known.pending.clone_from(&told.pending);
        }
        let told = State {
            show: None,
            ..self.durable.clone()
        };
        assert_eq!(known, told);
    }

    /// What was done does not stay unwritten for long.
    fn write_early(&mut self) {
        if !self.unwritten.is_empty() {
            self.write();
        }
    }

    /// The process ends, or somebody else wrote the stream: what is not in the log is forgotten.
    fn reload(&mut self) {
        self.memory = self.durable.clone();
        self.unwritten = Unwritten::default();
    }

    /// Somebody else writes the stream.
    fn written_by_others(&self, event: impl Into<Event>) -> Self {
        let mut node = self.clone();
        node.durable.evolve(&event.into());
        node.reload();
        node
    }

    /// Asks for one aggregate are delivered in the order in which they were sent.
    fn deliver_those_before(&mut self, command: &Command) {
        let key = command.stream();
        let before: Vec<Step> = self
            .on_the_way
            .iter()
            .filter(|(_, late)| late.stream() == key)
            .map(|(step, _)| *step)
            .collect();
        for step in before {
            let late = self.on_the_way.remove(&step).unwrap();
            self.world.carry_out(&late, false, HOLD_UNTIL);
        }
    }

    /// The open ask is carried out and answered.
    fn answered(&self, refuse: bool) -> Self {
        let mut node = self.clone();
        let Owed {
            step,
            direction,
            command,
            ..
        } = node.owed().unwrap();
        node.deliver_those_before(&command);
        let answer = node.world.carry_out(&command, refuse, HOLD_UNTIL);
        if direction == Direction::Forward {
            node.memory.learn(&answer);
        }
        node.take_in(Input::Answered {
            step,
            direction,
            answer,
        });
        node
    }

    fn is_at_rest(&self) -> bool {
        matches!(self.memory.phase, Phase::Settled(_))
    }
}

/// Everything that can happen next.
fn successors(node: &Node) -> Vec<Node> {
    let mut next = Vec::new();
    let mut change = |change: &dyn Fn(&mut Node)| {
        let mut changed = node.clone();
        change(&mut changed);
        next.push(changed);
    };
    if let Some(open) = node.owed() {
        match open.direction {
            Direction::Forward => {
                // Lost on its way, or only late: either way its deadline passes.
                let deadline_ms = deadline(&node.memory, &settings()).unwrap();
                change(&|node| drop(node.take_in(Input::DeadlinePassed { deadline_ms })));
                change(&|node| {
                    node.on_the_way.insert(open.step, open.command.clone());
                    node.take_in(Input::DeadlinePassed { deadline_ms });
                });
                // Sent, late, and sent again: it is delivered twice.
                change(&|node| drop(node.on_the_way.insert(open.step, open.command.clone())));
            }
            Direction::Undo => {
                change(&|node| {
                    drop(node.take_in(Input::GaveUp {
                        detail: "away".into(),
                    }))
                });
            }
        }
        // Carried out, and the answer is lost.
        change(&|node| {
            node.deliver_those_before(&open.command);
            node.world.carry_out(&open.command, false, HOLD_UNTIL);
        });
        change(&Node::write_early);
    }
    change(&Node::reload);
    // Late asks arrive.
    for (step, command) in &node.on_the_way {
        change(&|node| {
            node.on_the_way.remove(step);
            node.world.carry_out(command, false, HOLD_UNTIL);
        });
    }
    // A hold expires by itself.
    if node.world.hold == Hold::Held {
        change(&|node| node.world.hold = Hold::Over);
    }
    if node.owed().is_some() {
        next.push(node.answered(false));
        next.push(node.answered(true));
    }
    // What the command side writes: a cancellation where it is allowed, and an operator's wish.
    let reservation_id = node.durable.id();
    if matches!(
        node.durable.phase,
        Phase::Forward { .. } | Phase::Settled(Outcome::Confirmed)
    ) {
        let reason = CancelReason::Buyer;
        next.push(node.written_by_others(CancellationRequested {
            reservation_id,
            reason,
            at_ms: NOW,
        }));
    }
    if matches!(node.durable.phase, Phase::Stuck(_)) {
        next.push(node.written_by_others(SagaResumed {
            reservation_id,
            at_ms: NOW,
        }));
    }
    next
}

/// Answers of every kind, for every step and both directions.
fn all_answers(node: &Node) -> Vec<Input> {
    let mut inputs = Vec::new();
    for step in Step::ALL {
        for direction in [Direction::Forward, Direction::Undo] {
            let hold = node.memory.hold_id();
            let answers = Step::ALL
                .into_iter()
                .flat_map(|other| [yes(other, hold), Answer::Refused(no(other))])
                .chain([
                    Answer::Refused(Refusal::TooLate { deadline_ms: NOW }),
                    Answer::Failed(Failure::Unknown { what: "lost".into() }),
                    Answer::Sales { reservations: vec![] },
                    Answer::Requested { repeated: true },
                ]);
            inputs.extend(answers.map(|answer| Input::Answered {
                step,
                direction,
                answer,
            }));
        }
    }
    inputs
}

/// A late or repeated answer changes nothing: only an answer to the open ask does.
fn check_strays(node: &Node) {
    let open = node.owed().map(|owed| (owed.step, owed.direction));
    for input in all_answers(node) {
        let Input::Answered { step, direction, .. } = &input else {
            continue;
        };
        if open != Some((*step, *direction)) {
            assert_eq!(
                react(&node.memory, input.clone(), NOW),
                [],
                "{input:?} in {:?}",
                node.memory.phase
            );
        }
    }
    if !matches!(node.memory.phase, Phase::Forward { .. }) {
        assert_eq!(
            react(&node.memory, Input::DeadlinePassed { deadline_ms: NOW }, NOW),
            []
        );
    }
    if !matches!(node.memory.phase, Phase::Compensating(_)) {
        assert_eq!(
            react(
                &node.memory,
                Input::GaveUp {
                    detail: String::new()
                },
                NOW
            ),
            []
        );
    }
}

/// What is wrong with the outcome, if there is one and it is not true.
fn wrong_outcome(node: &Node) -> Option<&'static str> {
    let Phase::Settled(outcome) = &node.durable.phase else {
        return None;
    };
    // What is on its way may still arrive, and must change nothing that counts.
    let mut later = node.world;
    for command in node.on_the_way.values() {
        later.carry_out(command, false, HOLD_UNTIL);
    }
    for world in [node.world, later] {
        match outcome {
            Outcome::Confirmed if !world.is_sold() => {
                return Some("confirmed, but not paid, recorded and sold");
            }
            Outcome::Rejected | Outcome::Cancelled if !world.is_undone() => {
                return Some("came to nothing, but not all is undone");
            }
            Outcome::Confirmed | Outcome::Rejected | Outcome::Cancelled => {}
        }
        if (world.payment == Payment::Captured) != (world.hold == Hold::Sold) {
            return Some("charged and released, or sold and not charged");
        }
    }
    let done = |step: &Option<StepRecord>| step.is_some_and(|step| step.state == StepState::Done);
    if *outcome == Outcome::Confirmed && !node.durable.steps.iter().all(done) {
        return Some("confirmed, but not all six steps are done");
    }
    None
}

fn check_outcome(node: &Node) {
    assert_eq!(wrong_outcome(node), None, "{node:#?}");
}

/// When everything works from here on, the saga ends, and soon.
fn check_ends(node: &Node) {
    let mut node = node.clone();
    for _ in 0..16 {
        if node.is_at_rest() {
            return check_outcome(&node);
        }
        node = if matches!(node.memory.phase, Phase::Stuck(_)) {
            let reservation_id = node.durable.id();
            node.written_by_others(SagaResumed {
                reservation_id,
                at_ms: NOW,
            })
        } else {
            node.answered(false)
        };
    }
    panic!("does not end: {node:#?}");
}

/// Visits every state that can be reached, holds each to the rules, and tells where sagas were seen.
fn explore(start: Node) -> BTreeSet<String> {
    let mut seen = BTreeSet::from([start.key()]);
    let mut queue = VecDeque::from([start]);
    let mut outcomes: BTreeSet<String> = BTreeSet::new();
    let mut nodes = 0_usize;
    while let Some(node) = queue.pop_front() {
        nodes += 1;
        check_outcome(&node);
        check_strays(&node);
        check_ends(&node);
        outcomes.insert(match &node.durable.phase {
            Phase::Settled(outcome) => format!("{outcome:?}"),
            Phase::Stuck(undoing) => format!("stuck at {:?}", undoing.pending[0]),
            Phase::Compensating(undoing) => {
                format!("undoing {:?} after {:?}", undoing.outcome, undoing.failed_step)
            }
            Phase::Forward { asked } => format!("forward at {asked:?}"),
        });
        for next in successors(&node) {
            if seen.insert(next.key()) {
                queue.push_back(next);
            }
        }
    }
    println!("{nodes} states");
    assert!(nodes > 1_000, "the search went everywhere: {nodes} states");
    outcomes
}

fn all_reached(outcomes: &BTreeSet<String>, expected: &[&str]) {
    for expected in expected {
        assert!(
            outcomes.contains(*expected),
            "never reached: {expected}; reached {outcomes:#?}"
        );
    }
}

/// Where every saga may be seen.
const EVERYWHERE: [&str; 12] = [
    "Confirmed",
    "Rejected",
    "Cancelled",
    "stuck at HoldInventory",
    "stuck at TakePayment",
    "stuck at RecordHistory",
    "undoing Rejected after HoldInventory",
    "undoing Rejected after TakePayment",
    "undoing Rejected after RecordHistory",
    "undoing Rejected after Confirm",
    "undoing Cancelled after TakePayment",
    "undoing Cancelled after Confirm",
];

#[test]
fn whatever_happens_in_whatever_order_a_saga_ends_and_its_outcome_is_true() {
    let outcomes = explore(Node::start(&request(reservation(1))));
    all_reached(&outcomes, &EVERYWHERE);
    all_reached(
        &outcomes,
        &[
            "undoing Rejected after ValidateUser",
            "undoing Rejected after ValidateShow",
        ],
    );
}

#[test]
fn so_does_a_saga_whose_buyer_and_show_were_asked_before_it_began() {
    let outcomes = explore(Node::start(&checked(reservation(1))));
    all_reached(&outcomes, &EVERYWHERE);
    assert!(
        !outcomes.iter().any(|outcome| outcome.contains("Validate")),
        "{outcomes:#?}"
    );
}

#[test]
fn the_search_finds_a_saga_that_forgets_to_give_the_money_back() {
    let mut node = Node::start(&request(reservation(1)));
    for _ in 0..4 {
        node = node.answered(false);
    }
    assert_eq!(node.world.payment, Payment::Captured);
    // Broken on purpose: it calls itself rejected and keeps the money.
    node.durable.phase = Phase::Settled(Outcome::Rejected);
    assert_eq!(
        wrong_outcome(&node),
        Some("came to nothing, but not all is undone")
    );
}
