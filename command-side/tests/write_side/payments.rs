//! The payments participant against the simulated gateway, for every token.

use crate::bed::{Bed, ledger};
use command_side::payment::participant;
use contract::{
    Answer, Ask, Cause, Command, CommandId, Currency, Event, Money, Refusal, ReservationId, StreamName,
    commands::{PaymentAction, PaymentCommand},
    refusal::DeclineReason,
};
use ports::{Charge, ChargeOutcome, Delivery, Payments};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

const ID: ReservationId = ReservationId(Uuid::from_u128(0x70a1));
const PRICE: i64 = 4_990;

fn take(token: &str) -> PaymentAction {
    PaymentAction::Take {
        amount: Money::new(PRICE, Currency::USD),
        token: token.into(),
    }
}

fn declined(reason: DeclineReason) -> Answer {
    Answer::Refused(Refusal::PaymentDeclined { reason })
}

/// Lets the bed's time run twenty times as fast until something has happened.
async fn hurry<T>(bed: &Bed, until: impl Future<Output = T>) -> T {
    tokio::pin!(until);
    loop {
        tokio::select! {
            biased;
            done = &mut until => return done,
            () = tokio::time::sleep(Duration::from_millis(1)) => bed.clock.pass(20),
        }
    }
}

async fn kinds(bed: &Bed) -> Vec<&'static str> {
    bed.events(StreamName::payment(ID))
        .await
        .iter()
        .map(Event::kind)
        .collect()
}

#[tokio::test]
async fn every_token_is_settled_as_the_contract_says() {
    for (token, answer, kind, held) in [
        ("tok_ok", Answer::Done, "payment_captured.v1", (PRICE, PRICE, 0)),
        (
            "tok_lenta",
            Answer::Done,
            "payment_captured.v1",
            (PRICE, PRICE, 0),
        ),
        (
            "tok_cobra_y_calla",
            Answer::Done,
            "payment_captured.v1",
            (PRICE, PRICE, 0),
        ),
        (
            "tok_rechazada",
            declined(DeclineReason::Declined),
            "payment_declined.v1",
            (0, 0, 0),
        ),
        (
            "tok_sin_fondos",
            declined(DeclineReason::InsufficientFunds),
            "payment_declined.v1",
            (0, 0, 0),
        ),
        (
            "tok_otra",
            declined(DeclineReason::UnknownToken),
            "payment_declined.v1",
            (0, 0, 0),
        ),
        (
            "tok_falla_captura",
            declined(DeclineReason::CaptureFailed),
            "payment_declined.v1",
            (PRICE, 0, 0),
        ),
        (
            "tok_sin_respuesta",
            declined(DeclineReason::NoAnswer),
            "payment_declined.v1",
            (0, 0, 0),
        ),
    ] {
        let bed = Bed::without_a_saga().await;
        assert_eq!(hurry(&bed, bed.pay(ID, take(token))).await, answer, "{token}");
        assert_eq!(bed.pay(ID, take(token)).await, answer, "{token} again");
        assert_eq!(kinds(&bed).await, [kind], "{token}");
        assert_eq!(ledger(&bed, ID).await, Some(held), "{token}");
    }
}

#[tokio::test]
async fn a_payment_that_was_not_made_cannot_come_later() {
    let bed = Bed::without_a_saga().await;
    hurry(&bed, bed.pay(ID, take("tok_sin_respuesta"))).await;
    let charge = Charge {
        reservation_id: ID,
        amount: Money::new(PRICE, Currency::USD),
        token: "tok_ok".into(),
    };
    let late = bed.gateway.charge(charge).await.unwrap();
    assert_eq!(late, ChargeOutcome::Declined(DeclineReason::Voided));
}

#[tokio::test]
async fn what_was_taken_is_given_back_once() {
    let bed = Bed::without_a_saga().await;
    assert_eq!(bed.pay(ID, take("tok_ok")).await, Answer::Done);
    for _ in 0..2 {
        assert_eq!(bed.pay(ID, PaymentAction::GiveBack).await, Answer::Done);
    }
    assert_eq!(kinds(&bed).await, ["payment_captured.v1", "payment_refunded.v1"]);
    assert_eq!(ledger(&bed, ID).await, Some((PRICE, PRICE, PRICE)));
    assert_eq!(bed.pay(ID, take("tok_ok")).await, declined(DeclineReason::Voided));
}

