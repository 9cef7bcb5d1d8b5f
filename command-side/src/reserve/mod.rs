//! Reserving: the use cases around a reservation, one file each.
//!
//! - [`request`]: the chain of responsibility, then the reservation's first event, then the wait for its outcome.
//! - [`cancel`]: the buyer wants it undone.
//! - [`resume`]: an operator lets a stuck saga try again.
//! - [`hold`]: tickets are held without a reservation, described and given back.

pub mod cancel;
pub mod chain;
pub mod hold;
pub mod hold_ids;
pub mod order;
pub mod request;
pub mod resume;

pub use order::Order;
