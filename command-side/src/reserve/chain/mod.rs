//! The chain of responsibility that every reservation passes before it exists.
//!
//! Each link is a small type with a name: it adds what it finds out to the order and passes it on, or refuses
//! it. The list is data: a link is added in one line of [`LINKS`]. Links advise; none grants stock, which only
//! `show::decide` does, so an order that passed may still be refused by the saga.

mod check_inventory;
mod check_purchase_limit;
mod create_reservation;
mod price_order;
mod validate_data;

pub use check_inventory::CheckInventory;
pub use check_purchase_limit::CheckPurchaseLimit;
pub use create_reservation::CreateReservation;
pub use price_order::PriceOrder;
pub use validate_data::ValidateData;

use super::Order;
use crate::app::{App, Rejection};
use async_trait::async_trait;
use metrics::{Counter, counter};

/// One link of the chain.
#[async_trait]
pub trait Link: Send + Sync {
    /// Its name, in metrics and in the documentation.
    fn name(&self) -> &'static str;

    /// Passes the order on, enriched, or refuses it.
    async fn handle(&self, app: &App, order: Order) -> Result<Order, Rejection>;
}

/// The links, in their order.
pub static LINKS: [&dyn Link; 5] = [
    &ValidateData,
    &CheckInventory,
    &PriceOrder,
    &CheckPurchaseLimit,
    &CreateReservation,
];

/// Links in a row, each with its counters.
pub struct Chain {
    links: Vec<Counted>,
}

struct Counted {
    link: &'static dyn Link,
    passed: Counter,
    refused: Counter,
    failed: Counter,
}

impl Chain {
    /// The chain of [`LINKS`].
    pub fn standard() -> Self {
        Self::of(&LINKS)
    }

    /// A chain of other links.
    pub fn of(links: &[&'static dyn Link]) -> Self {
        let links = links.iter().map(|link| Counted {
            link: *link,
            passed: counter(*link, "passed"),
            refused: counter(*link, "refused"),
            failed: counter(*link, "failed"),
        });
        Self {
            links: links.collect(),
        }
    }

    /// The names of the links, in their order.
    pub fn names(&self) -> Vec<&'static str> {
        self.links.iter().map(|counted| counted.link.name()).collect()
    }

    /// Hands the order from link to link.
    ///
    /// # Errors
    /// What the first link says that does not pass it on.
    pub async fn run(&self, app: &App, mut order: Order) -> Result<Order, Rejection> {
        for Counted {
            link,
            passed,
            refused,
            failed,
        } in &self.links
        {
            order = match link.handle(app, order).await {
                Ok(order) => order,
                Err(rejection) => {
                    match &rejection {
                        Rejection::Refused(_) => refused.increment(1),
                        Rejection::Failed(_) => failed.increment(1),
                    }
                    return Err(rejection);
                }
            };
            passed.increment(1);
        }
        Ok(order)
    }
}

fn counter(link: &'static dyn Link, outcome: &'static str) -> Counter {
    counter!("eventflow_chain_links_total", "link" => link.name(), "outcome" => outcome)
}
