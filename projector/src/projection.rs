//! One generation of the documents on its way through the log.

use crate::{
    Options,
    cache::{Cached, DocumentCache},
    item::{Content, Item, json_reason},
};
use bytes::Bytes;
use contract::{Event, Position, Recorded, StreamName, collections};
use metrics::counter;
use ports::{Change, Clock, Document, EventLog, Generation, LogError, Query, ReadStore, StoreError};
use std::{collections::BTreeMap, sync::Arc};
use views::{
    parked::Parked,
    project::{self, Doc, Target},
};

/// How many streams may be parked. With more, this program is the wrong one for this log, and waits.
pub const MAX_PARKED: usize = 10_000;
/// How many events of a parked stream are read at once.
const RETRY_EVENTS: usize = 1_024;

/// Why projecting cannot go on for now. Nothing is lost: it is tried again from the checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many streams cannot be read: rather than park the whole log, nothing is projected.
    #[error("more than {MAX_PARKED} streams cannot be read; is this program older than the log?")]
    TooManyParked,
    /// A document could not be written as JSON.
    #[error("a document cannot be written: {0}")]
    Document(#[from] serde_json::Error),
}

/// The ports a projection works with.
#[derive(Clone)]
pub(crate) struct Ports {
    pub log: Arc<dyn EventLog>,
    pub store: Arc<dyn ReadStore>,
    pub clock: Arc<dyn Clock>,
}

/// One generation, its checkpoint, and what of it is in memory. After an error it is to be dropped and opened
/// again: then nothing in memory is ahead of the store.
pub(crate) struct Projection {
    ports: Ports,
    options: Options,
    generation: Generation,
    position: Option<Position>,
    cache: DocumentCache,
    parked: BTreeMap<StreamName, Parked>,
}

/// What a batch of events changes: one place per document, however many events touch it.
#[derive(Default)]
struct Batch {
    documents: BTreeMap<Target, Slot>,
    parked: Vec<Change>,
}

/// A document within a batch; `None` = it is not there (any more).
struct Slot {
    doc: Option<Doc>,
    version: u64,
}

impl Projection {
    /// The generation that readers see, from its checkpoint on.
    pub async fn open_active(ports: Ports, options: Options) -> Result<Self, ProjectError> {
        let generation = ports.store.active().await?;
        let position = ports.store.checkpoint(generation).await?;
        let mut projection = Self::start(ports, generation, options);
        projection.position = position;
        projection.parked = projection.stored_parked().await?;
        Ok(projection)
    }

    /// An empty generation at the start of the log.
    pub fn start(ports: Ports, generation: Generation, options: Options) -> Self {
        let cache = DocumentCache::new(options.cache_bytes);
        Self {
            ports,
            options,
            generation,
            position: None,
            cache,
            parked: BTreeMap::new(),
        }
    }

    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The last event that is applied.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// Projects events that follow the last ones, and moves the checkpoint, in one atomic step.
    pub async fn apply(&mut self, items: &[Item]) -> Result<(), ProjectError> {
        let Some(last) = items.last() else { return Ok(()) };
        let mut batch = Batch::default();
        for item in items {
            self.project(item, &mut batch).await?;
        }
        self.store(batch, last.recorded.position).await?;
        let label = self.options.label;
        counter!("eventflow_projection_events_total", "store" => label).increment(items.len() as u64);
        counter!("eventflow_projection_batches_total", "store" => label).increment(1);
        Ok(())
    }

    /// Projects what follows in the log until it has reached `until`. Not until the log's end: while tickets are sold
    /// that moves on, and on a slow store for ever.
    pub async fn catch_up(
        &mut self,
        until: Option<Position>,
        batch_events: usize,
    ) -> Result<(), ProjectError> {
        while self.position < until {
            let events = self.ports.log.read_all(self.position, batch_events).await?;
            if events.is_empty() {
                return Err(
                    LogError::Damaged("it ends before a position that was read from it".into()).into(),
                );
            }
            self.apply(&Item::read_all(events)).await?;
        }
        Ok(())
    }

