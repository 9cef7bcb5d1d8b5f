//! Everybody and what they bought, compactly: texts and kinds of purchases once, people and purchases as numbers.

use super::{Bought, Facts};
use contract::{Currency, Timestamp, events::DocumentType};
use std::{collections::BTreeMap, sync::Arc};

/// A person of a [`Population`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonIndex(u32);

/// A text of the dictionary.
pub(super) type Text = u32;

/// What is kept of a person: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub document_type: DocumentType,
    pub domain: Text,
    pub month: Text,
    pub year: Text,
}

/// A kind of purchase: what two purchases may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub currency: Currency,
    pub show: Text,
    pub category: Text,
    pub month: Text,
    pub year: Text,
}

/// What is kept of a purchase: 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Purchase {
    pub person: u32,
    pub kind: u32,
    pub at_ms: i64,
    pub minor: i64,
    pub quantity: u32,
}

/// Somebody who was forgotten: of them only this is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaver {
    pub document_type: DocumentType,
    pub month: Text,
    pub at_ms: i64,
}

/// Everybody and what they bought.
#[derive(Debug, Default)]
pub struct Population {
    known: BTreeMap<Arc<str>, Text>,
    known_kinds: BTreeMap<Kind, u32>,
    pub(super) texts: Vec<Arc<str>>,
    pub(super) kinds: Vec<Kind>,
    pub(super) people: Vec<Person>,
    pub(super) purchases: Vec<Purchase>,
    pub(super) leavers: Vec<Leaver>,
}

impl Population {
    /// Adds a person. `None` past 4 billion people.
    pub fn person(&mut self, facts: Facts<'_>) -> Option<PersonIndex> {
        let index = u32::try_from(self.people.len()).ok()?;
        let (month, year) = self.month(facts.registered_at_ms);
        let domain = self.text(facts.email_domain);
        self.people.push(Person {
            document_type: facts.document_type,
            domain,
            month,
            year,
        });
        Some(PersonIndex(index))
    }

    /// Adds a purchase of somebody who was added before.
    pub fn bought(&mut self, person: PersonIndex, bought: Bought<'_>) {
        let (month, year) = self.month(bought.at_ms);
        let kind = Kind {
            currency: bought.currency,
            show: self.text(bought.show),
            category: self.text(bought.category.unwrap_or_default()),
            month,
            year,
        };
        let kind = if let Some(known) = self.known_kinds.get(&kind) {
            *known
        } else {
            // There are never more kinds than purchases, and never more purchases than memory has room for.
            let new = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
            self.known_kinds.insert(kind, new);
            self.kinds.push(kind);
            new
        };
        self.purchases.push(Purchase {
            person: person.0,
            kind,
            at_ms: bought.at_ms.0,
            minor: bought.minor,
            quantity: bought.quantity,
        });
    }

    /// Remembers that somebody with this kind of document who registered then was forgotten.
    pub fn forgotten(&mut self, document_type: DocumentType, registered: Timestamp, at: Timestamp) {
        let (month, _) = self.month(registered);
        self.leavers.push(Leaver {
            document_type,
            month,
            at_ms: at.0,
        });
    }

    /// How many people there are.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// How many purchases there are.
    pub fn purchases(&self) -> usize {
        self.purchases.len()
    }

    fn text(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let (new, text): (Text, Arc<str>) =
            (Text::try_from(self.texts.len()).unwrap_or(Text::MAX), text.into());
        self.known.insert(text.clone(), new);
        self.texts.push(text);
        new
    }

    /// The month and the year of a time.
    fn month(&mut self, at: Timestamp) -> (Text, Text) {
        let month = at.month();
        let year = month.get(..4).unwrap_or(&month).to_owned();
        (self.text(&month), self.text(&year))
    }

    pub(super) fn shown(&self, text: Text) -> Option<Arc<str>> {
        self.texts.get(text as usize).cloned()
    }

    pub(super) fn kind(&self, purchase: &Purchase) -> Option<&Kind> {
        self.kinds.get(purchase.kind as usize)
    }

    /// The purchases of one person, once [`Self::sorted`].
    pub(super) fn purchases_of(&self, person: u32) -> &[Purchase] {
        let from = self
            .purchases
            .partition_point(|purchase| purchase.person < person);
        let rest = self.purchases.get(from..).unwrap_or_default();
        let count = rest.partition_point(|purchase| purchase.person == person);
        rest.get(..count).unwrap_or_default()
    }

    /// The same with texts and kinds numbered by what they say, so that nothing depends on what came first, and with
    /// each person's purchases together.
    pub(super) fn sorted(mut self) -> Self {
        let places = |order: Vec<u32>| {
            let mut places = vec![0_u32; order.len()];
            for (place, old) in (0..).zip(order) {
                if let Some(slot) = places.get_mut(old as usize) {
                    *slot = place;
                }
            }
            places
        };
        let at = |places: &[u32], old: u32| places.get(old as usize).copied().unwrap_or(old);

        let texts = places(self.known.values().copied().collect());
        self.texts = self.known.keys().cloned().collect();
        self.known = BTreeMap::new();
        for kind in &mut self.kinds {
            kind.show = at(&texts, kind.show);
            kind.category = at(&texts, kind.category);
            kind.month = at(&texts, kind.month);
            kind.year = at(&texts, kind.year);
        }
        for person in &mut self.people {
            person.domain = at(&texts, person.domain);
            person.month = at(&texts, person.month);
            person.year = at(&texts, person.year);
        }
        for leaver in &mut self.leavers {
            leaver.month = at(&texts, leaver.month);
        }

        self.known_kinds = BTreeMap::new();
        let mut order: Vec<u32> = (0..).take(self.kinds.len()).collect();
        order.sort_by_key(|kind| self.kinds.get(*kind as usize).copied());
        let kinds = places(order);
        self.kinds.sort_unstable();
        for purchase in &mut self.purchases {
            purchase.kind = at(&kinds, purchase.kind);
        }
        self.purchases.sort_unstable();
        self
    }
}