#[tokio::test]
async fn a_payment_that_is_given_back_before_it_was_tried_is_never_taken() {
    let bed = Bed::without_a_saga().await;
    assert_eq!(bed.pay(ID, PaymentAction::GiveBack).await, Answer::Done);
    assert_eq!(bed.pay(ID, take("tok_ok")).await, declined(DeclineReason::Voided));
    assert_eq!(kinds(&bed).await, ["payment_voided.v1"]);
    assert_eq!(ledger(&bed, ID).await, Some((0, 0, 0)));
}

#[tokio::test]
async fn a_declined_payment_needs_no_giving_back() {
    let bed = Bed::without_a_saga().await;
    bed.pay(ID, take("tok_rechazada")).await;
    assert_eq!(bed.pay(ID, PaymentAction::GiveBack).await, Answer::Done);
    assert_eq!(kinds(&bed).await, ["payment_declined.v1"]);
}

#[tokio::test]
async fn a_free_ticket_is_paid_and_given_back_like_any_other() {
    let bed = Bed::without_a_saga().await;
    let free = PaymentAction::Take {
        amount: Money::zero(Currency::USD),
        token: "tok_ok".into(),
    };
    assert_eq!(bed.pay(ID, free).await, Answer::Done);
    assert_eq!(bed.pay(ID, PaymentAction::GiveBack).await, Answer::Done);
    assert_eq!(kinds(&bed).await, ["payment_captured.v1", "payment_refunded.v1"]);
}

/// A crash between the gateway's answer and the append leaves a charge that the stream knows nothing of.
async fn charged_and_forgotten() -> Bed {
    let bed = Bed::without_a_saga().await;
    let charge = Charge {
        reservation_id: ID,
        amount: Money::new(PRICE, Currency::USD),
        token: "tok_ok".into(),
    };
    assert_eq!(bed.gateway.charge(charge).await.unwrap(), ChargeOutcome::Captured);
    bed
}

#[tokio::test]
async fn a_charge_that_a_crash_forgot_is_taken_once_when_it_is_asked_for_again() {
    let bed = charged_and_forgotten().await;
    assert_eq!(bed.pay(ID, take("tok_ok")).await, Answer::Done);
    assert_eq!(kinds(&bed).await, ["payment_captured.v1"]);
    assert_eq!(ledger(&bed, ID).await, Some((PRICE, PRICE, 0)));
}

#[tokio::test]
async fn a_charge_that_a_crash_forgot_is_given_back() {
    let bed = charged_and_forgotten().await;
    assert_eq!(bed.pay(ID, PaymentAction::GiveBack).await, Answer::Done);
    assert_eq!(kinds(&bed).await, ["payment_captured.v1", "payment_refunded.v1"]);
    assert_eq!(ledger(&bed, ID).await, Some((PRICE, PRICE, PRICE)));
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_and_giving_back_at_once_leaves_the_buyer_with_their_money() {
    for token in [
        "tok_ok",
        "tok_cobra_y_calla",
        "tok_falla_captura",
        "tok_sin_respuesta",
    ] {
        let bed = Bed::without_a_saga().await;
        let both = futures_util::future::join(bed.pay(ID, take(token)), bed.pay(ID, PaymentAction::GiveBack));
        let (_, given_back) = hurry(&bed, both).await;
        assert_eq!(given_back, Answer::Done);
        let (_, captured, refunded) = ledger(&bed, ID).await.unwrap();
        assert_eq!(captured, refunded, "{token}: {:?}", kinds(&bed).await);
        assert!(matches!(bed.pay(ID, take("tok_ok")).await, Answer::Refused(_)));
    }
}

#[tokio::test]
async fn a_payment_whose_asker_has_given_up_is_not_tried() {
    let bed = Bed::without_a_saga().await;
    let deadline_ms = bed.app.clock.now();
    bed.clock.pass(1);
    let ask = Ask {
        id: CommandId(ID.0),
        cause: Cause {
            correlation: ID.0,
            actor: "saga".into(),
            trace: None,
        },
        deadline_ms,
        command: Command::Payment(PaymentCommand {
            reservation_id: ID,
            action: take("tok_ok"),
        }),
    };
    let (mailbox, lane) = mpsc::channel(1);
    let (reply, answered) = oneshot::channel();
    mailbox.send(Delivery { ask, reply, term: 0 }).await.unwrap();
    drop(mailbox);
    // Ends when the mailbox is closed and what was in it is answered.
    participant::serve(bed.app.clone(), vec![lane], watch::channel(false).1).await;
    let refusal = Refusal::TooLate { deadline_ms };
    assert_eq!(answered.await.unwrap().answer, Answer::Refused(refusal));
    assert_eq!(ledger(&bed, ID).await, None);
}
