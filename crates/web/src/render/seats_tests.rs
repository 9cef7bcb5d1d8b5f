#![allow(clippy::unwrap_used)]
use super::*;
use contract::{
    Currency, Event, HoldId, Money, ReservationId, ShowId, UserId,
    events::{HoldReleased, Layout, ReleaseReason, ShowScheduled, Tally, TicketsHeld, TicketsSold},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use uuid::Uuid;
use views::{seat_map, show};

const ROWS: u32 = 3;
const PER_ROW: u32 = 7;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// A show of two sections of 21 places, as its stream begins.
fn scheduled() -> Event {
    let section = |name: &str| json!({ "name": name, "rows": ROWS, "seats_per_row": PER_ROW });
    let sections = [section("Platea"), section("Palco-B")];
    let event = ShowScheduled {
        show_id: ShowId(Uuid::from_u128(1)),
        name: "Concierto".into(),
        description: None,
        starts_at_ms: Timestamp(1_000),
        venue: "Teatro".into(),
        price: usd(4_990),
        category: None,
        limit_per_user: 10,
        layout: Layout::Numbered {
            sections: sections.map(|s| serde_json::from_value(s).unwrap()).into(),
        },
        scheduled_at_ms: Timestamp(0),
        organiser: None,
        fingerprint: None,
    };
    event.into()
}

/// What happens to seats, in the least words: `f`, `h` or `s` for those of these numbers.
fn happens(state: char, seats: &[u32]) -> Event {
    let name = |seat: &u32| {
        let section = if *seat < ROWS * PER_ROW {
            "Platea"
        } else {
            "Palco-B"
        };
        let index = seat % (ROWS * PER_ROW);
        seat_name(section, index / PER_ROW, index % PER_ROW + 1)
    };
    let seats: Vec<String> = seats.iter().map(name).collect();
    let tally = Tally {
        free: 42,
        held: 0,
        sold: 0,
    };
    let (hold_id, user_id) = (HoldId(Uuid::nil()), UserId(Uuid::nil()));
    let quantity = u32::try_from(seats.len()).unwrap();
    match state {
        'h' => Event::from(TicketsHeld {
            hold_id,
            user_id,
            reservation_id: None,
            quantity,
            seats,
            amount: usd(0),
            deadline_ms: Timestamp(0),
            tally,
            fingerprint: None,
        }),
        's' => Event::from(TicketsSold {
            hold_id,
            reservation_id: ReservationId(Uuid::nil()),
            user_id,
            quantity,
            seats,
            amount: usd(0),
            tally,
        }),
        _ => Event::from(HoldReleased {
            hold_id,
            reason: ReleaseReason::Released,
            quantity,
            seats,
            tally,
        }),
    }
}

/// A show and its map after these events.
fn after(events: &[Event]) -> (Show, SeatMap) {
    let all = || {
        std::iter::once(scheduled())
            .chain(events.iter().cloned())
            .zip(0..)
    };
    let show = all().fold(None, |doc, (event, revision)| show::evolve(doc, &event, revision));
    let map = all().fold(None, |doc, (event, revision)| {
        seat_map::evolve(doc, &event, revision)
    });
    (show.unwrap(), map.unwrap())
}

fn told(show: &Show, map: &SeatMap, changed: Option<&[Place]>, format: FormatoAsientos) -> Value {
    let news = News {
        show,
        map: Some(map),
        version: map.revision,
        changed,
        now: Timestamp(0),
    };
    serde_json::to_value(news.render(format)).unwrap()
}

/// What a client makes of `estados`: one letter a place.
fn expanded(text: &str) -> String {
    let (mut letters, mut count) = (String::new(), String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            count.push(letter);
        } else {
            letters.push_str(&letter.to_string().repeat(count.parse().unwrap_or(1)));
            count.clear();
        }
    }
    letters
}

/// All sections of a compact map, one letter a place.
fn letters(map: &Value) -> Vec<String> {
    let sections = map["secciones"].as_array().unwrap().iter();
    sections
        .map(|section| expanded(section["estados"].as_str().unwrap()))
        .collect()
}

/// What a client does with compact changes.
fn apply_compact(map: &mut [String], news: &Value) {
    for change in news["cambios"].as_array().unwrap() {
        let (section, first) = (change[0].as_u64().unwrap(), change[1].as_u64().unwrap());
        let (section, first) = (usize::try_from(section).unwrap(), usize::try_from(first).unwrap());
        let states = expanded(change[2].as_str().unwrap());
        map[section].replace_range(first..first + states.len(), &states);
    }
}

/// The seats of a complete map by name.
fn by_name(map: &Value) -> std::collections::BTreeMap<String, Value> {
    let lists = |of: &Value, name: &str| of[name].as_array().unwrap().clone();
    let sections = lists(map, "secciones");
    let rows = sections.iter().flat_map(|section| lists(section, "filas"));
    let seats = rows.flat_map(|row| lists(&row, "asientos"));
    seats
        .map(|seat| {
            (
                seat["asiento"].as_str().unwrap().to_owned(),
                seat["estado"].clone(),
            )
        })
        .collect()
}

