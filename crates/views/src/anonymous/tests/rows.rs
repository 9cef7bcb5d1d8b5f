//! What holds of the rows of one export, whoever is in it.

use super::*;
use std::collections::BTreeMap;

type Combination = (Option<DocumentType>, Option<Arc<str>>, Option<Arc<str>>);

fn combination(row: &Row) -> Combination {
    (
        row.document_type,
        row.email_domain.clone(),
        row.registered.clone(),
    )
}

fn true_combination(somebody: &Somebody) -> Combination {
    (
        Some(somebody.document_type()),
        Some(format!("d{}.example", somebody.domain).into()),
        Some(somebody.registered().month().into()),
    )
}

proptest! {
    #[test]
    fn every_row_and_every_combination_is_shared_by_k_and_nobody_is_lost(
        people in prop::collection::vec(somebody(), 0..60), k in 1..7_u32,
    ) {
        let export = population(&people).export(k);
        let mut combinations = BTreeMap::<Combination, u64>::new();
        for class in &export.classes {
            prop_assert!(class.rows >= u64::from(k), "{class:?}");
            *combinations.entry(combination(&class.row)).or_default() += class.rows;
        }
        let told: u64 = combinations.values().sum();
        prop_assert_eq!(told + export.people_left_out, people.len() as u64);
        prop_assert!(export.people_left_out < u64::from(k));

        let mut truth = BTreeMap::<Combination, u64>::new();
        for somebody in &people {
            *truth.entry(true_combination(somebody)).or_default() += 1;
        }
        for (combination, count) in truth.iter().filter(|(_, count)| **count >= u64::from(k)) {
            prop_assert_eq!(combinations.get(combination), Some(count), "common enough: as it is");
        }
        for combination in combinations.keys().filter(|(_, domain, _)| domain.is_some()) {
            prop_assert!(truth[combination] >= u64::from(k), "{combination:?}");
        }
    }

    #[test]
    fn what_is_told_adds_up_to_what_was_bought_less_what_is_left_out(
        people in prop::collection::vec(somebody(), 0..60), k in 1..7_u32,
    ) {
        let export = population(&people).export(k);
        let bought: usize = people.iter().map(|somebody| somebody.deals.len()).sum();
        let (mut told, mut rounding) = (0_i64, 0_i64);
        let mut minor = BTreeMap::<Currency, (i64, i64)>::new();
        for class in &export.classes {
            let rows = i64::try_from(class.rows).unwrap();
            told += class.row.purchases.0 * rows;
            rounding += rows;
            prop_assert_eq!(class.row.minor, class.row.history.iter().map(|entry| entry.minor).sum::<i64>());
            prop_assert_eq!(class.row.currency.is_none(), class.row.history.is_empty());
            if let Some(currency) = class.row.currency {
                let (sum, off) = minor.entry(currency).or_default();
                *sum += class.row.minor * rows;
                *off += rows * i64::try_from(class.row.history.len()).unwrap();
            }
        }
        let expected = (i64::try_from(bought).unwrap() - i64::try_from(export.purchases_left_out).unwrap()) * 10_000;
        prop_assert!((told - expected).abs() <= rounding, "{told} {expected}");
        for (currency, (sum, off)) in minor {
            let deals = people.iter().flat_map(|somebody| &somebody.deals);
            let truth: i64 = deals.filter(|deal| deal.currency() == currency).map(Deal::minor).sum();
            prop_assert!(sum <= truth + off);
            if export.purchases_left_out == 0 {
                prop_assert!((sum - truth).abs() <= off, "{sum} {truth}");
            }
        }
    }

    #[test]
    fn the_order_in_which_people_come_changes_nothing(
        people in prop::collection::vec(somebody(), 0..40), k in 1..7_u32, seed in any::<u64>(),
    ) {
        let mut others = people.clone();
        others.sort_by_key(|somebody| {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            (seed, format!("{somebody:?}")).hash(&mut hasher);
            hasher.finish()
        });
        others.iter_mut().for_each(|somebody| somebody.deals.reverse());
        prop_assert_eq!(population(&people).export(k), population(&others).export(k));
    }
}

fn buyers(count: usize, show: u8) -> Vec<Somebody> {
    let somebody = |place: usize| Somebody {
        passport: false,
        domain: 0,
        month: 0,
        deals: vec![Deal {
            show,
            at_ms: START_MS + i64::try_from(place).unwrap(),
            quantity: 2,
            euros: false,
        }],
        forgotten_at_ms: None,
    };
    (0..count).map(somebody).collect()
}

#[test]
fn what_k_people_bought_alike_is_told_as_it_is() {
    let export = population(&buyers(10, 0)).export(5);
    let [class] = export.classes.as_slice() else {
        panic!("{export:#?}")
    };
    assert_eq!(
        (class.rows, class.row.purchases, class.row.minor),
        (10, Mean(10_000), 10_000)
    );
    let [entry] = class.row.history.as_slice() else {
        panic!("{class:#?}")
    };
    assert_eq!(entry.show.as_deref(), Some("Roger Waters"));
    assert_eq!(entry.period.as_deref(), Some("2026-01"));
    assert_eq!(entry.quantity, Mean(20_000));
}

#[test]
fn somebody_who_is_not_enough_for_a_class_is_told_as_the_mean_of_one() {
    let mut people = buyers(6, 0);
    people[5].deals.clear();
    let export = population(&people).export(5);
    let [class] = export.classes.as_slice() else {
        panic!("{export:#?}")
    };
    assert_eq!((class.rows, class.row.purchases), (6, Mean(8_333)));
    assert_eq!(
        class.row.history[0].show.as_deref(),
        Some("Roger Waters"),
        "five bought it"
    );
    assert_eq!(class.row.history[0].quantity, Mean(16_667));
}

#[test]
fn different_shows_of_a_kind_are_told_by_their_kind() {
    let mut people = buyers(8, 0);
    people[4..]
        .iter_mut()
        .for_each(|somebody| somebody.deals[0].show = 1);
    let export = population(&people).export(4);
    assert_eq!(export.classes.len(), 2, "four and four");
    people[3].deals[0].show = 2;
    let export = population(&people).export(8);
    let [class] = export.classes.as_slice() else {
        panic!("{export:#?}")
    };
    let [entry] = class.row.history.as_slice() else {
        panic!("{class:#?}")
    };
    assert_eq!(
        (entry.show.clone(), entry.category.clone(), entry.period.clone()),
        (None, None, None)
    );
}

#[test]
fn what_fewer_than_k_bought_is_told_nowhere() {
    let mut people = buyers(12, 0);
    people[4..].iter_mut().for_each(|somebody| somebody.deals.clear());
    let export = population(&people).export(5);
    assert!(export.classes.iter().all(|class| class.row.history.is_empty()));
    assert_eq!(export.purchases_left_out, 4);
}

#[test]
fn rare_domains_become_another_and_tell_nothing_of_what_was_bought() {
    let mut people = buyers(6, 0);
    for (somebody, domain) in people.iter_mut().zip(1..) {
        somebody.domain = domain;
    }
    let export = population(&people).export(5);
    let [class] = export.classes.as_slice() else {
        panic!("{export:#?}")
    };
    assert_eq!((class.rows, &class.row.email_domain), (6, &None));
    assert_eq!(class.row.registered.as_deref(), Some("2026-01"));
    assert!(class.row.history.is_empty());
}
