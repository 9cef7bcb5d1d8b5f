//! What is in the events of a purchase.

use super::{CAPACITY, Purchase};
use contract::{
    Event, Money, ReservationId, ShowId, Timestamp, UserId,
    events::{
        Choice, DocumentType, Layout, PaymentCaptured, PurchaseRecorded, ReservationConfirmed,
        ReservationRequested, ShowScheduled, Step, StepRecord, StepState, Tally, TicketsHeld, TicketsSold,
        UserRegistered,
    },
};
use ports::Vault;
use uuid::Uuid;

/// One person, with a key of their own.
pub(super) async fn registration(
    vault: &dyn Vault,
    index: usize,
    at: Timestamp,
) -> Result<UserRegistered, ports::VaultError> {
    let document = format!("B{index:08}");
    let email = format!("ana.{index}@example.org");
    let user_id = UserId(Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        &vault.pseudonym("document", document.as_bytes()).0,
    ));
    vault.create_key(user_id).await?;
    Ok(UserRegistered {
        user_id,
        document_type: DocumentType::Other,
        document: vault.seal(user_id, "document", &document).await?,
        given_name: vault.seal(user_id, "given_name", "Ana").await?,
        family_name: vault.seal(user_id, "family_name", "Rojas").await?,
        email: vault.seal(user_id, "email", &email).await?,
        email_pseudonym: vault.pseudonym("email", email.as_bytes()),
        password: None,
        registered_at_ms: at,
        fingerprint: None,
    })
}

pub(super) fn price() -> Money {
    Money::new(4_990, contract::Currency::USD)
}

fn show_name(index: usize) -> String {
    format!("La función {index}")
}

pub(super) fn scheduled(show_id: ShowId, index: usize, at: Timestamp) -> Event {
    ShowScheduled {
        show_id,
        name: show_name(index),
        description: None,
        starts_at_ms: at.plus_ms(365 * 86_400_000),
        venue: "Teatro Municipal".into(),
        price: price(),
        category: Some("teatro".into()),
        limit_per_user: CAPACITY,
        layout: Layout::General { capacity: CAPACITY },
        scheduled_at_ms: at,
        organiser: None,
        fingerprint: None,
    }
    .into()
}

fn records(steps: &[Step], at: Timestamp) -> Vec<StepRecord> {
    steps
        .iter()
        .map(|step| StepRecord {
            step: *step,
            state: StepState::Done,
            at_ms: at,
        })
        .collect()
}

pub(super) fn requested(purchase: &Purchase, show_id: ShowId, at: Timestamp) -> Event {
    ReservationRequested {
        reservation_id: ReservationId(purchase.reservation.id),
        user_id: UserId(purchase.buyer.id),
        show_id,
        choice: Choice::Quantity {
            quantity: 1,
            section: None,
        },
        quantity: 1,
        amount: price(),
        payment_token: "tok_ok".into(),
        line_until_ms: at.plus_ms(5_000),
        requested_at_ms: at,
        checked: None,
        fingerprint: None,
    }
    .into()
}

pub(super) fn held(purchase: &Purchase, tally: Tally) -> Event {
    TicketsHeld {
        hold_id: purchase.grant.hold_id,
        user_id: UserId(purchase.buyer.id),
        reservation_id: Some(ReservationId(purchase.reservation.id)),
        quantity: 1,
        seats: Vec::new(),
        amount: purchase.grant.amount,
        deadline_ms: purchase.grant.deadline_ms,
        tally,
        fingerprint: None,
    }
    .into()
}

pub(super) fn captured(purchase: &Purchase, at: Timestamp) -> Event {
    let reservation_id = ReservationId(purchase.payment.id);
    PaymentCaptured {
        reservation_id,
        amount: purchase.grant.amount,
        at_ms: at,
    }
    .into()
}

pub(super) fn recorded(purchase: &Purchase, show_id: ShowId, show: usize, at: Timestamp) -> Event {
    PurchaseRecorded {
        reservation_id: ReservationId(purchase.reservation.id),
        show_id,
        show_name: show_name(show),
        category: Some("teatro".into()),
        quantity: 1,
        amount: purchase.grant.amount,
        at_ms: at,
    }
    .into()
}

pub(super) fn sold(purchase: &Purchase, tally: Tally) -> Event {
    TicketsSold {
        hold_id: purchase.grant.hold_id,
        reservation_id: ReservationId(purchase.reservation.id),
        user_id: UserId(purchase.buyer.id),
        quantity: 1,
        seats: Vec::new(),
        amount: purchase.grant.amount,
        tally,
    }
    .into()
}

pub(super) fn confirmed(purchase: &Purchase, show_id: ShowId, at: Timestamp) -> Event {
    ReservationConfirmed {
        reservation_id: ReservationId(purchase.reservation.id),
        user_id: UserId(purchase.buyer.id),
        show_id,
        grant: purchase.grant.clone(),
        steps: records(&Step::ALL, at),
        confirmed_at_ms: at,
    }
    .into()
}
