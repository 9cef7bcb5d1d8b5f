//! Exactly as many tickets are sold as there are: neither more nor fewer, whatever comes at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/contest.rs"]
mod contest;
#[path = "common/exactness.rs"]
mod exactness;
#[path = "common/follower.rs"]
mod follower;

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
        exactness::a_thousand_people_get_exactly_the_five_hundred_tickets,
    )
    .await;
}

#[tokio::test]
async fn one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once() {
    tell(
        "limit",
        exactness::one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once,
    )
    .await;
}

#[tokio::test]
async fn the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer() {
    tell(
        "key",
        exactness::the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer,
    )
    .await;
}

#[tokio::test]
async fn a_hundred_seats_with_three_buyers_each_are_each_sold_once() {
    tell(
        "seats",
        exactness::a_hundred_seats_with_three_buyers_each_are_each_sold_once,
    )
    .await;
}

#[tokio::test]
async fn whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once() {
    tell(
        "thrice",
        exactness::whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once,
    )
    .await;
}

#[tokio::test]
async fn who_wants_a_taken_seat_and_a_free_one_gets_neither_and_is_told_of_the_taken_one() {
    tell("both", async |address| {
        contest::who_wants_a_taken_seat_and_a_free_one_gets_neither_and_is_told_of_the_taken_one(
            address,
            &[address],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_hundred_seats_that_three_buyers_each_hold_are_sold_once_and_losers_are_told_which() {
    tell("contest", async |address| {
        contest::a_hundred_seats_that_three_buyers_each_hold_are_sold_once_and_losers_are_told_which(
            address,
            &[address],
        )
        .await;
    })
    .await;
}
