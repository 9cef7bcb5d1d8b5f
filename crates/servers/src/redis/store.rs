//! The port, on Redis.

use super::{
    RedisStore, Shared,
    documents::Demand,
    empty,
    keys::{self, Lookup},
    link::Link,
    scripts::{self, Fields, State},
    unavailable,
};
use async_trait::async_trait;
use contract::{Position, collections::Collection};
use metrics::counter;
use ports::{Change, Document, Generation, Query, ReadStore, StoreError};
use redis::{RedisError, ScriptInvocation, cmd, pipe};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;
use uuid::Uuid;

/// A change set of up to so many bytes goes out in one piece, which takes Redis some ten milliseconds …
const WHOLE_BYTES: usize = 8 << 20;
/// … and a larger one is staged in pieces of so many, so that no single command keeps Redis from others for long.
const PIECE_BYTES: usize = 1 << 20;
/// Staged values that nobody takes are gone after so long.
const STAGED_FOR_MS: u64 = 60_000;

/// A change as it is sent: where, and the value, empty to delete it.
struct Sent<'a> {
    place: Lookup<'a>,
    key: String,
    value: Vec<u8>,
}

/// What every change set is fenced by.
struct Fence {
    generation: Generation,
    before: Option<Position>,
    after: Position,
}

impl Shared {
    async fn run(&self, link: &Link, script: &ScriptInvocation<'_>) -> Result<i64, StoreError> {
        let answer = script.invoke_async(&mut link.writes()).await;
        link.noticed(answer).map_err(|error| unavailable(&error))
    }

    async fn fields(&self, link: &Link) -> Result<Fields, StoreError> {
        let fields = link.refresh().await.map_err(|error| unavailable(&error))?;
        self.announce(link);
        Ok(fields)
    }

    /// The state, made anew when Redis is empty.
    async fn ensure(&self, link: &Link) -> Result<State, StoreError> {
        if let Some(state) = State::read(&self.fields(link).await?) {
            return Ok(state);
        }
        let made = self
            .run(link, self.scripts.ensure.prepare_invoke().key(self.keys.state()))
            .await?;
        if made == 1 {
            // What this writer knew is gone, should the number be the same: made anew within one second.
            self.fences.forget();
            counter!("eventflow_redis_refills_total").increment(1);
            tracing::info!("Redis is empty; it will be filled");
        }
        State::read(&self.fields(link).await?).ok_or_else(empty)
    }

    async fn send(&self, link: &Link, fence: &Fence, changes: &[Sent<'_>]) -> Result<Fields, RedisError> {
        let bytes: usize = changes.iter().map(|change| change.value.len()).sum();
        if bytes > WHOLE_BYTES {
            return self.send_in_pieces(link, fence, changes).await;
        }
        let mut script = self.scripts.apply.prepare_invoke();
        self.fenced(&mut script, fence);
        for change in changes {
            script.key(&change.key).arg(&change.value);
        }
        link.noticed(script.invoke_async(&mut link.writes()).await)
    }

    /// Values first, under names that nobody reads; then one script that renames them. As atomic as the other way.
    async fn send_in_pieces(
        &self,
        link: &Link,
        fence: &Fence,
        changes: &[Sent<'_>],
    ) -> Result<Fields, RedisError> {
        // The later change of a key counts, and no staged value may be left over.
        let last: BTreeMap<&str, &[u8]> = changes
            .iter()
            .map(|change| (change.key.as_str(), change.value.as_slice()))
            .collect();
        let (deletes, puts): (Vec<_>, Vec<_>) = last.into_iter().partition(|(_, value)| value.is_empty());
        let token = Uuid::new_v4().simple().to_string();
        let (mut piece, mut bytes) = (pipe(), 0);
        for (number, (_, value)) in puts.iter().enumerate() {
            let staged = self.keys.staged(&token, number);
            piece.cmd("SET").arg(staged).arg(*value);
            piece.arg("PX").arg(STAGED_FOR_MS).ignore();
            bytes += value.len();
            if bytes >= PIECE_BYTES {
                link.noticed(piece.exec_async(&mut link.writes()).await)?;
                (piece, bytes) = (pipe(), 0);
            }
        }
        if bytes > 0 {
            link.noticed(piece.exec_async(&mut link.writes()).await)?;
        }
        let mut script = self.scripts.commit.prepare_invoke();
        self.fenced(&mut script, fence);
        script.arg(puts.len());
        for number in 0..puts.len() {
            script.key(self.keys.staged(&token, number));
        }
        for (key, _) in puts.iter().chain(&deletes) {
            script.key(*key);
        }
        link.noticed(script.invoke_async(&mut link.writes()).await)
    }

    fn fenced(&self, script: &mut ScriptInvocation<'_>, fence: &Fence) {
        script.key(self.keys.state()).arg(fence.generation.0);
        script.arg(scripts::stored(fence.before)).arg(fence.after.0);
    }

    /// Sweeps behind whoever dropped a generation; it may take a while and nobody waits for it.
    fn sweep_behind(self: &Arc<Self>, link: Arc<Link>) {
        let shared = self.clone();
        tokio::spawn(async move {
            if let Err(error) = shared.sweep(&link).await {
                tracing::warn!(%error, "documents of a dropped generation are still in Redis; the next rebuild removes them");
            }
        });
    }

    async fn apply(
        &self,
        generation: Generation,
        changes: &[Change],
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        let link = self.link().await?;
        let before = match self.fences.begin(generation) {
            Some(known) => known,
            None => self.checkpoint(generation).await?,
        };
        let changes: Vec<Sent<'_>> = changes
            .iter()
            .map(|change| self.sent(generation, change))
            .collect();
        let fence = Fence {
            generation,
            before,
            after: checkpoint,
        };
        let wipes = link.seen.wipes();
        let fields = self
            .send(&link, &fence, &changes)
            .await
            .map_err(|error| unavailable(&error))?;
        // Redis tells our reading connection too, but perhaps not before the caller reads.
        for change in &changes {
            link.seen.documents.forget(&change.place);
        }
        self.fences.applied(generation, checkpoint);
        link.seen.learn(wipes, State::read(&fields));
        self.announce(&link);
        Ok(())
    }

    fn sent<'a>(&self, generation: Generation, change: &'a Change) -> Sent<'a> {
        let (collection, key, value) = match change {
            Change::Put { collection, document } => {
                (collection.name, document.key.as_str(), keys::encode(document))
            }
            Change::Delete { collection, key } => (collection.name, key.as_str(), Vec::new()),
        };
        Sent {
            place: Lookup {
                generation: generation.0,
                collection,
                key,
            },
            key: self.keys.document(generation, collection, key),
            value,
        }
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        let link = self.link().await?;
        let turn = self.fences.turn();
        let fields = self.fields(&link).await?;
        let at = scripts::applied(&fields, generation).ok_or_else(|| {
            StoreError::Unavailable(format!("redis: there is no generation {}", generation.0))
        })?;
        self.fences.read(turn, generation, at);
        Ok(at)
    }
}

