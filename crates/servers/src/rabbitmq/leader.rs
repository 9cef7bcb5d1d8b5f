//! One of many: a queue with a single active consumer and one message in it, the token. RabbitMQ gives it to the
//! first who comes, and to the next in line as soon as that one is gone.

use super::{
    Core, RabbitBroker,
    driver::{self, Message, Trouble, timely},
    lanes::consume,
    session::Session,
    topology,
};
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Channel, Consumer,
    options::{BasicCancelOptions, BasicNackOptions},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

/// The pause before the next try, when the broker is away.
const RETRY: Duration = Duration::from_millis(250);
/// How long is waited for one's turn before another token is put there: the queue may have been emptied.
const TOKEN_EVERY: Duration = Duration::from_secs(30);
/// How often the token is given back and taken again: RabbitMQ ends a consumer that has kept a message for half an
/// hour. It comes back to the same one, who is still the active consumer.
const RENEW_EVERY: Duration = Duration::from_secs(600);
/// How long that may take.
const RENEW_WITHIN: Duration = Duration::from_secs(5);

/// A time of leading. Ends with the connection, or when dropped.
///
/// When the connection is cut, the broker may let another lead before this one notices (a heartbeat or two); what is
/// led must bear two leaders for that long, as publishing from the log does.
pub struct Term {
    over: watch::Receiver<bool>,
    /// Dropped, it lets the next one lead.
    _resign: oneshot::Sender<()>,
}

impl Term {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        *self.over.borrow() || self.over.has_changed().is_err()
    }

    /// Waits until it is over.
    pub async fn over(&self) {
        // No more word is an end as well.
        let _ = self.over.clone().wait_for(|over| *over).await;
    }
}

impl RabbitBroker {
    /// Waits until this process leads in `name`, then tells. All others of the same name wait meanwhile.
    pub async fn lead(&self, name: &str) -> Term {
        let queue = self.core.names.leader(name);
        loop {
            if let Some(session) = self.core.session() {
                match take_turn(&self.core, session, &queue).await {
                    Ok(term) => {
                        tracing::info!(name, "leads");
                        return term;
                    }
                    Err(trouble) => tracing::debug!(name, %trouble, "cannot wait for a turn to lead"),
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Waits in line.
async fn take_turn(core: &Arc<Core>, session: Arc<Session>, queue: &str) -> Result<Term, Trouble> {
    let (channel, mut consumer) = driver::whole({
        let (core, session, queue) = (core.clone(), session.clone(), queue.to_owned());
        async move {
            topology::leader(&session.consuming, &queue).await?;
            consume(&core, &session, &queue, 1).await
        }
    })
    .await?;
    let mut gone = std::pin::pin!(session.gone());
    loop {
        put_token(&session, queue).await?;
        let token = tokio::select! {
            () = &mut gone => return Err(Trouble::Ended),
            token = timeout(TOKEN_EVERY, consumer.next()) => token,
        };
        if let Ok(token) = token {
            let tag = token.ok_or(Trouble::Ended)??.delivery_tag;
            let (over, is_over) = watch::channel(false);
            let (resign, resigned) = oneshot::channel();
            let keeper = Keeper {
                session: session.clone(),
                channel,
                consumer,
                tag,
            };
            tokio::spawn(async move {
                keeper.keep(resigned).await;
                over.send_replace(true);
            });
            return Ok(Term {
                over: is_over,
                _resign: resign,
            });
        }
    }
}

/// Makes sure that there is a token. The queue holds one, so another does no harm.
async fn put_token(session: &Arc<Session>, queue: &str) -> Result<(), Trouble> {
    let (session, queue) = (session.clone(), queue.to_owned());
    driver::whole(async move {
        let channel = timely("channel.open", session.publishing.create_channel()).await?;
        let message = Message {
            exchange: String::new(),
            key: queue,
            mandatory: false,
            properties: BasicProperties::default().with_delivery_mode(2),
            body: b"whoever has this leads",
        };
        let sending = driver::publish(channel, 0, message);
        timely("basic.publish", async { sending.await.1 }).await?;
        Ok(())
    })
    .await
}

/// Keeps the token.
struct Keeper {
    session: Arc<Session>,
    channel: Channel,
    consumer: Consumer,
    tag: u64,
}

impl Keeper {
    /// Until the term is resigned or lost.
    async fn keep(mut self, mut resigned: oneshot::Receiver<()>) {
        let mut gone = std::pin::pin!(self.session.gone());
        loop {
            tokio::select! {
                () = &mut gone => return,
                _ = &mut resigned => return self.give_up().await,
                // Only the end of the consumer can come here: the one message is in our hands.
                _ = self.consumer.next() => return,
                () = tokio::time::sleep(RENEW_EVERY) => {}
            }
            if self.give_back().await.is_err() {
                return;
            }
            match timeout(RENEW_WITHIN, self.consumer.next()).await {
                Ok(Some(Ok(token))) => self.tag = token.delivery_tag,
                _ => return,
            }
        }
    }

    async fn give_back(&self) -> Result<(), Trouble> {
        let again = BasicNackOptions {
            multiple: false,
            requeue: true,
        };
        timely("basic.nack", self.channel.basic_nack(self.tag, again)).await
    }

    /// Lets the next one lead: first no consumer any more, then no token. What fails ends with the connection.
    async fn give_up(self) {
        let cancelled = self
            .channel
            .basic_cancel(self.consumer.tag(), BasicCancelOptions::default());
        let _ = timely("basic.cancel", cancelled).await;
        let _ = self.give_back().await;
    }
}
