//! Which generations there are: documents of `meta`, and the collections that go with them.
//!
//! | `_id` | fields |
//! |---|---|
//! | `active` | `generation`: the one that readers see; `next`: the number that the next one gets |
//! | `generation_3` | `generation`, `checkpoint` (a position or null), `fence`: a new random text with every change |
//! | `mark_forwarder` | `position` |
//!
//! Beginning and activating are transactions that both change `active`, so two of them never interleave; and a
//! change set changes its generation's document, so none reaches a generation that has been dropped.

use super::super::{
    Mongo,
    failure::{Failure, Remedy},
};
use ::mongodb::{
    ClientSession, Collection, Database,
    bson::{Bson, Document, doc},
    error::{ErrorKind, Result as DriverResult},
    options::ReturnDocument,
};
use contract::{
    Position,
    collections::{self, Collection as Documents},
};
use futures_util::TryStreamExt;
use ports::{Generation, StoreError};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

/// How long after a generation went out of use its collections are dropped. Whoever reads from one has heard that it
/// is in use less than this ago, when the answer comes.
pub(super) const DROPPED_AFTER: Duration = Duration::from_secs(10);
/// How often that is tried.
const DROP_TRIES: usize = 6;
/// How long an index may be in the making, or a collection in being dropped.
const LONG: Duration = Duration::from_secs(120);

/// How long to wait when an index could not be made.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The server's code for a collection that is there already.
const NAMESPACE_EXISTS: i32 = 48;

const ACTIVE: &str = "active";
/// What tells the documents of generations from the others in `meta`.
const IS_GENERATION: &str = "fence";

/// What a generation's document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub checkpoint: Option<Position>,
    pub fence: String,
}

/// The documents of `meta`, and the collections.
#[derive(Clone)]
pub(super) struct Meta {
    mongo: Mongo,
    documents: Collection<Document>,
}

impl Meta {
    pub fn new(mongo: Mongo) -> Self {
        Self {
            documents: mongo.collection("meta"),
            mongo,
        }
    }

    pub fn documents(&self) -> &Collection<Document> {
        &self.documents
    }

    /// The active generation and its checkpoint, in one question when `guess` is right. `None` when there is
    /// nothing yet.
    pub async fn look(&self, guess: Generation) -> Result<Option<(Generation, Known)>, Failure> {
        let mut guess = guess;
        loop {
            let both = doc! { "_id": { "$in": [ACTIVE, id(guess)] } };
            let find = self.documents.find(both);
            let work = async { find.await?.try_collect::<Vec<_>>().await };
            let found = self.mongo.call("look", work).await?;
            let of = |name: &str| {
                found
                    .iter()
                    .find(|found| found.get_str("_id").is_ok_and(|id| id == name))
            };
            let Some(active) = of(ACTIVE) else { return Ok(None) };
            let active = generation_in(active)?;
            match of(&id(active)) {
                Some(found) => return Ok(Some((active, known_in(found)?))),
                // It became active after we guessed.
                None if active != guess => guess = active,
                None => return Err(damaged("the active generation")),
            }
        }
    }

    /// What is known of a generation; `None` when there is no such.
    pub async fn known(&self, generation: Generation) -> Result<Option<Known>, Failure> {
        let find = self.documents.find_one(doc! { "_id": id(generation) });
        let found = self.mongo.call("checkpoint", find).await?;
        found.map(|found| known_in(&found)).transpose()
    }

    /// Makes the first generation in a new database. Every process does this when it first meets the server;
    /// nothing is done twice.
    pub async fn prepare(&self) -> Result<(), Failure> {
        let first = Generation(1);
        if self.look(first).await?.is_some() {
            return Ok(());
        }
        // Before anybody can write to them: an index that is made beside transactions makes them fail.
        self.make(first).await?;
        let active = doc! { "_id": ACTIVE, "generation": 1_i64, "next": 2_i64 };
        for document in [new_generation(first, &fresh_fence()), active] {
            let insert = self.documents.insert_one(document);
            match self.mongo.call("prepare", insert).await {
                // Another process was first.
                Err(failure) if failure.remedy == Remedy::LookAtIt => {}
                other => drop(other?),
            }
        }
        Ok(())
    }

    /// Makes the indexes that a generation lacks, and drops what is out of use: a process that starts finds what
    /// the one before it had no time for. Tried until it is done; reads and writes go on meanwhile.
    pub async fn tidy(self, generation: Generation) {
        while let Err(failure) = self.make(generation).await {
            tracing::warn!(failure.why, "the indexes were not made; trying again");
            tokio::time::sleep(TRY_AGAIN).await;
        }
        self.sweep().await;
    }

