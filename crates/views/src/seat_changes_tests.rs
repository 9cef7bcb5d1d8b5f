#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::json;

/// A map of one section a text; its rows have ten places.
fn map(sections: &[(&str, &str)]) -> SeatMap {
    let price = json!({ "minor": 0, "currency": "USD" });
    let sections: Vec<_> = sections
        .iter()
        .map(|(name, states)| {
            json!({ "name": name, "price": price, "rows": states.len().div_ceil(10), "seats_per_row": 10,
                "states": states })
        })
        .collect();
    let id = "00000000-0000-4000-8000-000000000001";
    serde_json::from_value(json!({ "show_id": id, "price": price, "sections": sections, "revision": 0 }))
        .unwrap()
}

fn at(section: usize, index: usize) -> Place {
    Place { section, index }
}

#[test]
fn what_changed_is_found_wherever_it_is() {
    let before = map(&[("A", &"f".repeat(200)), ("B", "ffx")]);
    let mut after = before.clone();
    assert_eq!(between(&before, &after).unwrap(), []);
    for index in [0, 63, 64, 199] {
        after.sections[0].states.replace_range(index..=index, "s");
    }
    after.sections[1].states.replace_range(1..=1, "h");
    let places = [at(0, 0), at(0, 63), at(0, 64), at(0, 199), at(1, 1)];
    assert_eq!(between(&before, &after).unwrap(), places);
}

#[test]
fn maps_with_other_places_are_not_compared() {
    let before = map(&[("A", "ffff")]);
    for other in [
        map(&[("A", "fff")]),
        map(&[("B", "ffff")]),
        map(&[("A", "ffff"), ("B", "f")]),
    ] {
        assert_eq!(between(&before, &other), None);
    }
}

#[test]
fn places_that_follow_one_another_are_one_run_and_never_over_two_sections() {
    let map = map(&[("A", "fhs"), ("B", "sfx")]);
    let places = [at(0, 0), at(0, 2), at(1, 0), at(1, 1), at(1, 2), at(7, 0)];
    let runs: Vec<_> = runs(&map, &places).map(|run| (run.first, run.states)).collect();
    assert_eq!(
        runs,
        [(at(0, 0), b"f".as_slice()), (at(0, 2), b"s"), (at(1, 0), b"sfx")]
    );
}

#[test]
fn a_seat_is_found_by_its_name_and_what_is_not_there_is_not() {
    let map = map(&[("Platea-Alta", &"f".repeat(25)), ("B", "f")]);
    assert_eq!(place(&map, "Platea-Alta-B-3"), Some(at(0, 12)));
    assert_eq!(place(&map, "B-A-1"), Some(at(1, 0)));
    for missing in [
        "Platea-Alta-A-11",
        "Platea-Alta-D-1",
        "Platea-Alta-C-6",
        "B-A-0",
        "C-A-1",
        "B",
    ] {
        assert_eq!(place(&map, missing), None, "{missing}");
    }
}
