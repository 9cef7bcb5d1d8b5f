//! What a follower of a show was told, folded into a map, to be held against the truth.

use super::{
    server::Target,
    stadium::{CAPACITY, number},
    workloads::fetch,
};
use crate::ProgramError;
use contract::events::parse_seat;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many events of a stream are read at once.
const PAGE: u64 = 1_000;
const SOLD: u8 = b'v';

/// A seat map: one letter for each place.
#[derive(PartialEq, Eq)]
pub struct MapFold(Vec<Vec<u8>>);

impl MapFold {
    /// The map as it is read: `secciones` with their `estados`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn of(map: &Value) -> Result<Self, ProgramError> {
        let sections = map["secciones"].as_array().ok_or_else(|| wrong("no sections"))?;
        let states = sections
            .iter()
            .map(|section| section["estados"].as_str().and_then(unpacked));
        let states: Option<Vec<_>> = states.collect();
        states
            .map(Self)
            .ok_or_else(|| wrong("states that cannot be read"))
    }

    /// Applies a stream of events; gives, for each seat that was sold, the version of the event that said so.
    ///
    /// # Errors
    /// When an event cannot be read.
    pub fn follow(&mut self, content: &[u8]) -> Result<BTreeMap<u32, u64>, ProgramError> {
        let text = std::str::from_utf8(content).map_err(|_| wrong("events that are no text"))?;
        let mut sold_at = BTreeMap::new();
        for event in text.split("\n\n") {
            let field = |name: &str| {
                event
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                    .map(str::trim_start)
            };
            let Some(data) = field("data") else { continue };
            let data: Value = serde_json::from_str(data).map_err(|_| wrong("data that is no JSON"))?;
            let version = field("id")
                .and_then(|id| id.parse::<u64>().ok())
                .filter(|id| data["version"].as_u64() == Some(*id))
                .ok_or_else(|| wrong("an event whose id is not its version"))?;
            if field("event") == Some("mapa") {
                let before = std::mem::replace(self, Self::of(&data)?);
                self.note_sold(&before, version, &mut sold_at);
                continue;
            }
            for change in data["cambios"].as_array().into_iter().flatten() {
                self.change(change, version, &mut sold_at)
                    .ok_or_else(|| wrong("a change that does not fit the map"))?;
            }
        }
        Ok(sold_at)
    }

    /// A change: `[section, first place, states]`.
    fn change(&mut self, change: &Value, version: u64, sold_at: &mut BTreeMap<u32, u64>) -> Option<()> {
        let (section, first) = (change[0].as_u64()?, change[1].as_u64()?);
        let states = unpacked(change[2].as_str()?)?;
        let places = self.0.get_mut(usize::try_from(section).ok()?)?;
        for (state, place) in states.into_iter().zip(first..) {
            let there = places.get_mut(usize::try_from(place).ok()?)?;
            if state == SOLD && *there != SOLD {
                sold_at.insert(number(section, place)?, version);
            }
            *there = state;
        }
        Some(())
    }

    fn note_sold(&self, before: &Self, version: u64, sold_at: &mut BTreeMap<u32, u64>) {
        for (section, (now, before)) in (0..).zip(self.0.iter().zip(&before.0)) {
            for (place, (now, before)) in (0..).zip(now.iter().zip(before)) {
                if *now == SOLD && *before != SOLD {
                    sold_at.extend(number(section, place).map(|number| (number, version)));
                }
            }
        }
    }
}

/// A run-length text, place by place: `3l2v` is three free and two sold.
fn unpacked(text: &str) -> Option<Vec<u8>> {
    let (mut places, mut count) = (Vec::new(), None::<usize>);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                let digit = usize::from(byte - b'0');
                count = Some(count.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            }
            b'l' | b'r' | b'v' | b'x' => {
                let times = count.take().unwrap_or(1);
                if times > CAPACITY as usize - places.len() {
                    return None;
                }
                places.resize(places.len() + times, byte);
            }
            _ => return None,
        }
    }
    count.is_none().then_some(places)
}

