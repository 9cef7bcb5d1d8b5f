//! The states that a lane has in memory, and how they get there.

use super::{LanePorts, Served};
use contract::{Failure, Position, StreamEnd, StreamName, Timestamp};
use ports::{LogError, Snapshot};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// How many events are read at a time.
const PAGE: usize = 1_000;

/// An aggregate in memory.
pub(super) struct Cached<A: Served> {
    pub state: A::State,
    pub end: StreamEnd,
    /// Where its last event stands in the log, when it has one.
    pub position: Option<Position>,
    /// The revision up to which a snapshot is kept.
    pub snapshot_at: u64,
    used: u64,
    timer: Option<Timestamp>,
}

impl<A: Served> Cached<A> {
    /// An aggregate that does not exist.
    pub fn absent() -> Self {
        Self {
            state: A::State::default(),
            end: StreamEnd::NEW,
            position: None,
            snapshot_at: 0,
            used: 0,
            timer: None,
        }
    }
}

/// The aggregates of one lane, the least recently used forgotten first. The map is only keyed into or swept
/// whole, so its order never matters.
pub(super) struct Cache<A: Served> {
    entries: HashMap<Uuid, Cached<A>>,
    /// Whose state changes by the passing of time alone, and when.
    timers: BTreeSet<(Timestamp, Uuid)>,
    limit: usize,
    tick: u64,
}

impl<A: Served> Cache<A> {
    pub fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            timers: BTreeSet::new(),
            limit,
            tick: 0,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.timers.clear();
    }

    pub fn contains(&self, key: &Uuid) -> bool {
        self.entries.contains_key(key)
    }

    pub fn get(&self, key: &Uuid) -> Option<&Cached<A>> {
        self.entries.get(key)
    }

    pub fn get_mut(&mut self, key: &Uuid) -> Option<&mut Cached<A>> {
        self.tick += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.tick;
        Some(entry)
    }

    pub fn insert(&mut self, key: Uuid, mut entry: Cached<A>) {
        self.remove(&key);
        self.tick += 1;
        entry.used = self.tick;
        self.entries.insert(key, entry);
        self.set_timer(key);
    }

    pub fn remove(&mut self, key: &Uuid) {
        if let Some(timer) = self.entries.remove(key).and_then(|entry| entry.timer) {
            self.timers.remove(&(timer, *key));
        }
    }

    /// To be called when a state has changed: its timer may have.
    pub fn set_timer(&mut self, key: Uuid) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        let due = A::due(&entry.state).map(|(at, _)| at);
        if entry.timer != due {
            entry.timer.map(|timer| self.timers.remove(&(timer, key)));
            due.map(|at| self.timers.insert((at, key)));
            entry.timer = due;
        }
    }

    /// Stops a timer whose action changed nothing; the next change of the state sets it anew.
    pub fn silence(&mut self, key: Uuid) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        entry.timer.take().map(|timer| self.timers.remove(&(timer, key)));
    }

    /// When the next state changes by the passing of time alone.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whose time has come, and what is to be decided.
    pub fn due(&self, now: Timestamp) -> Vec<(Uuid, A::Action)> {
        let come = self.timers.iter().take_while(|(at, _)| *at <= now);
        come.filter_map(|(_, key)| Some((*key, A::due(&self.entries.get(key)?.state)?.1)))
            .collect()
    }

    /// Forgets the least recently used half of what may be forgotten, once there are too many.
    pub fn shrink(&mut self, keep: impl Fn(&Uuid) -> bool) {
        if self.entries.len() <= self.limit {
            return;
        }
        let mut ages: Vec<u64> = self.entries.values().map(|entry| entry.used).collect();
        let middle = ages.len() / 2;
        let median = *ages.select_nth_unstable(middle).1;
        self.entries
            .retain(|key, entry| entry.used > median || entry.timer.is_some() || keep(key));
    }
}

/// Reads an aggregate from its snapshot and the rest of its stream.
pub(super) async fn load<A: Served>(ports: &LanePorts, key: Uuid) -> Result<Cached<A>, Failure> {
    let stream = StreamName::of(A::KIND, key);
    let mut entry = match from_snapshot::<A>(ports, &stream).await? {
        Some(entry) => entry,
        None => Cached::absent(),
    };
    loop {
        let page = ports
            .log
            .read(&stream, entry.end.next, PAGE)
            .await
            .map_err(unreadable)?;
        for recorded in &page {
            let decoded = recorded.decode().map_err(|error| Failure::Unreadable {
                what: format!("{stream} at revision {}: {error}", recorded.revision),
            })?;
            A::evolve(&mut entry.state, &decoded.0);
            entry.end = StreamEnd {
                next: recorded.revision + 1,
                last: decoded.1.hash,
            };
            entry.position = Some(recorded.position);
        }
        if page.len() < PAGE {
            return Ok(entry);
        }
    }
}

/// The snapshot, if there is one that the log still agrees with.
async fn from_snapshot<A: Served>(
    ports: &LanePorts,
    stream: &StreamName,
) -> Result<Option<Cached<A>>, Failure> {
    if A::SNAPSHOT_EVERY.is_none() {
        return Ok(None);
    }
    let kept = match ports.snapshots.load(stream).await {
        Ok(Some(kept)) if kept.form == A::SNAPSHOT_FORM => kept,
        // A snapshot is only a shortcut: without one the whole stream is read.
        Ok(_) => return Ok(None),
        Err(error) => {
            tracing::warn!(%stream, %error, "snapshot not read; reading the whole stream");
            return Ok(None);
        }
    };
    let last = ports
        .log
        .read(stream, kept.revision, 1)
        .await
        .map_err(unreadable)?;
    let same = last
        .first()
        .and_then(|recorded| recorded.end().ok())
        .map(|end| end.last)
        == Some(kept.digest);
    let Some(state) = A::restore(&kept.state).filter(|_| same) else {
        tracing::warn!(%stream, "snapshot does not fit the log; reading the whole stream");
        return Ok(None);
    };
    Ok(Some(Cached {
        state,
        end: StreamEnd {
            next: kept.revision + 1,
            last: kept.digest,
        },
        position: Some(kept.position),
        snapshot_at: kept.revision + 1,
        used: 0,
        timer: None,
    }))
}

fn unreadable(error: LogError) -> Failure {
    match error {
        LogError::Unavailable(what) => Failure::Unavailable { what },
        LogError::Damaged(what) => Failure::Unreadable { what },
    }
}

/// Keeps a snapshot of a state that has grown enough, in the background: it is only a shortcut.
pub(super) fn keep_snapshot<A: Served>(ports: &LanePorts, key: Uuid, entry: &mut Cached<A>) {
    let (Some(every), Some(position)) = (A::SNAPSHOT_EVERY, entry.position) else {
        return;
    };
    if entry.end.next - entry.snapshot_at < every {
        return;
    }
    entry.snapshot_at = entry.end.next;
    let (state, end, snapshots) = (entry.state.clone(), entry.end, ports.snapshots.clone());
    let stream = StreamName::of(A::KIND, key);
    tokio::spawn(async move {
        let Ok(Some(bytes)) = tokio::task::spawn_blocking(move || A::snapshot(&state)).await else {
            return;
        };
        let snapshot = Snapshot {
            revision: end.next - 1,
            digest: end.last,
            position,
            form: A::SNAPSHOT_FORM,
            state: bytes,
        };
        if let Err(error) = snapshots.save(&stream, snapshot).await {
            tracing::warn!(%stream, %error, "snapshot not kept");
        }
    });
}
