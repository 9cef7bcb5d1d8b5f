//! Hearing events.

use super::{
    Core,
    acks::{self, Acks, Verdict},
    driver::{Trouble, timely},
    lanes::consume,
    names::short,
    session::Session,
    shares::Shares,
    topology, wire,
};
use contract::Recorded;
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use ports::{Events, Heard, Interest, Receipt, Subscription};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Events in one batch, more or less.
const BATCH: usize = 256;
/// Messages on their way to one who shares with nobody.
const PREFETCH: u16 = 1_024;
/// Whoever takes nothing for so long is dropped: his queue would fill, and hold up all who publish. He subscribes
/// again and looks up what he missed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before a consumer that failed alone is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Subscribes for oneself. The queue stands when this returns.
pub(super) async fn own(
    core: &Arc<Core>,
    session: &Arc<Session>,
    subscription: &Subscription,
) -> Result<Events, Trouble> {
    let random = Uuid::new_v4().simple().to_string();
    let random = random.get(..8).unwrap_or_default();
    let queue = core.names.own(subscription.name, &core.options.node, random);
    let interests = subscription.interests;
    let channel = topology::own(&session.consuming, &core.names, &core.options, &queue, interests).await?;
    timely(
        "basic.qos",
        channel.basic_qos(PREFETCH, BasicQosOptions::default()),
    )
    .await?;
    let consumed = channel.basic_consume(
        short(queue),
        short(&*core.options.node),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut consumer = timely("basic.consume", consumed).await?;
    let (sender, events) = mpsc::channel(core.options.subscription.max(1));
    let (core, session) = (core.clone(), session.clone());
    tokio::spawn(async move {
        let mut gone = std::pin::pin!(session.gone());
        loop {
            let first = tokio::select! {
                () = &mut gone => return,
                () = sender.closed() => return,
                delivery = consumer.next() => delivery,
            };
            let mut heard = Vec::new();
            let Some(last) = gather(first, &mut consumer, &mut heard, |delivery, heard| {
                let events = read(&core, delivery, interests).unwrap_or_default();
                heard.extend(events.into_iter().map(Heard::once));
            }) else {
                return;
            };
            if !heard.is_empty() {
                match sender.send_timeout(heard, PATIENCE).await {
                    Ok(()) => {}
                    Err(mpsc::error::SendTimeoutError::Closed(_)) => return,
                    Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                        tracing::warn!("a subscriber takes no events; its subscription ends");
                        return;
                    }
                }
            }
            let acked = channel.basic_ack(last, BasicAckOptions { multiple: true });
            if timely("basic.ack", acked).await.is_err() {
                return;
            }
        }
    });
    Ok(events)
}

/// Takes what is there, from the first delivery on. The tag of the last one, or nothing when the consumer has ended.
fn gather(
    first: Option<lapin::Result<Delivery>>,
    consumer: &mut Consumer,
    heard: &mut Vec<Heard>,
    mut take: impl FnMut(Delivery, &mut Vec<Heard>),
) -> Option<u64> {
    let first = first?.ok()?;
    let mut last = first.delivery_tag;
    take(first, heard);
    while heard.len() < BATCH {
        // What is not an event (an error, the end) is met again by whoever waits for the next.
        let Some(Some(Ok(delivery))) = consumer.next().now_or_never() else {
            break;
        };
        last = delivery.delivery_tag;
        take(delivery, heard);
    }
    Some(last)
}

/// The events of a message that are wanted; a message has others with them.
fn read(core: &Core, delivery: Delivery, interests: &[Interest]) -> Option<Vec<Arc<Recorded>>> {
    core.meters.redelivered.increment(u64::from(delivery.redelivered));
    match wire::events_from_bytes(delivery.data.into()) {
        Ok(events) => {
            let wanted = |event: &Recorded| {
                let kind = event.stream.parts().map(|(kind, _)| kind);
                kind.is_some_and(|kind| {
                    interests
                        .iter()
                        .any(|interest| interest.covers(kind, &event.kind))
                })
            };
            Some(
                events
                    .into_iter()
                    .filter(|event| wanted(event))
                    .map(Arc::new)
                    .collect(),
            )
        }
        Err(error) => {
            core.meters.unreadable.increment(1);
            tracing::error!(%error, "a message of events cannot be read");
            None
        }
    }
}

