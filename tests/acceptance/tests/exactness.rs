//! The exactness stories of the embedded default again, on the whole platform: three command-side nodes, two
//! orchestrators, nginx in front.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acceptance::{contest, exactness, stories, tell, verify};
use stack::{
    Server,
    platform::{Platform, Shape},
};
use std::{net::SocketAddr, process::ExitCode};

macro_rules! told {
    ($($story:ident),+; to each node: $($contest:ident),+ $(,)?) => {
        $(async fn $story(platform: &Platform) {
            exactness::$story(platform.address()).await;
            verify(platform).await;
        })+
        $(async fn $contest(platform: &Platform) {
            let nodes: Vec<SocketAddr> = platform.command_side.iter().map(Server::address).collect();
            assert_eq!(nodes.len(), 3);
            contest::$contest(platform.address(), &nodes).await;
            verify(platform).await;
        })+
        fn main() -> ExitCode {
            tell(Shape::default(), &[], stories![$($story),+, $($contest),+])
        }
    };
}

told!(
    a_thousand_people_get_exactly_the_five_hundred_tickets,
    one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once,
    the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer,
    a_hundred_seats_with_three_buyers_each_are_each_sold_once,
    whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once;
    to each node:
    who_wants_a_taken_seat_and_a_free_one_gets_neither_and_is_told_of_the_taken_one,
    a_hundred_seats_that_three_buyers_each_hold_are_sold_once_and_losers_are_told_which,
);
