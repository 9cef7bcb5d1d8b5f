//! What readers see of a person who is forgotten, and of tokens that are no longer valid.

use super::{USER, project, projected, stories::*};
use contract::{
    Event, StreamKind, StreamName, Timestamp,
    events::{ForgetReason, RolesChanged, SessionClosed, SessionEnd, UserForgotten},
};
use std::collections::BTreeMap;
use uuid::Uuid;
use views::project::{Doc, Target};

fn forgotten(at: i64) -> Event {
    UserForgotten {
        reason: ForgetReason::Asked,
        at_ms: Timestamp(at),
    }
    .into()
}

fn roles_changed(at: i64) -> Event {
    RolesChanged {
        roles: [contract::Role::Admin].into(),
        at_ms: Timestamp(at),
    }
    .into()
}

fn until(docs: &BTreeMap<Target, Doc>, id: Uuid) -> Option<Timestamp> {
    match docs.get(&Target::Revocation(id)) {
        Some(Doc::Revocation(revocation)) => Some(revocation.until_ms),
        _ => None,
    }
}

#[test]
fn of_a_forgotten_person_no_sealed_field_stays_and_their_purchases_do() {
    let mut story = user_story();
    story.push(forgotten(100));
    let docs = projected(&StreamName::user(USER), story);
    let Doc::User(user) = &docs[&Target::User(USER)] else {
        panic!()
    };
    assert_eq!((user.forgotten_at_ms, user.revision), (Some(Timestamp(100)), 4));
    for field in [&user.document, &user.given_name, &user.family_name, &user.email] {
        assert!(field.as_bytes().is_empty());
    }
    let purchases = docs.values().filter(|doc| matches!(doc, Doc::Purchase(_)));
    assert_eq!(purchases.count(), 1);
    assert!(
        !docs.contains_key(&Target::Recent(USER)),
        "nobody is shown their latest"
    );
}

#[test]
fn what_was_bought_before_and_is_settled_after_does_not_bring_a_person_back() {
    let story = user_story();
    let events = vec![story[0].clone(), forgotten(100), story[1].clone()];
    let docs = projected(&StreamName::user(USER), events);
    let Doc::User(user) = &docs[&Target::User(USER)] else {
        panic!()
    };
    assert!(user.forgotten_at_ms.is_some() && user.email.as_bytes().is_empty());
}

#[test]
fn tokens_of_a_forgotten_person_and_of_an_ended_session_are_not_valid() {
    let docs = projected(
        &StreamName::user(USER),
        vec![user_story().remove(0), forgotten(100)],
    );
    assert_eq!(until(&docs, USER.0), Some(Timestamp(100)));
    let session = Uuid::from_u128(77);
    let closed = SessionClosed {
        why: SessionEnd::LoggedOut,
        at_ms: Timestamp(50),
    };
    let docs = projected(&StreamName::of(StreamKind::Session, session), vec![closed.into()]);
    assert_eq!(until(&docs, session), Some(Timestamp(50)));
    let docs = projected(&StreamName::user(USER), vec![user_story().remove(0)]);
    assert_eq!(until(&docs, USER.0), None);
}

#[test]
fn the_latest_revocation_counts_in_whatever_order_the_streams_come() {
    let (person, account) = (
        StreamName::user(USER),
        StreamName::of(StreamKind::Account, USER.0),
    );
    let mut docs = BTreeMap::new();
    project(&mut docs, &person, &[(4, forgotten(100))]);
    project(&mut docs, &account, &[(0, roles_changed(90))]);
    assert_eq!(until(&docs, USER.0), Some(Timestamp(100)));
    project(
        &mut docs,
        &account,
        &[(1, roles_changed(110)), (0, roles_changed(90))],
    );
    assert_eq!(until(&docs, USER.0), Some(Timestamp(110)));
}
