//! Which seats a party gets that only says how many it is.

use super::super::{
    best_seats::best,
    seats::{Seat, SeatMap, free_runs},
};
use super::*;
use proptest::prelude::*;

/// A map from a drawing: a section per block, a row per line, `.` free, `x` taken, `#` blocked, and `|` an aisle,
/// which is drawn in every row.
fn map(sections: &[&[&str]]) -> SeatMap {
    let plan: Vec<Section> = sections
        .iter()
        .enumerate()
        .map(|(index, rows)| section(&format!("S{index}"), rows))
        .collect();
    let mut map = SeatMap::new(&plan, usd(1));
    for (plan, rows) in plan.iter().zip(sections) {
        for place in drawn(rows, 'x') {
            let seat = map.find(&format!("{}-{place}", plan.name)).unwrap();
            map.take(&[seat], true);
        }
    }
    map
}

fn section(name: &str, rows: &[&str]) -> Section {
    Section {
        name: name.into(),
        rows: rows.len() as u32,
        seats_per_row: rows[0].replace('|', "").len() as u32,
        aisles: aisles(rows[0]),
        blocked: drawn(rows, '#'),
        ..Section::default()
    }
}

/// How many places there are before each aisle.
fn aisles(row: &str) -> Vec<u32> {
    let blocks: Vec<&str> = row.split('|').collect();
    let ends = blocks.iter().scan(0, |places, block| {
        *places += block.len() as u32;
        Some(*places)
    });
    ends.take(blocks.len() - 1).collect()
}

