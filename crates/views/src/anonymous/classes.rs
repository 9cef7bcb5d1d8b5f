//! Classes inside a combination: as fine as at least `k` people allow, in whole multiples of `k`.

use super::{population::Text, release::Member};
use contract::Currency;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A class while classes are being made.
struct Made {
    /// 0 = bought exactly the same; higher is coarser.
    level: u8,
    /// The earliest first.
    members: Vec<Member>,
}

/// The last level: whoever is left of a currency.
const COARSEST: u8 = 3;

/// Puts everybody of a combination (`k` or more) into classes of `k` or more. At every level but the last a class
/// has a multiple of `k` people, and whoever came last goes on to the next level: a newcomer never shows as a class
/// that is larger by one.
pub(super) fn of(members: Vec<Member>, k: usize) -> Vec<Vec<Member>> {
    let mut made = Vec::new();
    let left = settle(&mut made, 0, members, k, |member| {
        (member.currency, member.lines.clone())
    });
    let left = settle(&mut made, 1, left, k, by_month);
    let left = settle(&mut made, 2, left, k, by_year);
    let mut left = by_currency(&mut made, left, k);
    if !left.is_empty() && left.len() < k {
        left.extend(borrowed(&mut made, k));
    }
    made.push(Made {
        level: COARSEST,
        members: left,
    });
    made.into_iter()
        .map(|class| class.members)
        .filter(|members| !members.is_empty())
        .collect()
}

/// Category and month of each kind of purchase, and how many purchases.
fn by_month(member: &Member) -> (Option<Currency>, BTreeMap<(Text, Text), u32>) {
    let mut kinds = BTreeMap::new();
    for line in &member.lines {
        *kinds.entry((line.kind.category, line.kind.month)).or_default() += line.purchases;
    }
    (member.currency, kinds)
}

/// Category and year, once each.
fn by_year(member: &Member) -> (Option<Currency>, BTreeSet<(Text, Text)>) {
    let lines = member.lines.iter();
    (
        member.currency,
        lines.map(|line| (line.kind.category, line.kind.year)).collect(),
    )
}

/// Makes the classes of a level; gives who is left.
fn settle<K: Ord>(
    made: &mut Vec<Made>,
    level: u8,
    members: Vec<Member>,
    k: usize,
    key: impl Fn(&Member) -> K,
) -> Vec<Member> {
    let mut left = Vec::new();
    for mut members in sorted_by(members, key) {
        left.extend(members.split_off(members.len() / k * k));
        if !members.is_empty() {
            made.push(Made { level, members });
        }
    }
    left
}

/// Whoever bought in the same currency, if they are enough.
fn by_currency(made: &mut Vec<Made>, members: Vec<Member>, k: usize) -> Vec<Member> {
    let mut left = Vec::new();
    for members in sorted_by(members, |member| member.currency) {
        if members.len() >= k && members.iter().all(|member| member.currency.is_some()) {
            made.push(Made {
                level: COARSEST,
                members,
            });
        } else {
            left.extend(members);
        }
    }
    left
}

fn sorted_by<K: Ord>(members: Vec<Member>, key: impl Fn(&Member) -> K) -> Vec<Vec<Member>> {
    let mut groups = BTreeMap::<K, Vec<Member>>::new();
    for member in members {
        groups.entry(key(&member)).or_default().push(member);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for members in &mut groups {
        // Those who are equal in both are equal in everything that is told.
        members.sort_by(|a, b| (a.last_ms, &a.lines).cmp(&(b.last_ms, &b.lines)));
    }
    groups
}

/// Company for a remainder of fewer than `k`: from the coarsest class, of those the largest; all of it when it is of
/// the last level or no larger than `k`, else the `k` who came last.
fn borrowed(made: &mut [Made], k: usize) -> Vec<Member> {
    // The first of several that are alike: `made` is in the order of what they bought.
    let donor = made
        .iter_mut()
        .min_by_key(|class| (Reverse(class.level), Reverse(class.members.len())));
    let Some(donor) = donor else { return Vec::new() };
    let keep = if donor.level == COARSEST {
        0
    } else {
        donor.members.len().saturating_sub(k)
    };
    donor.members.split_off(keep)
}
