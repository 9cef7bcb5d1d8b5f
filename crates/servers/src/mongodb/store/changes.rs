//! A change set as commands: the last change of each key, by collection, in parts that a transaction can take.
//!
//! Commands of their own rather than the driver's bulk write: that one needs MongoDB 8, `update` and `delete` with
//! many statements are as old as the wire protocol that is in use.

use super::{
    super::{
        bodies,
        failure::{DUPLICATE_KEY, Failure, Remedy},
    },
    generations::collection,
};
use ::mongodb::bson::{Bson, Document as Answer, RawArrayBuf, RawBson, RawDocumentBuf, cstr, raw::CStr};
use ports::{Change, Document, Generation, StoreError};
use std::{collections::BTreeMap, sync::Arc};

/// How many changes go into a transaction. MongoDB advises a thousand at the most; on a busy server so many take longer
/// than an answer is waited for, and whoever else writes waits as long.
const MAX_CHANGES: usize = 250;
/// How many bytes of documents go into a transaction: well below the 48 MB of a message.
const MAX_BYTES: usize = 8 << 20;

/// What goes into one transaction, by collection.
#[derive(Default)]
pub(super) struct Part {
    puts: BTreeMap<&'static str, Vec<Put>>,
    deletes: BTreeMap<&'static str, RawArrayBuf>,
    changes: usize,
    bytes: usize,
}

struct Put {
    key: String,
    document: RawDocumentBuf,
}

/// The last change of a key: its document, or none.
type Last<'a> = BTreeMap<&'a str, Option<&'a Arc<Document>>>;

/// Cuts a change set into parts; there is always one.
pub(super) fn parts(changes: &[Change]) -> Result<Vec<Part>, StoreError> {
    let mut last: BTreeMap<&'static str, Last<'_>> = BTreeMap::new();
    for change in changes {
        let (collection, key, document) = match change {
            Change::Put { collection, document } => (collection, document.key.as_str(), Some(document)),
            Change::Delete { collection, key } => (collection, key.as_str(), None),
        };
        last.entry(collection.name).or_default().insert(key, document);
    }
    let mut parts = vec![Part::default()];
    for (collection, changes) in last {
        for (key, document) in changes {
            let document = document.map(|document| bodies::to_bson(document)).transpose()?;
            let bytes = key.len() + document.as_ref().map_or(0, |document| document.as_bytes().len());
            if parts.last().is_none_or(|part| !part.has_room(bytes)) {
                parts.push(Part::default());
            }
            if let Some(part) = parts.last_mut() {
                part.add(collection, key, document, bytes);
            }
        }
    }
    Ok(parts)
}

impl Part {
    /// A document alone may be larger than what a part should have.
    fn has_room(&self, bytes: usize) -> bool {
        self.changes == 0 || (self.changes < MAX_CHANGES && self.bytes + bytes <= MAX_BYTES)
    }

    fn add(&mut self, collection: &'static str, key: &str, document: Option<RawDocumentBuf>, bytes: usize) {
        match document {
            Some(document) => self.puts.entry(collection).or_default().push(Put {
                key: key.to_owned(),
                document,
            }),
            None => {
                let mut statement = of(key);
                statement.append(cstr!("limit"), 1);
                self.deletes
                    .entry(collection)
                    .or_default()
                    .push(RawBson::Document(statement));
            }
        }
        self.changes += 1;
        self.bytes += bytes;
    }

    /// How many documents it changes.
    pub fn changes(&self) -> usize {
        self.changes
    }

    /// The documents that are put, by collection and key.
    pub fn put(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.puts
            .iter()
            .flat_map(|(of, puts)| puts.iter().map(|put| (*of, put.key.as_str())))
    }

    /// The commands that make the changes. Documents that seem new are inserted, which fails when they are not.
    pub fn commands(
        &self,
        generation: Generation,
        seems_new: impl Fn(&str, &str) -> bool,
    ) -> Vec<RawDocumentBuf> {
        let mut commands = Vec::new();
        let mut command = |verb: &CStr, list: &CStr, of: &str, statements: RawArrayBuf| {
            let mut command = RawDocumentBuf::new();
            command.append(verb, collection(of, generation));
            // Nothing is lost by going on: one that fails fails the transaction.
            command.append(cstr!("ordered"), false);
            command.append(list, statements);
            commands.push(command);
        };
        for (of, puts) in &self.puts {
            let (new, old): (Vec<&Put>, Vec<&Put>) = puts.iter().partition(|put| seems_new(of, &put.key));
            if !new.is_empty() {
                let documents = new.into_iter().map(|put| put.document.clone()).collect();
                command(cstr!("insert"), cstr!("documents"), of, documents);
            }
            if !old.is_empty() {
                let updates = old.into_iter().map(Put::upsert).collect();
                command(cstr!("update"), cstr!("updates"), of, updates);
            }
        }
        for (of, deletes) in &self.deletes {
            command(cstr!("delete"), cstr!("deletes"), of, deletes.clone());
        }
        commands
    }
}

