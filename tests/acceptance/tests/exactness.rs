//! The exactness stories of the embedded default again, on the whole platform: three command-side nodes, two
//! orchestrators, nginx in front.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acceptance::{exactness, stories, tell, verify};
use stack::platform::{Platform, Shape};
use std::process::ExitCode;

macro_rules! told {
    ($($story:ident),+ $(,)?) => {
        $(async fn $story(platform: &Platform) {
            exactness::$story(platform.address()).await;
            verify(platform).await;
        })+
        fn main() -> ExitCode {
            tell(Shape::default(), &[], stories![$($story),+])
        }
    };
}

told!(
    a_thousand_people_get_exactly_the_five_hundred_tickets,
    one_person_gets_no_more_than_the_limit_however_many_requests_come_at_once,
    the_same_key_twice_at_once_is_one_sale_one_charge_and_the_same_answer,
    a_hundred_seats_with_three_buyers_each_are_each_sold_once,
    whatever_is_asked_for_thrice_at_once_under_one_key_is_made_once,
);
