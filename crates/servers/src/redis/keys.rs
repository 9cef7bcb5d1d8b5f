//! How things are named and written in Redis.
//!
//! All keys of a namespace carry the same hash tag, `{eventflow}`, so that on a Redis Cluster they share one slot and
//! a script may touch all of them.

use contract::{UserId, collections};
use ports::{Document, Generation};
use quick_cache::Equivalent;
use std::sync::Arc;

/// Where wrapped keys are kept in the cache: not a collection, and of no generation.
const VAULT: &str = "vault";

/// A document's place, as the cache keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub generation: u32,
    pub collection: &'static str,
    pub key: String,
}

/// A place that is only looked up. Hashes as [`Place`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lookup<'a> {
    pub generation: u32,
    pub collection: &'a str,
    pub key: &'a str,
}

impl Equivalent<Place> for Lookup<'_> {
    fn equivalent(&self, place: &Place) -> bool {
        self.key == place.key && self.generation == place.generation && self.collection == place.collection
    }
}

/// What a key that changed stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    State,
    Document(Lookup<'a>),
    Wrapped(Lookup<'a>),
    /// Not of this namespace, or nothing that is cached.
    Other,
}

/// The keys of one namespace.
#[derive(Debug)]
pub(super) struct Keys {
    /// `{eventflow}:`
    prefix: String,
    state: String,
}

impl Keys {
    /// `None` when the name would make another hash tag or a pattern of itself.
    pub fn new(namespace: &str) -> Option<Self> {
        let fits = !namespace.is_empty()
            && namespace
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
        fits.then(|| Self {
            prefix: format!("{{{namespace}}}:"),
            state: format!("{{{namespace}}}:state"),
        })
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    pub fn document(&self, generation: Generation, collection: &str, key: &str) -> String {
        format!("{}g{}:{collection}:{key}", self.prefix, generation.0)
    }

    /// A value on its way into its document.
    pub fn staged(&self, token: &str, number: usize) -> String {
        format!("{}staged:{token}:{number}", self.prefix)
    }

    pub fn wrapped(&self, person: UserId) -> String {
        format!("{}{VAULT}:{person}", self.prefix)
    }

    /// All documents of a collection, for `SCAN`.
    pub fn documents(&self, generation: Generation, collection: &str) -> String {
        format!("{}g{}:{collection}:*", self.prefix, generation.0)
    }

    /// All documents of all generations, for `SCAN`.
    pub fn all_documents(&self) -> String {
        format!("{}g[0-9]*:*", self.prefix)
    }

    pub fn named<'a>(&self, key: &'a str) -> Named<'a> {
        let Some(rest) = key.strip_prefix(&self.prefix) else {
            return Named::Other;
        };
        if rest == "state" {
            return Named::State;
        }
        let Some((space, rest)) = rest.split_once(':') else {
            return Named::Other;
        };
        if space == VAULT {
            return Named::Wrapped(vault(rest));
        }
        let generation = space.strip_prefix('g').and_then(|number| number.parse().ok());
        match (generation, rest.split_once(':')) {
            (Some(generation), Some((collection, key))) => Named::Document(Lookup {
                generation,
                collection,
                key,
            }),
            _ => Named::Other,
        }
    }
}

/// Where the cache keeps a person's wrapped key.
pub(super) fn vault(person: &str) -> Lookup<'_> {
    Lookup {
        generation: 0,
        collection: VAULT,
        key: person,
    }
}

impl Lookup<'_> {
    pub fn owned(&self) -> Place {
        let collections = collections::ALL.into_iter().map(|collection| collection.name);
        let known = collections.chain([VAULT]).find(|name| *name == self.collection);
        Place {
            generation: self.generation,
            // What is not a collection is never looked up either.
            collection: known.unwrap_or_default(),
            key: self.key.to_owned(),
        }
    }
}

/// A document as it is stored: its version in decimal, a space, its body. Ready to be sent once the version is cut
/// off, and legible with `redis-cli`.
pub(super) fn encode(document: &Document) -> Vec<u8> {
    let mut value = Vec::with_capacity(document.body.len() + 21);
    value.extend_from_slice(document.version.to_string().as_bytes());
    value.push(b' ');
    value.extend_from_slice(&document.body);
    value
}

/// The document of a stored value, its body without a copy. `None` when it is none.
pub(super) fn decode(key: &str, value: Vec<u8>) -> Option<Arc<Document>> {
    let cut = value.iter().take(21).position(|byte| *byte == b' ')?;
    let version = std::str::from_utf8(value.get(..cut)?).ok()?.parse().ok()?;
    let body = bytes::Bytes::from(value).slice(cut + 1..);
    Some(Arc::new(Document {
        key: key.to_owned(),
        version,
        body,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_that_changed_is_recognised() {
        let keys = Keys::new("eventflow").unwrap();
        let place = |generation, collection, key| Lookup {
            generation,
            collection,
            key,
        };
        let stored = keys.document(Generation(7), "parked", "show-1:odd");
        assert_eq!(stored, "{eventflow}:g7:parked:show-1:odd");
        assert_eq!(
            keys.named(&stored),
            Named::Document(place(7, "parked", "show-1:odd"))
        );
        let person = UserId(uuid::Uuid::nil());
        let (stored, id) = (keys.wrapped(person), person.to_string());
        assert_eq!(keys.named(&stored), Named::Wrapped(vault(&id)));
        assert_eq!(keys.named(keys.state()), Named::State);
        for other in [
            "{eventflow}:g7",
            "{eventflow}:gx:shows:1",
            "{other}:state",
            "",
            "state",
        ] {
            assert_eq!(keys.named(other), Named::Other, "{other}");
        }
    }

    #[test]
    fn a_namespace_is_a_plain_word() {
        for name in ["", "a{b", "a}", "a*", "a b"] {
            assert!(Keys::new(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_value_reads_back_as_it_was_written() {
        for (version, body) in [(0, ""), (1, "{}"), (u64::MAX, "{\"a\": 1 }")] {
            let document = Document {
                key: "k".into(),
                version,
                body: body.into(),
            };
            assert_eq!(*decode("k", encode(&document)).unwrap(), document);
        }
        for damaged in ["", "7", "x {}", "-1 {}", "184467440737095516160 {}"] {
            assert!(decode("k", damaged.into()).is_none(), "{damaged}");
        }
    }
}
