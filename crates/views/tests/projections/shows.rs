//! A show and its seats.

use crate::*;

fn show_after(count: usize) -> (views::show::Show, views::seat_map::SeatMap) {
    let docs = projected(
        &StreamName::show(SHOW),
        show_story().into_iter().take(count).collect(),
    );
    match (&docs[&Target::Show(SHOW)], &docs[&Target::SeatMap(SHOW)]) {
        (Doc::Show(show), Doc::SeatMap(map)) => ((**show).clone(), (**map).clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_show_says_where_its_tickets_are_and_whether_it_has_something_to_settle() {
    let seen: Vec<_> = (1..=8)
        .map(|count| {
            let (show, _) = show_after(count);
            (show.tally, show.unsettled, show.cancelled, show.revision)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (tally(12, 0, 0), 0, false, 0),
            (tally(10, 2, 0), 1, false, 1),
            (tally(10, 2, 0), 1, false, 1), // an adopted hold is nothing that a reader sees
            (tally(8, 4, 0), 1, false, 3),
            (tally(8, 2, 2), 1, false, 4),
            (tally(10, 0, 2), 0, false, 5),
            (tally(10, 0, 2), 1, true, 6), // cancelled, with sales to give back
            (tally(12, 0, 0), 0, true, 7),
        ]
    );
    let (show, _) = show_after(1);
    assert_eq!(show.search, "el ano penon opera");
    assert!(show.numbered);
    assert_eq!(show.capacity, 12);
}

#[test]
fn a_seat_map_has_a_letter_for_every_seat() {
    let states = |count| {
        show_after(count)
            .1
            .sections
            .iter()
            .map(|s| s.states.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(1), ["ffffff", "ffffff"]);
    assert_eq!(states(4), ["hhfhff", "ffhfff"]);
    assert_eq!(states(5), ["hhfsff", "ffsfff"]);
    assert_eq!(states(6), ["fffsff", "ffsfff"]);
    assert_eq!(states(8), ["ffffff", "ffffff"]);
    let prices: Vec<Money> = show_after(1)
        .1
        .sections
        .iter()
        .map(|section| section.price)
        .collect();
    assert_eq!(prices, [usd(4_000), usd(9_000)]);
}

#[test]
fn a_blocked_place_has_a_letter_of_its_own_and_no_event_changes_it() {
    let mut story = show_story();
    let Event::ShowScheduled(scheduled) = &mut story[0] else {
        panic!()
    };
    let Layout::Numbered { sections } = &mut scheduled.layout else {
        panic!()
    };
    sections[0].aisles = vec![2];
    sections[0].blocked = ["A-3", "B-2"].map(|place| place.parse().unwrap()).into();
    let Event::TicketsHeld(held) = &mut story[1] else {
        panic!()
    };
    held.seats.push("Platea-A-3".into());
    let docs = projected(&StreamName::show(SHOW), story.into_iter().take(4).collect());
    let (Doc::Show(show), Doc::SeatMap(map)) = (&docs[&Target::Show(SHOW)], &docs[&Target::SeatMap(SHOW)])
    else {
        panic!()
    };
    assert_eq!(show.capacity, 10);
    let states: Vec<&str> = map
        .sections
        .iter()
        .map(|section| section.states.as_str())
        .collect();
    assert_eq!(states, ["hhxhxf", "ffhfff"]);
    assert_eq!(
        (&*map.sections[0].aisles, &*map.sections[1].aisles),
        (&[2][..], &[][..])
    );
}

#[test]
fn a_seat_map_that_an_older_program_wrote_is_read() {
    let older =
        serde_json::json!({"name": "Platea", "price": usd(1), "rows": 1, "seats_per_row": 2, "states": "fs"});
    let read: views::seat_map::SectionSeats = serde_json::from_value(older.clone()).unwrap();
    assert_eq!(read.aisles, [0; 0]);
    assert_eq!(serde_json::to_value(&read).unwrap(), older);
}

#[test]
fn a_show_without_numbered_seats_has_no_seat_map() {
    let Event::ShowScheduled(mut scheduled) = show_story().remove(0) else {
        panic!()
    };
    scheduled.layout = Layout::General { capacity: 50_000 };
    let docs = projected(&StreamName::show(SHOW), vec![scheduled.into()]);
    assert_eq!(docs.keys().collect::<Vec<_>>(), [&Target::Show(SHOW)]);
}
