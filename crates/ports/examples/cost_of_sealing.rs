//! What sealing costs: one field sealed and opened, and all that is sealed of a registration, on one core.
//!
//! ```sh
//! cargo run --release -p ports --example cost_of_sealing
//! ```

#![allow(clippy::unwrap_used)]

use contract::UserId;
use ports::sealing::{fresh_key, open, seal};
use std::{hint::black_box, time::Instant};
use uuid::Uuid;

const ROUNDS: u32 = 200_000;

fn main() {
    let (key, person) = (fresh_key().unwrap(), UserId(Uuid::from_u128(7)));
    let person_of = |field: &str, clear: &str| seal(&key, person, field, black_box(clear)).unwrap();
    let registration = [
        ("document", "12345678"),
        ("given_name", "Ana"),
        ("family_name", "Rojas"),
        ("email", "ana.rojas@example.org"),
    ];
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        for (field, clear) in registration {
            black_box(person_of(field, clear));
        }
    }
    let sealing = begun.elapsed();
    let sealed = person_of("email", "ana.rojas@example.org");
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        black_box(open(&key, person, "email", black_box(&sealed)).unwrap());
    }
    println!(
        "a registration's four fields sealed: {:.2} µs; one field opened: {:.2} µs",
        sealing.as_secs_f64() * 1e6 / f64::from(ROUNDS),
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS),
    );
}
