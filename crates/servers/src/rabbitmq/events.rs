//! Publishing events.

use super::{
    Core,
    driver::{self, Message, Trouble, timely},
    names::short,
    session::Session,
    wire::{self, Batch},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    options::ConfirmSelectOptions,
    types::{AMQPValue, FieldArray, FieldTable, LongString},
};
use ports::BrokerError;
use std::{sync::Arc, task::Poll, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Messages that may be unconfirmed.
const UNCONFIRMED: usize = 1_024;
/// How long a batch waits for its confirms; what was not confirmed then may have been taken.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(15);

/// Messages, in order, and who waits for their confirms.
pub(super) struct Outgoing {
    pub batches: Vec<Batch>,
    pub done: oneshot::Sender<Result<(), BrokerError>>,
}

pub(super) async fn open(connection: &Connection) -> Result<Channel, Trouble> {
    let channel = timely("channel.open", connection.create_channel()).await?;
    timely(
        "confirm.select",
        channel.confirm_select(ConfirmSelectOptions::default()),
    )
    .await?;
    Ok(channel)
}

/// Publishes one batch after the other until the session ends.
pub(super) async fn run(
    core: Arc<Core>,
    session: Arc<Session>,
    channel: Channel,
    mut outgoing: mpsc::Receiver<Outgoing>,
) {
    let mut gone = std::pin::pin!(session.gone());
    loop {
        let Outgoing { batches, done } = tokio::select! {
            () = &mut gone => return,
            outgoing = outgoing.recv() => match outgoing {
                Some(outgoing) => outgoing,
                None => return,
            },
        };
        let outcome = tokio::select! {
            () = &mut gone => Err(BrokerError::NoAnswer),
            outcome = tokio::time::timeout(CONFIRMED_WITHIN, publish(&core, &session, &channel, batches)) => {
                outcome.unwrap_or_else(|_| {
                    // Confirms that come later would be taken for those of the next batch's messages by nobody;
                    // but the broker is not well, and a new connection tells.
                    session.lose(&"events are not confirmed");
                    Err(BrokerError::NoAnswer)
                })
            }
        };
        // Whoever has gone publishes again from his mark.
        let _ = done.send(outcome);
    }
}

async fn publish(
    core: &Core,
    session: &Session,
    channel: &Channel,
    batches: Vec<Batch>,
) -> Result<(), BrokerError> {
    let mut unconfirmed = FuturesUnordered::new();
    let mut refused = 0;
    let mut settle = |outcome: lapin::Result<Confirmation>| match outcome {
        Ok(Confirmation::Nack(_)) => {
            refused += 1;
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) => {
            session.lose(&error);
            Err(BrokerError::NoAnswer)
        }
    };
    for batch in batches {
        while unconfirmed.len() >= UNCONFIRMED {
            if let Some((events, outcome)) = unconfirmed.next().await {
                settle(outcome)?;
                core.meters.events.increment(events);
            }
        }
        let events = batch.events as u64;
        let mut sending = driver::publish(channel.clone(), events, message(core, batch));
        match futures_util::poll!(&mut sending) {
            Poll::Ready((_, outcome)) => settle(outcome)?,
            Poll::Pending => unconfirmed.push(sending),
        }
    }
    while let Some((events, outcome)) = unconfirmed.next().await {
        settle(outcome)?;
        core.meters.events.increment(events);
    }
    if refused > 0 {
        core.meters.nacked.increment(refused);
        return Err(BrokerError::Busy);
    }
    Ok(())
}

fn message(core: &Core, batch: Batch) -> Message<Vec<u8>> {
    let mut keys = batch.keys.into_iter();
    let key = keys.next().unwrap_or_default();
    let others: Vec<AMQPValue> = keys
        .map(|key| AMQPValue::LongString(LongString::from(key)))
        .collect();
    let mut properties = BasicProperties::default()
        .with_content_type(short("application/json"))
        .with_type(short(wire::EVENTS))
        .with_delivery_mode(2)
        .with_message_id(short(batch.id.to_string()))
        .with_app_id(short(&*core.options.node));
    if !others.is_empty() {
        // RabbitMQ's sender-selected distribution: routed by these keys as well, to each queue once.
        let mut headers = FieldTable::default();
        headers.insert(short("CC"), AMQPValue::FieldArray(FieldArray::from(others)));
        properties = properties.with_headers(headers);
    }
    Message {
        exchange: core.names.events(),
        key,
        // An event that nobody wants is none the worse for it.
        mandatory: false,
        properties,
        body: batch.body,
    }
}
