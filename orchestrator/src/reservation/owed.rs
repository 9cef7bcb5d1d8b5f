//! Which ask is open, and until when.

use super::state::{Phase, State};
use crate::Settings;
use contract::{
    Command, CommandId, Timestamp,
    commands::{PaymentAction, PaymentCommand, ShowAction, ShowCommand, UserAction, UserCommand},
    events::{Choice, HoldGrant, PurchaseRecorded, Step},
};

/// Whether a step is done or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Done.
    Forward,
    /// Undone.
    Undo,
}

/// An ask that is still unanswered.
#[derive(Clone, Debug)]
pub struct Owed {
    /// The step.
    pub step: Step,
    /// To do it or to undo it.
    pub direction: Direction,
    /// Version 5 of the saga's id and the step's name: the same at every try and after every crash.
    pub id: CommandId,
    /// What is asked.
    pub command: Command,
}

/// The ask that the saga waits for, if it waits for any. At most one: steps come strictly one after the other.
pub fn owed(state: &State, settings: &Settings) -> Option<Owed> {
    match &state.phase {
        Phase::Forward { asked } => Some(forward(state, *asked, settings)),
        Phase::Compensating(undoing) => undoing.pending.first().map(|step| undo(state, *step)),
        Phase::Stuck(_) | Phase::Settled(_) => None,
    }
}

/// When the open forward ask is given up: its outcome is unknown then, and the saga undoes. Undoing has no
/// deadline.
///
/// It follows from what is in the log and nothing else, so that no timer needs to be stored: up to the hold, the
/// buyer's wait in line; for the payment, the hold's deadline, because what is charged after it is only refunded,
/// or the longest that a payment may take; after it, the hold's deadline with a margin in which the show itself
/// can say that the hold is over.
pub fn deadline(state: &State, settings: &Settings) -> Option<Timestamp> {
    let Phase::Forward { asked } = &state.phase else {
        return None;
    };
    let line = state.request.line_until_ms.plus_ms(settings.line_margin_ms);
    let hold = state.grant.as_ref().map(|grant| grant.deadline_ms);
    Some(match (asked, hold) {
        (Step::ValidateUser | Step::ValidateShow | Step::HoldInventory, _) | (_, None) => line,
        (Step::TakePayment, Some(hold)) => {
            let held_at = state
                .ended_at(Step::HoldInventory)
                .unwrap_or(state.request.requested_at_ms);
            hold.min(held_at.plus_ms(settings.payment_timeout_ms))
        }
        (Step::RecordHistory | Step::Confirm, Some(hold)) => hold.plus_ms(settings.line_margin_ms),
    })
}

impl Owed {
    /// When one try of this ask is over. Waiting in line and payments may take as long as their step may, other
    /// asks are tried again sooner.
    pub fn try_until(&self, state: &State, settings: &Settings, now: Timestamp) -> Timestamp {
        let last = deadline(state, settings).unwrap_or(Timestamp(i64::MAX));
        match (self.direction, self.step) {
            (Direction::Forward, Step::HoldInventory | Step::TakePayment) => last,
            (Direction::Undo, Step::TakePayment) => now.plus_ms(settings.payment_timeout_ms),
            (Direction::Forward | Direction::Undo, _) => last.min(now.plus_ms(settings.ask_timeout_ms)),
        }
    }
}

fn forward(state: &State, step: Step, settings: &Settings) -> Owed {
    let request = &state.request;
    let (name, command) = match step {
        Step::ValidateUser => (step_name(step), user(state, UserAction::Check)),
        Step::ValidateShow => (step_name(step), show(state, quote(state))),
        Step::HoldInventory => (step_name(step), show(state, hold(state, settings))),
        Step::TakePayment => {
            // The tickets cost what was quoted, or the hold would have been refused.
            let amount = state.grant.as_ref().map_or(request.amount, |grant| grant.amount);
            let token = request.payment_token.clone();
            (
                step_name(step),
                payment(state, PaymentAction::Take { amount, token }),
            )
        }
        // After a crash the show's name is not in memory any more: first it is asked for.
        Step::RecordHistory => match purchase(state) {
            Some(purchase) => {
                let purchase = Box::new(purchase);
                (
                    step_name(step),
                    user(state, UserAction::RecordPurchase { purchase }),
                )
            }
            None => ("describe_show", show(state, quote(state))),
        },
        Step::Confirm => {
            let action = ShowAction::Sell {
                hold_id: state.hold_id(),
                reservation_id: state.id(),
            };
            (step_name(step), show(state, action))
        }
    };
    Owed {
        step,
        direction: Direction::Forward,
        id: CommandId(state.id().0).derived(name),
        command,
    }
}