    /// Makes the collections and indexes of a generation, where they do not exist.
    pub async fn make(&self, generation: Generation) -> Result<(), Failure> {
        let database = self.mongo.database();
        for documents in collections::ALL {
            let name = collection(documents.name, generation);
            let work = make_collection(database, &name, documents);
            self.mongo.call_within(LONG, "make", work).await?;
        }
        Ok(())
    }

    /// Begins a generation, dropping those that are not active, in a transaction that the caller commits.
    pub async fn begin(&self, session: &mut ClientSession) -> DriverResult<Option<(Generation, Known)>> {
        let take = doc! { "$inc": { "next": 1_i64 } };
        let active = self
            .documents
            .find_one_and_update(doc! { "_id": ACTIVE }, take)
            .return_document(ReturnDocument::Before)
            .session(&mut *session)
            .await?;
        let numbers = active.as_ref().and_then(|active| {
            let active_now = generation_in(active).ok()?;
            Some((active_now, number_in(active, "next")?))
        });
        let Some((active, next)) = numbers else {
            return Ok(None);
        };
        let generation = Generation(next);
        let fence = fresh_fence();
        self.delete_all_but(active, session).await?;
        self.documents
            .insert_one(new_generation(generation, &fence))
            .session(session)
            .await?;
        let checkpoint = None;
        Ok(Some((generation, Known { checkpoint, fence })))
    }

    /// Activates a generation and drops the others, in a transaction that the caller commits. `None` when there is
    /// no such generation, or when the active one is further: another projector has led since, and readers do not go
    /// back.
    pub async fn activate(
        &self,
        generation: Generation,
        session: &mut ClientSession,
    ) -> DriverResult<Option<Known>> {
        let find = self.documents.find_one(doc! { "_id": id(generation) });
        let found = find.session(&mut *session).await?;
        let Some(known) = found.and_then(|found| known_in(&found).ok()) else {
            return Ok(None);
        };
        let active = self
            .documents
            .find_one(doc! { "_id": ACTIVE })
            .session(&mut *session)
            .await?;
        if let Some(active) = active.and_then(|active| generation_in(&active).ok()) {
            let find = self.documents.find_one(doc! { "_id": id(active) });
            let active = find.session(&mut *session).await?;
            let active = active.and_then(|active| known_in(&active).ok());
            if active.is_some_and(|active| active.checkpoint > known.checkpoint) {
                return Ok(None);
            }
        }
        let set = doc! { "$set": { "generation": i64::from(generation.0) } };
        self.documents
            .update_one(doc! { "_id": ACTIVE }, set)
            .session(&mut *session)
            .await?;
        self.delete_all_but(generation, session).await?;
        Ok(Some(known))
    }

    async fn delete_all_but(&self, generation: Generation, session: &mut ClientSession) -> DriverResult<()> {
        let others = doc! { IS_GENERATION: { "$exists": true }, "_id": { "$ne": id(generation) } };
        self.documents.delete_many(others).session(session).await?;
        Ok(())
    }

    /// Drops the collections of generations that are out of use, once no reader can be at them any more. By our own
    /// clock from when we saw it: nobody's clocks are compared. What is left over when this process ends before, the
    /// next one drops.
    pub async fn sweep(self) {
        // The first look only tells whether there is anything to do; a busy server may need more than one try.
        let tries = std::iter::repeat_n(DROPPED_AFTER, DROP_TRIES);
        let mut seen = BTreeSet::new();
        for wait in std::iter::once(Duration::ZERO).chain(tries) {
            tokio::time::sleep(wait).await;
            match self.out_of_use().await {
                Ok(names) if names.is_empty() => return,
                Ok(names) => {
                    // Another may have gone out of use since, and have readers still.
                    let (old, new): (Vec<_>, Vec<_>) =
                        names.into_iter().partition(|name| seen.contains(name));
                    seen.extend(new);
                    self.drop_all(old).await;
                }
                Err(failure) => tracing::warn!(
                    failure.why,
                    "it is not known which collections are out of use; tried again"
                ),
            }
        }
    }

    async fn drop_all(&self, names: Vec<String>) {
        for name in names {
            let drop = self.mongo.collection::<Document>(&name);
            if let Err(failure) = self.mongo.call_within(LONG, "drop", drop.drop()).await {
                tracing::warn!(
                    failure.why,
                    name,
                    "a past generation's collection was not dropped"
                );
            }
        }
    }

