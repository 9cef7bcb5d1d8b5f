//! The seat map of a numbered show. A seat is a number: sections in their order, rows front to back, places left
//! to right, those where nothing is sold among them. Names are made and read only at the edges.

use contract::{
    Money,
    events::{Section, Tally, parse_seat, seat_name},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// A seat's number in its show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seat(pub u32);

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum SeatStatus {
    /// Anybody may have it.
    Free,
    /// Held, with a deadline.
    Held,
    /// Sold.
    Sold,
    /// There is no seat here and never will be.
    Blocked,
}

/// A section's place in the map.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SectionPlan {
    name: String,
    pub price: Money,
    pub seats_per_row: u32,
    /// Behind which numbers there is an aisle, in every row.
    pub aisles: Box<[u32]>,
    /// Its places.
    pub seats: Range<u32>,
    /// Its rows, counted over the whole show.
    pub rows: Range<usize>,
}

/// What never changes, shared by all copies of the map.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    sections: Vec<SectionPlan>,
    by_name: BTreeMap<String, usize>,
}

/// Which lengths of free seats side by side a row has, no aisle between them: bit `n` for a run of `n`, the last
/// bit for all that are as long or longer. What a row has room for can be told from it without looking at its seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs(u64);

impl Runs {
    const LAST: u32 = u64::BITS - 1;

    fn of(runs: impl Iterator<Item = Range<u32>>) -> Self {
        Self(runs.fold(0, |bits, run| bits | 1 << (run.end - run.start).min(Self::LAST)))
    }

    /// False when so many cannot sit side by side.
    pub fn may_seat(self, quantity: u32) -> bool {
        self.0 >> quantity.min(Self::LAST) != 0
    }

    /// False when they cannot without leaving a single seat beside them.
    pub fn may_seat_neatly(self, quantity: u32) -> bool {
        let exactly = self.0 >> quantity.min(Self::LAST) & 1 != 0;
        exactly || self.may_seat(quantity.saturating_add(2))
    }

    /// The longest run, unless it is too long to tell.
    pub fn longest(self) -> Option<u32> {
        let longest = self.0.checked_ilog2().unwrap_or_default();
        (longest < Self::LAST).then_some(longest)
    }
}

/// What the aisles make of a row of so many places: places in the row, from 0.
fn between_aisles(aisles: &[u32], places: u32) -> impl Iterator<Item = Range<u32>> {
    let mut at = 0;
    aisles.iter().copied().chain([places]).map(move |end| {
        let start = std::mem::replace(&mut at, end);
        start..end
    })
}

/// The free seats of a row that are side by side, without an aisle between them: places in the row, from 0.
pub(super) fn free_runs(row: &[SeatStatus], aisles: &[u32]) -> impl Iterator<Item = Range<u32>> {
    between_aisles(aisles, row.len() as u32).flat_map(|block| {
        let mut at = block.start;
        let seats = row.get(block.start as usize..block.end as usize);
        seats
            .unwrap_or_default()
            .chunk_by(|a, b| a == b)
            .filter_map(move |run| {
                let start = at;
                at += run.len() as u32;
                (run.first() == Some(&SeatStatus::Free)).then_some(start..at)
            })
    })
}

/// All seats and what became of them: one byte each, and summaries by row and section, so that those without
/// room are passed over without looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeatMap {
    plan: Arc<Plan>,
    status: Vec<SeatStatus>,
    runs: Vec<Runs>,
    tallies: Vec<Tally>,
}

impl SeatMap {
    /// All seats, free. `price` is that of the sections without one of their own.
    pub fn new(sections: &[Section], price: Money) -> Self {
        let mut map = Self::with_every_place_free(sections, price);
        for (index, section) in sections.iter().enumerate().filter(|(_, s)| !s.blocked.is_empty()) {
            let plan = map.plan.clone();
            let Some(plan) = plan.sections.get(index) else {
                continue;
            };
            let there = section.blocked.iter().filter(|place| section.has(**place));
            let blocked: Vec<Seat> = there.map(|place| plan.seat(place.row, place.number)).collect();
            map.set(&blocked, SeatStatus::Blocked);
        }
        map
    }

    fn with_every_place_free(sections: &[Section], price: Money) -> Self {
        let mut plan = Plan {
            sections: Vec::with_capacity(sections.len()),
            by_name: BTreeMap::new(),
        };
        let (mut runs, mut tallies, mut capacity) = (Vec::new(), Vec::new(), 0_u32);
        for section in sections {
            // A row without seats is no row. Layouts that are too large were refused by `decide`.
            let rows = if section.seats_per_row == 0 {
                0
            } else {
                section.rows
            };
            let count = rows.saturating_mul(section.seats_per_row);
            let (first, first_row) = (capacity, runs.len());
            capacity = capacity.saturating_add(count);
            let row = Runs::of(between_aisles(&section.aisles, section.seats_per_row));
            runs.resize(first_row + rows as usize, row);
            tallies.push(Tally {
                free: count,
                held: 0,
                sold: 0,
            });
            plan.by_name.insert(section.name.clone(), plan.sections.len());
            plan.sections.push(SectionPlan {
                name: section.name.clone(),
                price: section.price.unwrap_or(price),
                seats_per_row: section.seats_per_row,
                aisles: section.aisles.clone().into_boxed_slice(),
                seats: first..capacity,
                rows: first_row..runs.len(),
            });
        }
        Self {
            plan: Arc::new(plan),
            status: vec![SeatStatus::Free; capacity as usize],
            runs,
            tallies,
        }
    }

