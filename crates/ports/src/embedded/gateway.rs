//! The simulated payment gateway, with a memory of its own in `gateway.db`: a crash of EventFlow cannot make it
//! forget a charge. It stands for somebody else's system, so nothing else reads its file.
//!
//! `payments` has one row per reservation that it has heard of: `reservation_id`, `state` (`captured`, `authorised`,
//! `declined`, `voided`, `refunded`), `reason` (why it was declined), `currency`, and in its minor units what was
//! `authorised`, `captured` and `refunded`.
//!
//! | token | |
//! |---|---|
//! | `tok_ok` | authorised and captured |
//! | `tok_rechazada`, `tok_sin_fondos` | declined |
//! | `tok_lenta` | captured, and answered after three seconds |
//! | `tok_sin_respuesta` | never charged, never answered |
//! | `tok_cobra_y_calla` | captured, never answered |
//! | `tok_falla_captura` | authorised; the capture fails |
//! | any other | declined as unknown |

use crate::{
    Charge, ChargeOutcome, Clock, Ledger, PaymentError, Payments, SystemClock,
    embedded::{
        OpenError,
        commit::{CommitError, GroupCommit, Work},
        sqlite::{Durability, File, Journal, ReadPool, open_reader},
    },
};
use async_trait::async_trait;
use contract::{Currency, Money, ReservationId, refusal::DeclineReason};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{future, path::Path, sync::Arc};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS payments (
        reservation_id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        reason TEXT,
        currency TEXT NOT NULL,
        authorised INTEGER NOT NULL,
        captured INTEGER NOT NULL,
        refunded INTEGER NOT NULL
    ) STRICT;
";
/// How long `tok_lenta` takes to answer.
const SLOW_MS: u64 = 3_000;

/// The gateway's clock and currency.
pub struct GatewayOptions {
    /// What a slow answer is timed by.
    pub clock: Arc<dyn Clock>,
    /// The currency of payments that were ended before anybody said how much they were.
    pub currency: Currency,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            currency: Currency::USD,
        }
    }
}

/// The simulated gateway.
pub struct SimulatedGateway {
    clock: Arc<dyn Clock>,
    writer: GroupCommit<Writer>,
    readers: Arc<ReadPool<Connection>>,
}

impl SimulatedGateway {
    /// Opens the gateway's memory, makes it when there is none.
    ///
    /// # Errors
    /// When the file cannot be opened or is not a gateway's.
    pub fn open(path: &Path, options: GatewayOptions) -> Result<Arc<Self>, OpenError> {
        let file = File {
            path,
            durability: Durability::Machine,
            cache_kib: 4 << 10,
            tables: TABLES,
            version: 1,
        };
        let work = Writer {
            currency: options.currency,
            journal: Journal::of(path),
        };
        let writer = GroupCommit::start("gateway-writer", file.open()?, work)?;
        let readers = ReadPool::new(vec![open_reader(path, 1 << 10)?]);
        Ok(Arc::new(Self {
            clock: options.clock,
            writer,
            readers,
        }))
    }

    async fn submit(&self, request: Request) -> Result<ChargeOutcome, PaymentError> {
        self.writer.submit(request).await.map_err(|error| match error {
            CommitError::RolledBack(why) => PaymentError::Unavailable(why),
            CommitError::Unknown(_) => PaymentError::NoAnswer,
        })
    }
}

