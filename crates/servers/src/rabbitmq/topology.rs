//! What is declared: `docs/rabbitmq.md` has the table. Everything here may be done any number of times.

use super::{
    driver::{Trouble, timely},
    names::{self, Names, short},
    options::RabbitOptions,
};
use contract::StreamKind;
use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, LongString},
};
use ports::{Interest, Subscription};
use std::{future::Future, pin::Pin};

/// Dead letters are given back by every look at them, a leader's token at the end of his term; neither must die of
/// that: somebody who looks every second does so for 68 years. (RabbitMQ 3 does not know "no limit", RabbitMQ 4 has one
/// of 20 by default.)
const LOOKS: u32 = i32::MAX as u32;
/// Dead letters that may wait for an operator.
const LETTERS: u32 = 100_000;

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

fn number(value: u32) -> AMQPValue {
    AMQPValue::LongLongInt(i64::from(value))
}

fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(short(name), value);
    }
    table
}

/// The arguments of the queues that work is shared by.
fn working(names: &Names, options: &RabbitOptions, most: u32) -> FieldTable {
    table([
        ("x-queue-type", text("quorum")),
        // One consumer at a time, the next when it goes: what keeps the order of a key.
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", number(options.delivery_limit)),
        ("x-dead-letter-exchange", text(&names.dead())),
        // With reject-publish: a dead letter leaves the queue only when it has arrived.
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-max-length", number(most)),
        ("x-overflow", text("reject-publish")),
    ])
}

/// Declares a queue. One that exists is used as it is, whatever its arguments: what an operator has made, or an
/// earlier version, is no reason not to sell. Looked at first, because two nodes that declare a quorum queue at the
/// same moment may make RabbitMQ (3.10) close a connection with an internal error; then it is declared again by the
/// next connection.
async fn declare(
    connection: &Connection,
    name: &str,
    options: QueueDeclareOptions,
    arguments: FieldTable,
) -> Result<Channel, Trouble> {
    if options.durable && consumers(connection, name).await?.is_some() {
        return timely("channel.open", connection.create_channel()).await;
    }
    let channel = timely("channel.open", connection.create_channel()).await?;
    let declared = timely(
        "queue.declare",
        channel.queue_declare(short(name), options, arguments),
    )
    .await;
    match declared {
        Ok(_) => Ok(channel),
        Err(trouble) if trouble.is_different() => timely("channel.open", connection.create_channel()).await,
        Err(trouble) => Err(trouble),
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: String, keys: Vec<String>) -> Result<(), Trouble> {
    for key in keys {
        let bound = channel.queue_bind(
            short(queue),
            short(&*exchange),
            short(key),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        timely("queue.bind", bound).await?;
    }
    Ok(())
}

/// Declares what every node needs.
pub(super) async fn everything(
    connection: &Connection,
    names: &Names,
    options: &RabbitOptions,
) -> Result<(), Trouble> {
    let channel = timely("channel.open", connection.create_channel()).await?;
    for (name, kind) in [
        (names.asks(), ExchangeKind::Direct),
        (names.events(), ExchangeKind::Topic),
        (names.dead(), ExchangeKind::Fanout),
    ] {
        let durable = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declared = channel.exchange_declare(short(name), kind, durable, FieldTable::default());
        timely("exchange.declare", declared).await?;
    }
    let dead_letters = names.dead_letters();
    let arguments = table([
        ("x-queue-type", text("quorum")),
        ("x-delivery-limit", number(LOOKS)),
        // When it is full, letters stay where they died.
        ("x-max-length", number(LETTERS)),
        ("x-overflow", text("reject-publish")),
    ]);
    let channel = declare(
        connection,
        &dead_letters,
        QueueDeclareOptions::durable(),
        arguments,
    )
    .await?;
    bind(&channel, &dead_letters, names.dead(), vec![String::new()]).await?;
    for subscription in options.shared {
        shared(connection, names, options, subscription).await?;
    }
    Ok(())
}

/// Declares the queues of a shared subscription.
///
/// Boxed: the futures of the driver are large.
pub(super) fn shared<'a>(
    connection: &'a Connection,
    names: &'a Names,
    options: &'a RabbitOptions,
    subscription: &'a Subscription,
) -> Pin<Box<dyn Future<Output = Result<(), Trouble>> + Send + 'a>> {
    Box::pin(async move {
        for slot in 0..options.slots.max(1) {
            let queue = names.slot(subscription.name, slot);
            let arguments = working(names, options, options.backlog);
            let channel = declare(connection, &queue, QueueDeclareOptions::durable(), arguments).await?;
            let keys = names::bindings(subscription.interests, Some(slot));
            bind(&channel, &queue, names.events(), keys).await?;
        }
        Ok(())
    })
}

/// Declares the queues of the lanes of a kind.
pub(super) async fn lanes(
    connection: &Connection,
    names: &Names,
    options: &RabbitOptions,
    kind: StreamKind,
) -> Result<(), Trouble> {
    for lane in 0..options.lanes.max(1) {
        let queue = names.lane(kind, lane);
        let arguments = working(names, options, options.mailbox);
        let channel = declare(connection, &queue, QueueDeclareOptions::durable(), arguments).await?;
        bind(&channel, &queue, names.asks(), vec![names::lane_key(kind, lane)]).await?;
    }
    Ok(())
}

/// Declares the queue of one subscriber that shares with nobody: gone with its connection.
pub(super) async fn own(
    connection: &Connection,
    names: &Names,
    options: &RabbitOptions,
    queue: &str,
    interests: &[Interest],
) -> Result<Channel, Trouble> {
    let arguments = table([
        ("x-queue-type", text("classic")),
        ("x-max-length", number(options.unheard)),
        ("x-overflow", text("reject-publish")),
    ]);
    let transient = QueueDeclareOptions::exclusive().auto_delete();
    let channel = declare(connection, queue, transient, arguments).await?;
    bind(&channel, queue, names.events(), names::bindings(interests, None)).await?;
    Ok(channel)
}

/// Declares the queue by whose consumers members are counted. (RabbitMQ does not tell how many wait for a queue with
/// a single active consumer.)
pub(super) async fn members(connection: &Connection, queue: &str) -> Result<(), Trouble> {
    let arguments = table([("x-queue-type", text("quorum")), ("x-max-length", number(1))]);
    declare(connection, queue, QueueDeclareOptions::durable(), arguments).await?;
    Ok(())
}

/// Declares the queue of which one consumer leads.
pub(super) async fn leader(connection: &Connection, queue: &str) -> Result<(), Trouble> {
    let arguments = table([
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        // Its one message is given back whenever a term ends.
        ("x-delivery-limit", number(LOOKS)),
        ("x-max-length", number(1)),
    ]);
    declare(connection, queue, QueueDeclareOptions::durable(), arguments).await?;
    Ok(())
}

/// How many consume a queue, those not included who wait for their turn; `None` when there is no such queue.
pub(super) async fn consumers(connection: &Connection, queue: &str) -> Result<Option<u32>, Trouble> {
    let channel = timely("channel.open", connection.create_channel()).await?;
    let passive = QueueDeclareOptions::default().passive();
    let looked = timely(
        "queue.declare",
        channel.queue_declare(short(queue), passive, FieldTable::default()),
    );
    match looked.await {
        Ok(queue) => Ok(Some(queue.consumer_count())),
        Err(trouble) if trouble.is_absent() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}
