//! Dead letters, for operators: what was delivered too often or could not be read, with where it comes from and why.
//!
//! Looking takes letters from the queue and gives them back. What is given back stands behind what was not taken (so
//! RabbitMQ does it where deliveries are limited): a look that takes all leaves their order as it was. One look at a
//! time: two would each see a part.

use super::{
    driver::{self, Message, Trouble, timely},
    names::{Names, short},
    wire,
};
use contract::Timestamp;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its message id: an ask's id, or that of the first event. The same each time an ask is sent.
    pub id: String,
    /// The queue that it died in.
    pub queue: String,
    /// Where it was published.
    pub exchange: String,
    /// By which routing key.
    pub routing_key: String,
    /// Why: `delivery_limit`, `rejected` (it could not be read), `maxlen`, `expired`.
    pub reason: String,
    /// How often it died of that, there.
    pub count: u64,
    /// When it died first.
    pub at_ms: Option<Timestamp>,
    /// `ask` or `events`.
    pub kind: String,
    /// The streams that it is about.
    pub streams: Vec<String>,
    /// What it says.
    pub body: String,
}

/// Which letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that there are now.
    All,
    /// Those with this id.
    Id(String),
}

/// Why it could not be done. Nothing is lost: letters leave the queue only when they have arrived elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("the dead letters cannot be reached: {0}")]
pub struct DeadLettersError(String);

impl From<Trouble> for DeadLettersError {
    fn from(trouble: Trouble) -> Self {
        Self(trouble.to_string())
    }
}

/// The first letters, at most so many.
///
/// # Errors
/// When the broker or the queue is not there.
pub async fn list(url: &str, namespace: &str, limit: usize) -> Result<Vec<DeadLetter>, DeadLettersError> {
    let look = Look::begin(url, namespace).await?;
    let letters = look.take_until(|letters| letters.len() >= limit, read).await?;
    look.end().await?;
    Ok(letters)
}

/// How many letters a page is made of at the most, and how long they are taken for: more than are shown, so that the
/// next page begins with the same.
const TAKEN: usize = 1_000;
const TAKEN_FOR: Duration = Duration::from_secs(1);

/// The first letters, at most so many, without what they say, and how many there are. Of more than a thousand, every
/// page shows others.
///
/// # Errors
/// As [`list`].
pub async fn page(
    url: &str,
    namespace: &str,
    limit: usize,
) -> Result<(Vec<DeadLetter>, u64), DeadLettersError> {
    let look = Look::begin(url, namespace).await?;
    // Bodies are let go one by one: a page of them could be large.
    let without_body = |delivery: &Delivery| DeadLetter {
        body: String::new(),
        ..read(delivery)
    };
    let enough = Instant::now() + TAKEN_FOR;
    let taken = |letters: &[DeadLetter]| {
        letters.len() >= TAKEN || (letters.len() >= limit && Instant::now() >= enough)
    };
    let mut letters = look.take_until(taken, without_body).await?;
    // Those that came since the count was taken are there as well.
    let total = u64::from(look.count).max(letters.len() as u64);
    look.end().await?;
    letters.truncate(limit);
    Ok((letters, total))
}

/// The letters with this id.
///
/// # Errors
/// As [`list`].
pub async fn show(url: &str, namespace: &str, id: &str) -> Result<Vec<DeadLetter>, DeadLettersError> {
    let mut letters = list(url, namespace, usize::MAX).await?;
    letters.retain(|letter| letter.id == id);
    Ok(letters)
}

/// Sends letters back to the queues that they died in, as if they had never been delivered; tells which. A letter
/// leaves the dead letters when its queue has confirmed it.
///
/// # Errors
/// As [`list`], and when a queue does not take it (it is full, or gone); those before are requeued, the rest stays.
pub async fn requeue(url: &str, namespace: &str, which: &Which) -> Result<Vec<DeadLetter>, DeadLettersError> {
    let look = Look::begin(url, namespace).await?;
    let confirmed = ConfirmSelectOptions::default();
    timely("confirm.select", look.channel.confirm_select(confirmed)).await?;
    let mut requeued = Vec::new();
    // Those that die again meanwhile come again; they are left for the next time.
    let mut left = look.count;
    while left > 0
        && let Some(delivery) = look.next().await?
    {
        left -= 1;
        let letter = read(&delivery);
        if *which == Which::All || matches!(which, Which::Id(id) if *id == letter.id) {
            look.send_back(&letter, &delivery).await?;
            requeued.push(letter);
        }
    }
    look.end().await?;
    Ok(requeued)
}

/// A look at the queue. What was taken and not acknowledged goes back when it ends, however it ends.
struct Look {
    connection: Connection,
    channel: Channel,
    queue: String,
    count: u32,
}

