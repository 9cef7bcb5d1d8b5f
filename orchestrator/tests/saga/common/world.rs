//! The participants of one purchase, as simple as they can be and stay true: each answers the same ask the same
//! way, and undoing makes what was not done impossible.

use super::{grant, no, quoted};
use contract::{
    Answer, Command, Refusal, Timestamp,
    commands::{PaymentAction, ShowAction, UserAction},
    events::Step,
    refusal::DeclineReason,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hold {
    #[default]
    None,
    Held,
    Sold,
    /// Released, expired, taken back, or made impossible.
    Over,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Payment {
    #[default]
    None,
    Captured,
    Declined,
    Voided,
    Refunded,
}

/// The tickets, the money and the history of one reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    pub hold: Hold,
    pub payment: Payment,
    pub recorded: bool,
}

impl World {
    /// Nothing of the purchase is left.
    pub fn is_undone(&self) -> bool {
        !matches!(self.hold, Hold::Held | Hold::Sold) && self.payment != Payment::Captured && !self.recorded
    }

    /// The buyer has paid and has the tickets.
    pub fn is_sold(&self) -> bool {
        self.hold == Hold::Sold && self.payment == Payment::Captured && self.recorded
    }

    /// Carries an ask out. `refuse`: the participant says no, where it is free to.
    pub fn carry_out(&mut self, command: &Command, refuse: bool, hold_deadline: Timestamp) -> Answer {
        let refused = |step| Answer::Refused(no(step));
        match command {
            Command::User(command) => match &command.action {
                UserAction::Check if refuse => refused(Step::ValidateUser),
                UserAction::Check => Answer::User {
                    registered_at_ms: Timestamp(0),
                },
                UserAction::RecordPurchase { .. } if refuse && !self.recorded => refused(Step::RecordHistory),
                UserAction::RecordPurchase { .. } => {
                    self.recorded = true;
                    Answer::Done
                }
                UserAction::UnrecordPurchase { .. } => {
                    self.recorded = false;
                    Answer::Done
                }
                UserAction::Register { .. } | UserAction::Forget { .. } => {
                    panic!("a saga registers and forgets nobody")
                }
            },
            Command::Show(command) => match &command.action {
                ShowAction::Quote { .. } => quoted(refuse.then(|| no(Step::ValidateShow))),
                ShowAction::Hold { hold_id, .. } | ShowAction::AdoptHold { hold_id, .. } => match self.hold {
                    Hold::None if refuse => refused(Step::HoldInventory),
                    Hold::None | Hold::Held | Hold::Sold => {
                        self.hold = self.hold.max(Hold::Held);
                        Answer::Held(grant(*hold_id, hold_deadline))
                    }
                    Hold::Over => Answer::Refused(Refusal::HoldExpired),
                },
                ShowAction::Sell { .. } => match self.hold {
                    Hold::Held if refuse => {
                        self.hold = Hold::Over;
                        refused(Step::Confirm)
                    }
                    Hold::Held | Hold::Sold => {
                        self.hold = Hold::Sold;
                        Answer::Done
                    }
                    Hold::None | Hold::Over => refused(Step::Confirm),
                },
                ShowAction::Restore { .. } => {
                    self.hold = Hold::Over;
                    Answer::Done
                }
                other => panic!("a saga does not ask for {other:?}"),
            },
            Command::Payment(command) => match &command.action {
                PaymentAction::Take { .. } => match self.payment {
                    Payment::None if refuse => {
                        self.payment = Payment::Declined;
                        refused(Step::TakePayment)
                    }
                    Payment::None | Payment::Captured => {
                        self.payment = Payment::Captured;
                        Answer::Done
                    }
                    Payment::Declined => refused(Step::TakePayment),
                    Payment::Voided | Payment::Refunded => Answer::Refused(Refusal::PaymentDeclined {
                        reason: DeclineReason::Voided,
                    }),
                },
                PaymentAction::GiveBack => {
                    self.payment = match self.payment {
                        Payment::None | Payment::Voided => Payment::Voided,
                        Payment::Captured | Payment::Refunded => Payment::Refunded,
                        Payment::Declined => Payment::Declined,
                    };
                    Answer::Done
                }
            },
            Command::Reservation(_) => panic!("a saga does not ask itself"),
        }
    }
}
