//! What is asked of an aggregate, and what it answers. Commands travel through the broker to the lane that owns
//! the aggregate; in one process as values, between processes as JSON.

use crate::{
    envelope::{Cause, Digest, Position},
    events::{
        CancelReason, Choice, ForgetReason, HoldGrant, PurchaseRecorded, ReservationRequested, ShowScheduled,
        Tally, UserRegistered,
    },
    ids::{CommandId, HoldId, ReservationId, ShowId, UserId},
    money::Money,
    refusal::Refusal,
    stream::{StreamKind, StreamName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One command on its way to a lane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// The same at every retry; every receiver is idempotent by it.
    pub id: CommandId,
    /// Why.
    pub cause: Cause,
    /// Whoever asks gives up when this has passed; an ask found later is refused as `TooLate`. With
    /// [`Ask::NEVER`], it is carried out whenever it can be.
    pub deadline_ms: Timestamp,
    /// What is asked.
    pub command: Command,
}

impl Ask {
    /// The deadline of an ask that nobody gives up.
    pub const NEVER: Timestamp = Timestamp(i64::MAX);

    /// Whether it waits for a log that is away, however long.
    pub fn is_patient(&self) -> bool {
        self.deadline_ms == Self::NEVER
    }
}

/// A command, by the aggregate that it is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "aggregate", content = "command", rename_all = "snake_case")]
pub enum Command {
    /// For `user-{id}`.
    User(UserCommand),
    /// For `show-{id}`.
    Show(ShowCommand),
    /// For `reservation-{id}`.
    Reservation(ReservationCommand),
    /// For `payment-{id}`.
    Payment(PaymentCommand),
}

impl Command {
    /// Which kind of lane takes it.
    pub fn service(&self) -> StreamKind {
        match self {
            Command::User(_) => StreamKind::User,
            Command::Show(_) => StreamKind::Show,
            Command::Reservation(_) => StreamKind::Reservation,
            Command::Payment(_) => StreamKind::Payment,
        }
    }

    /// The aggregate's id; it hashes to one lane.
    pub fn key(&self) -> Uuid {
        match self {
            Command::User(command) => command.user_id.0,
            Command::Show(command) => command.show_id.0,
            Command::Reservation(command) => command.reservation_id.0,
            Command::Payment(command) => command.reservation_id.0,
        }
    }

    /// The aggregate's stream.
    pub fn stream(&self) -> StreamName {
        StreamName::of(self.service(), self.key())
    }
}

/// A command for a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserCommand {
    /// Which.
    pub user_id: UserId,
    /// What.
    pub action: UserAction,
}

/// What a user can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum UserAction {
    /// Does the user exist? Changes nothing.
    Check,
    /// Registers the user; the claim on the e-mail address was made before.
    Register {
        /// The event to be.
        registration: Box<UserRegistered>,
    },
    /// Enters a purchase into the history; a second time does nothing.
    RecordPurchase {
        /// The event to be.
        purchase: Box<PurchaseRecorded>,
    },
    /// Forgets the person. Never refused to one who exists; a second time does nothing.
    Forget {
        /// Why.
        reason: ForgetReason,
    },
    /// Takes a purchase out of the history; one that is not there needs nothing.
    UnrecordPurchase {
        /// Which.
        reservation_id: ReservationId,
    },
}

/// A command for a show.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShowCommand {
    /// Which.
    pub show_id: ShowId,
    /// What.
    pub action: ShowAction,
}

/// What a show can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ShowAction {
    /// Makes the show.
    Schedule {
        /// The event to be.
        show: Box<ShowScheduled>,
    },
    /// What would this choice cost this person, and could they have it? Advice; changes nothing.
    Quote {
        /// Who asks.
        user_id: UserId,
        /// For what.
        choice: Choice,
    },
    /// Holds tickets. The same hold id again is answered with the hold that there is.
    Hold {
        /// The hold to be.
        hold_id: HoldId,
        /// Whose.
        user_id: UserId,
        /// Which tickets: a quantity or seats.
        choice: Choice,
        /// The reservation that will pay, if it is made for one.
        reservation_id: Option<ReservationId>,
        /// How long the hold lasts, in milliseconds from the decision.
        ttl_ms: u64,
        /// Until when to wait in line when all tickets are held by others; `None` = not at all.
        line_until_ms: Option<Timestamp>,
        /// What was asked under an idempotency key.
        fingerprint: Option<Digest>,
    },
    /// A reservation takes over a hold that its buyer made before.
    AdoptHold {
        /// The hold.
        hold_id: HoldId,
        /// Whose it must be.
        user_id: UserId,
        /// The reservation.
        reservation_id: ReservationId,
    },
    /// The hold as it stands. Changes nothing.
    DescribeHold {
        /// Which.
        hold_id: HoldId,
    },
    /// Its owner gives a hold back, that no reservation is paying for.
    ReleaseHold {
        /// Which.
        hold_id: HoldId,
    },
    /// A hold becomes a sale.
    Sell {
        /// Which.
        hold_id: HoldId,
        /// The reservation that has paid.
        reservation_id: ReservationId,
    },
    /// Undoes whatever the reservation did with the hold: releases it, or takes the sale back. Never refused:
    /// a hold that never was is made impossible.
    Restore {
        /// Which.
        hold_id: HoldId,
        /// The reservation that is undone.
        reservation_id: ReservationId,
    },
    /// Releases the holds whose deadline has passed.
    ExpireHolds,
    /// Cancels the show: holds are released, nothing more is sold.
    Cancel,
    /// The reservations that own sales, in the order of their ids, after `after`. Changes nothing.
    ListSales {
        /// The last one that was seen.
        after: Option<ReservationId>,
        /// How many at the most.
        limit: u32,
    },
}