    /// Tries the parked streams again, up to the checkpoint: this program may be able to read what the one
    /// before it was not.
    pub async fn retry_parked(&mut self) -> Result<(), ProjectError> {
        let streams: Vec<StreamName> = self.parked.keys().cloned().collect();
        for stream in streams {
            while self.retry_some(&stream).await? {}
        }
        Ok(())
    }

    /// Projects the next events of a parked stream. True when there may be more.
    async fn retry_some(&mut self, stream: &StreamName) -> Result<bool, ProjectError> {
        let (Some(parked), Some(checkpoint)) = (self.parked.remove(stream), self.position) else {
            return Ok(false);
        };
        let mut events = self.ports.log.read(stream, parked.revision, RETRY_EVENTS).await?;
        events.retain(|event| event.position <= checkpoint);
        let next = events.last().map(|event| event.revision + 1);
        let mut batch = Batch::default();
        for item in Item::read_all(events) {
            self.project(&item, &mut batch).await?;
        }
        let more = match next {
            // It stopped at an event that still cannot be read, and is parked there.
            _ if self.parked.contains_key(stream) => false,
            None => {
                tracing::info!(%stream, "a parked stream is projected again");
                batch.parked.push(Change::Delete {
                    collection: &collections::PARKED,
                    key: stream.to_string(),
                });
                false
            }
            Some(revision) => {
                // What is stored about it stays until it is through: after a crash the same events are projected
                // again, and are in the documents already.
                self.parked.insert(stream.clone(), Parked { revision, ..parked });
                true
            }
        };
        self.store(batch, checkpoint).await?;
        Ok(more)
    }

    async fn project(&mut self, item: &Item, batch: &mut Batch) -> Result<(), ProjectError> {
        let recorded = &*item.recorded;
        if matches!(item.content, Content::Foreign) || self.parked.contains_key(&recorded.stream) {
            return Ok(());
        }
        let event = match &item.content {
            Content::Foreign => return Ok(()),
            Content::Known(known) => &known.0,
            Content::Decoded(event) => event,
            Content::Unreadable(reason) => return self.park(recorded, reason.clone(), batch),
        };
        let targets = match project::targets(event, &recorded.stream) {
            Ok(targets) => targets,
            Err(misplaced) => return self.park(recorded, misplaced.to_string(), batch),
        };
        for target in targets.into_iter().flatten() {
            if !self.options.keeps(target.collection()) {
                continue;
            }
            if let Err(reason) = self.evolve(target, event, recorded, batch).await? {
                return self.park(recorded, reason, batch);
            }
        }
        Ok(())
    }

    /// Changes one document in the batch. The inner error is the reason for which it cannot be done.
    async fn evolve(
        &mut self,
        target: Target,
        event: &Event,
        recorded: &Recorded,
        batch: &mut Batch,
    ) -> Result<Result<(), String>, ProjectError> {
        let before = match batch.documents.get_mut(&target) {
            Some(slot) => Slot {
                doc: slot.doc.take(),
                version: slot.version,
            },
            None => match self.load(target, recorded).await? {
                Ok(slot) => slot,
                Err(error) => return Ok(Err(format!("the stored document: {}", json_reason(&error)))),
            },
        };
        let was_there = before.doc.is_some();
        let doc = target.evolve(before.doc, event, recorded.revision);
        // Of a person who was forgotten nothing is kept, and what they bought is settled all the same.
        let may_be_none = matches!(target, Target::Purchase { .. } | Target::Recent(_));
        if !was_there && doc.is_none() && !may_be_none {
            return Ok(Err(
                "the stream has no beginning: there is no document to change".into()
            ));
        }
        let version = match &doc {
            // Two streams of a person come here, whose revisions say nothing about each other.
            Some(Doc::Revocation(revocation)) => u64::try_from(revocation.until_ms.0).unwrap_or(0),
            _ => before.version.max(recorded.revision + 1),
        };
        batch.documents.insert(target, Slot { doc, version });
        Ok(Ok(()))
    }

