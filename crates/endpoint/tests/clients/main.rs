//! Clients that nobody here wrote use the endpoint: the Rust crates `eventstore` and `kurrentdb`. What they do stands
//! in `stories`, once for both; the third, `kurrentdbclient` for Python, is checked by `tests/kurrentdbclient`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::duplicate_mod)] // the stories are told of two clients whose types differ in name only

mod eventstore_4;
mod house;
mod kurrentdb_1;
