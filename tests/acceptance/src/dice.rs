//! Chance that can be repeated.

use std::cell::Cell;

/// A small generator (splitmix64): a test's choices follow from its seed alone.
pub struct Dice(Cell<u64>);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// From `FAULT_SEED`, or the time; printed, so that a run can be repeated.
    pub fn seeded() -> Self {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let given = std::env::var("FAULT_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or(u64::from(now.subsec_nanos()));
        println!("FAULT_SEED={seed}");
        Self::new(seed)
    }

    /// 0 to `sides` - 1.
    pub fn roll(&self, sides: u64) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}
