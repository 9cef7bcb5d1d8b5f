//! Which purchases of a combination count: those up to its last release point.

use super::{
    combination::Group,
    population::{Kind, Population, Purchase},
};
use contract::Currency;
use std::collections::{BTreeMap, BTreeSet};

/// Somebody of a combination with what counts of what they bought.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The currency of what counts; `None` when nothing does.
    pub currency: Option<Currency>,
    /// What counts, one line for each kind, by kind.
    pub lines: Vec<Line>,
    /// When they last bought what counts: who came last is told least.
    pub last_ms: i64,
}

/// All that a person bought of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub kind: Kind,
    pub purchases: u32,
    pub quantity: u64,
    pub minor: i64,
}

/// The people of a combination. Of a generalised one nothing counts.
pub(super) fn members(population: &Population, group: &Group, k: usize) -> Vec<Member> {
    let mut times = BTreeMap::<Currency, Vec<(i64, u32)>>::new();
    let mut currencies = Vec::with_capacity(group.people.len());
    for person in &group.people {
        let currency = group.exact.and_then(|_| own_currency(population, *person));
        currencies.push(currency);
        for purchase in own_purchases(population, *person, currency) {
            let times = times.entry(purchase.0.currency).or_default();
            times.push((purchase.1.at_ms, *person));
        }
    }
    let until: BTreeMap<Currency, i64> = times
        .into_iter()
        .filter_map(|(currency, times)| Some((currency, last_release(population, group, times, k)?)))
        .collect();
    let people = group.people.iter().zip(currencies);
    people
        .map(|(person, currency)| {
            let until_ms = currency.and_then(|currency| until.get(&currency).copied());
            member(population, *person, currency, until_ms)
        })
        .collect()
}

/// The currency of a person's first purchase; of several at that moment, the first by its code. It stays theirs: if
/// it were the one of most purchases, one more purchase could take all others out of the sums.
fn own_currency(population: &Population, person: u32) -> Option<Currency> {
    let purchases = population.purchases_of(person).iter();
    purchases
        .filter_map(|purchase| Some((purchase.at_ms, population.kind(purchase)?.currency)))
        .min()
        .map(|(_, currency)| currency)
}

/// What a person bought in their currency, by kind. A sum over currencies would be a lie, so the rest is not told.
fn own_purchases(
    population: &Population,
    person: u32,
    currency: Option<Currency>,
) -> impl Iterator<Item = (&Kind, &Purchase)> {
    let purchases = population.purchases_of(person).iter();
    purchases.filter_map(move |purchase| {
        let kind = population.kind(purchase)?;
        (Some(kind.currency) == currency).then_some((kind, purchase))
    })
}

/// The release point that holds for what was bought in one currency.
fn last_release(population: &Population, group: &Group, mut times: Vec<(i64, u32)>, k: usize) -> Option<i64> {
    let (document_type, month) = group.exact?;
    // Whoever was forgotten took their purchases along. If everything else stayed, what they bought would be the
    // difference; so nothing is told until a whole release was bought since. Their domain is gone with them, so this
    // concerns every combination that may have been theirs.
    let leavers = population.leavers.iter();
    let concerned = leavers.filter(|leaver| leaver.document_type == document_type && leaver.month == month);
    if let Some(last_left) = concerned.map(|leaver| leaver.at_ms).max() {
        times.retain(|(at_ms, _)| *at_ms > last_left);
    }
    times.sort_unstable();
    points(&times, k).pop()
}

/// The moments by which `k` different people have bought since the moment before. What was bought later moves none
/// of them.
fn points(times: &[(i64, u32)], k: usize) -> Vec<i64> {
    let mut points = Vec::new();
    let mut since = BTreeSet::new();
    for moment in times.chunk_by(|a, b| a.0 == b.0) {
        since.extend(moment.iter().map(|(_, person)| *person));
        if since.len() >= k {
            points.extend(moment.first().map(|(at, _)| *at));
            since.clear();
        }
    }
    points
}

fn member(population: &Population, person: u32, currency: Option<Currency>, until_ms: Option<i64>) -> Member {
    let mut member = Member {
        currency: None,
        lines: Vec::new(),
        last_ms: i64::MIN,
    };
    for (kind, purchase) in own_purchases(population, person, currency) {
        if until_ms.is_none_or(|until| purchase.at_ms > until) {
            continue;
        }
        member.currency = currency;
        member.last_ms = member.last_ms.max(purchase.at_ms);
        let quantity = u64::from(purchase.quantity);
        // A person's purchases come by kind.
        match member.lines.last_mut().filter(|same| same.kind == *kind) {
            Some(same) => {
                same.purchases += 1;
                same.quantity += quantity;
                same.minor = same.minor.saturating_add(purchase.minor);
            }
            None => member.lines.push(Line {
                kind: *kind,
                purchases: 1,
                quantity,
                minor: purchase.minor,
            }),
        }
    }
    member
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_point_is_when_k_different_people_have_bought_since_the_one_before() {
        let times = [
            (1, 1),
            (2, 1),
            (3, 2),
            (4, 3),
            (5, 1),
            (6, 2),
            (7, 2),
            (8, 4),
            (9, 5),
        ];
        assert_eq!(points(&times, 3), [4, 8]);
        assert_eq!(
            points(&times[..2], 2),
            [] as [i64; 0],
            "one person, however often"
        );
    }

    #[test]
    fn what_is_bought_later_moves_no_release_point() {
        let times = [(1, 1), (2, 2), (3, 3), (4, 1), (5, 2), (6, 4)];
        for count in 0..times.len() {
            let before = points(&times[..count], 2);
            assert!(points(&times, 2).starts_with(&before));
        }
    }

    #[test]
    fn what_was_bought_at_the_same_moment_is_released_together() {
        assert_eq!(points(&[(1, 1), (1, 2), (1, 3)], 2), [1]);
    }
}