    /// The document as it is stored. The inner error is a body that is none.
    async fn load(
        &mut self,
        target: Target,
        recorded: &Recorded,
    ) -> Result<Result<Slot, serde_json::Error>, ProjectError> {
        // Documents hold only what is up to the checkpoint, so a stream's first event behind it has none yet;
        // and a purchase is set or deleted as a whole.
        let begins = recorded.revision == 0 && !matches!(target, Target::Revocation(_));
        if begins || matches!(target, Target::Purchase { .. }) {
            return Ok(Ok(Slot {
                doc: None,
                version: 0,
            }));
        }
        if let Some(Cached { doc, version }) = self.cache.take(&target) {
            return Ok(Ok(Slot {
                doc: Some(doc),
                version,
            }));
        }
        let stored = self
            .ports
            .store
            .get_in(self.generation, target.collection(), &target.key())
            .await?;
        Ok(match stored {
            None => Ok(Slot {
                doc: None,
                version: 0,
            }),
            Some(document) => target.read(&document.body).map(|doc| Slot {
                doc: Some(doc),
                version: document.version,
            }),
        })
    }

    fn park(&mut self, recorded: &Recorded, error: String, batch: &mut Batch) -> Result<(), ProjectError> {
        let Recorded {
            stream,
            revision,
            position,
            ..
        } = recorded;
        if self.parked.len() >= MAX_PARKED {
            return Err(ProjectError::TooManyParked);
        }
        tracing::error!(%stream, revision, %position, error, "an event cannot be projected: its stream is parked");
        let parked = Parked {
            stream: stream.clone(),
            revision: *revision,
            position: *position,
            error,
            at_ms: self.ports.clock.now(),
        };
        batch.parked.push(parked_change(&parked)?);
        self.parked.insert(stream.clone(), parked);
        Ok(())
    }

    async fn store(&mut self, batch: Batch, checkpoint: Position) -> Result<(), ProjectError> {
        let mut changes = batch.parked;
        changes.reserve(batch.documents.len());
        for (target, slot) in &batch.documents {
            let (collection, key) = (target.collection(), target.key());
            changes.push(match &slot.doc {
                Some(doc) => {
                    let body = Bytes::from(doc.body()?);
                    let document = Arc::new(Document {
                        key,
                        version: slot.version,
                        body,
                    });
                    Change::Put { collection, document }
                }
                None => Change::Delete { collection, key },
            });
        }
        self.ports
            .store
            .apply(self.generation, changes, checkpoint)
            .await?;
        self.position = Some(checkpoint);
        for (target, Slot { doc, version }) in batch.documents {
            if let Some(doc) = doc {
                self.cache.keep(target, Cached { doc, version });
            }
        }
        Ok(())
    }

    async fn stored_parked(&self) -> Result<BTreeMap<StreamName, Parked>, ProjectError> {
        let query = Query {
            filters: vec![],
            order: None,
            after: None,
            limit: MAX_PARKED,
        };
        let documents = self.ports.store.find(&collections::PARKED, query).await?;
        let mut parked = BTreeMap::new();
        for document in documents {
            let one: Parked = serde_json::from_slice(&document.body)
                .map_err(|error| StoreError::Damaged(format!("a parked stream: {}", json_reason(&error))))?;
            parked.insert(one.stream.clone(), one);
        }
        Ok(parked)
    }
}

fn parked_change(parked: &Parked) -> Result<Change, serde_json::Error> {
    let document = Document {
        key: parked.stream.to_string(),
        version: parked.revision + 1,
        body: serde_json::to_vec(parked)?.into(),
    };
    Ok(Change::Put {
        collection: &collections::PARKED,
        document: Arc::new(document),
    })
}
