//! The orchestrator's tests: the pure saga (`rules`, `undoing`, `search`), its runner on ports that fail to order
//! (`running`, `recovering`), and on the real embedded ones (`embedded`). One program, so that it links once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod embedded;
mod recovering;
mod rules;
mod running;
mod search;
mod undoing;
