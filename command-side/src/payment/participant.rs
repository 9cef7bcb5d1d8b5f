//! The participant that takes payments: asks for `payment-{reservation_id}` come here.
//!
//! Not a lane: between an ask and its answer stands a gateway that may take seconds, so each ask is a task of
//! its own, and a bounded number of them run at a time. One reservation's asks run one after another, and every
//! append is under the expected revision, so that taking and giving back agree on one story, whichever came
//! first and wherever it ran.
//!
//! Deliberately absent: a cache (a payment is asked for once or twice in its life), and any decision made while
//! the gateway's side is unknown; see [`gateway`].

mod gateway;

use super::{Outcome, Payment, State, answer_to_take};
use crate::{
    aggregate::Aggregate,
    app::{App, Turns},
};
use contract::{
    Answer, Ask, Command, Failure, Money, Position, Refusal, Reply, ReservationId, StreamEnd, StreamName,
    commands::PaymentAction,
};
use gateway::{Gateway, Verdict};
use metrics::counter;
use ports::{Delivery, Expected, Lanes};
use std::sync::Arc;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

/// How many asks are under way at a time, over all mailboxes; the rest wait there.
const ASKS_AT_ONCE: usize = 1_024;
/// How often an outcome is recorded anew after others wrote the stream.
const ATTEMPTS: usize = 8;

/// Serves the mailboxes of payments. Ends when `shutdown` turns true or the mailboxes close, after what was
/// begun is finished and answered.
pub async fn serve(app: App, lanes: Lanes, shutdown: watch::Receiver<bool>) {
    let participant = Arc::new(Participant {
        app,
        turns: Turns::default(),
    });
    let permits = Arc::new(Semaphore::new(ASKS_AT_ONCE));
    let mut mailboxes = JoinSet::new();
    for mailbox in lanes {
        mailboxes.spawn(
            participant
                .clone()
                .serve_one(mailbox, permits.clone(), shutdown.clone()),
        );
    }
    while mailboxes.join_next().await.is_some() {}
}

struct Participant {
    app: App,
    turns: Turns,
}

/// A payment's stream as it was read.
struct Stream {
    name: StreamName,
    state: State,
    end: StreamEnd,
    position: Option<Position>,
}

impl Stream {
    /// As every payment begins. Only the expected revision tells whether it has begun.
    fn unread(id: ReservationId) -> Self {
        Self {
            name: StreamName::payment(id),
            state: State::default(),
            end: StreamEnd::NEW,
            position: None,
        }
    }
}

