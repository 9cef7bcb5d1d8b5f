//! The log itself: nothing altered, missing or out of order.

use super::*;

#[test]
fn a_valid_story_is_clean_and_counted() {
    let report = good_story().verify();
    assert_eq!(report.violations, []);
    assert!(report.is_clean());
    assert_eq!(
        (report.shows, report.reservations, report.confirmed, report.open),
        (1, 5, 1, 2)
    );
    assert_eq!(
        (report.events, report.foreign_events),
        (good_story().log.len() as u64, 1)
    );
}

#[test]
fn every_flipped_bit_is_found_and_named() {
    let story = good_story();
    for index in 0..story.log.len() {
        if story.log[index].stream.parts().is_none() {
            continue;
        }
        for part in 0..2 {
            let length = if part == 0 {
                story.log[index].data.len()
            } else {
                story.log[index].meta.len()
            };
            for byte in 0..length {
                let mut altered = Story {
                    log: story.log.clone(),
                    ..Story::default()
                };
                let recorded = &mut altered.log[index];
                let bytes = if part == 0 {
                    &mut recorded.data
                } else {
                    &mut recorded.meta
                };
                let mut flipped = bytes.to_vec();
                flipped[byte] ^= 1 << (byte % 7);
                *bytes = flipped.into();
                let report = altered.verify();
                let first = report
                    .violations
                    .first()
                    .unwrap_or_else(|| panic!("event {index} byte {byte}"));
                assert_eq!(
                    first.position, story.log[index].position,
                    "event {index} byte {byte}: {first}"
                );
                assert!(
                    matches!(first.rule, Rule::Readable | Rule::Unaltered | Rule::Chained),
                    "{first}"
                );
            }
        }
    }
}

#[test]
fn an_event_of_another_kind_or_id_is_found() {
    let mut story = good_story();
    story.log[5].id = story.log[6].id;
    assert_eq!(story.rules()[0], Rule::Unaltered);
    let mut story = good_story();
    story.log[5].kind = "tickets_eaten.v1".into();
    assert_eq!(story.rules()[..2], [Rule::Unaltered, Rule::Readable]);
}

#[test]
fn every_deleted_event_is_found() {
    for index in 0..good_story().log.len() - 1 {
        let mut story = good_story();
        story.log.remove(index);
        let first = story.verify().violations.remove(0);
        assert_eq!(first.rule, Rule::Complete, "event {index}");
        // Without any knowledge of positions, the streams alone still show it, but for a stream's last event.
        let mut verifier = Verifier::new();
        story.log.iter().for_each(|recorded| verifier.check(recorded));
        let later = good_story().log[index + 1..]
            .iter()
            .any(|e| e.stream == good_story().log[index].stream);
        assert!(!later || !verifier.finish().is_clean(), "event {index}");
    }
}

#[test]
fn a_log_that_was_cut_off_is_found() {
    let mut story = good_story();
    let head = story.log.last().map(|recorded| recorded.position);
    let events = Some(story.log.len() as u64);
    story.log.pop();
    for expectations in [
        Expectations {
            head,
            ..Expectations::default()
        },
        Expectations {
            events,
            ..Expectations::default()
        },
    ] {
        let mut verifier = Verifier::expecting(expectations);
        story.log.iter().for_each(|recorded| verifier.check(recorded));
        let report = verifier.finish();
        assert_eq!(
            report.violations.iter().map(|v| v.rule).collect::<Vec<_>>(),
            [Rule::Complete]
        );
    }
}

#[test]
fn swapped_events_of_a_stream_are_found() {
    let mut story = good_story();
    let of_show: Vec<usize> = (0..story.log.len())
        .filter(|index| story.log[*index].stream == StreamName::show(SHOW))
        .collect();
    let (a, b) = (of_show[1], of_show[2]);
    let (first, second) = (story.log[a].clone(), story.log[b].clone());
    // Swapped with everything, then with positions and revisions put right.
    story.log[a] = Recorded {
        position: first.position,
        ..second.clone()
    };
    story.log[b] = Recorded {
        position: second.position,
        ..first.clone()
    };
    assert_eq!(story.rules()[0], Rule::Gapless);
    story.log[a].revision = first.revision;
    story.log[b].revision = second.revision;
    let report = story.verify();
    assert_eq!(
        (report.violations[0].rule, report.violations[0].position),
        (Rule::Chained, first.position)
    );
    assert_eq!(report.violations[1].rule, Rule::Unaltered);
}

#[test]
fn a_rewritten_event_with_a_fresh_digest_breaks_the_chain_behind_it() {
    let mut story = good_story();
    let recorded = &mut story.log[1];
    let mut meta = recorded.meta().unwrap();
    meta.actor = "somebody".into();
    meta.hash = meta.digest(
        recorded.stream.as_str(),
        recorded.revision,
        recorded.id,
        &recorded.kind,
        &recorded.data,
    );
    recorded.meta = serde_json::to_vec(&meta).unwrap().into();
    let stream = recorded.stream.clone();
    let report = story.verify();
    assert_eq!(
        (report.violations[0].rule, &report.violations[0].stream),
        (Rule::Chained, &stream)
    );
    assert_eq!(report.violations_total, 1);
}

#[test]
fn a_misplaced_event_is_found() {
    let mut story = Story::general(10);
    story.write(StreamName::user(user(1)), story.held(1, 1, &[]));
    assert_eq!(story.rules(), [Rule::Readable]);
}

#[test]
fn only_the_first_violations_are_kept_and_all_are_counted() {
    let mut story = Story::general(10);
    for n in 0..250 {
        story.capture(n, 1);
    }
    let report = story.verify();
    assert_eq!(report.violations_total, 250);
    assert_eq!(report.violations.len(), MAX_VIOLATIONS);
    assert_eq!(report.violations[0].position, Position(2));
}

#[test]
fn the_bytes_count_and_not_what_this_process_believes_they_say() {
    let mut story = good_story();
    let believed = Arc::new((story.log[1].event().unwrap(), story.log[1].meta().unwrap()));
    story.log[1].decoded = Some(believed);
    story.log[1].data = b"{}".to_vec().into();
    assert!(!story.verify().is_clean());
}