/// The places that are drawn like this.
fn drawn(rows: &[&str], like: char) -> Vec<Place> {
    let mut places = Vec::new();
    for (row, drawing) in (0..).zip(rows) {
        let row_places = (1..).zip(drawing.chars().filter(|c| *c != '|'));
        places.extend(
            row_places
                .filter(|(_, c)| *c == like)
                .map(|(number, _)| Place { row, number }),
        );
    }
    places
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
fn nobody_sits_side_by_side_across_an_aisle() {
    // The middle of the row is an aisle.
    assert_eq!(picked(&[&["...|..."]], 2, None), ["S0-A-2", "S0-A-3"]);
    assert_eq!(picked(&[&["xx.|.xx", "...|xxx"]], 2, None), ["S0-B-2", "S0-B-3"]);
    assert_eq!(
        picked(&[&["...|..."], &["...."]], 4, None),
        ["S1-A-1", "S1-A-2", "S1-A-3", "S1-A-4"]
    );
    // Where nothing else is left they are parted, not refused.
    assert_eq!(picked(&[&[".|."]], 2, None), ["S0-A-1", "S0-A-2"]);
}

#[test]
fn a_single_seat_beside_an_aisle_is_a_single_seat() {
    assert_eq!(picked(&[&["...|..", "...|.."]], 2, None), ["S0-A-4", "S0-A-5"]);
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
fn a_blocked_place_parts_a_party_as_a_taken_seat_does() {
    assert_eq!(picked(&[&[".#..", "..#."]], 2, None), ["S0-A-3", "S0-A-4"]);
    assert_eq!(
        picked(&[&["#.#", ".#."]], 3, None),
        ["S0-A-2", "S0-B-1", "S0-B-3"]
    );
    assert!(best(&map(&[&[".#."]]), 3, None).is_none());
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
        ..Section::default()
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

/// The same with aisles every twenty-five seats and four corners where nobody sits.
#[test]
fn a_stadium_with_aisles_and_blocked_places_is_sold_out_and_no_pair_sits_across_an_aisle() {
    let mut stand = Section {
        name: "Tribuna".into(),
        rows: 600,
        seats_per_row: 100,
        aisles: vec![25, 50, 75],
        ..Section::default()
    };
    let corner = |row: u32| (1..=100).filter(move |number| row < 5 && (*number <= 5 || *number > 95));
    stand.blocked = (0..600)
        .flat_map(|row| corner(row).map(move |number| Place { row, number }))
        .collect();
    let layout = Layout::Numbered {
        sections: vec![stand.clone()],
    };
    let mut map = SeatMap::new(&[stand], usd(1));
    assert_eq!(map.tally(0), tally(layout.capacity(), 0, 0));
    let mut parted = 0;
    for _ in 0..layout.capacity() / 2 {
        let pair = best(&map, 2, None).unwrap();
        assert!(pair.iter().all(|seat| map.is_free(*seat)));
        parted += usize::from(pair[0].0 + 1 != pair[1].0 || pair[0].0 / 25 != pair[1].0 / 25);
        map.take(&pair, true);
    }
    assert!(best(&map, 1, None).is_none());
    assert_eq!(map.tally(0), tally(0, 0, layout.capacity()));
    // Blocks of 25 and of 20: each odd one has a seat left over at the end, and those go in pairs, too.
    assert_eq!(parted, (595 * 4 + 5 * 2) / 2);
}

/// Rows of a section as drawings.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let place = || prop_oneof![6 => Just('.'), 3 => Just('x'), 1 => Just('#')];
    let aisles = |seats| prop::collection::vec(prop::bool::weighted(0.2), seats - 1);
    (1..5_usize, 1..12_usize)
        .prop_flat_map(move |(rows, seats)| {
            let row = prop::collection::vec(place(), seats);
            (prop::collection::vec(row, rows), aisles(seats))
        })
        .prop_map(|(rows, aisles)| {
            let draw = |row: Vec<char>| {
                let mut drawing = String::new();
                for (index, place) in row.into_iter().enumerate() {
                    if index > 0 && aisles[index - 1] {
                        drawing.push('|');
                    }
                    drawing.push(place);
                }
                drawing
            };
            rows.into_iter().map(draw).collect()
        })
}

/// What ends a run of free seats: a taken one, a blocked one, an aisle, or whom [`seated`] puts there.
const ENDS: [char; 4] = ['x', '#', '|', 'o'];

/// Whether a row has room for so many side by side; neatly = without leaving a single seat beside them.
fn has_room(row: &str, quantity: usize, neatly: bool) -> bool {
    let fits = |len: usize| {
        if neatly {
            len == quantity || len >= quantity + 2
        } else {
            len >= quantity
        }
    };
    row.split(ENDS).any(|run| !run.is_empty() && fits(run.len()))
}

fn single_seats(row: &str) -> usize {
    row.split(ENDS).filter(|run| run.len() == 1).count()
}

/// A row in which so many free places from this one on, counted from 0, are marked `o`.
fn seated(row: &str, start: usize, quantity: usize) -> String {
    let mut place = 0;
    let sit = |c| {
        let here = c != '|' && (start..start + quantity).contains(&place);
        place += usize::from(c != '|');
        if here && c == '.' { 'o' } else { c }
    };
    row.chars().map(sit).collect()
}

/// The best places side by side, found by trying them all: the row, and the first place in it, from 0.
fn by_trying(rows: &[String], quantity: usize) -> Option<(usize, usize)> {
    let mut leaving_a_single_one = None;
    for (index, row) in rows.iter().enumerate() {
        let len = row.replace('|', "").len();
        let worth = |start: usize| {
            let after = seated(row, start, quantity);
            let (left, right) = after.split_once(&"o".repeat(quantity))?;
            let beside = [
                left.len() - left.trim_end_matches('.').len(),
                right.len() - right.trim_start_matches('.').len(),
            ];
            let leaves_single = beside.contains(&1);
            Some((leaves_single, (2 * start + quantity).abs_diff(len), start))
        };
        match (0..len).filter_map(worth).min() {
            Some((false, _, start)) => return Some((index, start)),
            Some((true, _, start)) => {
                leaving_a_single_one.get_or_insert((index, start));
            }
            None => {}
        }
    }
    leaving_a_single_one
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_party_gets_free_seats_and_together_where_any_row_has_room(rows in rows(), quantity in 1..14_u32) {
        let drawing: Vec<&str> = rows.iter().map(String::as_str).collect();
        let (map, party) = (map(&[&drawing]), quantity as usize);
        let free = rows.iter().flat_map(|row| row.chars()).filter(|c| *c == '.').count();
        prop_assert_eq!(map.tally(0).free as usize, free);
        let Some(seats) = best(&map, quantity, None) else {
            prop_assert!(free < party);
            return Ok(());
        };
        prop_assert_eq!(seats.len(), party);
        prop_assert!(seats.iter().all(|seat| map.is_free(*seat)));
        prop_assert!(seats.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        let width = rows[0].replace('|', "").len() as u32;
        let (first, last) = (seats[0].0, seats[party - 1].0);
        let (row, start) = ((first / width) as usize, (first % width) as usize);
        let in_one_row = last - first == quantity - 1 && first / width == last / width;
        let after = if in_one_row { seated(&rows[row], start, party) } else { String::new() };
        let together = after.contains(&"o".repeat(party));
        prop_assert_eq!(together, rows.iter().any(|row| has_room(row, party, false)));
        prop_assert_eq!(together.then_some((row, start)), by_trying(&rows, party));
        if rows.iter().any(|row| has_room(row, party, true)) {
            prop_assert!(single_seats(&after) <= single_seats(&rows[row]), "a single seat was left over");
        }
    }

    #[test]
    fn the_summary_of_a_row_says_what_its_seats_say(rows in rows(), taken in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let drawing: Vec<&str> = rows.iter().map(String::as_str).collect();
        let mut map = map(&[&drawing]);
        let places = rows.len() * rows[0].replace('|', "").len();
        for (turn, place) in taken.into_iter().enumerate() {
            let seat = [Seat(place.index(places) as u32)];
            if turn % 3 == 2 { map.free(&seat) } else { map.take(&seat, turn % 3 == 1) }
            let section = &map.sections()[0];
            for row in section.rows.clone() {
                let (_, seats) = map.row(section, row);
                let longest = free_runs(seats, &section.aisles).map(|run| run.len()).max().unwrap_or_default();
                prop_assert_eq!(map.runs(row).longest(), Some(longest as u32));
                prop_assert!(!map.runs(row).may_seat(longest as u32 + 1));
            }
            prop_assert_eq!(map.tally(0).free + map.tally(0).held + map.tally(0).sold,
                rows.iter().flat_map(|row| row.chars()).filter(|c| matches!(c, '.' | 'x')).count() as u32);
        }
    }
}
