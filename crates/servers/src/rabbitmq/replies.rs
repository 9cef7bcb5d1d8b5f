//! Sending replies. They are worth nothing when their asker has gone: not kept, not confirmed, not mandatory.

use super::{
    Core,
    driver::{self, Message},
    names::short,
    session::Session,
    wire,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{BasicProperties, Channel, types::ShortString};
use std::{sync::Arc, task::Poll};
use tokio::sync::mpsc;

/// How many may be on their way to the wire.
const UNSENT: usize = 256;

/// A reply and where it goes.
pub(super) struct Outgoing {
    pub reply_to: ShortString,
    pub correlation: ShortString,
    pub body: Vec<u8>,
}

pub(super) async fn run(
    core: Arc<Core>,
    session: Arc<Session>,
    channel: Channel,
    mut outgoing: mpsc::Receiver<Outgoing>,
) {
    let mut gone = std::pin::pin!(session.gone());
    let mut unsent = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = &mut gone => return,
            Some((_, outcome)) = unsent.next(), if !unsent.is_empty() => {
                if let Err(error) = outcome {
                    return session.lose(&error);
                }
            }
            reply = outgoing.recv(), if unsent.len() < UNSENT => {
                let Some(reply) = reply else { return };
                core.meters.replies.increment(1);
                let message = Message {
                    exchange: String::new(),
                    key: reply.reply_to.to_string(),
                    mandatory: false,
                    properties: BasicProperties::default()
                        .with_content_type(short("application/json"))
                        .with_type(short(wire::REPLY))
                        .with_correlation_id(reply.correlation),
                    body: reply.body,
                };
                let mut sending = driver::publish(channel.clone(), 0, message);
                match futures_util::poll!(&mut sending) {
                    Poll::Ready((_, Ok(_))) => {}
                    Poll::Ready((_, Err(error))) => return session.lose(&error),
                    Poll::Pending => unsent.push(sending),
                }
            }
        }
    }
}
