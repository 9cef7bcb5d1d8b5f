//! Who may do what: one table of every endpoint ([`TABLE`]), and the [`guard`] that holds it.
//!
//! A request passes the guard before any handler: it is told from whom it comes ([`Tokens`], [`Revocations`]), the
//! row of its endpoint is looked up, and the [`Caller`] that results is put into the request's extensions. Handlers
//! take it from there ([`crate::headers::Access`], [`crate::RequestContext`]) and ask it the one question that needs
//! the thing itself: is it the caller's own ([`Caller::reaches`])?
//!
//! An endpoint without a row is closed. Deliberately absent: cookies, sessions on the server (a session is a stream in
//! the log; the guard only asks whether it was ended), `alg` other than HS256, and permissions per person.

mod address;
mod caller;
mod guard;
mod limits;
mod table;
mod tokens;

pub use address::{ClientAddress, Network, NotANetwork, Peer};
pub use caller::{Caller, Reach, RoleSet, Who, role_from, role_word};
pub use guard::{Guard, Revocations, guard};
pub use limits::{RateLimit, RateLimits};
pub use table::{Row, Rule, TABLE, allowed, row};
pub use tokens::{Claims, MAX_TOKEN_BYTES, Tokens};
