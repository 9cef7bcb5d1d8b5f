//! The checkpoints that this process, as a writer, knows: what its next change set is fenced by.

use contract::Position;
use ports::Generation;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// By generation. Also others than the writer ask for checkpoints (health checks do), and must not teach the writer
/// one that its own memory is behind: so what is read never raises what is known.
#[derive(Default)]
pub(super) struct Fences(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    known: BTreeMap<Generation, Option<Position>>,
    /// How many change sets began or ended.
    turns: u64,
}

/// When a checkpoint was asked for.
#[derive(Clone, Copy)]
pub(super) struct Turn(u64);

impl Fences {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Changed in single steps: whoever panicked holding it left it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be taken before a checkpoint is asked for.
    pub fn turn(&self) -> Turn {
        Turn(self.inner().turns)
    }

    /// A checkpoint was read. Of no interest when a change set went on meanwhile.
    pub fn read(&self, turn: Turn, generation: Generation, at: Option<Position>) {
        let mut inner = self.inner();
        if inner.turns == turn.0 {
            let known = inner.known.entry(generation).or_insert(at);
            *known = (*known).min(at);
        }
    }

    /// A change set goes out. Takes what is known: unless it comes back with [`Fences::applied`], it is known no more.
    pub fn begin(&self, generation: Generation) -> Option<Option<Position>> {
        let mut inner = self.inner();
        inner.turns = inner.turns.wrapping_add(1);
        inner.known.remove(&generation)
    }

    /// It was applied.
    pub fn applied(&self, generation: Generation, at: Position) {
        let mut inner = self.inner();
        inner.turns = inner.turns.wrapping_add(1);
        inner.known.insert(generation, Some(at));
    }

    /// Generations of which nothing is applied any more.
    pub fn forget(&self) {
        let mut inner = self.inner();
        inner.turns = inner.turns.wrapping_add(1);
        inner.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Generation = Generation(1);

    fn at(position: u64) -> Option<Position> {
        Some(Position(position))
    }

    #[test]
    fn what_others_read_never_raises_what_the_writer_knows() {
        let fences = Fences::default();
        fences.applied(ONE, Position(5));
        fences.read(fences.turn(), ONE, at(9));
        assert_eq!(fences.begin(ONE), Some(at(5)));
        fences.applied(ONE, Position(6));
        fences.read(fences.turn(), ONE, at(3));
        assert_eq!(fences.begin(ONE), Some(at(3)));
    }

    #[test]
    fn what_was_read_before_a_change_set_says_nothing_after_it() {
        let fences = Fences::default();
        let turn = fences.turn();
        fences.applied(ONE, Position(5));
        fences.read(turn, ONE, at(4));
        assert_eq!(fences.begin(ONE), Some(at(5)));
    }

    #[test]
    fn after_a_change_set_that_failed_nothing_is_known() {
        let fences = Fences::default();
        fences.applied(ONE, Position(5));
        assert_eq!(fences.begin(ONE), Some(at(5)));
        assert_eq!(fences.begin(ONE), None);
    }
}
