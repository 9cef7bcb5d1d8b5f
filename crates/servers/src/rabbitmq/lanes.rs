//! Serving lanes: from the lane's queue into its mailbox, and its answers back.
//!
//! An ask leaves the queue when its answer is on the way, not before. The mailboxes outlive connections; what was in
//! them when a connection was lost comes again by the next.

use super::{
    Core,
    acks::{self, Acks, Verdict},
    driver::{Trouble, timely},
    names::short,
    replies,
    session::Session,
    shares::Shares,
    topology, wire,
};
use contract::{Ask, Reply, StreamKind};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Consumer,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use ports::{Delivery, Lanes};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// The pause before a consumer that failed alone is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The lanes of a kind, which this process serves.
pub(super) struct Service {
    kind: StreamKind,
    mailboxes: Vec<mpsc::Sender<Delivery>>,
    shares: Arc<Shares>,
    /// The session in which it was started last.
    session: AtomicU64,
    /// How many consumers there were: between two of one lane, another node may have served it.
    terms: AtomicU32,
}

impl Service {
    /// Mailboxes that nothing comes to yet.
    pub fn new(core: &Core, kind: StreamKind) -> (Arc<Self>, Lanes) {
        let lanes = core.options.lanes.max(1);
        let room = usize::from(core.options.prefetch_asks).max(1);
        let (mailboxes, receivers) = (0..lanes).map(|_| mpsc::channel(room)).unzip();
        let service = Self {
            kind,
            mailboxes,
            shares: Shares::new(
                core.names.members(&format!("lane.{}", kind.prefix())),
                (0..lanes).map(|lane| core.names.lane(kind, lane)),
            ),
            session: AtomicU64::new(0),
            terms: AtomicU32::new(0),
        };
        (Arc::new(service), receivers)
    }

    /// Whether somebody takes what comes.
    pub fn is_served(&self) -> bool {
        self.mailboxes.iter().any(|mailbox| !mailbox.is_closed())
    }
}

/// Starts all that this process serves.
pub(super) fn start_all(core: &Arc<Core>, session: &Arc<Session>) {
    for service in core.services() {
        drop(start(core, session, service));
    }
}

/// Starts a service, once per session. Ready when its queues stand.
pub(super) fn start(
    core: &Arc<Core>,
    session: &Arc<Session>,
    service: Arc<Service>,
) -> oneshot::Receiver<()> {
    let (ready, stands) = oneshot::channel();
    if service.session.swap(session.number, Ordering::Relaxed) != session.number {
        tokio::spawn(run(core.clone(), session.clone(), service, ready));
    }
    stands
}

async fn run(core: Arc<Core>, session: Arc<Session>, service: Arc<Service>, ready: oneshot::Sender<()>) {
    while let Err(trouble) = declare(&core, &session, &service).await {
        if session.is_lost() {
            return;
        }
        tracing::warn!(%trouble, kind = service.kind.prefix(), "the queues of the lanes cannot be declared");
        tokio::time::sleep(RETRY).await;
    }
    // Whoever has not waited needs no word.
    let _ = ready.send(());
    for (lane, pause) in service
        .shares
        .order(&core.options.node, core.options.take_every_ms)
    {
        let (core, session, service) = (core.clone(), session.clone(), service.clone());
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            serve(&core, &session, &service, lane).await;
        });
    }
    let ended = async {
        for mailbox in &service.mailboxes {
            mailbox.closed().await;
        }
    };
    service.shares.clone().watch(core, session, ended).await;
}

async fn declare(core: &Core, session: &Session, service: &Service) -> Result<(), Trouble> {
    topology::lanes(&session.consuming, &core.names, &core.options, service.kind).await?;
    topology::members(&session.consuming, service.shares.members()).await
}

