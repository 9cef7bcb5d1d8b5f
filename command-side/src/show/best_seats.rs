//! Which seats a party gets that only says how many it is: the best that are free together.
//!
//! 1. **In one row**, side by side, and never across an aisle. Where it can be avoided no single seat is left over
//!    between two parties or beside an aisle, because nobody buys it; then the row nearest the front; then the place
//!    nearest the row's middle.
//! 2. Else **in adjacent rows** of one section, as few as possible: in each, side by side.
//! 3. Else **anywhere in one section**: front to back, each row from its middle outwards.
//! 4. Else anywhere at all, section by section. A party is never refused while there are seats enough.
//!
//! The sections are tried in the order in which the organiser listed them, or only the one that was named. Blocked
//! places are as if somebody else sat there for ever. docs/SEATS.md says it in the words of those who sell and buy.

use super::seats::{Seat, SeatMap, SectionPlan, free_runs};
use std::{cmp::Reverse, ops::Range};

/// The best free seats, in their order; `None` when there are too few.
pub(super) fn best(map: &SeatMap, quantity: u32, only: Option<usize>) -> Option<Vec<Seat>> {
    let sections = only.map_or(0..map.sections().len(), |section| section..section + 1);
    let large_enough = || {
        sections
            .clone()
            .filter(|index| map.tally(*index).free >= quantity)
    };
    let plans = || large_enough().filter_map(|index| map.sections().get(index));
    plans()
        .find_map(|section| in_one_row(map, section, quantity))
        .or_else(|| plans().find_map(|section| in_adjacent_rows(map, section, quantity)))
        .or_else(|| large_enough().find_map(|index| anywhere(map, index..index + 1, quantity)))
        .or_else(|| anywhere(map, sections.clone(), quantity))
}

/// Twice the distance between the middle of a block of seats and the middle of its row.
fn off_centre(start: u32, len: u32, row_len: u32) -> u32 {
    (2 * start + len).abs_diff(row_len)
}

fn block(first_of_row: Seat, start: u32, len: u32) -> impl Iterator<Item = Seat> {
    (first_of_row.0 + start..first_of_row.0 + start + len).map(Seat)
}

fn in_one_row(map: &SeatMap, section: &SectionPlan, quantity: u32) -> Option<Vec<Seat>> {
    let mut leaving_a_single_one = None;
    for row in section.rows.clone() {
        let room = map.runs(row);
        if !room.may_seat(quantity) || leaving_a_single_one.is_some() && !room.may_seat_neatly(quantity) {
            continue;
        }
        let (first, seats) = map.row(section, row);
        let places = free_runs(seats, &section.aisles)
            .filter(|run| run.end - run.start >= quantity)
            .flat_map(|run| {
                (run.start..=run.end - quantity).map(move |start| {
                    let leaves_single = start - run.start == 1 || run.end - start - quantity == 1;
                    (
                        leaves_single,
                        off_centre(start, quantity, section.seats_per_row),
                        start,
                    )
                })
            });
        match places.min() {
            Some((false, _, start)) => return Some(block(first, start, quantity).collect()),
            Some((true, _, start)) => {
                leaving_a_single_one.get_or_insert((first, start));
            }
            None => {}
        }
    }
    leaving_a_single_one.map(|(first, start)| block(first, start, quantity).collect())
}

fn in_adjacent_rows(map: &SeatMap, section: &SectionPlan, quantity: u32) -> Option<Vec<Seat>> {
    let len = |run: &Range<u32>| run.end - run.start;
    let longest = |row| {
        let centre = |run: &Range<u32>| Reverse(off_centre(run.start, len(run), section.seats_per_row));
        free_runs(map.row(section, row).1, &section.aisles)
            .max_by_key(|run| (len(run), centre(run)))
            .unwrap_or(0..0)
    };
    let room = section
        .rows
        .clone()
        .map(|row| map.runs(row).longest().unwrap_or_else(|| len(&longest(row))));
    let rows = fewest_rows(&room.collect::<Vec<_>>(), quantity)?;
    let mut seats = Vec::with_capacity(quantity as usize);
    for row in rows.map(|row| section.rows.start + row) {
        let run = longest(row);
        let count = len(&run).min(quantity - seats.len() as u32);
        let start = (run.start..=run.end - count)
            .min_by_key(|start| off_centre(*start, count, section.seats_per_row))
            .unwrap_or(run.start);
        seats.extend(block(map.row(section, row).0, start, count));
    }
    Some(seats)
}

/// The shortest stretch of rows, none of them full, that has room for `quantity`; the foremost of equals.
fn fewest_rows(room: &[u32], quantity: u32) -> Option<Range<usize>> {
    let (mut best, mut first, mut sum): (Option<Range<usize>>, usize, u32) = (None, 0, 0);
    for (last, seats) in room.iter().enumerate() {
        if *seats == 0 {
            (first, sum) = (last + 1, 0);
            continue;
        }
        sum += seats;
        while let Some(foremost) = room.get(first).filter(|foremost| sum - **foremost >= quantity) {
            sum -= foremost;
            first += 1;
        }
        let found = first..last + 1;
        if sum >= quantity && best.as_ref().is_none_or(|best| found.len() < best.len()) {
            best = Some(found);
        }
    }
    best
}

fn anywhere(map: &SeatMap, sections: Range<usize>, quantity: u32) -> Option<Vec<Seat>> {
    let mut picked = Vec::with_capacity(quantity as usize);
    for section in map.sections().get(sections)? {
        for row in section.rows.clone().filter(|row| map.runs(*row).may_seat(1)) {
            let (first, seats) = map.row(section, row);
            let mut places: Vec<u32> = free_runs(seats, &section.aisles).flatten().collect();
            places.sort_by_key(|place| off_centre(*place, 1, section.seats_per_row));
            let missing = quantity as usize - picked.len();
            picked.extend(
                places
                    .into_iter()
                    .take(missing)
                    .map(|place| Seat(first.0 + place)),
            );
            if picked.len() == quantity as usize {
                picked.sort_unstable();
                return Some(picked);
            }
        }
    }
    None
}