/// The seats of a show that were sold, each with the version at which it was, by the log.
///
/// # Errors
/// When it cannot be read.
pub async fn sold_seats(target: &Target, show: &str) -> Result<BTreeMap<u32, u64>, ProgramError> {
    let (mut sold, mut from) = (BTreeMap::new(), 0);
    loop {
        let path = format!("/api/auditoria/streams/show-{show}?desde={from}&limite={PAGE}");
        let page = fetch(target, &path).await?;
        let events = page.as_array().ok_or_else(|| wrong("a stream that is no list"))?;
        for event in events {
            let revision = event["revision"].as_u64().ok_or_else(|| wrong("no revision"))?;
            from = revision + 1;
            if event["tipo"]
                .as_str()
                .is_none_or(|kind| !kind.starts_with("tickets_sold."))
            {
                continue;
            }
            let seats = event["datos"]["seats"].as_array().into_iter().flatten();
            for name in seats.filter_map(Value::as_str) {
                sold.extend(numbered(name).map(|number| (number, revision)));
            }
        }
        if (events.len() as u64) < PAGE {
            return Ok(sold);
        }
    }
}

/// The number of a seat by its name.
fn numbered(name: &str) -> Option<u32> {
    let (section, row, place) = parse_seat(name)?;
    let section: u64 = section.rsplit_once(' ')?.1.parse().ok()?;
    number(
        section.checked_sub(1)?,
        u64::from(row) * u64::from(super::stadium::SEATS_PER_ROW) + u64::from(place) - 1,
    )
}

fn wrong(what: &str) -> ProgramError {
    ProgramError::Bench(format!("open maps: the server sends {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bench::stadium::seat;
    use serde_json::json;

    #[test]
    fn a_run_length_text_is_taken_apart_or_refused() {
        assert_eq!(unpacked("3l2vrx").unwrap(), b"lllvvrx");
        assert_eq!(unpacked("").unwrap(), b"");
        for bad in ["3", "l3", "y", "99999999999999999999l", "60001l"] {
            assert!(unpacked(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_seats_name_leads_back_to_its_number() {
        for place in [0, 1, 99, 100, 2_999, 3_000, CAPACITY - 1] {
            assert_eq!(numbered(&seat(place)), Some(place));
        }
        assert_eq!(numbered("Platea-A-1"), None);
    }

    #[test]
    fn events_change_the_map_and_tell_when_a_seat_was_sold() {
        let mut map =
            MapFold::of(&json!({ "secciones": [{ "estados": "3l" }, { "estados": "2l" }] })).unwrap();
        let events = concat!(
            "event: cambio\nid: 4\ndata: {\"version\":4}\n\n",
            ": live\n\n",
            "event: cambio\ndata: {\"version\":7,\"cambios\":[[0,1,\"rv\"],[1,0,\"v\"]]}\nid: 7\n\n",
            "event: mapa\nid: 9\ndata: {\"version\":9,\"secciones\":[{\"estados\":\"l2v\"},{\"estados\":\"vl\"}]}\n\n",
        );
        let sold_at = map.follow(events.as_bytes()).unwrap();
        assert_eq!(sold_at, BTreeMap::from([(1, 9), (2, 7), (3_000, 7)]));
        assert!(
            map == MapFold::of(&json!({ "secciones": [{ "estados": "l2v" }, { "estados": "vl" }] })).unwrap()
        );
        for bad in [
            "id: 1\ndata: {\"version\":2}\n\n",
            "id: 1\ndata: {\"version\":1,\"cambios\":[[0,2,\"2v\"]]}\n\n",
            "id: 1\ndata: {\"version\":1,\"cambios\":[[2,0,\"v\"]]}\n\n",
        ] {
            assert!(map.follow(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
