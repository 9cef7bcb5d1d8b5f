//! The MongoDB adapters on a server that speaks MongoDB's wire protocol: the conformance suites, and what a suite
//! over one adapter cannot show: several processes, a server that is killed, silent or absent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod conformance;
mod lease;
mod outages;
mod projectors;
mod readers;
mod vault;
