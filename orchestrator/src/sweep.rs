//! A show was cancelled: every sale of it is given back, each through its own reservation's saga.

use crate::{backoff::Backoff, runner::Orchestrator};
use contract::{
    Answer, Ask, Cause, Command, CommandId, Failure, Refusal, ReservationId, ShowId,
    commands::{ReservationAction, ReservationCommand, ShowAction, ShowCommand},
    events::CancelReason,
};
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use uuid::Uuid;

/// How many sales one question lists.
const PAGE: u32 = 256;
/// How many cancellations are asked for at a time.
const AT_ONCE: usize = 64;

/// What one look at all sales of a show came to.
enum Pass {
    /// Every sale is being undone, or there is none.
    Complete,
    /// Something did not answer: once more.
    Incomplete,
}

impl Orchestrator {
    /// Has every sale of a cancelled show undone: asks its reservation to be cancelled, and asks again until each
    /// has said either yes or that it is being undone already. Sales cannot be added meanwhile, since the show
    /// itself refuses them. Idempotent. False when the program ended first.
    pub(crate) async fn cancel_sales(self: Arc<Self>, show_id: ShowId) -> bool {
        let _place = self.show_places.acquire().await;
        let mut backoff = Backoff::new(&self.settings);
        while let Pass::Incomplete = self.cancel_sales_once(show_id).await {
            if self.is_draining() {
                return false;
            }
            self.clock
                .sleep_until(self.clock.now().plus_ms(backoff.next_ms()))
                .await;
        }
        tracing::info!(show = %show_id, "every sale of a cancelled show is being undone");
        true
    }

    /// Has the show's lane take the show into memory, where it watches the deadlines of its holds.
    pub(crate) async fn wake(self: Arc<Self>, show_id: ShowId) {
        let _place = self.show_places.acquire().await;
        let mut backoff = Backoff::new(&self.settings);
        while let Answer::Failed(failure) = self.ask_show(show_id, "expire", ShowAction::ExpireHolds).await {
            if self.is_draining() {
                return;
            }
            tracing::warn!(show = %show_id, %failure, "a show with open holds does not answer yet");
            self.clock
                .sleep_until(self.clock.now().plus_ms(backoff.next_ms()))
                .await;
        }
    }

    async fn cancel_sales_once(&self, show_id: ShowId) -> Pass {
        let mut pass = Pass::Complete;
        let mut after = None;
        loop {
            let list = ShowAction::ListSales { after, limit: PAGE };
            let reservations = match self.ask_show(show_id, "list_sales", list).await {
                Answer::Sales { reservations } => reservations,
                // There is no such show.
                Answer::Refused(_) => return pass,
                _ => return Pass::Incomplete,
            };
            let Some(last) = reservations.last() else {
                return pass;
            };
            after = Some(*last);
            let answers: Vec<_> = stream::iter(reservations)
                .map(|id| self.cancel_sale(id))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            if answers.contains(&false) {
                pass = Pass::Incomplete;
            }
        }
    }

    /// True when the reservation is, or is going to be, undone.
    async fn cancel_sale(&self, reservation_id: ReservationId) -> bool {
        let action = ReservationAction::Cancel {
            reason: CancelReason::ShowCancelled,
        };
        let command = Command::Reservation(ReservationCommand {
            reservation_id,
            action,
        });
        // Refused as not cancellable is one that is being undone for a reason of its own, or stuck at that.
        matches!(
            self.ask_one(reservation_id.0, "show_cancelled", command).await,
            Answer::Done | Answer::Refused(_)
        )
    }

    async fn ask_show(&self, show_id: ShowId, name: &str, action: ShowAction) -> Answer {
        self.ask_one(show_id.0, name, Command::Show(ShowCommand { show_id, action }))
            .await
    }

    async fn ask_one(&self, aggregate: Uuid, name: &str, command: Command) -> Answer {
        let ask = Ask {
            id: CommandId(aggregate).derived(name),
            cause: Cause {
                correlation: aggregate,
                actor: "saga".into(),
                trace: None,
            },
            deadline_ms: self.clock.now().plus_ms(self.settings.ask_timeout_ms),
            command,
        };
        match self
            .broker
            .ask(ask)
            .await
            .map_or_else(Answer::from, |reply| reply.answer)
        {
            // It waited too long to be looked at.
            Answer::Refused(Refusal::TooLate { .. }) => Answer::Failed(Failure::Unavailable {
                what: "the lane came to it too late".into(),
            }),
            answer => answer,
        }
    }
}
