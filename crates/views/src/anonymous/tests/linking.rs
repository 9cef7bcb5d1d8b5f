//! The attack: somebody has two exports, knows which one person registered, bought or was forgotten between them,
//! what their combination is and everything that is public, and subtracts.

use super::*;
use crate::anonymous::{combination, release};
use std::collections::{BTreeMap, BTreeSet};

/// What happens between two exports. It concerns one person.
#[derive(Clone, Debug)]
enum Happens {
    Registers(Somebody),
    Buys(prop::sample::Index, u8, u32),
    IsForgotten(prop::sample::Index),
}

fn happens() -> impl Strategy<Value = Happens> {
    let newcomer = somebody().prop_map(|somebody| {
        Happens::Registers(Somebody {
            deals: Vec::new(),
            ..somebody
        })
    });
    prop_oneof![
        1 => newcomer,
        4 => (any::<prop::sample::Index>(), 0..5_u8, 1..4_u32).prop_map(|(who, show, quantity)| Happens::Buys(who, show, quantity)),
        1 => any::<prop::sample::Index>().prop_map(Happens::IsForgotten),
    ]
}

impl Happens {
    /// What was there before is untouched, but for one person.
    fn apply(&self, people: &mut Vec<Somebody>, at_ms: i64) {
        let living = |people: &[Somebody]| -> Vec<usize> {
            let there = |place: &usize| people[*place].forgotten_at_ms.is_none();
            (0..people.len()).filter(there).collect()
        };
        match self {
            Happens::Registers(somebody) => people.push(somebody.clone()),
            Happens::Buys(who, show, quantity) if !living(people).is_empty() => {
                let place = *who.get(&living(people));
                people[place].deals.push(Deal {
                    show: *show,
                    at_ms,
                    quantity: *quantity,
                    euros: false,
                });
            }
            Happens::IsForgotten(who) if !living(people).is_empty() => {
                let place = *who.get(&living(people));
                people[place].forgotten_at_ms = Some(at_ms);
            }
            _ => {}
        }
    }
}

type Combination = (DocumentType, u8, u8, Currency);

/// Of whom what counts: by combination, currency and person, what the export's means are made of.
fn counted(people: &[Somebody], k: usize) -> BTreeMap<Combination, BTreeMap<usize, Vec<release::Line>>> {
    let living: Vec<usize> = (0..people.len())
        .filter(|place| people[*place].forgotten_at_ms.is_none())
        .collect();
    // Texts are numbered by what is there: everybody sees all shows and months, so that the numbers stay.
    let mut population = population(people);
    for show in SHOWS {
        for month in 0..16 {
            let index = population
                .person(Facts {
                    document_type: DocumentType::Other,
                    email_domain: &format!("x{}{month}.example", show.0),
                    registered_at_ms: Timestamp(START_MS + month * MONTH_MS),
                })
                .unwrap();
            population.bought(
                index,
                Bought {
                    show: show.0,
                    category: show.1,
                    at_ms: Timestamp(START_MS + month * MONTH_MS),
                    quantity: 1,
                    minor: 1,
                    currency: Currency::USD,
                },
            );
        }
    }
    for domain in 0..6 {
        let _ = population.person(Facts {
            document_type: DocumentType::Other,
            email_domain: &format!("d{domain}.example"),
            registered_at_ms: Timestamp(0),
        });
    }
    let population = population.sorted();
    let (groups, _) = combination::groups(&population, k);
    let mut counted = BTreeMap::<Combination, BTreeMap<usize, Vec<release::Line>>>::new();
    for group in groups {
        let members = release::members(&population, &group, k);
        for (index, member) in group.people.iter().zip(members) {
            let Some(person) = living.get(*index as usize) else {
                continue;
            };
            let somebody = &people[*person];
            if let Some(currency) = member.currency {
                counted
                    .entry((
                        somebody.document_type(),
                        somebody.domain,
                        somebody.month,
                        currency,
                    ))
                    .or_default()
                    .insert(*person, member.lines);
            }
        }
    }
    counted
}

