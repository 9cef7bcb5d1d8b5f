//! How long a bare hash protects an eight-digit document number: every one of them is hashed, on one core.
//! `cargo run --release -p ports --example guess_documents`
#![allow(clippy::unwrap_used, missing_docs)]

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::{hint::black_box, time::Instant};

const ALL: u32 = 100_000_000;

fn digits(mut number: u32) -> [u8; 8] {
    let mut text = [b'0'; 8];
    for digit in text.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    text
}

fn main() {
    let wanted = Sha256::digest(digits(ALL - 1));
    let begun = Instant::now();
    let found = (0..ALL).find(|number| Sha256::digest(digits(*number)) == wanted);
    assert_eq!(found, Some(ALL - 1));
    let bare = begun.elapsed().as_secs_f64();
    println!("SHA-256 of all {ALL} numbers of eight digits: {bare:.1} s on one core");

    // Whoever does not have the key has 2^256 of them to try for each number; whoever has it needs this long.
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let (begun, some) = (Instant::now(), ALL / 20);
    for number in 0..some {
        let mut mac = keyed.clone();
        mac.update(&digits(number));
        black_box(mac.finalize());
    }
    let all = begun.elapsed().as_secs_f64() * f64::from(ALL / some);
    println!("HMAC-SHA-256 with the key: {all:.1} s; without it: 2^256 keys for each number");
}