impl Look {
    async fn begin(url: &str, namespace: &str) -> Result<Self, Trouble> {
        let connection = driver::connect(&driver::parse(url)?, "eventflow dead-letters".into()).await?;
        let channel = timely("channel.open", connection.create_channel()).await?;
        let queue = Names::new(namespace).dead_letters();
        let passive = lapin::options::QueueDeclareOptions::default().passive();
        let declared = channel.queue_declare(short(&*queue), passive, FieldTable::default());
        let count = timely("queue.declare", declared).await?.message_count();
        Ok(Self {
            connection,
            channel,
            queue,
            count,
        })
    }

    /// The first letters, until it is enough.
    async fn take_until(
        &self,
        enough: impl Fn(&[DeadLetter]) -> bool,
        read: impl Fn(&Delivery) -> DeadLetter,
    ) -> Result<Vec<DeadLetter>, Trouble> {
        let mut letters = Vec::new();
        while !enough(&letters)
            && let Some(delivery) = self.next().await?
        {
            letters.push(read(&delivery));
        }
        Ok(letters)
    }

    async fn next(&self) -> Result<Option<Delivery>, Trouble> {
        let got = self
            .channel
            .basic_get(short(&*self.queue), BasicGetOptions::default());
        Ok(timely("basic.get", got).await?.map(|message| message.delivery))
    }

    async fn send_back(&self, letter: &DeadLetter, delivery: &Delivery) -> Result<(), DeadLettersError> {
        let found = &delivery.properties;
        // Without the marks of its death, and without the way back to an asker who has long gone.
        let mut properties = BasicProperties::default().with_delivery_mode(2);
        if let Some(kind) = found.kind() {
            properties = properties.with_type(kind.clone());
        }
        if let Some(content) = found.content_type() {
            properties = properties.with_content_type(content.clone());
        }
        if let Some(id) = found.message_id() {
            properties = properties.with_message_id(id.clone());
        }
        let message = Message {
            // The default exchange: to this queue and no other.
            exchange: String::new(),
            key: letter.queue.clone(),
            mandatory: true,
            properties,
            body: delivery.data.clone(),
        };
        let sending = driver::publish(self.channel.clone(), 0, message);
        let confirmed = timely("basic.publish", async { sending.await.1 }).await?;
        match confirmed {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) => {
                return Err(DeadLettersError(format!("there is no queue {}", letter.queue)));
            }
            _ => {
                return Err(DeadLettersError(format!(
                    "the queue {} takes nothing",
                    letter.queue
                )));
            }
        }
        let acked = self
            .channel
            .basic_ack(delivery.delivery_tag, BasicAckOptions::default());
        Ok(timely("basic.ack", acked).await?)
    }

    async fn end(self) -> Result<(), Trouble> {
        let all = BasicNackOptions {
            multiple: true,
            requeue: true,
        };
        // Tag 0: all that is outstanding.
        timely("basic.nack", self.channel.basic_nack(0, all)).await?;
        timely("connection.close", self.connection.close(200, short("done"))).await
    }
}

fn read(delivery: &Delivery) -> DeadLetter {
    let properties = &delivery.properties;
    let death = properties.headers().as_ref().and_then(first_death);
    let entry = |name: &str| death.and_then(|death| death.inner().get(name));
    let text = |name: &str| entry(name).map(shown).unwrap_or_default();
    let routing_key = match entry("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => keys.as_slice().first().map(shown).unwrap_or_default(),
        _ => String::new(),
    };
    DeadLetter {
        id: properties
            .message_id()
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        queue: text("queue"),
        exchange: text("exchange"),
        routing_key,
        reason: text("reason"),
        count: match entry("count") {
            Some(AMQPValue::LongLongInt(count)) => u64::try_from(*count).unwrap_or_default(),
            _ => 1,
        },
        at_ms: match entry("time") {
            Some(AMQPValue::Timestamp(seconds)) => i64::try_from(*seconds)
                .ok()
                .map(|seconds| Timestamp(seconds.saturating_mul(1_000))),
            _ => None,
        },
        kind: properties
            .kind()
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        streams: streams(&delivery.data),
        body: String::from_utf8_lossy(&delivery.data).into_owned(),
    }
}

/// The last entry of `x-death` is the oldest: where it died first.
fn first_death(headers: &FieldTable) -> Option<&FieldTable> {
    match headers.inner().get("x-death")? {
        AMQPValue::FieldArray(deaths) => match deaths.as_slice().last()? {
            AMQPValue::FieldTable(death) => Some(death),
            _ => None,
        },
        _ => None,
    }
}

fn shown(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::ShortString(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}

/// The streams that a message is about, as far as it can be read.
fn streams(body: &[u8]) -> Vec<String> {
    if let Ok(ask) = wire::ask_from_bytes(body) {
        return vec![ask.command.stream().to_string()];
    }
    let Ok(Value::Array(events)) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    let mut streams: Vec<String> = events
        .iter()
        .filter_map(|event| Some(event.get("stream")?.as_str()?.to_owned()))
        .collect();
    streams.dedup();
    streams
}
