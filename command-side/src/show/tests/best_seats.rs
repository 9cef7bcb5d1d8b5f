//! Which seats a party gets that only says how many it is.

use super::super::{best_seats::best, seats::SeatMap};
use super::*;
use proptest::prelude::*;

/// A map from a drawing: a section per block, a row per line, `.` free and `x` taken.
fn map(sections: &[&[&str]]) -> SeatMap {
    let plan: Vec<Section> = sections
        .iter()
        .enumerate()
        .map(|(index, rows)| Section {
            name: format!("S{index}"),
            rows: rows.len() as u32,
            seats_per_row: rows[0].len() as u32,
            price: None,
        })
        .collect();
    let mut map = SeatMap::new(&plan, usd(1));
    for (index, rows) in sections.iter().enumerate() {
        for (row, drawing) in rows.iter().enumerate() {
            for (place, _) in drawing.char_indices().filter(|(_, c)| *c == 'x') {
                let seat = map
                    .find(&seat_name(&format!("S{index}"), row as u32, place as u32 + 1))
                    .unwrap();
                map.take(&[seat], true);
            }
        }
    }
    map
}

fn picked(sections: &[&[&str]], quantity: u32, only: Option<usize>) -> Vec<String> {
    let map = map(sections);
    best(&map, quantity, only)
        .unwrap_or_default()
        .iter()
        .map(|seat| map.name(*seat))
        .collect()
}

#[test]
fn a_party_sits_together_in_the_middle_of_the_front_row() {
    assert_eq!(
        picked(&[&[".......", "......."]], 3, None),
        ["S0-A-3", "S0-A-4", "S0-A-5"]
    );
    assert_eq!(picked(&[&["......."]], 1, None), ["S0-A-4"]);
}

#[test]
fn no_single_seat_is_left_over_where_it_can_be_avoided() {
    // In the middle of four, one seat would be left on each side.
    assert_eq!(picked(&[&["...."]], 2, None), ["S0-A-1", "S0-A-2"]);
    // Three of four leave one over wherever they sit: better the second row.
    assert_eq!(
        picked(&[&["....", "...x"]], 3, None),
        ["S0-B-1", "S0-B-2", "S0-B-3"]
    );
    // A single seat is a good place for one.
    assert_eq!(picked(&[&["x.xx.."]], 1, None), ["S0-A-2"]);
}

#[test]
fn a_single_seat_is_left_over_rather_than_parting_the_party() {
    assert_eq!(
        picked(&[&["...", "x.."]], 3, None),
        ["S0-A-1", "S0-A-2", "S0-A-3"]
    );
    assert_eq!(
        picked(&[&["....", "...."]], 3, None),
        ["S0-A-1", "S0-A-2", "S0-A-3"]
    );
}

#[test]
fn together_in_a_later_section_is_better_than_apart_in_the_first() {
    assert_eq!(
        picked(&[&[".x.", ".x."], &["..."]], 3, None),
        ["S1-A-1", "S1-A-2", "S1-A-3"]
    );
}

#[test]
fn a_party_too_large_for_a_row_gets_adjacent_rows() {
    let rows: &[&str] = &["xx..xx", "x....x", "......"];
    assert_eq!(
        picked(&[rows], 9, None),
        [
            "S0-B-2", "S0-B-3", "S0-B-4", "S0-B-5", "S0-C-1", "S0-C-2", "S0-C-3", "S0-C-4", "S0-C-5"
        ]
    );
}

#[test]
fn a_full_row_parts_a_party() {
    // A and C are not adjacent; C and D are.
    assert_eq!(
        picked(&[&["..", "xx", "..", ".x"]], 3, None),
        ["S0-C-1", "S0-C-2", "S0-D-1"]
    );
}

#[test]
fn a_party_is_parted_rather_than_refused() {
    assert_eq!(
        picked(&[&[".x.", "xxx", ".x."]], 3, None),
        ["S0-A-1", "S0-A-3", "S0-C-1"]
    );
    assert_eq!(
        picked(&[&["x."], &[".x."]], 3, None),
        ["S0-A-2", "S1-A-1", "S1-A-3"]
    );
}

