//! What every payment gateway promises, told through the contract's test tokens.

use super::{Check, Failed, Fixture, Outcome, checks, ensure, fresh_id, same};
use crate::{Charge, ChargeOutcome, Ledger, PaymentError, Payments};
use contract::{Currency, Money, ReservationId, refusal::DeclineReason};
use std::sync::Arc;

type Gateway<'a> = &'a dyn Fixture<dyn Payments>;

pub(super) fn checks() -> Vec<Check<dyn Payments>> {
    checks![
        a_charge_is_captured,
        the_same_charge_again_is_the_same_charge,
        the_same_charge_many_times_at_once_is_one_charge,
        a_declined_charge_takes_nothing,
        a_payment_never_heard_of_is_not_found,
        a_voided_payment_can_no_longer_be_charged,
        a_void_leaves_what_is_captured,
        an_authorisation_without_capture_is_ended_by_a_void,
        a_refund_gives_back_all_and_once,
        a_refunded_payment_is_not_charged_again,
        a_charge_whose_answer_is_lost_can_be_looked_up,
        a_gateway_that_never_answers_has_not_charged_and_can_be_voided,
        what_it_answered_survives_a_restart,
    ]
}

fn charge(token: &str) -> Charge {
    Charge {
        reservation_id: ReservationId(fresh_id()),
        amount: money(4_990),
        token: token.into(),
    }
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// Authorised, captured and refunded, in minor units.
fn sums(ledger: Ledger) -> (i64, i64, i64) {
    (
        ledger.authorised.minor,
        ledger.captured.minor,
        ledger.refunded.minor,
    )
}

async fn ledger(gateway: &dyn Payments, charge: &Charge) -> Result<Ledger, Failed> {
    let found = gateway.find(charge.reservation_id).await?;
    found.ok_or_else(|| Failed::because("the gateway has not heard of the payment"))
}

const VOIDED: ChargeOutcome = ChargeOutcome::Declined(DeclineReason::Voided);

async fn a_charge_is_captured(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let yen = Money::new(500, "JPY".parse()?);
    for amount in [money(4_990), yen] {
        let charge = Charge {
            amount,
            ..charge("tok_ok")
        };
        same(
            "the outcome",
            gateway.charge(charge.clone()).await?,
            ChargeOutcome::Captured,
        )?;
        let found = ledger(&*gateway, &charge).await?;
        same("authorised", found.authorised, amount)?;
        same("captured", found.captured, amount)?;
        same("refunded", found.refunded, Money::zero(amount.currency))?;
    }
    Ok(())
}

async fn the_same_charge_again_is_the_same_charge(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    for (token, outcome, captured) in [
        ("tok_ok", ChargeOutcome::Captured, 4_990),
        (
            "tok_rechazada",
            ChargeOutcome::Declined(DeclineReason::Declined),
            0,
        ),
        ("tok_falla_captura", ChargeOutcome::Authorised, 0),
    ] {
        let charge = charge(token);
        for _ in 0..3 {
            same("the outcome", gateway.charge(charge.clone()).await?, outcome)?;
            same(
                "captured",
                ledger(&*gateway, &charge).await?.captured.minor,
                captured,
            )?;
        }
    }
    Ok(())
}

async fn the_same_charge_many_times_at_once_is_one_charge(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_ok");
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let (gateway, charge) = (gateway.clone(), charge.clone());
            tokio::spawn(async move { gateway.charge(charge).await })
        })
        .collect();
    for attempt in tries {
        same("the outcome", attempt.await??, ChargeOutcome::Captured)?;
    }
    same(
        "the sums",
        sums(ledger(&*gateway, &charge).await?),
        (4_990, 4_990, 0),
    )
}

async fn a_declined_charge_takes_nothing(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    for (token, reason) in [
        ("tok_rechazada", DeclineReason::Declined),
        ("tok_sin_fondos", DeclineReason::InsufficientFunds),
        ("tok_de_nadie", DeclineReason::UnknownToken),
    ] {
        let charge = charge(token);
        same(
            "the outcome",
            gateway.charge(charge.clone()).await?,
            ChargeOutcome::Declined(reason),
        )?;
        let found = gateway.find(charge.reservation_id).await?;
        same("the sums", found.map_or((0, 0, 0), sums), (0, 0, 0))?;
    }
    Ok(())
}

async fn a_payment_never_heard_of_is_not_found(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let unknown = ReservationId(fresh_id());
    same("what it holds", gateway.find(unknown).await?, None)?;
    gateway.refund(unknown).await?;
    let found = gateway.find(unknown).await?;
    same(
        "the sums after a refund of nothing",
        found.map_or((0, 0, 0), sums),
        (0, 0, 0),
    )
}

