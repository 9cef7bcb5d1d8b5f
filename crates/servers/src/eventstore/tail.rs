//! Following the log: in pages as long as there is much to catch up with, then by a live subscription.
//!
//! A subscription that is not read fills the window of the connection that everything shares, and then no call gets
//! an answer any more. So a [`Feed`] reads whatever comes and hands it over through a bounded queue; when that is
//! full the feed ends, and the tail goes on in pages, which are asked for when there is room for them.
//!
//! The place to go on from is that of the last event taken over; checkpoints of the server are not relied on. What
//! comes again, whatever way, is passed over.

use super::{
    connection::{Connection, Link},
    fault,
    reading::{MAX_READ, Page, Place, Reading, Recorder, is_servers, original, place},
};
use async_trait::async_trait;
use contract::{Position, Recorded};
use eventstore::{
    StreamPosition, SubscribeToAllOptions, Subscription, SubscriptionEvent, SubscriptionFilter,
};
use ports::{LogError, Tail};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// What a page has at the most. Two are held at once.
const PAGE_EVENTS: usize = 2_048;
const PAGE_BYTES: usize = 8 << 20;
/// What a feed holds at the most.
const FEED_EVENTS: usize = 4_096;
const FEED_BYTES: usize = 16 << 20;
/// How many events the server looks through before it tells how far it is.
const CHECKPOINT_EVERY: u32 = 512;
/// How long the server may take to confirm a subscription.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(5);
/// How often a silent feed is compared with the log, and how often in a row it may be behind.
const WATCH_EVERY: Duration = Duration::from_secs(5);
const STRIKES: u32 = 2;
/// The pause after a fault.
const PAUSE: Duration = Duration::from_millis(200);

type Events = Vec<Arc<Recorded>>;

pub(super) struct LogTail {
    connection: Arc<Connection>,
    reading: Reading,
    /// The last place that was taken over, also if the event there is the server's.
    reach: Option<Place>,
    /// Taken over, not yet returned.
    ready: VecDeque<Arc<Recorded>>,
    source: Source,
    /// Whether the last source ended with a fault.
    faulty: bool,
}

enum Source {
    None,
    /// Stays here until it has ended, so that a caller who stops waiting loses nothing.
    Page(JoinHandle<Result<Page, LogError>>),
    Live(Feed),
}

impl LogTail {
    pub fn new(connection: Arc<Connection>, reading: Reading, after: Option<Position>) -> Self {
        Self {
            connection,
            reading,
            reach: after.map(place),
            ready: VecDeque::new(),
            source: Source::None,
            faulty: false,
        }
    }

    fn begin_page(&self) -> Source {
        let (reading, reach, faulty) = (self.reading.clone(), self.reach, self.faulty);
        Source::Page(tokio::spawn(async move {
            if faulty {
                sleep(PAUSE).await;
            }
            reading.page(reach, PAGE_EVENTS, PAGE_BYTES).await
        }))
    }

    fn take_page(&mut self, page: Page) {
        self.faulty = false;
        self.reach = page.reach;
        self.ready.extend(page.events);
        self.source = if page.end {
            Source::Live(Feed::begin(&self.connection, &self.reading, self.reach))
        } else {
            self.begin_page()
        };
    }

    fn fault(&mut self, why: LogError) -> LogError {
        metrics::counter!("eventflow_eventstore_tail_faults_total").increment(1);
        tracing::debug!(%why, "a tail was interrupted");
        self.source = Source::None;
        self.faulty = true;
        why
    }

    /// What the feed gave, without what was there before.
    fn take_live(&mut self, batch: Vec<Arc<Recorded>>) -> Events {
        let reach = self.reach.map(|reach| reach.commit);
        let new: Events = batch
            .into_iter()
            .filter(|event| reach.is_none_or(|reach| event.position.0 > reach))
            .collect();
        if let Some(last) = new.last() {
            self.reach = Some(place(last.position));
        }
        new
    }
}

#[async_trait]
impl Tail for LogTail {
    async fn next(&mut self, max: usize) -> Result<Events, LogError> {
        let max = max.clamp(1, MAX_READ);
        loop {
            if !self.ready.is_empty() {
                let count = max.min(self.ready.len());
                return Ok(self.ready.drain(..count).collect());
            }
            // In each arm nothing is awaited between taking something over and noting it.
            match &mut self.source {
                Source::None => self.source = self.begin_page(),
                Source::Page(page) => match page.await {
                    Ok(Ok(page)) => self.take_page(page),
                    Ok(Err(error)) => return Err(self.fault(error)),
                    Err(ended) => return Err(self.fault(LogError::Unavailable(ended.to_string()))),
                },
                Source::Live(feed) => match feed.next(max).await {
                    Some(batch) => {
                        let new = self.take_live(batch);
                        if !new.is_empty() {
                            return Ok(new);
                        }
                    }
                    None => match feed.end().await {
                        Ended::Full => self.source = Source::None,
                        Ended::Failed(why) => return Err(self.fault(LogError::Unavailable(why))),
                    },
                },
            }
        }
    }
}

impl Drop for LogTail {
    fn drop(&mut self) {
        if let Source::Page(page) = &self.source {
            page.abort();
        }
    }
}

/// Why a feed ended.
enum Ended {
    /// Its queue was full.
    Full,
    Failed(String),
}