#[test]
fn a_named_section_is_kept_to() {
    assert_eq!(picked(&[&["...."], &["...."]], 2, Some(1)), ["S1-A-1", "S1-A-2"]);
    assert!(best(&map(&[&["...."], &["."]]), 2, Some(1)).is_none());
}

#[test]
fn a_party_is_refused_when_there_are_too_few() {
    assert!(best(&map(&[&["x."], &[".x."]]), 4, None).is_none());
}

#[test]
fn the_show_gives_the_best_seats_to_whoever_names_a_number() {
    let event = TicketsHeld {
        seats: names(&["Platea-A-1", "Platea-A-2", "Platea-A-3"]),
        quantity: 3,
        amount: usd(7_500),
        ..held(1, ann(), tally(10, 3, 0))
    };
    given::<Show>(events![numbered()])
        .when(ask_hold(1, ann(), quantity(3)))
        .then(events![event]);
    let event = TicketsHeld {
        seats: names(&["Palco-Alto-A-1", "Palco-Alto-A-2", "Palco-Alto-A-3"]),
        quantity: 3,
        amount: usd(3_000),
        ..held(1, ann(), tally(10, 3, 0))
    };
    given::<Show>(events![numbered()])
        .when(ask_hold(1, ann(), in_section(3, "Palco-Alto")))
        .then(events![event]);
}

#[test]
fn sixty_thousand_seats_are_sold_out_in_pairs_few_of_them_parted() {
    let sections = vec![Section {
        name: "Campo".into(),
        rows: 600,
        seats_per_row: 100,
        price: None,
    }];
    let mut map = SeatMap::new(&sections, usd(1));
    let mut parted = 0;
    for _ in 0..30_000 {
        let pair = best(&map, 2, None).unwrap();
        parted += usize::from(pair[0].0 + 1 != pair[1].0 || pair[0].0 / 100 != pair[1].0 / 100);
        map.take(&pair, true);
    }
    assert!(best(&map, 1, None).is_none());
    // The first pair sits in the middle, with 49 seats on either side: one of each is left over at the end.
    assert_eq!(parted, 600);
}

/// Rows of a section as drawings.
fn rows() -> impl Strategy<Value = Vec<String>> {
    (1..5_usize, 1..12_usize).prop_flat_map(|(rows, seats)| {
        prop::collection::vec(
            prop::collection::vec(prop_oneof![3 => Just('.'), 2 => Just('x')], seats),
            rows,
        )
        .prop_map(|rows| rows.into_iter().map(String::from_iter).collect())
    })
}

/// Whether a row has room for so many side by side; neatly = without leaving a single seat beside them.
fn has_room(row: &str, quantity: usize, neatly: bool) -> bool {
    let fits = |len: usize| {
        if neatly {
            len == quantity || len >= quantity + 2
        } else {
            len >= quantity
        }
    };
    row.split('x').any(|run| !run.is_empty() && fits(run.len()))
}

proptest! {
    #[test]
    fn a_party_gets_free_seats_and_together_where_any_row_has_room(rows in rows(), quantity in 1..14_u32) {
        let drawing: Vec<&str> = rows.iter().map(String::as_str).collect();
        let (map, party) = (map(&[&drawing]), quantity as usize);
        let free = rows.iter().flat_map(|row| row.chars()).filter(|c| *c == '.').count();
        let Some(seats) = best(&map, quantity, None) else {
            prop_assert!(free < party);
            return Ok(());
        };
        prop_assert_eq!(seats.len(), party);
        prop_assert!(seats.iter().all(|seat| map.is_free(*seat)));
        prop_assert!(seats.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        let width = rows[0].len() as u32;
        let (first, last) = (seats[0].0, seats[party - 1].0);
        let together = last - first == quantity - 1 && first / width == last / width;
        prop_assert_eq!(together, rows.iter().any(|row| has_room(row, party, false)));
        if rows.iter().any(|row| has_room(row, party, true)) {
            let mut row: Vec<char> = rows[(first / width) as usize].chars().collect();
            let before = single_seats(&row);
            row[(first % width) as usize..=(last % width) as usize].fill('x');
            prop_assert!(single_seats(&row) <= before, "a single seat was left over");
        }
    }
}

fn single_seats(row: &[char]) -> usize {
    row.split(|c| *c == 'x').filter(|run| run.len() == 1).count()
}
