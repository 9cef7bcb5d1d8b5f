//! What the projections make of events: each document, and that applying twice is applying once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod forgetting;
mod reservations;
mod shows;
mod stories;

use contract::{
    Currency, Event, HoldId, Money, Refusal, ReservationId, Revision, Sealed, ShowId, StreamName, Timestamp,
    UserId, events::*, refusal::DeclineReason,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;
use views::{
    project::{self, Doc, Misplaced, Target},
    reservation::Status,
};

const SHOW: ShowId = ShowId(Uuid::from_u128(1));
const HOLD: HoldId = HoldId(Uuid::from_u128(2));
const RESERVATION: ReservationId = ReservationId(Uuid::from_u128(3));
const USER: UserId = UserId(Uuid::from_u128(4));

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}
fn tally(free: u32, held: u32, sold: u32) -> Tally {
    Tally { free, held, sold }
}
fn step(step: Step, state: StepState) -> StepRecord {
    StepRecord {
        step,
        state,
        at_ms: Timestamp(50),
    }
}
fn grant(seats: &[&str]) -> HoldGrant {
    let seats: Vec<String> = seats.iter().map(|&seat| seat.into()).collect();
    HoldGrant {
        hold_id: HOLD,
        quantity: 2,
        seats,
        amount: usd(8_000),
        deadline_ms: Timestamp(900),
    }
}

/// Applies a stream's events to whatever they touch.
fn project(docs: &mut BTreeMap<Target, Doc>, stream: &StreamName, events: &[(Revision, Event)]) {
    for (revision, event) in events {
        for target in project::targets(event, stream).unwrap().into_iter().flatten() {
            match target.evolve(docs.remove(&target), event, *revision) {
                Some(doc) => docs.insert(target, doc),
                None => None,
            };
        }
    }
}

fn projected(stream: &StreamName, events: Vec<Event>) -> BTreeMap<Target, Doc> {
    let mut docs = BTreeMap::new();
    project(&mut docs, stream, &numbered(events));
    docs
}

fn numbered(events: Vec<Event>) -> Vec<(Revision, Event)> {
    (0..).zip(events).collect()
}

use stories::*;

#[test]
fn a_purchase_is_its_buyers_until_it_is_unrecorded() {
    let stream = StreamName::user(USER);
    let target = Target::Purchase {
        user_id: USER,
        reservation_id: RESERVATION,
    };
    let docs = projected(&stream, user_story()[..3].to_vec());
    let Doc::Purchase(purchase) = &docs[&target] else {
        panic!()
    };
    assert_eq!((purchase.user_id, purchase.quantity), (USER, 2));
    let Doc::Recent(recent) = &docs[&Target::Recent(USER)] else {
        panic!()
    };
    assert_eq!(recent.purchases.len(), 2, "the latest purchases in one document");
    let docs = projected(&stream, user_story());
    assert!(!docs.contains_key(&target));
    let Doc::Recent(recent) = &docs[&Target::Recent(USER)] else {
        panic!()
    };
    assert!(
        !recent
            .purchases
            .iter()
            .any(|purchase| purchase.reservation_id == RESERVATION)
    );
    let Doc::User(user) = &docs[&Target::User(USER)] else {
        panic!()
    };
    assert_eq!((user.document_type, user.revision), (DocumentType::Rut, 0));
}

#[test]
fn events_without_their_document_make_none() {
    for (stream, event) in [
        (StreamName::show(SHOW), show_story().remove(1)),
        (StreamName::reservation(RESERVATION), progressed()),
    ] {
        assert_eq!(projected(&stream, vec![event]), BTreeMap::new());
    }
}

#[test]
fn an_event_in_a_stream_of_another_kind_is_misplaced_and_a_foreign_stream_touches_nothing() {
    let misplaced = project::targets(&requested(), &StreamName::show(SHOW));
    assert_eq!(misplaced, Err(Misplaced));
    assert_eq!(
        project::targets(&requested(), &StreamName::new("$stats-1")),
        Ok([None; 3])
    );
    assert_eq!(
        project::targets(&requested(), &StreamName::new("reservation-42")),
        Ok([None; 3])
    );
}

#[test]
fn a_document_survives_the_way_through_the_store() {
    let stories = [
        (StreamName::show(SHOW), show_story()),
        (StreamName::user(USER), user_story()),
        (
            StreamName::reservation(RESERVATION),
            vec![requested(), progressed(), confirmed(), cancelling()],
        ),
    ];
    for (stream, story) in stories {
        for (target, doc) in projected(&stream, story) {
            assert_eq!(target.read(&doc.body().unwrap()).unwrap(), doc);
            assert!(target.read(b"[]").is_err());
        }
    }
}

proptest! {
    /// From any place, any part of the story again and then the rest: the documents are the same.
    #[test]
    fn applying_twice_is_applying_once(end in 0_usize..9, again in 0_usize..9, which in 0..3) {
        let (stream, story) = match which {
            0 => (StreamName::show(SHOW), show_story()),
            1 => {
                let mut story = user_story();
                let (reason, at_ms) = (ForgetReason::Asked, Timestamp(99));
                story.insert(3, UserForgotten { reason, at_ms }.into());
                (StreamName::user(USER), story)
            }
            _ => (
                StreamName::reservation(RESERVATION),
                vec![requested(), progressed(), confirmed(), cancelling(), stuck(), cancelled()],
            ),
        };
        let story = numbered(story);
        let (end, again) = (end.min(story.len()), again.min(end).min(story.len()));
        let mut once = BTreeMap::new();
        project(&mut once, &stream, &story);
        let mut twice = BTreeMap::new();
        project(&mut twice, &stream, &story[..end]);
        project(&mut twice, &stream, &story[again..end]);
        project(&mut twice, &stream, &story[again..]);
        prop_assert_eq!(once, twice);
    }
}
