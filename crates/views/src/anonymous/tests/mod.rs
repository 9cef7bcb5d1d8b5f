//! Populations for the tests, and what holds of any export.
#![allow(clippy::unwrap_used, clippy::panic)]

mod linking;
mod rows;

use super::*;
use proptest::prelude::*;

/// A purchase: which show, when, how many tickets, in which currency.
#[derive(Clone, Debug)]
pub(super) struct Deal {
    pub show: u8,
    pub at_ms: i64,
    pub quantity: u32,
    pub euros: bool,
}

/// A person, and what they bought.
#[derive(Clone, Debug)]
pub(super) struct Somebody {
    pub passport: bool,
    pub domain: u8,
    pub month: u8,
    pub deals: Vec<Deal>,
    pub forgotten_at_ms: Option<i64>,
}

pub(super) const MONTH_MS: i64 = 31 * 86_400_000;
/// 2026-01-01.
pub(super) const START_MS: i64 = 1_767_225_600_000;
const SHOWS: [(&str, Option<&str>, i64); 5] = [
    ("Roger Waters", Some("rock"), 5_000),
    ("Los Fabulosos", Some("rock"), 3_333),
    ("Lago", Some("ballet"), 7_001),
    ("Nutcracker", Some("ballet"), 2_000),
    ("Talk", None, 999),
];

impl Somebody {
    pub fn document_type(&self) -> DocumentType {
        if self.passport {
            DocumentType::Passport
        } else {
            DocumentType::Dni
        }
    }
    pub fn registered(&self) -> Timestamp {
        Timestamp(START_MS + i64::from(self.month) * MONTH_MS)
    }
}

impl Deal {
    pub fn minor(&self) -> i64 {
        SHOWS[usize::from(self.show)].2 * i64::from(self.quantity)
    }
    pub fn currency(&self) -> Currency {
        if self.euros {
            "EUR".parse().unwrap()
        } else {
            Currency::USD
        }
    }
}

/// The population of these people, added in the order of `people`.
pub(super) fn population<'a>(people: impl IntoIterator<Item = &'a Somebody>) -> Population {
    let mut population = Population::default();
    for somebody in people {
        if let Some(at) = somebody.forgotten_at_ms {
            population.forgotten(somebody.document_type(), somebody.registered(), Timestamp(at));
            continue;
        }
        let domain = format!("d{}.example", somebody.domain);
        let index = population
            .person(Facts {
                document_type: somebody.document_type(),
                email_domain: &domain,
                registered_at_ms: somebody.registered(),
            })
            .unwrap();
        for deal in &somebody.deals {
            let (show, category, _) = SHOWS[usize::from(deal.show)];
            population.bought(
                index,
                Bought {
                    show,
                    category,
                    at_ms: Timestamp(deal.at_ms),
                    quantity: deal.quantity,
                    minor: deal.minor(),
                    currency: deal.currency(),
                },
            );
        }
    }
    population
}

pub(super) fn deal() -> impl Strategy<Value = Deal> {
    let at = (0..3_i64, 0..200_i64).prop_map(|(month, step)| START_MS + month * MONTH_MS + step * 1_000);
    // Most people buy the same few things.
    let show = prop_oneof![4 => 0..2_u8, 1 => 0..5_u8];
    (show, at, 1..4_u32, prop::bool::weighted(0.1)).prop_map(|(show, at_ms, quantity, euros)| Deal {
        show,
        at_ms,
        quantity,
        euros,
    })
}

pub(super) fn somebody() -> impl Strategy<Value = Somebody> {
    let domain = prop_oneof![4 => Just(0_u8), 1 => 0..6_u8];
    let month = prop_oneof![4 => Just(0_u8), 1 => 0..15_u8];
    let deals = prop::collection::vec(deal(), 0..4);
    (prop::bool::weighted(0.1), domain, month, deals).prop_map(|(passport, domain, month, deals)| Somebody {
        passport,
        domain,
        month,
        deals,
        forgotten_at_ms: None,
    })
}
