//! What happens to a reservation: stream `reservation-{id}`, which is also its saga's memory.

use crate::{
    envelope::Digest,
    ids::{HoldId, ReservationId, ShowId, UserId},
    money::Money,
    refusal::Refusal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The six steps of the saga, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The buyer exists.
    ValidateUser,
    /// The show exists and is on sale.
    ValidateShow,
    /// The tickets are held.
    HoldInventory,
    /// The money is captured.
    TakePayment,
    /// The purchase is in the buyer's history.
    RecordHistory,
    /// The hold is a sale.
    Confirm,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Step; 6] = [
        Step::ValidateUser,
        Step::ValidateShow,
        Step::HoldInventory,
        Step::TakePayment,
        Step::RecordHistory,
        Step::Confirm,
    ];

    /// The step after this one.
    pub fn next(self) -> Option<Step> {
        Self::ALL.get(self as usize + 1).copied()
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Done.
    Done,
    /// Refused, or its deadline passed.
    Failed,
    /// Undone again.
    Compensated,
}

/// What became of a step, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step.
    pub step: Step,
    /// How it ended.
    pub state: StepState,
    /// When.
    pub at_ms: Timestamp,
}

/// What a buyer asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Choice {
    /// So many tickets; on a numbered show the best seats together.
    Quantity {
        /// How many.
        quantity: u32,
        /// Only in this section.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<String>,
    },
    /// These seats.
    Seats {
        /// Their names.
        seats: Vec<String>,
    },
    /// The tickets of a hold that was made before.
    Hold {
        /// The hold.
        hold_id: HoldId,
    },
}

impl Choice {
    /// How many tickets these are, as far as the choice itself says; 0 for a hold.
    pub fn quantity(&self) -> u32 {
        match self {
            Choice::Quantity { quantity, .. } => *quantity,
            Choice::Seats { seats } => u32::try_from(seats.len()).unwrap_or(u32::MAX),
            Choice::Hold { .. } => 0,
        }
    }
}

/// The tickets that a hold claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldGrant {
    /// The hold.
    pub hold_id: HoldId,
    /// How many tickets.
    pub quantity: u32,
    /// Which seats; empty for general admission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<String>,
    /// What they cost together.
    pub amount: Money,
    /// The hold is over when this has passed.
    pub deadline_ms: Timestamp,
}

/// `reservation_requested.v1`: durable from here on, nothing that follows can lose the purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRequested {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The buyer.
    pub user_id: UserId,
    /// The show.
    pub show_id: ShowId,
    /// What is asked for.
    pub choice: Choice,
    /// How many tickets, as quoted; 0 = nothing was quoted, because the log was away when the buyer asked.
    pub quantity: u32,
    /// What they cost together, as quoted. Without a quote: nothing, and the hold's price counts.
    pub amount: Money,
    /// What the payment gateway is told; a reference, never a card number.
    pub payment_token: String,
    /// How long the buyer waits in line when all tickets are held by others.
    pub line_until_ms: Timestamp,
    /// When.
    pub requested_at_ms: Timestamp,
    /// What user and show said before the reservation was made; without it, the saga asks them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Box<Checked>>,
    /// What was asked under an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
}

/// The buyer exists and the show is on sale: both said so when the reservation was requested. The first two steps of
/// its saga are done with that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The show's name.
    pub show_name: String,
    /// Its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

impl ReservationRequested {
    /// Whether the buyer was told what it costs before it was asked for.
    pub fn is_quoted(&self) -> bool {
        self.quantity > 0
    }

    /// The steps that are done with the request.
    pub fn steps(&self) -> Vec<StepRecord> {
        let done = |step| StepRecord {
            step,
            state: StepState::Done,
            at_ms: self.requested_at_ms,
        };
        match self.checked {
            Some(_) => vec![done(Step::ValidateUser), done(Step::ValidateShow)],
            None => Vec::new(),
        }
    }
}

/// `reservation_progressed.v1`: steps were done, or undone again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationProgressed {
    /// Which, in order.
    pub steps: Vec<StepRecord>,
    /// What was held, with the step that held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldGrant>,
}

/// `compensation_started.v1`: a step was refused or a deadline passed; from here on the saga only undoes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompensationStarted {
    /// Steps that ended since the last event; the failed one is the last.
    pub steps: Vec<StepRecord>,
    /// What was held, when it is told here first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldGrant>,
    /// The step that failed, or was asked last when the buyer cancelled.
    pub failed_step: Step,
    /// Why.
    pub refusal: Refusal,
    /// When.
    pub at_ms: Timestamp,
}

/// `reservation_confirmed.v1`: paid, recorded and sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationConfirmed {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The buyer.
    pub user_id: UserId,
    /// The show.
    pub show_id: ShowId,
    /// The tickets.
    pub grant: HoldGrant,
    /// Steps that ended since the last event.
    pub steps: Vec<StepRecord>,
    /// When.
    pub confirmed_at_ms: Timestamp,
}

/// `reservation_rejected.v1`: it came to nothing, and all that was done is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRejected {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// Steps that ended since the last event.
    pub steps: Vec<StepRecord>,
    /// The step that failed.
    pub failed_step: Step,
    /// Why.
    pub refusal: Refusal,
    /// When.
    pub at_ms: Timestamp,
}

/// Who wanted a reservation cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The buyer, or somebody for them.
    Buyer,
    /// The whole show was cancelled.
    ShowCancelled,
}

/// `cancellation_requested.v1`: from here on the saga undoes what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationRequested {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// Who wanted it.
    pub reason: CancelReason,
    /// When.
    pub at_ms: Timestamp,
}

/// `reservation_cancelled.v1`: a cancelled reservation is undone: money back, stock back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationCancelled {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// Steps that ended since the last event.
    pub steps: Vec<StepRecord>,
    /// When.
    pub at_ms: Timestamp,
}

/// `saga_stuck.v1`: a compensation kept failing; an operator must look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaStuck {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The step whose undoing fails.
    pub step: Step,
    /// The last failure, without personal data.
    pub detail: String,
    /// Steps that ended since the last event.
    pub steps: Vec<StepRecord>,
    /// When.
    pub at_ms: Timestamp,
}

/// `saga_resumed.v1`: an operator lets a stuck saga try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaResumed {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// When.
    pub at_ms: Timestamp,
}
