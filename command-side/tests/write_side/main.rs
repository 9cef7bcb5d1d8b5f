//! The write side as a whole, on the embedded adapters: HTTP in, events out. Only the saga is played by a
//! stand-in ([`bed::saga`]); the orchestrator has tests of its own, and `crates/eventflow` those with everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod bed;
mod chain;
mod directly;
mod forgetting;
mod holds;
mod idempotency;
mod ownership;
mod payments;
mod reservations;
mod seat_plan;
mod shows;
mod users;
