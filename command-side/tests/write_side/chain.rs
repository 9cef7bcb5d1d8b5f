//! The chain of responsibility, link by link.

use crate::bed::{Bed, reservation_stream};
use command_side::{
    app::Rejection,
    reserve::{
        Order,
        chain::{
            CheckInventory, CheckPurchaseLimit, CreateReservation, LINKS, Link, PriceOrder, ValidateData,
        },
    },
};
use contract::{
    Cause, Currency, Event, HoldId, Money, Refusal, ReservationId, ShowId, Timestamp, UserId,
    commands::Quote,
    events::{Choice, Tally},
    refusal::Unavailable,
};
use uuid::Uuid;

const HOLD: HoldId = HoldId(Uuid::from_u128(5));

fn order(user: Uuid, show: Uuid) -> Order {
    let id = Uuid::new_v4();
    Order {
        reservation_id: ReservationId(id),
        user_id: UserId(user),
        show_id: ShowId(show),
        choice: Choice::Quantity {
            quantity: 2,
            section: None,
        },
        payment_token: "tok_ok".into(),
        line_until_ms: Timestamp(0),
        answer_until_ms: Timestamp(0),
        fingerprint: None,
        cause: Cause {
            correlation: id,
            actor: "admin".into(),
            trace: None,
        },
        quote: None,
        user_exists: false,
        price: None,
        created: None,
    }
}

/// An order that was quoted: 2 of 10 tickets for 99.80, limit 10.
fn quoted(change: impl FnOnce(&mut Quote)) -> Order {
    let mut quote = Quote {
        show_name: "Noche de jazz".into(),
        category: None,
        starts_at_ms: Timestamp(1),
        quantity: 2,
        amount: Money::new(9_980, Currency::USD),
        tally: Tally {
            free: 10,
            held: 0,
            sold: 0,
        },
        limit_per_user: 10,
        already: 0,
        objection: None,
    };
    change(&mut quote);
    Order {
        quote: Some(quote),
        ..order(Uuid::nil(), Uuid::nil())
    }
}

fn refusal(result: Result<Order, Rejection>) -> Refusal {
    match result {
        Err(Rejection::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn the_links_stand_in_the_order_of_the_contract() {
    let names = [
        "ValidateData",
        "CheckInventory",
        "PriceOrder",
        "CheckPurchaseLimit",
        "CreateReservation",
    ];
    assert_eq!(LINKS.map(|link| link.name()), names);
    assert_eq!(Bed::without_a_saga().await.app.chain().names(), names);
}

#[tokio::test]
async fn validate_data_refuses_a_buyer_or_a_show_that_is_not_there() {
    let bed = Bed::without_a_saga().await;
    let (user, show) = (bed.user(1).await, bed.show(10).await);
    let handle = async |user, show| ValidateData.handle(&bed.app, order(user, show)).await;
    assert_eq!(refusal(handle(Uuid::nil(), show).await), Refusal::UserNotFound);
    assert_eq!(refusal(handle(user, Uuid::nil()).await), Refusal::ShowNotFound);
    let passed = handle(user, show).await.unwrap();
    assert_eq!(passed.quote.unwrap().amount, Money::new(9_980, Currency::USD));
}

#[tokio::test]
async fn check_inventory_refuses_what_the_show_objects_to() {
    let bed = Bed::without_a_saga().await;
    for objection in [
        Refusal::SoldOut { free: 1 },
        Refusal::SeatsTaken {
            seats: vec!["Platea-A-1".into()],
        },
        Refusal::SeatsUnknown {
            seats: vec!["Platea-Z-1".into()],
        },
        Refusal::NotNumbered,
        Refusal::ShowUnavailable {
            why: Unavailable::Begun,
        },
        Refusal::HoldNotFound,
        Refusal::HoldExpired,
        Refusal::HoldInUse,
    ] {
        let order = quoted(|quote| quote.objection = Some(objection.clone()));
        assert_eq!(refusal(CheckInventory.handle(&bed.app, order).await), objection);
    }
    assert!(CheckInventory.handle(&bed.app, quoted(|_| ())).await.is_ok());
}

#[tokio::test]
async fn check_inventory_lets_an_order_wait_for_tickets_that_others_hold() {
    let bed = Bed::without_a_saga().await;
    let order = quoted(|quote| quote.objection = Some(Refusal::AllHeld { free: 0, held: 10 }));
    assert!(CheckInventory.handle(&bed.app, order).await.is_ok());
}

#[tokio::test]
async fn price_order_takes_the_quoted_amount() {
    let bed = Bed::without_a_saga().await;
    let priced = PriceOrder.handle(&bed.app, quoted(|_| ())).await.unwrap();
    assert_eq!(priced.price, Some(Money::new(9_980, Currency::USD)));
}

#[tokio::test]
async fn check_purchase_limit_counts_what_the_person_has_and_what_they_want() {
    let bed = Bed::without_a_saga().await;
    let handle = async |order| CheckPurchaseLimit.handle(&bed.app, order).await;
    assert!(handle(quoted(|quote| quote.already = 8)).await.is_ok());
    let over = handle(quoted(|quote| quote.already = 9)).await;
    assert_eq!(
        refusal(over),
        Refusal::PurchaseLimit {
            limit: 10,
            already: 9
        }
    );
    // The tickets of a hold are among those that the person has.
    let held = Order {
        choice: Choice::Hold { hold_id: HOLD },
        ..quoted(|quote| quote.already = 10)
    };
    assert!(handle(held).await.is_ok());
}

#[tokio::test]
async fn create_reservation_makes_it_once() {
    let bed = Bed::without_a_saga().await;
    let order = PriceOrder.handle(&bed.app, quoted(|_| ())).await.unwrap();
    let order = Order {
        fingerprint: Some(bed.app.vault.pseudonym("test", b"body")),
        ..order
    };
    let first = CreateReservation.handle(&bed.app, order.clone()).await.unwrap();
    bed.clock.pass(10);
    let again = CreateReservation.handle(&bed.app, order.clone()).await.unwrap();
    assert!(!first.created.unwrap().repeated && again.created.unwrap().repeated);
    let events = bed.events(reservation_stream(order.reservation_id.0)).await;
    let [Event::ReservationRequested(request)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((request.quantity, request.amount.minor), (2, 9_980));
}

/// So it is when the log is away: the order waits at the broker, and the saga finds out.
#[tokio::test]
async fn an_order_that_nobody_could_quote_passes_the_links_that_judge_quotes() {
    let bed = Bed::without_a_saga().await;
    let mut passed = order(Uuid::nil(), Uuid::nil());
    let links: [&dyn Link; 3] = [&CheckInventory, &PriceOrder, &CheckPurchaseLimit];
    for link in links {
        passed = link.handle(&bed.app, passed).await.unwrap();
    }
    assert!(passed.quote.is_none() && passed.price.is_none());
}

#[tokio::test]
async fn an_order_that_one_link_refuses_goes_no_further_and_writes_nothing() {
    let bed = Bed::without_a_saga().await;
    let (user, show) = (bed.user(1).await, bed.show(1).await);
    let before = bed.events_in_all().await;
    let result = bed.app.chain().run(&bed.app, order(user, show)).await;
    assert_eq!(refusal(result), Refusal::SoldOut { free: 1 });
    assert_eq!(bed.events_in_all().await, before);
}
