//! One connection to the broker (two, in fact), from its making to its loss, and the loop that makes the next.
//!
//! What is published and what is consumed go by connections of their own: when the broker runs short of memory or
//! disk it stops reading from whoever publishes, and acknowledgements must get through all the same.

use super::{
    Core, asks,
    driver::{self, Trouble, timely},
    events, lanes,
    names::short,
    replies, topology,
};
use lapin::{
    Channel, Connection, ExchangeKind, options::ExchangeDeclareOptions, types::FieldTable, uri::AMQPUri,
};
use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// The pause before the next try to connect; doubled up to the second.
const RETRY: Duration = Duration::from_millis(100);
const RETRY_AT_MOST: Duration = Duration::from_secs(2);
/// How often the connections are looked at, and every so many looks the broker is asked whether it is there.
const LOOK: Duration = Duration::from_millis(250);
const PROBE_EVERY: u32 = 4;
/// Without an answer for so long, callers are told that it is away …
const STALLED_AFTER: Duration = Duration::from_secs(1);
/// … and the end of a process waits at most so long for a polite goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Replies that may wait to be sent.
const REPLIES: usize = 4_096;

/// A connection.
pub(super) struct Session {
    /// 1, 2, 3 …
    pub number: u64,
    /// For what is published.
    pub publishing: Connection,
    /// For what is consumed.
    pub consuming: Connection,
    /// The numbers of asks to be sent.
    pub asks: mpsc::Sender<u64>,
    /// Events to be published.
    pub events: mpsc::Sender<events::Outgoing>,
    /// Replies to be sent.
    pub replies: mpsc::Sender<replies::Outgoing>,
    lost: watch::Sender<bool>,
    stalled: AtomicBool,
}

impl Session {
    /// It is over, for this reason. The first reason is told.
    pub fn lose(&self, why: &dyn Display) {
        if !self.lost.send_replace(true) {
            tracing::warn!(%why, "the connection to the broker is lost");
        }
    }

    /// Whether it is over.
    pub fn is_lost(&self) -> bool {
        *self.lost.borrow()
    }

    /// Waits until it is over. Holds nothing of the session.
    pub fn gone(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut lost = self.lost.subscribe();
        async move {
            // An end without a word is one as well.
            let _ = lost.wait_for(|lost| *lost).await;
        }
    }

    /// Why nothing can be published now, when that is so.
    pub fn trouble(&self) -> Option<&'static str> {
        if self.is_lost() {
            Some("the connection is lost")
        } else if self.stalled.load(Ordering::Relaxed) {
            Some("it does not answer")
        } else if self.publishing.status().blocked() {
            Some("it is short of memory or disk")
        } else {
            None
        }
    }

    async fn close(&self) {
        for connection in [&self.consuming, &self.publishing] {
            // Whoever cannot be told finds out by himself.
            let _ = tokio::time::timeout(GOODBYE, connection.close(200, short("goodbye"))).await;
        }
    }
}

