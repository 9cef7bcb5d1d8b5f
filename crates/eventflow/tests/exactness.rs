//! Exactly as many tickets are sold as there are: neither more nor fewer, whatever comes at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/exactness.rs"]
mod stories;

use common::{client, *};

/// Tells a story to a `dev` of its own, whose log must hold afterwards.
async fn tell(name: &str, story: impl AsyncFnOnce(std::net::SocketAddr)) {
    let folder = Folder::new(name);
    let server = Server::start(&folder.data(), &[]);
    story(server.address).await;
    server.stop();
    verify_holds(&folder.data());
}

#[tokio::test]
async fn a_thousand_people_get_exactly_the_five_hundred_tickets() {
    tell(
        "thousand",
        stories::a_thousand_people_get_exactly_the_five_hundred_tickets,
    )
    .await;
}

#[tokio::test]
async fn one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once() {
    tell(
        "limit",
        stories::one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once,
    )
    .await;
}

#[tokio::test]
async fn the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer() {
    tell(
        "key",
        stories::the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer,
    )
    .await;
}

#[tokio::test]
async fn a_hundred_seats_with_three_buyers_each_are_each_sold_once() {
    tell(
        "seats",
        stories::a_hundred_seats_with_three_buyers_each_are_each_sold_once,
    )
    .await;
}

#[tokio::test]
async fn whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once() {
    tell(
        "thrice",
        stories::whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once,
    )
    .await;
}