/// A command for a reservation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReservationCommand {
    /// Which.
    pub reservation_id: ReservationId,
    /// What.
    pub action: ReservationAction,
}

/// What a reservation can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ReservationAction {
    /// Makes the reservation; its saga begins when the event is in the log.
    Request {
        /// The event to be.
        request: Box<ReservationRequested>,
    },
    /// Wants it undone.
    Cancel {
        /// Who wants it.
        reason: CancelReason,
    },
    /// Lets a stuck saga try again.
    Resume,
}

/// A command for the payment of a reservation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PaymentCommand {
    /// For which reservation.
    pub reservation_id: ReservationId,
    /// What.
    pub action: PaymentAction,
}

/// What a payment can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PaymentAction {
    /// Charges the buyer, once, whatever happens.
    Take {
        /// How much.
        amount: Money,
        /// What the gateway is told.
        token: String,
    },
    /// Gives back what was taken, or makes sure that nothing will be. Never refused.
    GiveBack,
}

/// What an ask came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Where the aggregate's last event stands in the log, when it has one and it is known.
    pub position: Option<Position>,
    /// The answer.
    pub answer: Answer,
}

/// An answer. Which one, follows from the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is so now. Durable.
    Done,
    /// To `Quote`.
    Quoted(Quote),
    /// To `Hold`, `AdoptHold`.
    Held(HoldGrant),
    /// To `DescribeHold`, `ReleaseHold`.
    Hold(HoldStatus),
    /// To `ListSales`.
    Sales {
        /// In the order of their ids.
        reservations: Vec<ReservationId>,
    },
    /// To `Request`: it exists, by this request or an equal one before.
    Requested {
        /// True when it existed before.
        repeated: bool,
    },
    /// To `Check`.
    User {
        /// When they registered.
        registered_at_ms: Timestamp,
    },
    /// No, for a reason of the business.
    Refused(Refusal),
    /// A technical failure: nothing is known to have happened; the same ask may be sent again.
    Failed(Failure),
}

/// Advice from the authority: how things stand at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The show's name.
    pub show_name: String,
    /// Its category.
    pub category: Option<String>,
    /// When it begins.
    pub starts_at_ms: Timestamp,
    /// How many tickets the choice is.
    pub quantity: u32,
    /// What they would cost.
    pub amount: Money,
    /// Where the tickets are.
    pub tally: Tally,
    /// How many one person may have.
    pub limit_per_user: u32,
    /// How many the person has, over holds and purchases; the hold of a `Choice::Hold` counts.
    pub already: u32,
    /// Why the show itself would refuse the choice, but for the limit: `ShowUnavailable`, `SoldOut`,
    /// `AllHeld`, `SeatsTaken`, `SeatsUnknown`, `SectionUnknown`, `NotNumbered`, `HoldNotFound`, `HoldExpired`,
    /// `HoldInUse`.
    pub objection: Option<Refusal>,
}

/// A hold and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldStatus {
    /// Its tickets and deadline.
    pub grant: HoldGrant,
    /// Whose.
    pub user_id: UserId,
    /// What became of it.
    pub phase: HoldPhase,
    /// What was asked under an idempotency key.
    pub fingerprint: Option<Digest>,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum HoldPhase {
    /// It claims its tickets until its deadline.
    Active {
        /// The reservation that is paying for it.
        reservation_id: Option<ReservationId>,
    },
    /// Sold to this reservation.
    Sold {
        /// Which.
        reservation_id: ReservationId,
    },
    /// Released, expired or taken back.
    Over,
}

/// A technical failure, told apart by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    /// Too much to do: nothing was begun.
    #[error("busy; try again in {retry_after_ms} ms")]
    Busy {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// Something that is needed does not answer: nothing is known to have happened.
    #[error("unavailable: {what}")]
    Unavailable {
        /// What, without addresses or personal data.
        what: String,
    },
    /// It may have happened and is not known to have: ask again under the same id.
    #[error("outcome unknown: {what}")]
    Unknown {
        /// What, without addresses or personal data.
        what: String,
    },
    /// What is stored cannot be read: an operator must look.
    #[error("stored data cannot be read: {what}")]
    Unreadable {
        /// What, without personal data.
        what: String,
    },
}
