//! What is held about people, and that nothing is when they are forgotten: the real program, and every byte that it
//! leaves in its folder and says in its log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod evidence;
mod forgetting;
mod keys;
mod retention;
