//! What a lane must know of an aggregate beyond its decisions.

use crate::{
    aggregate::Aggregate,
    reservation::Reservation,
    show::{self, Show},
    user::User,
};
use contract::{
    Ask, Command, HoldId, ShowId, StreamKind, Timestamp,
    commands::{ReservationAction, ShowAction, ShowCommand, UserAction},
};
use uuid::Uuid;

/// An aggregate that lanes serve.
pub trait Served: Aggregate<State: Sync, Action: Sync> {
    /// The prefix of its streams.
    const KIND: StreamKind;
    /// How many of them one lane keeps in memory; those with open holds are kept beyond it.
    const KEEP_AT_MOST: usize;
    /// Whether its state stays in memory between batches. Not worth it where others write the stream too.
    const KEEP: bool = true;
    /// A snapshot is kept each time the stream has grown by so many events.
    const SNAPSHOT_EVERY: Option<u64> = None;
    /// The form of its snapshots; others are ignored.
    const SNAPSHOT_FORM: u32 = 0;

    /// The action that an ask carries; `None` when it is for another aggregate.
    fn action(ask: &Ask) -> Option<&Self::Action>;

    /// When the state changes by the passing of time alone, and what must then be decided.
    fn due(_state: &Self::State) -> Option<(Timestamp, Self::Action)> {
        None
    }

    /// The command of such a due action; `None` where nothing is ever due.
    fn command(_key: Uuid, _action: Self::Action) -> Option<Command> {
        None
    }

    /// For an action that takes from a scarce stock: which claim it makes and until when it waits in line.
    fn claim(_action: &Self::Action) -> Option<Claim> {
        None
    }

    /// The state as JSON; `None` when it is not kept.
    fn snapshot(_state: &Self::State) -> Option<Vec<u8>> {
        None
    }

    /// Reads what `snapshot` wrote.
    fn restore(_bytes: &[u8]) -> Option<Self::State> {
        None
    }
}

/// A claim on scarce stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which: the same claim asked again keeps its place in line.
    pub hold_id: HoldId,
    /// How long it waits in line; `None` = not at all.
    pub until: Option<Timestamp>,
}

impl Served for User {
    const KIND: StreamKind = StreamKind::User;
    // Small, and asked for several times within a purchase.
    const KEEP_AT_MOST: usize = 4_096;

    fn action(ask: &Ask) -> Option<&UserAction> {
        match &ask.command {
            Command::User(command) => Some(&command.action),
            _ => None,
        }
    }
}

impl Served for Show {
    const KIND: StreamKind = StreamKind::Show;
    const KEEP_AT_MOST: usize = 512;
    // A sold-out show of the largest size has 200,000 events, which are read in half a second. Only longer streams
    // (holds that come and go all day) are worth the copy of the state that a snapshot takes.
    const SNAPSHOT_EVERY: Option<u64> = Some(250_000);
    const SNAPSHOT_FORM: u32 = show::SNAPSHOT_FORM;

    fn action(ask: &Ask) -> Option<&ShowAction> {
        match &ask.command {
            Command::Show(command) => Some(&command.action),
            _ => None,
        }
    }

    fn due(state: &Self::State) -> Option<(Timestamp, ShowAction)> {
        show::next_deadline(state).map(|deadline| (deadline, ShowAction::ExpireHolds))
    }

    fn command(key: Uuid, action: ShowAction) -> Option<Command> {
        Some(Command::Show(ShowCommand {
            show_id: ShowId(key),
            action,
        }))
    }

    fn claim(action: &ShowAction) -> Option<Claim> {
        match action {
            ShowAction::Hold {
                hold_id,
                line_until_ms,
                ..
            } => Some(Claim {
                hold_id: *hold_id,
                until: *line_until_ms,
            }),
            _ => None,
        }
    }

    fn snapshot(state: &Self::State) -> Option<Vec<u8>> {
        serde_json::to_vec(state).ok()
    }

    fn restore(bytes: &[u8]) -> Option<Self::State> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Served for Reservation {
    const KIND: StreamKind = StreamKind::Reservation;
    const KEEP_AT_MOST: usize = 4_096;
    const KEEP: bool = false;

    fn action(ask: &Ask) -> Option<&ReservationAction> {
        match &ask.command {
            Command::Reservation(command) => Some(&command.action),
            _ => None,
        }
    }
}
