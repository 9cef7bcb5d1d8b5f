//! The waiting line of a show: who asked for tickets that others hold, in the order of asking.

use super::batch::Job;
use contract::{HoldId, Timestamp};
use std::collections::VecDeque;

/// Those who wait, first come first. In memory only: the saga that asked is durable and asks again.
pub(super) struct Line {
    waiting: VecDeque<Waiting>,
    /// Nobody's patience ends before this. A lower bound: those who left may have set it.
    earliest: Timestamp,
}

pub(super) struct Waiting {
    pub hold_id: HoldId,
    pub until: Timestamp,
    pub job: Job,
}

impl Line {
    pub fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            earliest: Timestamp(i64::MAX),
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A claim that already waits keeps its place; who asked before is told what is told at the newest asking.
    pub fn rejoin(&mut self, hold_id: HoldId, mut job: Job) -> Option<Job> {
        match self.waiting.iter_mut().find(|waiting| waiting.hold_id == hold_id) {
            Some(waiting) => {
                std::mem::swap(&mut waiting.job, &mut job);
                waiting.job.join(job);
                None
            }
            None => Some(job),
        }
    }

    pub fn join(&mut self, waiting: Waiting) {
        self.earliest = self.earliest.min(waiting.until);
        self.waiting.push_back(waiting);
    }

    pub fn first(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    pub fn leave(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    /// Takes out those whose patience has ended, in order.
    pub fn expired(&mut self, now: Timestamp) -> Vec<Waiting> {
        if self.earliest > now {
            return Vec::new();
        }
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| waiting.until <= now);
        self.waiting = kept.into();
        self.earliest = self
            .waiting
            .iter()
            .map(|waiting| waiting.until)
            .min()
            .unwrap_or(Timestamp(i64::MAX));
        gone
    }

    /// Nobody's patience ends before this.
    pub fn earliest(&self) -> Timestamp {
        self.earliest
    }
}
