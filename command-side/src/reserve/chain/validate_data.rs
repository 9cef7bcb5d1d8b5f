//! ValidadorDeDatos.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::Order,
};
use async_trait::async_trait;
use contract::{
    Answer, Command,
    commands::{ShowAction, ShowCommand, UserAction, UserCommand},
};
use futures_util::future;

/// The buyer and the show exist. Shapes were checked where the request was read.
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
        let (user, show) = future::join(
            app.ask(&order.cause, order.command("check_user"), check),
            app.ask(&order.cause, order.command("quote"), quote),
        )
        .await;
        user?;
        match show?.answer {
            Answer::Quoted(quote) => order.quote = Some(quote),
            other => return Err(Rejection::unexpected(&other)),
        }
        Ok(order)
    }
}
