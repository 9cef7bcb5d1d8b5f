//! The write side: HTTP commands pass the chain of responsibility, reach the lane of their aggregate, are
//! decided there by a pure function and appended under the expected revision.
//!
//! Deliberately absent: no read model is written here, no driver is named, and nothing but `show::decide` grants
//! a ticket.

pub mod account;
pub mod aggregate;
pub mod app;
pub mod forget;
pub mod http;
pub mod idempotency;
pub mod lanes;
pub mod outcomes;
pub mod payment;
pub mod register;
pub mod reservation;
pub mod reserve;
pub mod schedule;
pub mod show;
pub mod user;
