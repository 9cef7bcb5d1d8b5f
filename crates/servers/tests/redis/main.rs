//! The Redis adapter on a real Redis: the conformance suite, alone and in front of another store; killed, silent,
//! flushed; two processes; a projector that fills it from a log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod broken;
mod caching;
mod conformance;
mod filling;
mod fronted;
mod writing;
