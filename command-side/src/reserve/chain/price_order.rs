//! CalculadorDePrecio.

use super::Link;
use crate::{
    app::{App, Rejection},
    reserve::Order,
};
use async_trait::async_trait;

/// What the order costs: the show's own sum over its sections, or what the buyer's hold was granted for.
pub struct PriceOrder;

#[async_trait]
impl Link for PriceOrder {
    fn name(&self) -> &'static str {
        "PriceOrder"
    }

    async fn handle(&self, _app: &App, mut order: Order) -> Result<Order, Rejection> {
        order.price = order.quote.as_ref().map(|quote| quote.amount);
        Ok(order)
    }
}
