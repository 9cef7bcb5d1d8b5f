//! The hash chain: what `verify` relies on to find a flipped byte, a deleted or a swapped event.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use contract::{
    Cause, CommandId, Digest, Event, EventId, Meta, Position, Recorded, ReservationId, StreamEnd, StreamName,
    Timestamp,
};
use serde::Deserialize;
use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc};
use uuid::Uuid;

/// An event as it stands in `golden/envelope.json`: data and metadata byte for byte.
#[derive(Deserialize)]
struct Stored {
    stream: String,
    revision: u64,
    id: EventId,
    kind: String,
    data: String,
    meta: String,
}

impl Stored {
    fn recorded(&self) -> Recorded {
        Recorded {
            position: Position(self.revision),
            stream: StreamName::new(&self.stream),
            revision: self.revision,
            id: self.id,
            kind: Arc::from(self.kind.as_str()),
            data: self.data.clone().into(),
            meta: self.meta.clone().into(),
            decoded: None,
        }
    }

    fn digest(&self) -> Digest {
        let meta = self.recorded().meta().unwrap();
        meta.digest(
            &self.stream,
            self.revision,
            self.id,
            &self.kind,
            self.data.as_bytes(),
        )
    }
}

fn golden() -> Vec<Stored> {
    let path = PathBuf::from("golden/envelope.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_stored_event_has_the_digest_that_it_was_stored_with() {
    let mut last = Digest::ZERO;
    for stored in golden() {
        let meta = stored.recorded().meta().unwrap();
        assert_eq!(
            meta.prev, last,
            "revision {} follows its predecessor",
            stored.revision
        );
        assert_eq!(stored.digest(), meta.hash, "revision {}", stored.revision);
        last = meta.hash;
    }
    // In the file and here, so that an edited file is found out.
    assert_eq!(last.to_string(), "FF8chwnSPnO_96qxoLoWT3zycT_mnLUw4Woj1qvYVQI");
}

#[test]
fn linking_the_same_events_writes_the_same_bytes() {
    let golden = golden();
    let first = golden[0].recorded().meta().unwrap();
    let cause = Cause {
        correlation: first.correlation,
        actor: first.actor.clone(),
        trace: first.trace.clone(),
    };
    let events: Vec<Event> = golden
        .iter()
        .map(|stored| stored.recorded().event().unwrap())
        .collect();
    let (mut end, stream) = (StreamEnd::NEW, StreamName::new(&golden[0].stream));
    let linked = end
        .link(&stream, CommandId(first.causation), &cause, first.at_ms, events)
        .unwrap();
    assert_eq!(linked.len(), golden.len());
    for (new, stored) in linked.iter().zip(&golden) {
        assert_eq!((new.id, &*new.kind), (stored.id, stored.kind.as_str()));
        assert_eq!(new.data, stored.data.as_bytes());
        assert_eq!(new.meta, stored.meta.as_bytes());
    }
    assert_eq!(end, golden.last().unwrap().recorded().end().unwrap());
}

#[test]
fn the_digest_changes_with_each_part_of_the_event() {
    let stored = golden().swap_remove(1);
    let meta = stored.recorded().meta().unwrap();
    let digest =
        |meta: &Meta| meta.digest(&stored.stream, 1, stored.id, &stored.kind, stored.data.as_bytes());
    let data = stored.data.as_bytes();
    let mut flipped = data.to_vec();
    flipped[0] ^= 1;
    let (stream, id, kind) = (stored.stream.as_str(), stored.id, stored.kind.as_str());
    let changed = [
        ("nothing", digest(&meta)),
        (
            "prev",
            digest(&Meta {
                prev: Digest::ZERO,
                ..meta.clone()
            }),
        ),
        (
            "correlation",
            digest(&Meta {
                correlation: Uuid::nil(),
                ..meta.clone()
            }),
        ),
        (
            "causation",
            digest(&Meta {
                causation: Uuid::nil(),
                ..meta.clone()
            }),
        ),
        (
            "actor",
            digest(&Meta {
                actor: "admin".into(),
                ..meta.clone()
            }),
        ),
        (
            "time",
            digest(&Meta {
                at_ms: Timestamp(0),
                ..meta.clone()
            }),
        ),
        (
            "trace",
            digest(&Meta {
                trace: None,
                ..meta.clone()
            }),
        ),
        ("stream", meta.digest("payment-2", 1, id, kind, data)),
        ("revision", meta.digest(stream, 2, id, kind, data)),
        ("id", meta.digest(stream, 1, EventId(Uuid::nil()), kind, data)),
        ("kind", meta.digest(stream, 1, id, "payment_captured.v1", data)),
        ("one bit of the data", meta.digest(stream, 1, id, kind, &flipped)),
        (
            "the data's end",
            meta.digest(stream, 1, id, kind, &data[..data.len() - 1]),
        ),
    ];
    let different: BTreeSet<Digest> = changed.iter().map(|(_, digest)| *digest).collect();
    assert_eq!(different.len(), changed.len(), "{changed:#?}");
    // The digest itself is not part of it: it is what is compared.
    assert_eq!(
        digest(&Meta {
            hash: Digest::ZERO,
            ..meta.clone()
        }),
        digest(&meta)
    );
}

#[test]
fn what_moves_from_one_part_to_the_next_changes_the_digest() {
    let meta = golden().swap_remove(0).recorded().meta().unwrap();
    let id = EventId(Uuid::nil());
    assert_ne!(
        meta.digest("show-1", 0, id, "x", b"yz"),
        meta.digest("show-1", 0, id, "xy", b"z")
    );
    let with = |actor: &'static str, trace: &str| {
        let meta = Meta {
            actor: actor.into(),
            trace: Some(trace.into()),
            ..meta.clone()
        };
        meta.digest("show-1", 0, id, "x", b"")
    };
    assert_ne!(with("ab", "c"), with("a", "bc"));
}

#[test]
fn the_same_decision_of_a_command_gives_the_same_event_ids_and_another_gives_others() {
    let (one, two) = (CommandId(Uuid::from_u128(1)), CommandId(Uuid::from_u128(2)));
    let ids: BTreeSet<EventId> = [
        one.event(0, b"{}"),
        one.event(1, b"{}"),
        one.event(0, b"{\"free\":1}"),
        two.event(0, b"{}"),
        two.event(1, b"{}"),
        one.event(0, b"{}"),
    ]
    .into();
    assert_eq!(ids.len(), 5);
    assert_eq!(one.derived("hold_inventory"), one.derived("hold_inventory"));
    assert_ne!(one.derived("hold_inventory"), one.derived("take_payment"));
}

#[test]
fn an_event_of_an_unknown_kind_is_unreadable_not_skipped() {
    let mut stored = golden().swap_remove(0);
    stored.kind = "payment_captured.v9".into();
    assert!(stored.recorded().decode().is_err());
    stored.kind = "payment_captured.v1".into();
    assert!(stored.recorded().decode().is_ok());
    stored.data.truncate(10);
    assert!(stored.recorded().decode().is_err());
}

#[test]
fn a_stream_name_is_its_kind_and_id() {
    let id = ReservationId(Uuid::from_u128(7));
    let name = StreamName::payment(id);
    assert_eq!(name.as_str(), "payment-00000000-0000-0000-0000-000000000007");
    assert_eq!(
        name.parts().map(|(kind, id)| (kind.prefix(), id)),
        Some(("payment", id.0))
    );
    assert!(StreamName::new("payment-7").parts().is_none());
    assert!(
        StreamName::new("somebody-00000000-0000-0000-0000-000000000007")
            .parts()
            .is_none()
    );
}