async fn a_voided_payment_can_no_longer_be_charged(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_ok");
    for _ in 0..2 {
        gateway.void(charge.reservation_id).await?;
        same("the outcome", gateway.charge(charge.clone()).await?, VOIDED)?;
        let found = ledger(&*gateway, &charge).await?;
        same("the sums", sums(found), (0, 0, 0))?;
        ensure!(found.closed, "it is still open");
    }
    Ok(())
}

async fn a_void_leaves_what_is_captured(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_ok");
    gateway.charge(charge.clone()).await?;
    gateway.void(charge.reservation_id).await?;
    same(
        "the sums",
        sums(ledger(&*gateway, &charge).await?),
        (4_990, 4_990, 0),
    )?;
    gateway.refund(charge.reservation_id).await?;
    same(
        "the sums after a refund",
        sums(ledger(&*gateway, &charge).await?),
        (4_990, 4_990, 4_990),
    )
}

async fn an_authorisation_without_capture_is_ended_by_a_void(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_falla_captura");
    same(
        "the outcome",
        gateway.charge(charge.clone()).await?,
        ChargeOutcome::Authorised,
    )?;
    let found = ledger(&*gateway, &charge).await?;
    same("the sums", sums(found), (4_990, 0, 0))?;
    ensure!(!found.closed, "it is closed before it was voided");
    gateway.void(charge.reservation_id).await?;
    ensure!(ledger(&*gateway, &charge).await?.closed, "it is still open");
    same(
        "the outcome after the void",
        gateway.charge(charge).await?,
        VOIDED,
    )
}

async fn a_refund_gives_back_all_and_once(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_ok");
    gateway.charge(charge.clone()).await?;
    for _ in 0..3 {
        gateway.refund(charge.reservation_id).await?;
        same(
            "the sums",
            sums(ledger(&*gateway, &charge).await?),
            (4_990, 4_990, 4_990),
        )?;
    }
    Ok(())
}

async fn a_refunded_payment_is_not_charged_again(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_ok");
    gateway.charge(charge.clone()).await?;
    gateway.refund(charge.reservation_id).await?;
    same("the outcome", gateway.charge(charge.clone()).await?, VOIDED)?;
    same(
        "the sums",
        sums(ledger(&*gateway, &charge).await?),
        (4_990, 4_990, 4_990),
    )
}

async fn a_charge_whose_answer_is_lost_can_be_looked_up(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_cobra_y_calla");
    let unanswered = in_background(&gateway, &charge);
    while gateway
        .find(charge.reservation_id)
        .await?
        .is_none_or(|found| found.captured.minor == 0)
    {
        ensure!(!unanswered.is_finished(), "it answered");
        tokio::task::yield_now().await;
    }
    unanswered.abort();
    same(
        "the sums",
        sums(ledger(&*gateway, &charge).await?),
        (4_990, 4_990, 0),
    )
}

async fn a_gateway_that_never_answers_has_not_charged_and_can_be_voided(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let charge = charge("tok_sin_respuesta");
    let unanswered = in_background(&gateway, &charge);
    gateway.void(charge.reservation_id).await?;
    let found = ledger(&*gateway, &charge).await?;
    same("the sums", sums(found), (0, 0, 0))?;
    ensure!(found.closed, "it is still open");
    ensure!(!unanswered.is_finished(), "it answered");
    unanswered.abort();
    Ok(())
}

fn in_background(
    gateway: &Arc<dyn Payments>,
    charge: &Charge,
) -> tokio::task::JoinHandle<Result<ChargeOutcome, PaymentError>> {
    let (gateway, charge) = (gateway.clone(), charge.clone());
    tokio::spawn(async move { gateway.charge(charge).await })
}

async fn what_it_answered_survives_a_restart(fixture: Gateway<'_>) -> Outcome {
    let gateway = fixture.fresh().await?;
    let (kept, refunded, voided) = (charge("tok_ok"), charge("tok_ok"), charge("tok_ok"));
    let declined = charge("tok_sin_fondos");
    gateway.charge(kept.clone()).await?;
    gateway.charge(refunded.clone()).await?;
    gateway.refund(refunded.reservation_id).await?;
    gateway.void(voided.reservation_id).await?;
    gateway.charge(declined.clone()).await?;
    let gateway = fixture.reopen(gateway).await?;
    same(
        "the sums kept",
        sums(ledger(&*gateway, &kept).await?),
        (4_990, 4_990, 0),
    )?;
    same(
        "the sums refunded",
        sums(ledger(&*gateway, &refunded).await?),
        (4_990, 4_990, 4_990),
    )?;
    same(
        "the outcome kept",
        gateway.charge(kept).await?,
        ChargeOutcome::Captured,
    )?;
    same("the outcome refunded", gateway.charge(refunded).await?, VOIDED)?;
    same("the outcome voided", gateway.charge(voided).await?, VOIDED)?;
    let insufficient = ChargeOutcome::Declined(DeclineReason::InsufficientFunds);
    same(
        "the outcome declined",
        gateway.charge(declined).await?,
        insufficient,
    )
}
