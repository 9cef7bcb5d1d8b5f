//! The saga of one reservation, pure.
//!
//! ```text
//! Forward: validate user → validate show → hold inventory → take payment → record history → confirm → Confirmed
//!    │ refused, or its deadline passed                                    cancellation requested │
//!    ▼                                                                                           ▼
//! Compensating: unrecord history → give payment back → restore inventory ──────► Rejected or Cancelled
//!    │ tried too often      ▲ resumed
//!    └──────► Stuck ────────┘
//! ```
//!
//! Steps run strictly one after the other, so at most one ask is open. Every ask can be sent again: its id
//! follows from the saga and the step, and every participant answers the same ask the same way.
//!
//! **What is written when.** An answer without effect on the outside stays in memory ([`Unwritten`]) and rides on
//! the next event that must be durable: that the saga undoes, before the first undoing is asked for; every
//! outcome; and, so that readers see how far a slow purchase is, whatever has waited for a moment. What is lost
//! in a crash is asked for again.
//!
//! **What the log does not tell.** Because of that, asks may have gone out that the log knows nothing of. Undoing
//! therefore covers every step that *may* have been asked for: all of them, unless this very process has driven the
//! saga since it was requested. Undoing what was never done needs nothing and makes it impossible.

mod owed;
mod react;
mod state;
mod unwritten;

pub use owed::{Direction, Owed, deadline, owed, step_name, undo};
pub use react::{Input, react};
pub use state::{Outcome, Phase, ShowFacts, State, Undoing};
pub use unwritten::Unwritten;
