//! The reservation saga: a pure state machine, its runner and its timers.
//!
//! - [`reservation`] is the saga itself, without async, clock or I/O: what happened ([`reservation::State`]), what
//!   follows from an input ([`reservation::react`]), which ask is open ([`reservation::owed`]) and until when
//!   ([`reservation::deadline`]). Read it first.
//! - [`Orchestrator`] runs it: one task per open reservation, started by the events of the log and, after a
//!   start, by the reservations that the read models call open.
//! - When a show is cancelled, it has every sale of it cancelled through that sale's own saga.
//!
//! Deliberately absent: a table of timers (deadlines follow from state), a store of its own (the reservation's
//! stream is the saga's memory), and any decision outside of `react`.

mod backoff;
mod meters;
mod recovery;
mod registry;
pub mod reservation;
mod runner;
mod saga;
mod settings;
mod sweep;

pub use runner::{Orchestrator, SUBSCRIPTION};
pub use settings::{Recovery, Settings};
