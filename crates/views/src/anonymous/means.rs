//! One row for a class: what at least `k` of its people bought, divided by all of its people.

use super::{
    Entry, Mean, Row,
    combination::Shown,
    population::{Kind, Population, Text},
    release::{Line, Member},
};
use contract::Currency;
use std::collections::{BTreeMap, BTreeSet};

/// What is told of a kind of purchase. `None` = another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    show: Option<Text>,
    category: Option<Text>,
    period: Option<Text>,
}

/// From everything to nothing.
const STEPS: [fn(&Kind) -> Told; 4] = [
    |kind| Told {
        show: Some(kind.show),
        category: Some(kind.category),
        period: Some(kind.month),
    },
    |kind| Told {
        show: None,
        category: Some(kind.category),
        period: Some(kind.month),
    },
    |kind| Told {
        show: None,
        category: Some(kind.category),
        period: Some(kind.year),
    },
    |_| Told {
        show: None,
        category: None,
        period: None,
    },
];

#[derive(Default)]
struct Sum {
    purchases: u64,
    quantity: u64,
    minor: i128,
}

/// The row of a class, and how many purchases it tells.
pub(super) fn row(population: &Population, shown: &Shown, class: &[Member], k: usize) -> (Row, u64) {
    let currency = most_used(class);
    let sums = sums(class, currency, k);
    let (mut told, mut minor) = (0, 0_i64);
    let text = |text: Option<Text>| text.and_then(|text| population.shown(text));
    let mut history = Vec::new();
    for (what, sum) in &sums {
        let entry = Entry {
            show: text(what.show),
            category: text(what.category),
            period: text(what.period),
            quantity: mean(sum.quantity, class.len()),
            minor: per_person(sum.minor, class.len()),
        };
        told += sum.purchases;
        minor = minor.saturating_add(entry.minor);
        history.push(entry);
    }
    let row = Row {
        document_type: shown.document_type,
        email_domain: shown.email_domain.clone(),
        registered: shown.registered.clone(),
        purchases: mean(told, class.len()),
        minor,
        currency: currency.filter(|_| !history.is_empty()),
        history,
    };
    (row, told)
}

/// The currency of most purchases; of several, the first by its code. What was bought in another is not told: a sum
/// over currencies would be a lie.
fn most_used(class: &[Member]) -> Option<Currency> {
    let mut counts = BTreeMap::<Currency, u64>::new();
    for line in class.iter().flat_map(|member| &member.lines) {
        *counts.entry(line.kind.currency).or_default() += u64::from(line.purchases);
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(currency, _)| currency)
}

/// What at least `k` people bought, told as precisely as that allows. What is left at the end is not told.
fn sums(class: &[Member], currency: Option<Currency>, k: usize) -> BTreeMap<Told, Sum> {
    let mut sums = BTreeMap::new();
    let mut left: Vec<Vec<Line>> = class
        .iter()
        .map(|member| &member.lines)
        .map(|lines| {
            let same = lines.iter().filter(|line| Some(line.kind.currency) == currency);
            same.copied().collect()
        })
        .collect();
    for step in STEPS {
        let mut buyers = BTreeMap::<Told, usize>::new();
        for lines in &left {
            let once: BTreeSet<Told> = lines.iter().map(|line| step(&line.kind)).collect();
            for told in once {
                *buyers.entry(told).or_default() += 1;
            }
        }
        for lines in &mut left {
            lines.retain(|line| {
                let told = step(&line.kind);
                let enough = buyers.get(&told).is_some_and(|buyers| *buyers >= k);
                if enough {
                    let sum: &mut Sum = sums.entry(told).or_default();
                    sum.purchases += u64::from(line.purchases);
                    sum.quantity += line.quantity;
                    sum.minor += i128::from(line.minor);
                }
                !enough
            });
        }
    }
    sums
}

fn mean(sum: u64, people: usize) -> Mean {
    Mean(per_person(i128::from(sum) * 10_000, people))
}

/// Rounded half up. Amounts are never negative.
fn per_person(sum: i128, people: usize) -> i64 {
    let people = i128::try_from(people).unwrap_or(1).max(1);
    i64::try_from((sum + people / 2) / people).unwrap_or(i64::MAX)
}