    /// The collections of generations that have no document in `meta`.
    async fn out_of_use(&self) -> Result<Vec<String>, Failure> {
        let names = self.mongo.database().list_collection_names();
        let names = self.mongo.call("list", names).await?;
        // Asked after the names: a generation has its document before it has collections.
        let find = self.documents.find(doc! { IS_GENERATION: { "$exists": true } });
        let work = async { find.await?.try_collect::<Vec<_>>().await };
        let found = self.mongo.call("list", work).await?;
        let used: BTreeSet<u32> = found
            .iter()
            .filter_map(|found| number_in(found, "generation"))
            .collect();
        let out_of_use = |name: &String| {
            name.rsplit_once("_g").is_some_and(|(of, number)| {
                let ours = collections::ALL.iter().any(|documents| documents.name == of);
                let number: Option<u32> = number.parse().ok();
                ours && number.is_some_and(|number| !used.contains(&number))
            })
        };
        Ok(names.into_iter().filter(out_of_use).collect())
    }
}

/// The collection of a kind of documents in a generation.
pub(super) fn collection(name: &str, generation: Generation) -> String {
    format!("{name}_g{}", generation.0)
}

/// A new text that no generation's document has had.
pub(super) fn fresh_fence() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The document of a generation, and only while nobody has changed it.
pub(super) fn as_known(generation: Generation, fence: &str) -> Document {
    doc! { "_id": id(generation), "fence": fence }
}

/// What changes with a change set; the checkpoint stays where it is when there is none.
pub(super) fn moved(fence: &str, checkpoint: Option<Position>) -> Document {
    let mut set = doc! { "fence": fence };
    if let Some(position) = checkpoint {
        set.insert("checkpoint", stored(position));
    }
    // The time is for operators; nothing here goes by it.
    doc! { "$set": set, "$currentDate": { "at": true } }
}

/// A position as it is stored. Those beyond 63 bits do not occur; they would sort last.
pub(super) fn stored(position: Position) -> Bson {
    Bson::Int64(i64::try_from(position.0).unwrap_or(i64::MAX))
}

/// A number that is not negative, whatever type an operator's hand has given it.
pub(super) fn whole(document: &Document, field: &str) -> Option<u64> {
    match document.get(field)? {
        Bson::Int32(number) => u64::try_from(*number).ok(),
        Bson::Int64(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

pub(super) fn no_such(generation: Generation) -> StoreError {
    StoreError::Unavailable(format!("there is no generation {}", generation.0))
}

fn id(generation: Generation) -> String {
    format!("generation_{}", generation.0)
}

fn new_generation(generation: Generation, fence: &str) -> Document {
    let number = i64::from(generation.0);
    doc! { "_id": id(generation), "generation": number, "checkpoint": Bson::Null, "fence": fence }
}

fn number_in(document: &Document, field: &str) -> Option<u32> {
    u32::try_from(whole(document, field)?).ok()
}

fn generation_in(document: &Document) -> Result<Generation, Failure> {
    number_in(document, "generation")
        .map(Generation)
        .ok_or_else(|| damaged("a generation's number"))
}

fn known_in(document: &Document) -> Result<Known, Failure> {
    let fence = document
        .get_str("fence")
        .map_err(|_| damaged("a generation's fence"))?;
    Ok(Known {
        checkpoint: whole(document, "checkpoint").map(Position),
        fence: fence.to_owned(),
    })
}

fn damaged(what: &str) -> Failure {
    Failure::refused(format!("{what} is missing or damaged in the collection meta"))
}

async fn make_collection(database: &Database, name: &str, documents: &Documents) -> DriverResult<()> {
    let indexes: Vec<Bson> = documents
        .indexes
        .iter()
        .map(|fields| {
            let keys: Document = fields
                .iter()
                .chain(&["_id"])
                .map(|field| ((*field).to_owned(), Bson::Int32(1)))
                .collect();
            Bson::Document(doc! { "key": keys, "name": fields.join("_") })
        })
        .collect();
    if indexes.is_empty() {
        return match database.create_collection(name).await {
            Err(error) if is_there(&error) => Ok(()),
            other => other,
        };
    }
    let create = doc! { "createIndexes": name, "indexes": indexes };
    database.run_command(create).await.map(drop)
}

fn is_there(error: &::mongodb::error::Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(command) if command.code == NAMESPACE_EXISTS)
}