/// Shares a subscription. Its queues stand when this returns, and keep what nobody has dealt with.
pub(super) async fn shared(
    core: &Arc<Core>,
    session: &Arc<Session>,
    subscription: &Subscription,
) -> Result<Events, Trouble> {
    topology::shared(&session.consuming, &core.names, &core.options, subscription).await?;
    topology::members(&session.consuming, &core.names.members(subscription.name)).await?;
    let slots = core.options.slots.max(1);
    let shares = Shares::new(
        core.names.members(subscription.name),
        (0..slots).map(|slot| core.names.slot(subscription.name, slot)),
    );
    let (sender, events) = mpsc::channel(core.options.subscription.max(1));
    for (slot, pause) in shares.order(&core.options.node, core.options.take_every_ms) {
        let hearing = Hearing {
            core: core.clone(),
            session: session.clone(),
            shares: shares.clone(),
            slot,
            interests: subscription.interests,
            sender: sender.clone(),
        };
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            hearing.run().await;
        });
    }
    let (core, session) = (core.clone(), session.clone());
    tokio::spawn(async move {
        let ended = async { sender.closed().await };
        shares.watch(core, session, ended).await;
    });
    Ok(events)
}

/// Hears one slot of a shared subscription.
struct Hearing {
    core: Arc<Core>,
    session: Arc<Session>,
    shares: Arc<Shares>,
    slot: usize,
    interests: &'static [Interest],
    sender: mpsc::Sender<Vec<Heard>>,
}

impl Hearing {
    async fn run(self) {
        while !self.session.is_lost() && !self.sender.is_closed() {
            if let Err(trouble) = self.stint().await
                && !self.session.is_lost()
            {
                tracing::warn!(%trouble, queue = self.shares.name(self.slot), "a slot is heard again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Hears with one consumer: until the session or the subscriber ends, or the slot is given up to another node.
    /// The channel stays open until all receipts are done or dropped.
    async fn stint(&self) -> Result<(), Trouble> {
        let prefetch = self.core.options.prefetch_events;
        let (channel, mut consumer) =
            consume(&self.core, &self.session, self.shares.name(self.slot), prefetch).await?;
        let acks = Acks::new(channel.clone(), prefetch);
        let mut gone = std::pin::pin!(self.session.gone());
        loop {
            let first = tokio::select! {
                () = &mut gone => return Ok(()),
                () = self.sender.closed() => break,
                () = self.shares.called_back(self.slot) => break,
                delivery = consumer.next() => delivery,
            };
            if let Some(Err(error)) = first {
                return Err(error.into());
            }
            let mut heard = Vec::new();
            gather(first, &mut consumer, &mut heard, |delivery, heard| {
                self.take(&acks, delivery, heard);
            })
            .ok_or(Trouble::Ended)?;
            if heard.is_empty() {
                continue;
            }
            tokio::select! {
                () = &mut gone => return Ok(()),
                // Dropped when nobody listens any more, it comes again elsewhere when the channel closes.
                sent = self.sender.send(heard) => if sent.is_err() { break },
            }
        }
        acks::retire(&channel, consumer, &acks).await;
        Ok(())
    }

    fn take(&self, acks: &Acks, delivery: Delivery, heard: &mut Vec<Heard>) {
        self.shares.note(self.slot);
        let (tag, again) = (delivery.delivery_tag, delivery.redelivered);
        let Some(events) = read(&self.core, delivery, self.interests) else {
            return acks.settle(tag, Verdict::Dead);
        };
        if events.is_empty() {
            return acks.settle(tag, Verdict::Done);
        }
        let left = Arc::new(AtomicUsize::new(events.len()));
        heard.extend(events.into_iter().map(|event| {
            let (acks, left) = (acks.clone(), left.clone());
            Heard {
                event,
                again,
                receipt: Receipt::new(move || {
                    // A message is done when the last of its events is.
                    if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        acks.settle(tag, Verdict::Done);
                    }
                }),
            }
        }));
    }
}
