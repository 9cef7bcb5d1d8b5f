//! Sending asks and taking their replies in, for one session.

use super::{
    Core,
    driver::{self, Confirming, Message, Trouble, timely},
    names::{lane_key, short},
    session::Session,
    topology, wire,
};
use contract::StreamKind;
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Consumer,
    options::{BasicConsumeOptions, ConfirmSelectOptions},
    types::FieldTable,
};
use ports::BrokerError;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Where replies come to: not a queue but the channel itself, the fastest way RabbitMQ has. It ends with the channel.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// How long the look for a lane's queue may hold up the asks behind it.
const LOOK_WITHIN: Duration = Duration::from_secs(1);
/// How long a lane that nobody serves is not looked for again.
const ABSENT_FOR: Duration = Duration::from_millis(100);

/// The channel that asks leave by and replies come in by.
pub(super) struct Counter {
    channel: Channel,
    replies: Consumer,
}

/// Opens the channel.
pub(super) async fn open(connection: &lapin::Connection) -> Result<Counter, Trouble> {
    let channel = timely("channel.open", connection.create_channel()).await?;
    timely(
        "confirm.select",
        channel.confirm_select(ConfirmSelectOptions::default()),
    )
    .await?;
    let no_ack = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consumed = channel.basic_consume(short(REPLY_TO), short(""), no_ack, FieldTable::default());
    let replies = timely("basic.consume", consumed).await?;
    Ok(Counter { channel, replies })
}

/// Sends what is asked until the session ends: first what former sessions left unanswered.
pub(super) async fn run(
    core: Arc<Core>,
    session: Arc<Session>,
    counter: Counter,
    mut numbers: mpsc::Receiver<u64>,
) {
    let mut gone = std::pin::pin!(session.gone());
    let mut replies = counter.replies;
    let mut sender = Sender {
        core: &core,
        session: &session,
        channel: counter.channel,
        lanes: HashMap::new(),
        unconfirmed: FuturesUnordered::new(),
    };
    for number in core.desk.unanswered() {
        sender.send(number).await;
    }
    let most = core.options.max_in_flight.max(1);
    loop {
        tokio::select! {
            () = &mut gone => return,
            reply = replies.next() => match reply {
                Some(Ok(delivery)) => take_reply(&core, &delivery.properties, &delivery.data),
                Some(Err(error)) => return session.lose(&error),
                None => return session.lose(&"the replies ended"),
            },
            Some((number, outcome)) = sender.unconfirmed.next(), if !sender.unconfirmed.is_empty() => {
                sender.settle(number, outcome);
            }
            number = numbers.recv(), if sender.unconfirmed.len() < most => match number {
                Some(number) => sender.send(number).await,
                None => return,
            },
        }
    }
}

fn take_reply(core: &Core, properties: &BasicProperties, body: &[u8]) {
    let Some(number) = number_of(properties) else {
        return;
    };
    match wire::reply_from_bytes(body) {
        Ok(reply) => core.desk.answered(number, reply),
        Err(error) => {
            core.meters.unreadable.increment(1);
            tracing::error!(%error, "a reply cannot be read; its asker goes without");
        }
    }
}

/// An ask's number at this process's desk.
fn number_of(properties: &BasicProperties) -> Option<u64> {
    properties.correlation_id().as_ref()?.as_str().parse().ok()
}

struct Sender<'a> {
    core: &'a Core,
    session: &'a Arc<Session>,
    channel: Channel,
    /// Lanes whose queue is there (`None`), or was not at a time.
    lanes: HashMap<(StreamKind, usize), Option<Instant>>,
    unconfirmed: FuturesUnordered<Confirming>,
}

impl Sender<'_> {
    /// Queues an ask behind those before it. The order of the calls is the order in the lane.
    async fn send(&mut self, number: u64) {
        let Some(parcel) = self.core.desk.parcel(number, self.session.number) else {
            return;
        };
        // Looked at before, though `mandatory` would tell: a return is known some time after its confirm only.
        if !self.is_served(parcel.kind, parcel.lane).await {
            return self.core.desk.refused(number, nobody(parcel.kind));
        }
        let properties = BasicProperties::default()
            .with_content_type(short("application/json"))
            .with_type(short(wire::ASK))
            .with_delivery_mode(2)
            .with_message_id(short(parcel.id.to_string()))
            .with_app_id(short(&*self.core.options.node))
            .with_correlation_id(short(number.to_string()))
            .with_reply_to(short(REPLY_TO));
        let message = Message {
            exchange: self.core.names.asks(),
            key: lane_key(parcel.kind, parcel.lane),
            mandatory: true,
            properties,
            body: parcel.body,
        };
        let mut sending = driver::publish(self.channel.clone(), number, message);
        match futures_util::poll!(&mut sending) {
            std::task::Poll::Ready((number, outcome)) => self.settle(number, outcome),
            std::task::Poll::Pending => self.unconfirmed.push(sending),
        }
    }

    /// Whether the lane has a queue. A queue outlives those who serve it, so one look is enough.
    async fn is_served(&mut self, kind: StreamKind, lane: usize) -> bool {
        match self.lanes.get(&(kind, lane)) {
            Some(None) => return true,
            Some(Some(since)) if since.elapsed() < ABSENT_FOR => return false,
            _ => {}
        }
        let queue = self.core.names.lane(kind, lane);
        let session = self.session.clone();
        let look = driver::whole(async move { topology::consumers(&session.consuming, &queue).await });
        match tokio::time::timeout(LOOK_WITHIN, look).await {
            Ok(Ok(found)) => {
                let absent = found.is_none().then(Instant::now);
                self.lanes.insert((kind, lane), absent);
                found.is_some()
            }
            // Whoever cannot see sends it all the same; when the connection is lost, by the next.
            Ok(Err(_)) | Err(_) => true,
        }
    }

    fn settle(&mut self, number: u64, outcome: lapin::Result<Confirmation>) {
        let desk = &self.core.desk;
        match outcome {
            Ok(Confirmation::Nack(returned)) => {
                self.core.meters.nacked.increment(1);
                desk.refused(number, BrokerError::Busy);
                self.returned(returned);
            }
            Ok(confirmation) => {
                self.core.meters.asks.increment(1);
                // Before it counts as taken: it may be about this very ask.
                self.returned(confirmation.take_message());
                desk.taken(number);
            }
            // It stays at the desk and is sent again.
            Err(error) => self.session.lose(&error),
        }
    }

    /// A lane's queue has been deleted behind our back.
    fn returned(&mut self, message: Option<lapin::message::BasicReturnMessage>) {
        let Some(message) = message else { return };
        self.core.meters.returned.increment(1);
        self.lanes.clear();
        // Its own number: the confirm that brought it may be another's.
        if let Some(number) = number_of(&message.delivery.properties) {
            let kind = StreamKind::ALL
                .into_iter()
                .find(|kind| message.delivery.routing_key.as_str().starts_with(kind.prefix()));
            self.core
                .desk
                .refused(number, nobody(kind.unwrap_or(StreamKind::Show)));
        }
    }
}

fn nobody(kind: StreamKind) -> BrokerError {
    BrokerError::Unavailable(format!("nobody serves the {} lanes", kind.prefix()))
}
