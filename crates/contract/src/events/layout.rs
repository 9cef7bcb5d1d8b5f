//! How a show's tickets are laid out: sections of rows, their aisles, and the places where nothing is sold.

use super::show::{row_index, row_letters, seat_name, seat_number};
use crate::money::Money;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A place in a section. A place where something is sold is a seat. In text and in JSON: `C-12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place {
    /// The row, counted from 0.
    pub row: u32,
    /// The number in its row, counted from 1.
    pub number: u32,
}

/// A text that names no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place such as C-12: {0}")]
pub struct NoPlace(String);

impl FromStr for Place {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let place = text.rsplit_once('-').and_then(|(letters, number)| {
            Some(Self {
                row: row_index(letters)?,
                number: seat_number(number)?,
            })
        });
        place.ok_or_else(|| NoPlace(text.to_owned()))
    }
}
impl TryFrom<String> for Place {
    type Error = NoPlace;
    fn try_from(text: String) -> Result<Self, NoPlace> {
        text.parse()
    }
}
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", row_letters(self.row), self.number)
    }
}
impl From<Place> for String {
    fn from(place: Place) -> String {
        place.to_string()
    }
}

/// A section of numbered seats: rows A, B … Z, AA …, places numbered from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The name, unique in the show.
    pub name: String,
    /// How many rows.
    pub rows: u32,
    /// How many places in each row.
    pub seats_per_row: u32,
    /// The price here, when it differs from the show's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// In every row there is an aisle behind these numbers; ascending, each below `seats_per_row`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aisles: Vec<u32>,
    /// The places that are no seats; ascending, row by row. All others keep their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Place>,
}

impl Section {
    /// How many places there are, blocked ones, too; saturates.
    pub fn places(&self) -> u32 {
        self.rows.saturating_mul(self.seats_per_row)
    }

    /// Is there such a place, blocked or not?
    pub fn has(&self, place: Place) -> bool {
        place.row < self.rows && (1..=self.seats_per_row).contains(&place.number)
    }

    /// What is wrong with its aisles and blocked places: the names of the seats that they speak of.
    pub fn misplaced(&self) -> Vec<String> {
        let name = |place: Place| seat_name(&self.name, place.row, place.number);
        let (mut misplaced, mut last_aisle, mut last_blocked) = (Vec::new(), 0, None);
        for aisle in &self.aisles {
            if *aisle <= last_aisle || *aisle >= self.seats_per_row {
                misplaced.push(name(Place {
                    row: 0,
                    number: *aisle,
                }));
            }
            last_aisle = *aisle;
        }
        for place in &self.blocked {
            if last_blocked >= Some(place) || !self.has(*place) {
                misplaced.push(name(*place));
            }
            last_blocked = Some(place);
        }
        misplaced
    }
}

/// How the tickets are laid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub enum Layout {
    /// General admission: so many tickets, all alike.
    General {
        /// How many.
        capacity: u32,
    },
    /// Numbered seats.
    Numbered {
        /// The sections, in the order in which they are shown.
        sections: Vec<Section>,
    },
}

impl Layout {
    /// How many tickets there are: of numbered seats, the places that are not blocked. Saturates.
    pub fn capacity(&self) -> u32 {
        match self {
            Layout::General { capacity } => *capacity,
            Layout::Numbered { sections } => sections.iter().fold(0_u32, |sum, section| {
                let blocked = u32::try_from(section.blocked.len()).unwrap_or(u32::MAX);
                sum.saturating_add(section.places().saturating_sub(blocked))
            }),
        }
    }

    /// How many places there are, blocked ones, too: what the layout takes of memory. Saturates.
    pub fn places(&self) -> u32 {
        match self {
            Layout::General { .. } => 0,
            Layout::Numbered { sections } => sections
                .iter()
                .fold(0_u32, |sum, section| sum.saturating_add(section.places())),
        }
    }

    /// Are there places where nothing is sold?
    pub fn has_blocked(&self) -> bool {
        match self {
            Layout::General { .. } => false,
            Layout::Numbered { sections } => sections.iter().any(|section| !section.blocked.is_empty()),
        }
    }
}

/// The stored form. Blocked places have a kind of their own, because a program that does not know of them reads
/// past the field: it would sell them. So it cannot read such a layout, be it in an event, a command or a snapshot.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Stored {
    General { capacity: u32 },
    Numbered { sections: Vec<Section> },
    NumberedWithBlocked { sections: Vec<Section> },
}

impl From<Layout> for Stored {
    fn from(layout: Layout) -> Self {
        let has_blocked = layout.has_blocked();
        match layout {
            Layout::General { capacity } => Self::General { capacity },
            Layout::Numbered { sections } if has_blocked => Self::NumberedWithBlocked { sections },
            Layout::Numbered { sections } => Self::Numbered { sections },
        }
    }
}

impl TryFrom<Stored> for Layout {
    type Error = &'static str;
    fn try_from(stored: Stored) -> Result<Self, &'static str> {
        let (sections, has_blocked) = match stored {
            Stored::General { capacity } => return Ok(Self::General { capacity }),
            Stored::Numbered { sections } => (sections, false),
            Stored::NumberedWithBlocked { sections } => (sections, true),
        };
        let layout = Self::Numbered { sections };
        match layout.has_blocked() == has_blocked {
            true => Ok(layout),
            false => Err("the layout's kind does not say whether places are blocked"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn place(text: &str) -> Place {
        text.parse().unwrap()
    }

    fn section(aisles: &[u32], blocked: &[&str]) -> Section {
        Section {
            name: "Platea".into(),
            rows: 2,
            seats_per_row: 5,
            aisles: aisles.to_vec(),
            blocked: blocked.iter().map(|text| place(text)).collect(),
            ..Section::default()
        }
    }

    #[test]
    fn a_place_has_one_name() {
        assert_eq!(place("AB-12"), Place { row: 27, number: 12 });
        assert_eq!(place("AB-12").to_string(), "AB-12");
        for text in [
            "", "A", "A-", "-1", "A-0", "A-01", "a-1", "A-+1", "B-A-1", "A-1-2", "A 1",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace(text.into())));
        }
    }

    #[test]
    fn blocked_places_are_not_for_sale_but_take_their_room() {
        let sections = vec![section(&[2], &["A-1", "B-5"]), section(&[], &[])];
        let layout = Layout::Numbered { sections };
        assert_eq!((layout.capacity(), layout.places()), (18, 20));
        let huge = Section {
            rows: u32::MAX,
            seats_per_row: u32::MAX,
            ..section(&[], &["A-1"])
        };
        let layout = Layout::Numbered {
            sections: vec![huge.clone(), huge],
        };
        assert_eq!((layout.capacity(), layout.places()), (u32::MAX, u32::MAX));
    }

    #[test]
    fn aisles_and_blocked_places_that_are_not_there_or_not_in_order_are_named() {
        assert_eq!(section(&[1, 4], &["A-1", "A-5", "B-1"]).misplaced(), [""; 0]);
        for (aisles, blocked, named) in [
            (&[0][..], &[][..], "Platea-A-0"),
            (&[5], &[], "Platea-A-5"),
            (&[3, 3], &[], "Platea-A-3"),
            (&[3, 2], &[], "Platea-A-2"),
            (&[], &["C-1"], "Platea-C-1"),
            (&[], &["A-6"], "Platea-A-6"),
            (&[], &["A-2", "A-2"], "Platea-A-2"),
            (&[], &["B-1", "A-2"], "Platea-A-2"),
        ] {
            assert_eq!(section(aisles, blocked).misplaced(), [named]);
        }
    }

    #[test]
    fn the_kind_of_a_layout_says_whether_places_are_blocked() {
        let stored = |kind: &str, section: &Section| json!({"kind": kind, "sections": [section]});
        let read = |value| serde_json::from_value::<Layout>(value);
        for (kind, section, other) in [
            ("numbered", section(&[2], &[]), "numbered_with_blocked"),
            ("numbered_with_blocked", section(&[2], &["A-1"]), "numbered"),
        ] {
            let layout = read(stored(kind, &section)).unwrap();
            assert_eq!(serde_json::to_value(&layout).unwrap(), stored(kind, &section));
            assert!(read(stored(other, &section)).is_err());
        }
    }

    #[test]
    fn a_layout_without_aisles_and_blocked_places_is_stored_as_it_ever_was() {
        let layout = Layout::Numbered {
            sections: vec![section(&[], &[])],
        };
        assert_eq!(
            serde_json::to_string(&layout).unwrap(),
            r#"{"kind":"numbered","sections":[{"name":"Platea","rows":2,"seats_per_row":5}]}"#
        );
        assert_eq!(
            serde_json::to_string(&Layout::General { capacity: 7 }).unwrap(),
            r#"{"kind":"general","capacity":7}"#
        );
    }
}