/// A live subscription. Dropping it ends it.
struct Feed {
    events: mpsc::Receiver<Arc<Recorded>>,
    /// How many bytes the queue holds.
    queued: Arc<AtomicUsize>,
    pump: JoinHandle<Ended>,
    /// Ends when the subscription stands still. In a task of its own, because the crate's may never yield.
    watch: JoinHandle<()>,
    still: bool,
}

impl Feed {
    fn begin(connection: &Arc<Connection>, reading: &Reading, after: Option<Place>) -> Self {
        metrics::counter!("eventflow_eventstore_subscriptions_total").increment(1);
        let (sender, events) = mpsc::channel(FEED_EVENTS);
        let queued = Arc::<AtomicUsize>::default();
        let seen = Arc::new(AtomicU64::new(after.map_or(0, |after| after.commit)));
        let pump = Pump {
            sender,
            queued: queued.clone(),
            seen: seen.clone(),
            recorder: Recorder::default(),
        };
        Self {
            events,
            queued,
            pump: tokio::spawn(pump.run(connection.clone(), after)),
            watch: tokio::spawn(watch(reading.clone(), seen)),
            still: false,
        }
    }

    /// Waits for events; `None` when it has ended and all are taken. Cancel-safe, as all that it awaits.
    async fn next(&mut self, max: usize) -> Option<Events> {
        let mut batch = Events::new();
        let count = tokio::select! {
            biased;
            count = self.events.recv_many(&mut batch, max) => count,
            _ = &mut self.watch, if !self.still => {
                self.still = true;
                0
            }
        };
        let bytes: usize = batch.iter().map(|event| size(event)).sum();
        self.queued.fetch_sub(bytes, Ordering::Relaxed);
        (count > 0).then_some(batch)
    }

    async fn end(&mut self) -> Ended {
        if self.still {
            return Ended::Failed("the subscription stands still".into());
        }
        match (&mut self.pump).await {
            Ok(ended) => ended,
            Err(ended) => Ended::Failed(ended.to_string()),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.pump.abort();
        self.watch.abort();
    }
}

fn size(event: &Recorded) -> usize {
    event.data.len() + event.meta.len()
}

/// Ends when the log has gone on and the feed has not.
async fn watch(reading: Reading, seen: Arc<AtomicU64>) {
    let (mut last, mut strikes) = (None, 0);
    while strikes < STRIKES {
        sleep(WATCH_EVERY).await;
        let now = seen.load(Ordering::Relaxed);
        let silent = last.replace(now) == Some(now);
        let behind = silent && matches!(reading.head().await, Ok(Some(head)) if head.0 > now);
        strikes = if behind { strikes + 1 } else { 0 };
    }
}

/// Reads the subscription and fills the queue.
struct Pump {
    sender: mpsc::Sender<Arc<Recorded>>,
    queued: Arc<AtomicUsize>,
    /// The last position that the subscription has shown or passed over.
    seen: Arc<AtomicU64>,
    recorder: Recorder,
}

impl Pump {
    async fn run(mut self, connection: Arc<Connection>, after: Option<Place>) -> Ended {
        let link = match connection.link_patiently().await {
            Ok(link) => link,
            Err(why) => return Ended::Failed(why),
        };
        let mut subscription = subscribe(&connection, &link, after).await;
        let first = timeout(CONFIRMED_WITHIN, subscription.next_subscription_event()).await;
        let Ok(mut next) = first else {
            connection.suspect(&link);
            return Ended::Failed("the server does not confirm a subscription".into());
        };
        loop {
            match next {
                Ok(event) => {
                    if let Some(ended) = self.take(event) {
                        return ended;
                    }
                }
                Err(error) => {
                    if fault::is_suspicious(&error) {
                        connection.suspect(&link);
                    }
                    return Ended::Failed(fault::text(&error));
                }
            }
            next = subscription.next_subscription_event().await;
        }
    }

    fn take(&mut self, event: SubscriptionEvent) -> Option<Ended> {
        let event = match event {
            SubscriptionEvent::EventAppeared(event) => original(event)?,
            SubscriptionEvent::Checkpoint(place) => {
                self.seen.fetch_max(place.commit, Ordering::Relaxed);
                return None;
            }
            _ => return None,
        };
        self.seen.fetch_max(event.position.commit, Ordering::Relaxed);
        if is_servers(&event) {
            return None;
        }
        let event = self.recorder.recorded(event);
        let bytes = size(&event);
        if self.queued.load(Ordering::Relaxed) + bytes > FEED_BYTES {
            return Some(Ended::Full);
        }
        self.queued.fetch_add(bytes, Ordering::Relaxed);
        match self.sender.try_send(event) {
            Ok(()) => None,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => Some(Ended::Full),
        }
    }
}

/// By type, because that is what all of the server's own events have in common; without the crate's own retries,
/// because the tail knows better where to go on.
async fn subscribe(connection: &Connection, link: &Link, after: Option<Place>) -> Subscription {
    let filter = SubscriptionFilter::on_event_type()
        .exclude_system_events()
        .max(CHECKPOINT_EVERY);
    let mut options = SubscribeToAllOptions::default()
        .position(after.map_or(StreamPosition::Start, StreamPosition::Position))
        .filter(filter);
    if let Some(credentials) = &connection.credentials {
        options = options.authenticated(credentials.clone());
    }
    link.client.subscribe_to_all(&options).await
}