impl Participant {
    async fn serve_one(
        self: Arc<Self>,
        mut mailbox: mpsc::Receiver<Delivery>,
        permits: Arc<Semaphore>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let mut under_way = JoinSet::new();
        loop {
            // First the permit: what cannot be begun stays in the mailbox, whose sender is told when it is full.
            let Ok(permit) = permits.clone().acquire_owned().await else {
                break;
            };
            let delivery = tokio::select! {
                delivery = mailbox.recv() => delivery,
                _ = shutdown.wait_for(|stop| *stop) => None,
            };
            let Some(Delivery { ask, reply, .. }) = delivery else {
                break;
            };
            let participant = self.clone();
            under_way.spawn(async move {
                // An asker that has gone asks again, and is told from the stream.
                let _ = reply.send(participant.carry_out(ask).await);
                drop(permit);
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn carry_out(&self, ask: Ask) -> Reply {
        let Command::Payment(command) = &ask.command else {
            let what = "this participant serves payments".into();
            return Reply {
                position: None,
                answer: Answer::Failed(Failure::Unavailable { what }),
            };
        };
        let reservation_id = command.reservation_id;
        let _turn = self.turns.take(reservation_id.0).await;
        let done = match &command.action {
            PaymentAction::Take { amount, token } => self.take(&ask, reservation_id, *amount, token).await,
            PaymentAction::GiveBack => self.give_back(&ask, reservation_id).await,
        };
        done.unwrap_or_else(|failure| {
            tracing::warn!(%reservation_id, %failure, "a payment's outcome is still open");
            counter!("eventflow_payment_failures_total").increment(1);
            Reply {
                position: None,
                answer: Answer::Failed(failure),
            }
        })
    }

    /// Charges the buyer, once. The stream is not read first, because it is empty for all but repeated asks: those
    /// the gateway answers as before, and the append meets what was recorded then.
    async fn take(&self, ask: &Ask, id: ReservationId, amount: Money, token: &str) -> Result<Reply, Failure> {
        let late = ask.deadline_ms < self.app.clock.now();
        let mut stream = if late {
            self.load(id).await?
        } else {
            Stream::unread(id)
        };
        if stream.state.is_untried() {
            if late {
                let refusal = Refusal::TooLate {
                    deadline_ms: ask.deadline_ms,
                };
                return Ok(Reply {
                    position: stream.position,
                    answer: Answer::Refused(refusal),
                });
            }
            let outcome = match self.gateway(ask, id).charge(amount, token).await? {
                Verdict::Captured => Outcome::Captured {
                    reservation_id: id,
                    amount,
                },
                Verdict::Declined(reason) => Outcome::Declined {
                    reservation_id: id,
                    reason,
                },
            };
            stream = self.record(ask, stream, outcome).await?;
        }
        if stream.state.owes_refund() {
            // Taken after it had been given up elsewhere: nobody waits for this money.
            self.gateway(ask, id).give_back().await?;
            stream = self
                .record(ask, stream, Outcome::Refunded { reservation_id: id })
                .await?;
        }
        Ok(Reply {
            position: stream.position,
            answer: answer_to_take(&stream.state),
        })
    }

    /// Makes sure that the buyer has all their money, now and later. Never refused.
    async fn give_back(&self, ask: &Ask, id: ReservationId) -> Result<Reply, Failure> {
        let mut stream = self.load(id).await?;
        if !stream.state.is_given_back() {
            let captured = self.gateway(ask, id).give_back().await?;
            let recorded = stream.state.taken();
            if recorded.is_some_and(|amount| amount.minor > 0) && captured.is_none() {
                let what = format!("the gateway knows of no charge for {}", stream.name);
                return Err(Failure::Unreadable { what });
            }
            if let (Some(amount), None) = (captured, recorded) {
                // A capture whose answer was lost: first the whole story, then its end.
                stream = self
                    .record(
                        ask,
                        stream,
                        Outcome::Captured {
                            reservation_id: id,
                            amount,
                        },
                    )
                    .await?;
            }
            let outcome = match stream.state.taken() {
                Some(_) => Outcome::Refunded { reservation_id: id },
                None => Outcome::Voided { reservation_id: id },
            };
            stream = self.record(ask, stream, outcome).await?;
        }
        Ok(Reply {
            position: stream.position,
            answer: Answer::Done,
        })
    }

    fn gateway(&self, ask: &Ask, reservation_id: ReservationId) -> Gateway<'_> {
        Gateway {
            app: &self.app,
            reservation_id,
            deadline: ask.deadline_ms,
        }
    }

    async fn load(&self, id: ReservationId) -> Result<Stream, Failure> {
        let mut stream = Stream::unread(id);
        for recorded in self.app.read(&stream.name).await? {
            let unreadable = |error: contract::Unreadable| Failure::Unreadable {
                what: error.to_string(),
            };
            stream.state.evolve(&recorded.decode().map_err(unreadable)?.0);
            stream.end = recorded.end().map_err(unreadable)?;
            stream.position = Some(recorded.position);
        }
        Ok(stream)
    }

    /// Records what the gateway did. When others wrote the stream meanwhile, it is recorded on what they wrote.
    async fn record(&self, ask: &Ask, mut stream: Stream, outcome: Outcome) -> Result<Stream, Failure> {
        let id = match outcome {
            Outcome::Captured { reservation_id, .. }
            | Outcome::Declined { reservation_id, .. }
            | Outcome::Voided { reservation_id }
            | Outcome::Refunded { reservation_id } => reservation_id,
        };
        for _ in 0..ATTEMPTS {
            let now = self.app.clock.now();
            // A payment refuses no outcome: what the gateway did is done.
            let events = Payment::decide(&stream.state, &outcome, now).unwrap_or_default();
            if events.is_empty() {
                return Ok(stream);
            }
            let expected = Expected::before(stream.end.next);
            // Told apart by its place, because one ask may write the stream more than once.
            let command = ask.id.derived(&format!("payment-{}", stream.end.next));
            let mut after = stream.state;
            events.iter().for_each(|event| after.evolve(event));
            let linked = stream
                .end
                .link(&stream.name, command, &ask.cause, now, events)
                .map_err(|error| Failure::Unreadable {
                    what: error.to_string(),
                })?;
            if let Some(appended) = self.app.append(&stream.name, expected, linked).await? {
                count(&outcome);
                return Ok(Stream {
                    state: after,
                    position: Some(appended.position),
                    ..stream
                });
            }
            stream = self.load(id).await?;
        }
        Err(Failure::Busy { retry_after_ms: 500 })
    }
}

fn count(outcome: &Outcome) {
    let name = match outcome {
        Outcome::Captured { .. } => "captured",
        Outcome::Declined { .. } => "declined",
        Outcome::Voided { .. } => "voided",
        Outcome::Refunded { .. } => "refunded",
    };
    counter!("eventflow_payments_total", "outcome" => name).increment(1);
}
