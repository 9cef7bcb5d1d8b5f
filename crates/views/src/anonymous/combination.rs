//! Kind of document, e-mail domain and month of registration: as they are where `k` share them, else generalised.

use super::population::{Person, Population, Text};
use contract::events::DocumentType;
use std::{collections::BTreeMap, sync::Arc};

/// How a combination is told. `None` = another.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub document_type: Option<DocumentType>,
    pub email_domain: Option<Arc<str>>,
    pub registered: Option<Arc<str>>,
}

/// The people of one combination, at least `k`.
pub(super) struct Group {
    pub shown: Shown,
    pub people: Vec<u32>,
    /// The exact combination; `None` when it was generalised.
    pub exact: Option<(DocumentType, Text)>,
}

type Key = (Option<DocumentType>, Option<Text>, Option<Text>);

/// From the exact combination to the coarsest. The domain goes first: it is what fewest people share.
const STEPS: [fn(&Person) -> Key; 5] = [
    |person| {
        (
            Some(person.document_type),
            Some(person.domain),
            Some(person.month),
        )
    },
    |person| (Some(person.document_type), None, Some(person.month)),
    |person| (Some(person.document_type), None, Some(person.year)),
    |person| (Some(person.document_type), None, None),
    |_| (None, None, None),
];

/// Everybody by how their combination is told, and how many are left out.
pub(super) fn groups(population: &Population, k: usize) -> (Vec<Group>, u64) {
    let mut groups = Vec::new();
    let mut left: Vec<u32> = (0..).take(population.people.len()).collect();
    for (step, key) in STEPS.iter().enumerate() {
        let mut found = BTreeMap::<Key, Vec<u32>>::new();
        for index in left.drain(..) {
            if let Some(person) = population.people.get(index as usize) {
                found.entry(key(person)).or_default().push(index);
            }
        }
        for ((document_type, domain, registered), people) in found {
            if people.len() < k {
                left.extend(people);
                continue;
            }
            let text = |text: Option<Text>| text.and_then(|text| population.shown(text));
            groups.push(Group {
                shown: Shown {
                    document_type,
                    email_domain: text(domain),
                    registered: text(registered),
                },
                people,
                exact: if step == 0 {
                    document_type.zip(registered)
                } else {
                    None
                },
            });
        }
    }
    (groups, left.len() as u64)
}