#[async_trait]
impl Payments for SimulatedGateway {
    async fn charge(&self, charge: Charge) -> Result<ChargeOutcome, PaymentError> {
        let Charge {
            reservation_id,
            amount,
            token,
        } = charge;
        let (to_be, answer) = match token.as_str() {
            "tok_ok" => (State::Captured, Answering::AtOnce),
            "tok_lenta" => (State::Captured, Answering::Slowly),
            "tok_cobra_y_calla" => (State::Captured, Answering::Never),
            "tok_falla_captura" => (State::Authorised, Answering::AtOnce),
            "tok_rechazada" => (State::Declined(DeclineReason::Declined), Answering::AtOnce),
            "tok_sin_fondos" => (
                State::Declined(DeclineReason::InsufficientFunds),
                Answering::AtOnce,
            ),
            "tok_sin_respuesta" => return future::pending().await,
            _ => (State::Declined(DeclineReason::UnknownToken), Answering::AtOnce),
        };
        let outcome = self
            .submit(Request::Charge {
                reservation_id,
                amount,
                to_be,
            })
            .await?;
        match answer {
            Answering::AtOnce => Ok(outcome),
            Answering::Slowly => {
                self.clock.sleep_until(self.clock.now().plus_ms(SLOW_MS)).await;
                Ok(outcome)
            }
            Answering::Never => future::pending().await,
        }
    }

    async fn void(&self, reservation_id: ReservationId) -> Result<(), PaymentError> {
        self.submit(Request::Void(reservation_id)).await.map(|_| ())
    }

    async fn refund(&self, reservation_id: ReservationId) -> Result<(), PaymentError> {
        self.submit(Request::Refund(reservation_id)).await.map(|_| ())
    }

    async fn find(&self, reservation_id: ReservationId) -> Result<Option<Ledger>, PaymentError> {
        let found = self
            .readers
            .read(move |connection| find(connection, reservation_id))
            .await;
        let found = found.ok_or_else(|| PaymentError::Unavailable("the gateway is closing".into()))?;
        let payment = found.map_err(|error| PaymentError::Unavailable(error.to_string()))?;
        Ok(payment.map(|payment| Ledger {
            authorised: Money::new(payment.authorised, payment.currency),
            captured: Money::new(payment.captured, payment.currency),
            refunded: Money::new(payment.refunded, payment.currency),
            closed: matches!(
                payment.state,
                State::Declined(_) | State::Voided | State::Refunded
            ),
        }))
    }
}

/// How a token has the gateway behave.
enum Answering {
    AtOnce,
    Slowly,
    Never,
}

/// What has become of a payment.
#[derive(Clone, Copy)]
enum State {
    Captured,
    Authorised,
    Declined(DeclineReason),
    Voided,
    Refunded,
}

impl State {
    fn outcome(self) -> ChargeOutcome {
        match self {
            State::Captured => ChargeOutcome::Captured,
            State::Authorised => ChargeOutcome::Authorised,
            State::Declined(reason) => ChargeOutcome::Declined(reason),
            State::Voided | State::Refunded => ChargeOutcome::Declined(DeclineReason::Voided),
        }
    }

    /// As it is stored: the state, and why it was declined.
    fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            State::Captured => ("captured", None),
            State::Authorised => ("authorised", None),
            State::Voided => ("voided", None),
            State::Refunded => ("refunded", None),
            State::Declined(DeclineReason::InsufficientFunds) => ("declined", Some("insufficient_funds")),
            State::Declined(DeclineReason::UnknownToken) => ("declined", Some("unknown_token")),
            State::Declined(_) => ("declined", Some("declined")),
        }
    }

    fn parse(state: &str, reason: Option<&str>) -> Option<Self> {
        Some(match (state, reason) {
            ("captured", _) => State::Captured,
            ("authorised", _) => State::Authorised,
            ("voided", _) => State::Voided,
            ("refunded", _) => State::Refunded,
            ("declined", Some("insufficient_funds")) => State::Declined(DeclineReason::InsufficientFunds),
            ("declined", Some("unknown_token")) => State::Declined(DeclineReason::UnknownToken),
            ("declined", _) => State::Declined(DeclineReason::Declined),
            _ => return None,
        })
    }
}

/// A row of `payments`.
struct Payment {
    state: State,
    currency: Currency,
    authorised: i64,
    captured: i64,
    refunded: i64,
}

