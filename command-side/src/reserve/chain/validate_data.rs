//! ValidadorDeDatos.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::Order,
};
use async_trait::async_trait;
use contract::{
    Answer, Command, Failure, Reply,
    commands::{ShowAction, ShowCommand, UserAction, UserCommand},
};
use futures_util::future;

/// How long advice may take when an order can do without it, in milliseconds.
const ADVICE_WITHIN_MS: u64 = 2_000;

/// The buyer and the show exist. Shapes were checked where the request was read.
///
/// What both say goes into the reservation's first event, so that the saga need not ask them again.
///
/// With a broker that keeps asks, an order passes although the log is away and neither can be asked: it waits at
/// the broker, and the saga finds out. Nobody is kept waiting for advice that does not come.
///
/// Asks the show for its quote, once: the links behind this one judge the same answer, so that they agree with
/// each other and an order that is refused costs two asks.
pub struct ValidateData;

#[async_trait]
impl Link for ValidateData {
    fn name(&self) -> &'static str {
        "ValidateData"
    }

    async fn handle(&self, app: &App, mut order: Order) -> Result<Order, Rejection> {
        let check = Command::User(UserCommand {
            user_id: order.user_id,
            action: UserAction::Check,
        });
        let action = ShowAction::Quote {
            user_id: order.user_id,
            choice: order.choice.clone(),
        };
        let quote = Command::Show(ShowCommand {
            show_id: order.show_id,
            action,
        });
        let can_wait = app.broker.keeps_asks();
        let within_ms = if can_wait {
            ADVICE_WITHIN_MS
        } else {
            app.settings.ask_timeout_ms
        };
        let until = app.clock.now().plus_ms(within_ms);
        let (user, show) = future::join(
            app.ask_until(until, &order.cause, order.command("check_user"), check),
            app.ask_until(until, &order.cause, order.command("quote"), quote),
        )
        .await;
        order.user_exists = advice(user, can_wait)?.is_some();
        match advice(show, can_wait)?.map(|reply| reply.answer) {
            Some(Answer::Quoted(quote)) => order.quote = Some(quote),
            Some(other) => return Err(Rejection::unexpected(&other)),
            None => {}
        }
        Ok(order)
    }
}

/// The answer; none when nobody could give it and the order can wait for it.
fn advice(asked: Result<Reply, Rejection>, can_wait: bool) -> Result<Option<Reply>, Rejection> {
    match asked {
        Err(Rejection::Failed(Failure::Unavailable { .. } | Failure::Unknown { .. })) if can_wait => Ok(None),
        other => other.map(Some),
    }
}