/// The ask that undoes a step, or bars it if it was never done.
pub fn undo(state: &State, step: Step) -> Owed {
    let reservation_id = state.id();
    let (name, command) = match step {
        Step::RecordHistory => (
            "undo-record_history",
            user(state, UserAction::UnrecordPurchase { reservation_id }),
        ),
        Step::TakePayment => ("undo-take_payment", payment(state, PaymentAction::GiveBack)),
        // Nothing else is ever undone: checks have no effect, and a sale is taken back with its tickets.
        Step::ValidateUser | Step::ValidateShow | Step::HoldInventory | Step::Confirm => {
            let action = ShowAction::Restore {
                hold_id: state.hold_id(),
                reservation_id,
            };
            ("undo-hold_inventory", show(state, action))
        }
    };
    Owed {
        step,
        direction: Direction::Undo,
        id: CommandId(reservation_id.0).derived(name),
        command,
    }
}

fn quote(state: &State) -> ShowAction {
    ShowAction::Quote {
        user_id: state.request.user_id,
        choice: state.request.choice.clone(),
    }
}

fn hold(state: &State, settings: &Settings) -> ShowAction {
    let (user_id, reservation_id) = (state.request.user_id, state.id());
    match &state.request.choice {
        Choice::Hold { hold_id } => ShowAction::AdoptHold {
            hold_id: *hold_id,
            user_id,
            reservation_id,
        },
        choice @ (Choice::Quantity { .. } | Choice::Seats { .. }) => ShowAction::Hold {
            hold_id: state.hold_id(),
            user_id,
            choice: choice.clone(),
            reservation_id: Some(reservation_id),
            ttl_ms: settings.hold_ttl_ms,
            line_until_ms: Some(state.request.line_until_ms),
            fingerprint: None,
        },
    }
}

/// The entry in the buyer's history; `None` while what it says of the show is not in memory.
fn purchase(state: &State) -> Option<PurchaseRecorded> {
    let (facts, grant): (_, &HoldGrant) = (state.show.as_ref()?, state.grant.as_ref()?);
    Some(PurchaseRecorded {
        reservation_id: state.id(),
        show_id: state.request.show_id,
        show_name: facts.name.clone(),
        category: facts.category.clone(),
        quantity: grant.quantity,
        amount: grant.amount,
        at_ms: state
            .ended_at(Step::TakePayment)
            .unwrap_or(state.request.requested_at_ms),
    })
}

fn user(state: &State, action: UserAction) -> Command {
    Command::User(UserCommand {
        user_id: state.request.user_id,
        action,
    })
}

fn show(state: &State, action: ShowAction) -> Command {
    Command::Show(ShowCommand {
        show_id: state.request.show_id,
        action,
    })
}

fn payment(state: &State, action: PaymentAction) -> Command {
    Command::Payment(PaymentCommand {
        reservation_id: state.id(),
        action,
    })
}

/// A step's name in ask ids and metrics. Fixed: an ask must keep its id over versions of this program.
pub fn step_name(step: Step) -> &'static str {
    match step {
        Step::ValidateUser => "validate_user",
        Step::ValidateShow => "validate_show",
        Step::HoldInventory => "hold_inventory",
        Step::TakePayment => "take_payment",
        Step::RecordHistory => "record_history",
        Step::Confirm => "confirm",
    }
}
