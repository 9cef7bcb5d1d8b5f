//! What was once stored can be read for ever. Each kind of event has a file of examples in `golden/`, written
//! when the kind was made and never edited: a test that could rewrite them would prove nothing. A new form
//! of an event is a new kind with a new file. An optional field that a kind got later has a file of its own, too:
//! `KIND+WHAT.json`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use contract::Event;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

fn golden() -> PathBuf {
    PathBuf::from("golden")
}

/// The files of examples: kind and name.
fn files() -> Vec<(String, String)> {
    fs::read_dir(golden())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "envelope.json")
        .map(|name| {
            let stem = name.strip_suffix(".json").expect("a JSON file");
            (stem.split('+').next().unwrap().to_owned(), name)
        })
        .collect()
}

/// The examples of a kind, those that it was made with first.
fn examples(kind: &str) -> Vec<Value> {
    let mut names: Vec<String> = files()
        .into_iter()
        .filter(|(of, _)| of == kind)
        .map(|(_, name)| name)
        .collect();
    names.sort_by_key(|name| (name.contains('+'), name.clone()));
    assert_eq!(
        names.first(),
        Some(&format!("{kind}.json")),
        "{kind} needs examples"
    );
    let read = |name: &String| {
        let text = fs::read_to_string(golden().join(name)).unwrap();
        let examples: Vec<Value> = serde_json::from_str(&text).expect("a list of examples");
        assert!(!examples.is_empty(), "{name} has no examples");
        examples
    };
    names.iter().flat_map(read).collect()
}

#[test]
fn every_kind_has_examples_that_read_and_write_back_the_same() {
    for kind in Event::KINDS {
        for example in examples(kind) {
            let stored = serde_json::to_vec(&example).unwrap();
            let event = Event::decode(kind, &stored).expect("a known kind");
            let event = event.unwrap_or_else(|error| panic!("{kind} no longer reads {example}: {error}"));
            // One of today's kinds is read as itself; an old one may be read as what it became.
            assert_eq!(event.kind(), *kind);
            assert_eq!(
                serde_json::to_value(&event).unwrap(),
                example,
                "{kind} is written differently"
            );
        }
    }
}

#[test]
fn every_file_is_of_a_kind_that_is_still_read() {
    let files: BTreeSet<String> = files().into_iter().map(|(kind, _)| kind).collect();
    let kinds: BTreeSet<String> = Event::KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(files, kinds);
}

#[test]
fn what_is_optional_was_also_stored_without_it() {
    // A field that is in every example may have become required without any test noticing.
    for (kind, fields) in [
        ("user_registered.v1", &["password", "fingerprint"][..]),
        ("purchase_recorded.v1", &["category"]),
        (
            "show_scheduled.v1",
            &["description", "category", "organiser", "fingerprint"],
        ),
        (
            "show_scheduled.v2",
            &["description", "category", "organiser", "fingerprint"],
        ),
        ("tickets_held.v1", &["reservation_id", "seats", "fingerprint"]),
        ("hold_released.v1", &["seats"]),
        ("tickets_sold.v1", &["seats"]),
        ("tickets_returned.v1", &["seats"]),
        ("reservation_requested.v1", &["fingerprint"]),
        ("reservation_progressed.v1", &["hold"]),
        ("compensation_started.v1", &["hold"]),
    ] {
        let examples = examples(kind);
        for field in fields {
            assert!(
                examples.iter().any(|example| example.get(field).is_some()),
                "{kind} with {field}"
            );
            assert!(
                examples.iter().any(|example| example.get(field).is_none()),
                "{kind} without {field}"
            );
        }
    }
}

#[test]
fn a_field_that_a_later_version_added_is_no_obstacle() {
    for kind in Event::KINDS {
        let mut example = examples(kind).swap_remove(0);
        example
            .as_object_mut()
            .unwrap()
            .insert("added_later".into(), Value::Bool(true));
        assert!(
            Event::decode(kind, &serde_json::to_vec(&example).unwrap())
                .unwrap()
                .is_ok(),
            "{kind}"
        );
    }
}

#[test]
fn every_other_field_is_required() {
    for kind in Event::KINDS {
        let examples = examples(kind);
        let everywhere = |field: &String| examples.iter().all(|example| example.get(field).is_some());
        let Some(first) = examples[0].as_object() else {
            panic!("{kind} is not an object")
        };
        // Where there is one example only, the lists above say which of its fields are optional: none.
        for field in first.keys().filter(|field| everywhere(field)) {
            let mut without = first.clone();
            without.remove(field);
            let read = Event::decode(kind, &serde_json::to_vec(&without).unwrap()).unwrap();
            assert!(read.is_err(), "{kind} is read without {field}");
        }
    }
}

#[test]
fn a_show_with_blocked_places_cannot_pass_for_one_that_an_older_program_reads() {
    let (plain, blocked) = ("show_scheduled.v1", "show_scheduled.v2");
    for (kind, other) in [(plain, blocked), (blocked, plain)] {
        for example in examples(kind) {
            let layout = &example["layout"];
            let tells = layout["kind"] == "numbered_with_blocked";
            let has = layout["sections"]
                .as_array()
                .is_some_and(|sections| sections.iter().any(|section| section.get("blocked").is_some()));
            assert_eq!((tells, has), (kind == blocked, kind == blocked), "{example}");
            let stored = serde_json::to_vec(&example).unwrap();
            assert!(
                Event::decode(other, &stored).unwrap().is_err(),
                "{kind} read as {other}"
            );
        }
    }
}

#[test]
fn an_unknown_kind_is_not_guessed() {
    assert!(Event::decode("tickets_held.v2", b"{}").is_none());
    assert!(Event::decode("", b"{}").is_none());
}