#[test]
fn a_compact_map_says_how_many_in_a_row_and_once_without_a_number() {
    let (_, map) = after(&[happens('h', &[0]), happens('s', &[3, 4]), happens('s', &[41])]);
    let shown = serde_json::to_value(compact_seat_map(&map)).unwrap();
    assert_eq!(
        shown,
        json!({ "evento_id": Uuid::from_u128(1), "version": 3, "secciones": [
            { "nombre": "Platea", "precio": 49.9, "filas": 3, "asientos_por_fila": 7, "estados": "r2l2v16l" },
            { "nombre": "Palco-B", "precio": 49.9, "filas": 3, "asientos_por_fila": 7, "estados": "20lv" },
        ]})
    );
}

#[test]
fn a_compact_map_tells_of_aisles_where_there_are_any() {
    let (_, mut map) = after(&[]);
    map.sections[1].aisles = vec![3];
    let compact = serde_json::to_value(compact_seat_map(&map)).unwrap();
    assert_eq!(compact["secciones"][0].get("pasillos"), None);
    assert_eq!(compact["secciones"][1]["pasillos"], json!([3]));
}

#[test]
fn where_there_is_no_seat_a_compact_map_says_so_and_nothing_has_a_name() {
    let (show, mut map) = after(&[]);
    map.sections[0].states.replace_range(0..3, "xfx");
    let shown = serde_json::to_value(compact_seat_map(&map)).unwrap();
    assert_eq!(shown["secciones"][0]["estados"], "xlx18l");
    let changed: Vec<Place> = (0..3).map(|index| Place { section: 0, index }).collect();
    let compact = told(&show, &map, Some(&changed), FormatoAsientos::Compacto);
    assert_eq!(compact["cambios"], json!([[0, 0, "xlx"]]));
    let complete = told(&show, &map, Some(&changed), FormatoAsientos::Completo);
    assert_eq!(
        complete["asientos"],
        json!([{ "asiento": "Platea-A-2", "estado": "libre" }])
    );
}

#[test]
fn sixty_thousand_seats_are_never_more_bytes_than_seats() {
    let (_, mut map) = after(&[]);
    // No two neighbours are alike: the worst there is.
    map.sections[0].states = "fhs".repeat(20_000);
    assert_eq!(run_lengths(map.sections[0].states.as_bytes()).len(), 60_000);
    map.sections[0].states = "f".repeat(60_000);
    assert_eq!(run_lengths(map.sections[0].states.as_bytes()), "60000l");
}

#[test]
fn news_of_a_show_without_numbered_seats_have_no_seats() {
    let (show, _) = after(&[]);
    let news = News {
        show: &show,
        map: None,
        version: 0,
        changed: None,
        now: Timestamp(1_000),
    };
    let shown = serde_json::to_value(news.render(FormatoAsientos::Completo)).unwrap();
    assert_eq!(
        shown,
        json!({ "evento_id": Uuid::from_u128(1), "version": 0, "estado": "finalizado", "entradas_disponibles": 42,
            "entradas_retenidas": 0, "entradas_vendidas": 0, "asientos": [], "secciones": [] })
    );
}

proptest! {
    #[test]
    fn a_map_with_its_changes_is_the_map_of_the_new_version_in_both_formats(
        story in vec((prop::sample::select(vec!['f', 'h', 's']), vec(0_u32..42, 0..6)), 0..24),
        told_after in vec(1_usize..5, 1..24),
    ) {
        let events: Vec<Event> = story.iter().map(|(state, seats)| happens(*state, seats)).collect();
        let (show, mut before) = after(&[]);
        let mut compact = letters(&told(&show, &before, None, FormatoAsientos::Compacto));
        let mut complete = by_name(&told(&show, &before, None, FormatoAsientos::Completo));
        let mut seen = 0;
        for step in told_after {
            seen = (seen + step).min(events.len());
            let (show, now) = after(&events[..seen]);
            let changed = seat_changes::between(&before, &now).unwrap();
            let news = told(&show, &now, Some(&changed), FormatoAsientos::Compacto);
            apply_compact(&mut compact, &news);
            let fresh = serde_json::to_value(compact_seat_map(&now)).unwrap();
            prop_assert_eq!(&compact, &letters(&fresh));
            prop_assert_eq!(&letters(&told(&show, &now, None, FormatoAsientos::Compacto)), &compact);
            let news = told(&show, &now, Some(&changed), FormatoAsientos::Completo);
            for seat in news["asientos"].as_array().unwrap() {
                complete.insert(seat["asiento"].as_str().unwrap().to_owned(), seat["estado"].clone());
            }
            let fresh = serde_json::to_value(super::super::seat_map(&now)).unwrap();
            prop_assert_eq!(&complete, &by_name(&fresh));
            before = now;
        }
    }
}