/// Serves a lane until the session or the lane ends.
async fn serve(core: &Arc<Core>, session: &Arc<Session>, service: &Service, lane: usize) {
    let Some(mailbox) = service.mailboxes.get(lane) else {
        return;
    };
    while !session.is_lost() && !mailbox.is_closed() {
        if let Err(trouble) = stint(core, session, service, lane, mailbox).await
            && !session.is_lost()
        {
            tracing::warn!(%trouble, queue = service.shares.name(lane), "a lane is served again");
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Serves a lane with one consumer: until the session or the lane ends, or the lane is given up to another node.
async fn stint(
    core: &Arc<Core>,
    session: &Arc<Session>,
    service: &Service,
    lane: usize,
    mailbox: &mpsc::Sender<Delivery>,
) -> Result<(), Trouble> {
    let (channel, mut consumer) = consume(
        core,
        session,
        service.shares.name(lane),
        core.options.prefetch_asks,
    )
    .await?;
    let mut answers = Answers {
        core: core.clone(),
        session: session.clone(),
        acks: Acks::new(channel.clone(), core.options.prefetch_asks),
        waiting: FuturesUnordered::new(),
        term: service.terms.fetch_add(1, Ordering::Relaxed).wrapping_add(1),
    };
    let mut gone = std::pin::pin!(session.gone());
    let mut held: Option<Delivery> = None;
    loop {
        tokio::select! {
            () = &mut gone => return Ok(()),
            () = service.shares.called_back(lane) => break,
            () = mailbox.closed() => break,
            Some(answered) = answers.waiting.next(), if !answers.waiting.is_empty() => {
                answers.send(answered).await;
            }
            place = mailbox.reserve(), if held.is_some() => match (place, held.take()) {
                (Ok(place), Some(delivery)) => place.send(delivery),
                _ => break,
            },
            delivery = consumer.next(), if held.is_none() => match delivery {
                Some(Ok(delivery)) => {
                    service.shares.note(lane);
                    held = answers.take(delivery);
                }
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Trouble::Ended),
            },
        }
    }
    // Dropped, it is given back with those behind it, which keeps their order.
    drop(held);
    acks::retire(&channel, consumer, &answers.acks).await;
    tokio::spawn(answers.finish());
    Ok(())
}

/// Consumes a queue on a channel of its own.
pub(super) async fn consume(
    core: &Core,
    session: &Session,
    queue: &str,
    prefetch: u16,
) -> Result<(Channel, Consumer), Trouble> {
    let channel = timely("channel.open", session.consuming.create_channel()).await?;
    // Of this consumer, not global: quorum queues know no other.
    timely(
        "basic.qos",
        channel.basic_qos(prefetch, BasicQosOptions::default()),
    )
    .await?;
    let consumed = channel.basic_consume(
        short(queue),
        short(&*core.options.node),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let consumer = timely("basic.consume", consumed).await?;
    Ok((channel, consumer))
}

/// The answers that are waited for.
struct Answers {
    core: Arc<Core>,
    session: Arc<Session>,
    acks: Acks,
    waiting: FuturesUnordered<Answering>,
    term: u32,
}

impl Answers {
    /// Takes an ask in; one that cannot be read is a dead letter.
    fn take(&self, delivery: lapin::message::Delivery) -> Option<Delivery> {
        let ask: Ask = match wire::ask_from_bytes(&delivery.data) {
            Ok(ask) => ask,
            Err(error) => {
                self.core.meters.unreadable.increment(1);
                tracing::error!(%error, "an ask cannot be read; it is a dead letter now");
                self.acks.settle(delivery.delivery_tag, Verdict::Dead);
                return None;
            }
        };
        self.core
            .meters
            .redelivered
            .increment(u64::from(delivery.redelivered));
        let (reply, answer) = oneshot::channel();
        self.waiting.push(Answering {
            tag: delivery.delivery_tag,
            reply_to: delivery.properties.reply_to().clone(),
            correlation: delivery.properties.correlation_id().clone(),
            answer,
        });
        Some(Delivery {
            ask,
            reply,
            term: self.term,
        })
    }

    /// Sends an answer, and tells the broker that the ask is done; or gives the ask back.
    async fn send(&self, answered: Answered) {
        let Some(reply) = answered.reply else {
            self.core.meters.given_back.increment(1);
            return self.acks.settle(answered.tag, Verdict::Again);
        };
        if let (Some(reply_to), Some(correlation)) = (answered.reply_to, answered.correlation) {
            match wire::reply_to_bytes(&reply) {
                Ok(body) => {
                    let outgoing = replies::Outgoing {
                        reply_to,
                        correlation,
                        body,
                    };
                    // When the session has ended, the ask comes again.
                    let _ = self.session.replies.send(outgoing).await;
                }
                Err(error) => tracing::error!(%error, "a reply cannot be written; its asker goes without"),
            }
        }
        self.acks.settle(answered.tag, Verdict::Done);
    }

    /// Waits for what is outstanding, as long as the session lasts.
    async fn finish(mut self) {
        let mut gone = std::pin::pin!(self.session.gone());
        loop {
            tokio::select! {
                () = &mut gone => return,
                answered = self.waiting.next() => match answered {
                    Some(answered) => self.send(answered).await,
                    None => return,
                },
            }
        }
    }
}

/// An ask in the lane.
struct Answering {
    tag: u64,
    reply_to: Option<ShortString>,
    correlation: Option<ShortString>,
    answer: oneshot::Receiver<Reply>,
}

/// What came of it; without a reply, nothing.
struct Answered {
    tag: u64,
    reply_to: Option<ShortString>,
    correlation: Option<ShortString>,
    reply: Option<Reply>,
}

impl Future for Answering {
    type Output = Answered;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answered> {
        let reply = std::task::ready!(Pin::new(&mut self.answer).poll(context));
        Poll::Ready(Answered {
            tag: self.tag,
            reply_to: self.reply_to.take(),
            correlation: self.correlation.take(),
            reply: reply.ok(),
        })
    }
}
