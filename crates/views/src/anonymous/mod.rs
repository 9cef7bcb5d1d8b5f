//! People and their purchases without the people: an export of which no row leads to one person, neither by itself,
//! nor beside an earlier or a later export. `docs/PRIVACY.md` says why each rule is there.
//!
//! 1. **Combinations.** Kind of document, e-mail domain and month of registration stand as they are when at least `k`
//!    people share all three; others are generalised until `k` share them, or left out ([`combination`]).
//! 2. **Release.** Of a combination's purchases only those count that were made up to a *release point*: a moment by
//!    which `k` different people have bought since the point before. When a point is reached depends on how many
//!    bought, never on what, so two exports differ in the purchases of at least `k` people or in none's ([`release`]).
//!    Purchases of people whose combination had to be generalised are not told at all: the day their combination
//!    becomes common enough, the difference of two exports would tell them.
//! 3. **Classes.** Inside a combination people are put into classes of `k` or more: who bought exactly the same, then
//!    who bought the same kinds in the same months, then in the same years, then whoever is left ([`classes`]).
//! 4. **Means.** All rows of a class are equal: each entry of the history is what at least `k` of its people bought,
//!    divided by all of its people. What fewer bought is told without the show, then by year, then as anything, or not
//!    at all ([`means`]).
//!
//! Pure and in memory: 40 bytes for a person, 32 for a purchase, and each different text and kind of purchase once.
//! The result does not depend on the order in which people and purchases were added.

mod classes;
mod combination;
mod means;
mod population;
mod release;

use contract::{Currency, Timestamp, events::DocumentType};
pub use population::{PersonIndex, Population};
use std::{cmp::Ordering, sync::Arc};

#[cfg(test)]
mod tests;

/// What is told of a person.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The kind of their document.
    pub document_type: DocumentType,
    /// The part of their e-mail address behind the `@`, in lower case.
    pub email_domain: &'a str,
    /// When they registered; only the month is kept.
    pub registered_at_ms: Timestamp,
}

/// What is told of a purchase.
#[derive(Clone, Copy, Debug)]
pub struct Bought<'a> {
    /// The show's name.
    pub show: &'a str,
    /// Its category.
    pub category: Option<&'a str>,
    /// When; only the month is told.
    pub at_ms: Timestamp,
    /// How many tickets.
    pub quantity: u32,
    /// What they cost together, in minor units.
    pub minor: i64,
    /// Of this currency.
    pub currency: Currency,
}

/// A number that may be a mean, in ten-thousandths: 20_000 is two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mean(pub i64);

/// The export: classes of equal rows, in an order that comes from what they say and from nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The classes.
    pub classes: Vec<Class>,
    /// People who are in no row.
    pub people_left_out: u64,
    /// Purchases that no row tells: of people left out or generalised, not released yet, or bought by too few.
    pub purchases_left_out: u64,
}

/// Rows that are equal in every field, at least `k` of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// How many rows.
    pub rows: u64,
    /// What each says.
    pub row: Row,
}

/// A person as anybody of their class. `None` stands for "another": it was generalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// The kind of document.
    pub document_type: Option<DocumentType>,
    /// The domain of the e-mail address.
    pub email_domain: Option<Arc<str>>,
    /// The month of registration (`2026-11`) or only its year (`2026`).
    pub registered: Option<Arc<str>>,
    /// How many purchases the history tells.
    pub purchases: Mean,
    /// What they cost, in minor units; the sum of the history's amounts.
    pub minor: i64,
    /// Of this currency; `None` when there is no history.
    pub currency: Option<Currency>,
    /// What was bought.
    pub history: Vec<Entry>,
}

/// Something that at least `k` people of a class bought, as each of them bought it on average.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// The show's name; `None` = another.
    pub show: Option<Arc<str>>,
    /// Its category, empty for a show that has none; `None` = another.
    pub category: Option<Arc<str>>,
    /// The month or only the year; `None` = another.
    pub period: Option<Arc<str>>,
    /// How many tickets.
    pub quantity: Mean,
    /// What they cost, in minor units.
    pub minor: i64,
}

impl Population {
    /// The export in which nothing is shared by fewer than `k`.
    pub fn export(self, k: u32) -> Export {
        let k = usize::try_from(k).unwrap_or(usize::MAX).max(1);
        let population = self.sorted();
        let (groups, people_left_out) = combination::groups(&population, k);
        let mut purchases_told = 0;
        let mut rows = std::collections::BTreeMap::<Row, u64>::new();
        for group in &groups {
            let members = release::members(&population, group, k);
            for class in classes::of(members, k) {
                let (row, told) = means::row(&population, &group.shown, &class, k);
                purchases_told += told;
                *rows.entry(row).or_default() += class.len() as u64;
            }
        }
        let mut classes: Vec<Class> = rows.into_iter().map(|(row, rows)| Class { rows, row }).collect();
        classes.sort_by(in_no_order_that_tells);
        Export {
            classes,
            people_left_out,
            purchases_left_out: population.purchases.len() as u64 - purchases_told,
        }
    }
}

/// By a hash of what is said: neither months nor domains come in a row.
fn in_no_order_that_tells(a: &Class, b: &Class) -> Ordering {
    digest(&a.row)
        .cmp(&digest(&b.row))
        .then_with(|| a.row.cmp(&b.row))
}

fn digest(row: &Row) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}
