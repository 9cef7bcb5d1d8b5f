//! Following a show as it changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod following;
mod in_step;
mod limits;
mod resuming;
mod stage;
mod telling;
mod torn;
#[path = "../world/mod.rs"]
mod world;
