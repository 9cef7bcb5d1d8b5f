//! Use case: a buyer wants tickets, and wants to know what came of it.

use super::Order;
use crate::{
    app::{App, Rejection},
    idempotency::Keyed,
    outcomes::{Followed, Waiter},
};
use contract::{Failure, Position, Refusal, Timestamp};
use views::reservation::{self, Reservation};

/// A reservation that exists, and how far it is.
#[derive(Clone, Debug)]
pub struct Reserved {
    /// The reservation.
    pub reservation: Reservation,
    /// Where the last event stands that is in it.
    pub position: Option<Position>,
}

/// Takes an order along the chain and waits for its outcome, until `until` at the most. When nobody waits any
/// more (the buyer's connection is gone) the reservation goes on all the same.
///
/// The same order under the same idempotency key is answered with the reservation that there is, whatever the
/// chain would say now.
///
/// # Errors
/// The chain's refusal, when no reservation was made; [`Refusal::KeyReused`]; technical failures.
pub async fn request(app: &App, order: Order, until: Timestamp) -> Result<Reserved, Rejection> {
    let id = order.reservation_id;
    let mut waiter = app.outcomes.register(id);
    match order.fingerprint {
        None => create(app, &waiter, order).await?,
        Some(fingerprint) => {
            // One at a time under one key: an equal order that comes at the same moment must find what this one
            // has made, and not be judged beside it.
            let _turn = app.keys().take(id.0).await;
            let keyed = Keyed {
                id: id.0,
                fingerprint,
            };
            match create(app, &waiter, order).await {
                // The same order may have been fulfilled before: then its tickets are no longer there to be had.
                Err(Rejection::Refused(refusal)) => found_before(app, &waiter, keyed, refusal).await?,
                other => other?,
            }
        }
    }
    let Followed {
        reservation,
        position,
    } = waiter.settled(&*app.clock, until).await;
    let reservation = reservation.ok_or_else(|| {
        Rejection::Failed(Failure::Unknown {
            what: "the reservation was made and cannot be read yet".into(),
        })
    })?;
    Ok(Reserved {
        reservation,
        position,
    })
}

/// Makes the reservation, or finds it made by an equal order; either way the waiter knows how far it is.
async fn create(app: &App, waiter: &Waiter, order: Order) -> Result<(), Rejection> {
    let order = app.chain().run(app, order).await?;
    match order.created {
        Some(created) if created.repeated => waiter.seed(&app.read(&waiter.stream()).await?),
        Some(created) => waiter.begin(
            reservation::evolve(None, &created.request.into(), 0),
            created.position,
        ),
        None => {
            let what = "no link of the chain has made the reservation".into();
            return Err(Rejection::Failed(Failure::Unavailable { what }));
        }
    }
    Ok(())
}

/// A refused order under a key: was the same order accepted before?
async fn found_before(app: &App, waiter: &Waiter, keyed: Keyed, refusal: Refusal) -> Result<(), Rejection> {
    waiter.seed(&app.read(&waiter.stream()).await?);
    match waiter.now().reservation {
        Some(reservation) => Ok(keyed.same_as(reservation.fingerprint)?),
        None => Err(refusal.into()),
    }
}