impl Payment {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let damaged = |column: usize| {
            rusqlite::Error::InvalidColumnType(column, column.to_string(), rusqlite::types::Type::Text)
        };
        let (state, reason, currency): (String, Option<String>, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Self {
            state: State::parse(&state, reason.as_deref()).ok_or_else(|| damaged(0))?,
            currency: currency.parse().map_err(|_| damaged(2))?,
            authorised: row.get(3)?,
            captured: row.get(4)?,
            refunded: row.get(5)?,
        })
    }
}

fn find(connection: &Connection, reservation_id: ReservationId) -> rusqlite::Result<Option<Payment>> {
    connection
        .prepare_cached(
            "SELECT state, reason, currency, authorised, captured, refunded FROM payments WHERE reservation_id = ?1",
        )?
        .query_row([reservation_id.to_string()], Payment::read)
        .optional()
}

enum Request {
    Charge {
        reservation_id: ReservationId,
        amount: Money,
        to_be: State,
    },
    Void(ReservationId),
    Refund(ReservationId),
}

struct Writer {
    currency: Currency,
    journal: Journal,
}

impl Writer {
    fn write(
        connection: &Connection,
        reservation_id: ReservationId,
        payment: &Payment,
    ) -> rusqlite::Result<()> {
        let (state, reason) = payment.state.words();
        let mut replace = connection.prepare_cached(
            "INSERT OR REPLACE INTO payments
                 (reservation_id, state, reason, currency, authorised, captured, refunded)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        replace.execute(params![
            reservation_id.to_string(),
            state,
            reason,
            payment.currency.code(),
            payment.authorised,
            payment.captured,
            payment.refunded
        ])?;
        Ok(())
    }

    /// The payment as it shall be; `None` when it is so already.
    fn decide(&self, found: Option<Payment>, request: &Request) -> Option<Payment> {
        match (found, request) {
            // The same charge again, whatever became of the first.
            (Some(_), Request::Charge { .. }) => None,
            (None, Request::Charge { amount, to_be, .. }) => {
                let authorised = if matches!(to_be, State::Declined(_)) {
                    0
                } else {
                    amount.minor
                };
                let captured = if matches!(to_be, State::Captured) {
                    amount.minor
                } else {
                    0
                };
                Some(Payment {
                    state: *to_be,
                    currency: amount.currency,
                    authorised,
                    captured,
                    refunded: 0,
                })
            }
            // What is captured stays; what is over stays so.
            (
                Some(Payment {
                    state: State::Captured | State::Refunded | State::Voided,
                    ..
                }),
                Request::Void(_),
            ) => None,
            (Some(payment), Request::Void(_)) => Some(Payment {
                state: State::Voided,
                ..payment
            }),
            (None, Request::Void(_)) => Some(Payment {
                state: State::Voided,
                currency: self.currency,
                authorised: 0,
                captured: 0,
                refunded: 0,
            }),
            (Some(payment), Request::Refund(_)) if matches!(payment.state, State::Captured) => {
                Some(Payment {
                    state: State::Refunded,
                    refunded: payment.captured,
                    ..payment
                })
            }
            (_, Request::Refund(_)) => None,
        }
    }
}

impl Work for Writer {
    type Request = Request;
    /// What a charge is answered; the others need no more than the commit.
    type Reply = ChargeOutcome;

    fn carry_out(&mut self, connection: &Connection, request: Request) -> rusqlite::Result<ChargeOutcome> {
        let (Request::Charge { reservation_id, .. }
        | Request::Void(reservation_id)
        | Request::Refund(reservation_id)) = request;
        let found = find(connection, reservation_id)?;
        let before = found.as_ref().map(|payment| payment.state);
        let after = self.decide(found, &request);
        if let Some(payment) = &after {
            Self::write(connection, reservation_id, payment)?;
        }
        let state = after.map(|payment| payment.state).or(before);
        Ok(state.unwrap_or(State::Voided).outcome())
    }

    fn rolled_back(&mut self) {}

    fn at_rest(&mut self, connection: &Connection) {
        self.journal.keep_short(connection);
    }
}