    /// The sections, in their order.
    pub fn sections(&self) -> &[SectionPlan] {
        &self.plan.sections
    }

    /// The section of this name, as an index into `sections`.
    pub fn section(&self, name: &str) -> Option<usize> {
        self.plan.by_name.get(name).copied()
    }

    /// The section in which a seat is.
    pub fn section_of(&self, seat: Seat) -> Option<(usize, &SectionPlan)> {
        self.plan.section_of(seat)
    }

    /// The seat of this name. Where a place is blocked there is none.
    pub fn find(&self, name: &str) -> Option<Seat> {
        let (section, row, number) = parse_seat(name)?;
        let section = self.plan.sections.get(self.section(section)?)?;
        let there = (row as usize) < section.rows.len() && number <= section.seats_per_row;
        let seat = there.then(|| section.seat(row, number))?;
        let status = self.status.get(seat.0 as usize)?;
        (*status != SeatStatus::Blocked).then_some(seat)
    }

    /// The name of a seat.
    pub fn name(&self, seat: Seat) -> String {
        let Some((_, section)) = self.section_of(seat) else {
            return String::new();
        };
        let place = seat.0 - section.seats.start;
        seat_name(
            &section.name,
            place / section.seats_per_row,
            place % section.seats_per_row + 1,
        )
    }

    /// What the seats cost together; `None` past what can be counted.
    pub fn price(&self, seats: &[Seat], nothing: Money) -> Option<Money> {
        let mut sum: Option<Money> = None;
        for seat in seats {
            let price = self.section_of(*seat)?.1.price;
            sum = Some(sum.map_or(Some(price), |sum| sum.plus(price))?);
        }
        Some(sum.unwrap_or(nothing))
    }

    pub fn is_free(&self, seat: Seat) -> bool {
        self.status.get(seat.0 as usize) == Some(&SeatStatus::Free)
    }

    /// Where a section's tickets are.
    pub fn tally(&self, section: usize) -> Tally {
        self.tallies.get(section).copied().unwrap_or_default()
    }

    /// What a row has room for. Rows count over the whole show.
    pub fn runs(&self, row: usize) -> Runs {
        self.runs.get(row).copied().unwrap_or_default()
    }

    /// The seats of a section's row, and what became of them.
    pub fn row(&self, section: &SectionPlan, row: usize) -> (Seat, &[SeatStatus]) {
        let first = section.seats.start + (row - section.rows.start) as u32 * section.seats_per_row;
        let seats = first as usize..(first + section.seats_per_row) as usize;
        (Seat(first), self.status.get(seats).unwrap_or_default())
    }

    /// The seats are held, or sold.
    pub fn take(&mut self, seats: &[Seat], sold: bool) {
        self.set(seats, if sold { SeatStatus::Sold } else { SeatStatus::Held });
    }

    /// The seats are free.
    pub fn free(&mut self, seats: &[Seat]) {
        self.set(seats, SeatStatus::Free);
    }

    fn set(&mut self, seats: &[Seat], to: SeatStatus) {
        let plan = self.plan.clone();
        let mut changed = None;
        for seat in seats {
            let Some((index, section)) = plan.section_of(*seat) else {
                continue;
            };
            let Some(status) = self.status.get_mut(seat.0 as usize) else {
                continue;
            };
            if *status == SeatStatus::Blocked {
                continue;
            }
            let from = std::mem::replace(status, to);
            if let Some(tally) = self.tallies.get_mut(index) {
                count(tally, from, |count| count.saturating_sub(1));
                count(tally, to, |count| count.saturating_add(1));
            }
            let row = section.rows.start + ((seat.0 - section.seats.start) / section.seats_per_row) as usize;
            // Seats mostly come row by row: each row is looked through once.
            match changed.replace((section, row)) {
                Some((section, before)) if before != row => self.summarise(section, before),
                _ => {}
            }
        }
        if let Some((section, row)) = changed {
            self.summarise(section, row);
        }
    }

    fn summarise(&mut self, section: &SectionPlan, row: usize) {
        let runs = Runs::of(free_runs(self.row(section, row).1, &section.aisles));
        if let Some(summary) = self.runs.get_mut(row) {
            *summary = runs;
        }
    }
}

impl SectionPlan {
    /// The seat in this row, counted from 0, with this number, counted from 1. Both are in the section.
    fn seat(&self, row: u32, number: u32) -> Seat {
        Seat(self.seats.start + row * self.seats_per_row + number - 1)
    }
}

impl Plan {
    fn section_of(&self, seat: Seat) -> Option<(usize, &SectionPlan)> {
        let index = self
            .sections
            .partition_point(|section| section.seats.end <= seat.0);
        self.sections.get(index).map(|section| (index, section))
    }
}

/// What is blocked is no ticket, so it is counted nowhere.
fn count(tally: &mut Tally, status: SeatStatus, change: impl FnOnce(u32) -> u32) {
    let counter = match status {
        SeatStatus::Free => &mut tally.free,
        SeatStatus::Held => &mut tally.held,
        SeatStatus::Sold => &mut tally.sold,
        SeatStatus::Blocked => return,
    };
    *counter = change(*counter);
}
