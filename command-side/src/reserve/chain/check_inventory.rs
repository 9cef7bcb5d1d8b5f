//! ValidadorDeInventario.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::Order,
};
use async_trait::async_trait;
use contract::Refusal;

/// The show can be sold and has these tickets.
///
/// Tickets that others hold may come back: such an order passes and will wait in the show's line.
pub struct CheckInventory;

#[async_trait]
impl Link for CheckInventory {
    fn name(&self) -> &'static str {
        "CheckInventory"
    }

    async fn handle(&self, _app: &App, order: Order) -> Result<Order, Rejection> {
        match order.quote.as_ref().and_then(|quote| quote.objection.as_ref()) {
            None | Some(Refusal::AllHeld { .. }) => Ok(order),
            Some(objection) => Err(objection.clone().into()),
        }
    }
}
