//! ValidadorDeLimiteDeCompra.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::Order,
};
use async_trait::async_trait;
use contract::{Refusal, events::Choice};

/// Nobody gets more tickets of a show than its limit, over all their holds and purchases.
pub struct CheckPurchaseLimit;

#[async_trait]
impl Link for CheckPurchaseLimit {
    fn name(&self) -> &'static str {
        "CheckPurchaseLimit"
    }

    async fn handle(&self, _app: &App, order: Order) -> Result<Order, Rejection> {
        let Some(quote) = &order.quote else {
            return Ok(order);
        };
        let more = match order.choice {
            // The tickets of a hold are counted among those that the person has.
            Choice::Hold { .. } => 0,
            Choice::Quantity { .. } | Choice::Seats { .. } => quote.quantity,
        };
        if quote.already.saturating_add(more) > quote.limit_per_user {
            let (limit, already) = (quote.limit_per_user, quote.already);
            return Err(Refusal::PurchaseLimit { limit, already }.into());
        }
        Ok(order)
    }
}