#[async_trait]
impl ReadStore for RedisStore {
    async fn apply(
        &self,
        generation: Generation,
        changes: Vec<Change>,
        checkpoint: Position,
    ) -> Result<(), StoreError> {
        self.shared.apply(generation, &changes, checkpoint).await
    }

    async fn checkpoint(&self, generation: Generation) -> Result<Option<Position>, StoreError> {
        self.shared.checkpoint(generation).await
    }

    /// Makes an empty Redis ready to be filled: for whoever fills it. Readers ask for documents only.
    async fn active(&self) -> Result<Generation, StoreError> {
        let link = self.shared.link().await?;
        self.shared.ensure(&link).await.map(|state| state.active)
    }

    async fn begin(&self) -> Result<Generation, StoreError> {
        let shared = &self.shared;
        let link = shared.link().await?;
        shared.ensure(&link).await?;
        shared.fences.forget();
        let begun = shared
            .run(
                &link,
                shared.scripts.begin.prepare_invoke().key(shared.keys.state()),
            )
            .await?;
        shared.sweep_behind(link);
        let begun = u32::try_from(begun).map_err(|_| empty())?;
        Ok(Generation(begun))
    }

    async fn activate(&self, generation: Generation) -> Result<(), StoreError> {
        let shared = &self.shared;
        let link = shared.link().await?;
        let mut script = shared.scripts.activate.prepare_invoke();
        script.key(shared.keys.state()).arg(generation.0);
        shared.run(&link, &script).await?;
        shared.fields(&link).await?;
        shared.sweep_behind(link);
        Ok(())
    }

    async fn get(
        &self,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.shared.read(collection, key, Demand::default()).await
    }

    async fn get_in(
        &self,
        generation: Generation,
        collection: &'static Collection,
        key: &str,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        self.shared.read_in(generation, collection, key).await
    }

    async fn find(
        &self,
        collection: &'static Collection,
        query: Query,
    ) -> Result<Vec<Arc<Document>>, StoreError> {
        self.shared.find(collection, query).await
    }

    async fn count(&self, collection: &'static Collection) -> Result<u64, StoreError> {
        self.shared.count(collection).await
    }

    fn applied(&self) -> watch::Receiver<Option<Position>> {
        self.shared.applied.subscribe()
    }

    async fn mark(&self, name: &str) -> Result<Option<Position>, StoreError> {
        let link = self.shared.link().await?;
        let fields = self.shared.fields(&link).await?;
        let position = fields
            .get(&scripts::mark(name))
            .and_then(|text| text.parse().ok());
        Ok(position.map(Position))
    }

    /// `COMPLETE` is refused when the documents are not just there.
    async fn set_mark(&self, name: &str, position: Position) -> Result<(), StoreError> {
        let shared = &self.shared;
        let link = shared.link().await?;
        if name == scripts::COMPLETE {
            let mut script = shared.scripts.mark_complete.prepare_invoke();
            script.key(shared.keys.state()).arg(position.0);
            shared.run(&link, &script).await?;
            return shared.fields(&link).await.map(drop);
        }
        let mut set = cmd("HSET");
        set.arg(shared.keys.state())
            .arg(scripts::mark(name))
            .arg(position.0);
        let answer = set.exec_async(&mut link.writes()).await;
        link.noticed(answer).map_err(|error| unavailable(&error))
    }
}