/// In whose purchases two exports differ, by combination: what a subtraction gives is the sum over all of them.
fn differ(
    before: &BTreeMap<Combination, BTreeMap<usize, Vec<release::Line>>>,
    after: &BTreeMap<Combination, BTreeMap<usize, Vec<release::Line>>>,
) -> BTreeMap<Combination, usize> {
    let nobody = BTreeMap::new();
    let all: BTreeSet<&Combination> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .map(|combination| {
            let a = before.get(combination).unwrap_or(&nobody);
            let b = after.get(combination).unwrap_or(&nobody);
            let people: BTreeSet<&usize> = a.keys().chain(b.keys()).collect();
            let changed = people.into_iter().filter(|person| a.get(person) != b.get(person));
            (*combination, changed.count())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// For every combination and currency, any two exports differ in what at least k of its people bought, or in nobody's.
    #[test]
    fn any_two_exports_differ_in_the_purchases_of_k_people_of_a_combination_or_in_nobodys(
        people in prop::collection::vec(somebody(), 3..40),
        changes in prop::collection::vec(happens(), 1..14),
        k in 2..5_usize,
    ) {
        let mut people = people;
        let mut seen = vec![counted(&people, k)];
        for (happens, step) in changes.iter().zip(1..) {
            happens.apply(&mut people, START_MS + 4 * MONTH_MS + step * 1_000);
            seen.push(counted(&people, k));
        }
        for (place, before) in seen.iter().enumerate() {
            for after in &seen[place + 1..] {
                for (combination, changed) in differ(before, after) {
                    prop_assert!(changed == 0 || changed >= k, "{combination:?}: {changed}");
                }
            }
        }
    }

    /// Whatever somebody bought between two exports: as long as nothing was released, the second is the same.
    #[test]
    fn a_purchase_that_is_not_released_leaves_no_trace_and_the_release_does_not_depend_on_what_was_bought(
        people in prop::collection::vec(somebody(), 3..40),
        who in any::<prop::sample::Index>(),
        k in 2..5_u32,
    ) {
        let place = who.index(people.len());
        let after = |show, quantity| {
            let mut people = people.clone();
            people[place].deals.push(Deal { show, at_ms: START_MS + 4 * MONTH_MS, quantity, euros: false });
            people
        };
        let before = counted(&people, k as usize);
        let (one, other) = (after(0, 1), after(4, 3));
        let changes = |after: &[Somebody]| {
            let found = differ(&before, &counted(after, k as usize));
            found.values().sum::<usize>()
        };
        prop_assert_eq!(changes(&one) > 0, changes(&other) > 0, "how many bought decides, not what");
        if changes(&one) == 0 {
            let untouched = population(&people).export(k);
            for after in [one, other] {
                let export = population(&after).export(k);
                prop_assert_eq!(&export.classes, &untouched.classes);
            }
        }
    }

    /// Whoever knows everything about somebody but their rows finds at least k rows that may be theirs.
    #[test]
    fn a_persons_own_facts_lead_to_k_rows_or_to_none(
        people in prop::collection::vec(somebody(), 3..60),
        k in 2..5_u32,
    ) {
        let export = population(&people).export(k);
        for somebody in &people {
            let domain = format!("d{}.example", somebody.domain);
            let month = somebody.registered().month();
            let may_be = |row: &Row| {
                row.document_type.is_none_or(|known| known == somebody.document_type())
                    && row.email_domain.as_deref().is_none_or(|known| known == domain)
                    && row.registered.as_deref().is_none_or(|known| month.starts_with(known))
            };
            for deal in &somebody.deals {
                let bought = |row: &Row| row.history.iter().any(|entry| entry.show.as_deref() == Some(SHOWS[usize::from(deal.show)].0));
                let rows: u64 = export.classes.iter().filter(|class| may_be(&class.row) && bought(&class.row)).map(|class| class.rows).sum();
                prop_assert!(rows == 0 || rows >= u64::from(k));
            }
        }
    }
}