/// Keeps a session standing until `stop` turns true.
pub(super) async fn keep(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let mut number = 0;
    let mut pause = RETRY;
    let mut suspicious = false;
    loop {
        let outcome = tokio::select! {
            outcome = establish(&core, number + 1, suspicious) => outcome,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match outcome {
            Ok(session) => {
                number += 1;
                (pause, suspicious) = (RETRY, false);
                tracing::info!(number, "connected to the broker");
                core.meters.connected.set(1.0);
                core.meters.reconnects.increment(u64::from(number > 1));
                core.session.send_replace(Some(session.clone()));
                lanes::start_all(&core, &session);
                let stopped = tokio::select! {
                    () = watch_over(&session) => false,
                    _ = stop.wait_for(|stop| *stop) => true,
                };
                core.session.send_replace(None);
                core.meters.connected.set(0.0);
                if stopped {
                    session.lost.send_replace(true);
                    return session.close().await;
                }
            }
            Err(trouble) => {
                suspicious = matches!(trouble, Trouble::TimedOut(_));
                tracing::warn!(%trouble, "the broker cannot be reached; it is tried again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        pause = (pause * 2).min(RETRY_AT_MOST);
    }
}

/// Connects, declares everything, and starts what sends.
async fn establish(core: &Arc<Core>, number: u64, suspicious: bool) -> Result<Arc<Session>, Trouble> {
    let uri: AMQPUri = driver::parse(&core.options.url)?;
    if suspicious {
        driver::greets(&uri).await?;
    }
    let node = &core.options.node;
    let publishing = driver::connect(&uri, format!("{node} publishes")).await?;
    let consuming = driver::connect(&uri, format!("{node} consumes")).await?;
    topology::everything(&consuming, &core.names, &core.options).await?;
    let counter = asks::open(&publishing).await?;
    let event_channel = events::open(&publishing).await?;
    let reply_channel = timely("channel.open", publishing.create_channel()).await?;
    let (ask_sender, ask_numbers) = mpsc::channel(core.options.max_in_flight.max(1));
    let (event_sender, outgoing_events) = mpsc::channel(1);
    let (reply_sender, outgoing_replies) = mpsc::channel(REPLIES);
    let session = Arc::new(Session {
        number,
        publishing,
        consuming,
        asks: ask_sender,
        events: event_sender,
        replies: reply_sender,
        lost: watch::Sender::new(false),
        stalled: AtomicBool::new(false),
    });
    tokio::spawn(asks::run(core.clone(), session.clone(), counter, ask_numbers));
    tokio::spawn(events::run(
        core.clone(),
        session.clone(),
        event_channel,
        outgoing_events,
    ));
    tokio::spawn(replies::run(
        core.clone(),
        session.clone(),
        reply_channel,
        outgoing_replies,
    ));
    Ok(session)
}

/// Looks after a session until it is lost.
async fn watch_over(session: &Session) {
    let mut gone = std::pin::pin!(session.gone());
    let mut looks = 0_u32;
    let mut probes: Option<(Channel, Channel)> = None;
    loop {
        tokio::select! {
            () = &mut gone => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        for connection in [&session.publishing, &session.consuming] {
            if !connection.status().connected() {
                return session.lose(&"the broker closed it");
            }
        }
        looks = looks.wrapping_add(1);
        if !looks.is_multiple_of(PROBE_EVERY) {
            continue;
        }
        let probing = probe(session, &mut probes);
        tokio::select! {
            () = &mut gone => return,
            outcome = probing => if let Err(trouble) = outcome {
                return session.lose(&trouble);
            }
        }
    }
}

/// Asks the broker on both connections whether it is there. A publishing connection that is blocked is not read.
async fn probe(session: &Session, probes: &mut Option<(Channel, Channel)>) -> Result<(), Trouble> {
    let asking = async {
        if probes.is_none() {
            let consuming = timely("channel.open", session.consuming.create_channel()).await?;
            let publishing = timely("channel.open", session.publishing.create_channel()).await?;
            *probes = Some((consuming, publishing));
        }
        let Some((consuming, publishing)) = probes else {
            return Ok(());
        };
        is_there(consuming).await?;
        match session.publishing.status().blocked() {
            true => Ok(()),
            false => match is_there(publishing).await {
                Err(Trouble::TimedOut(_)) if session.publishing.status().blocked() => Ok(()),
                outcome => outcome,
            },
        }
    };
    let mut asking = std::pin::pin!(asking);
    let outcome = match tokio::time::timeout(STALLED_AFTER, &mut asking).await {
        Ok(outcome) => outcome,
        Err(_) => {
            session.stalled.store(true, Ordering::Relaxed);
            asking.await
        }
    };
    session.stalled.store(false, Ordering::Relaxed);
    outcome
}

async fn is_there(channel: &Channel) -> Result<(), Trouble> {
    let passive = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let looked = channel.exchange_declare(
        short("amq.topic"),
        ExchangeKind::Topic,
        passive,
        FieldTable::default(),
    );
    timely("a probe", looked).await
}