impl Put {
    fn upsert(&self) -> RawDocumentBuf {
        let mut statement = of(&self.key);
        statement.append(cstr!("u"), self.document.clone());
        statement.append(cstr!("upsert"), true);
        statement
    }
}

/// The beginning of a statement about one document.
fn of(key: &str) -> RawDocumentBuf {
    let mut which = RawDocumentBuf::new();
    which.append(cstr!("_id"), key);
    let mut statement = RawDocumentBuf::new();
    statement.append(cstr!("q"), which);
    statement
}

/// The answer to a command lists the statements that failed, and is none the less a success.
pub(super) fn check(answer: &Answer) -> Result<(), Failure> {
    match answer.get_array("writeErrors") {
        Ok(errors) if !errors.is_empty() => {
            let errors: Vec<&Answer> = errors.iter().filter_map(Bson::as_document).collect();
            let why = errors.first().and_then(|first| first.get_str("errmsg").ok());
            let failure = Failure::refused(why.unwrap_or("a document was refused"));
            let duplicate = |error: &&Answer| error.get_i32("code").ok() == Some(DUPLICATE_KEY);
            if errors.iter().all(duplicate) {
                let remedy = Remedy::LookAtIt;
                return Err(Failure { remedy, ..failure });
            }
            Err(failure)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use contract::collections::{Collection, SHOWS, USERS};

    fn put(collection: &'static Collection, key: usize, bytes: usize) -> Change {
        let document = Document {
            key: key.to_string(),
            version: 1,
            body: format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes)).into(),
        };
        Change::Put {
            collection,
            document: Arc::new(document),
        }
    }

    #[test]
    fn a_change_set_is_cut_by_number_and_by_size_and_never_into_nothing() {
        let changes = |parts: &[Part]| parts.iter().map(Part::changes).collect::<Vec<_>>();
        assert_eq!(changes(&parts(&[]).unwrap()), [0]);
        let many: Vec<_> = (0..2 * MAX_CHANGES + 1).map(|key| put(&SHOWS, key, 1)).collect();
        assert_eq!(changes(&parts(&many).unwrap()), [MAX_CHANGES, MAX_CHANGES, 1]);
        let large: Vec<_> = (0..3).map(|key| put(&SHOWS, key, 5 << 20)).collect();
        assert_eq!(changes(&parts(&large).unwrap()), [1, 1, 1]);
    }

    #[test]
    fn what_seems_new_is_inserted_and_all_else_replaced() {
        let cut = parts(&[put(&USERS, 1, 1), put(&USERS, 2, 1), put(&USERS, 3, 1)]).unwrap();
        let part = cut.first().unwrap();
        let commands = part.commands(Generation(3), |of, key| (of, key) == ("users", "2"));
        let counts: Vec<_> = commands
            .iter()
            .map(|command| {
                let (verb, _) = command.iter().next().unwrap().unwrap();
                let (_, list) = command.iter().last().unwrap().unwrap();
                (
                    verb.as_str().to_owned(),
                    list.as_array().unwrap().into_iter().count(),
                )
            })
            .collect();
        assert_eq!(counts, [("insert".to_owned(), 1), ("update".to_owned(), 2)]);
        assert_eq!(part.put().count(), 3);
    }

    #[test]
    fn only_the_last_change_of_a_key_is_sent() {
        let deleted = Change::Delete {
            collection: &SHOWS,
            key: "1".into(),
        };
        let cut = parts(&[put(&SHOWS, 1, 1), put(&USERS, 1, 1), put(&SHOWS, 1, 2), deleted]).unwrap();
        let commands = cut.first().unwrap().commands(Generation(3), |_, _| false);
        let names: Vec<_> = commands
            .iter()
            .map(|command| {
                let (verb, name) = command.iter().next().unwrap().unwrap();
                (verb.as_str().to_owned(), name.as_str().unwrap().to_owned())
            })
            .collect();
        let expected = [("update", "users_g3"), ("delete", "shows_g3")];
        assert_eq!(
            names,
            expected.map(|(verb, name)| (verb.to_owned(), name.to_owned()))
        );
    }
}
