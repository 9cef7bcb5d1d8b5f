//! The show as readers see it: what it is, and where its tickets are. Small and hot, which is why its seats are
//! a document of their own ([`crate::seat_map`]).

use crate::search;
use contract::{
    Event, Money, Revision, ShowId, Timestamp, UserId,
    events::{Layout, ShowScheduled, Tally},
};
use serde::{Deserialize, Serialize};

/// A document of [`contract::collections::SHOWS`], under the show's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Show {
    /// The show.
    pub show_id: ShowId,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it begins.
    pub starts_at_ms: Timestamp,
    /// Where.
    pub venue: String,
    /// The price of a ticket, where its section has no other.
    pub price: Money,
    /// What kind of show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many tickets one person may have.
    pub limit_per_user: u32,
    /// True once it was cancelled.
    pub cancelled: bool,
    /// True when its seats are numbered: there is a seat map.
    pub numbered: bool,
    /// How many tickets there are: always `tally.free + tally.held + tally.sold`.
    pub capacity: u32,
    /// Where the tickets are.
    pub tally: Tally,
    /// Name, venue and category as they are searched; see [`search::fold`].
    pub search: String,
    /// 1 while the show has something to settle by itself: holds that may expire, or sales of a cancelled show
    /// that are still to be given back. A number, because it is an indexed field.
    pub unsettled: u8,
    /// When it was scheduled.
    pub scheduled_at_ms: Timestamp,
    /// Whose show it is, when an organiser scheduled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organiser: Option<UserId>,
    /// The revision of the last event that is in here.
    pub revision: Revision,
}

/// The show after an event of its stream. Events that readers cannot see (an adopted hold) change nothing.
pub fn evolve(doc: Option<Show>, event: &Event, revision: Revision) -> Option<Show> {
    let mut show = match (doc, event) {
        (Some(show), _) if revision <= show.revision => return Some(show),
        (_, Event::ShowScheduled(scheduled)) => return Some(scheduled_show(scheduled, revision)),
        (Some(show), _) => show,
        (None, _) => return None,
    };
    match event {
        Event::TicketsHeld(held) => show.tally = held.tally,
        Event::HoldReleased(released) => show.tally = released.tally,
        Event::TicketsSold(sold) => show.tally = sold.tally,
        Event::TicketsReturned(returned) => show.tally = returned.tally,
        Event::ShowCancelled(cancelled) => {
            show.cancelled = true;
            show.tally = cancelled.tally;
        }
        _ => return Some(show),
    }
    show.unsettled = u8::from(show.tally.held > 0 || (show.cancelled && show.tally.sold > 0));
    show.revision = revision;
    Some(show)
}

fn scheduled_show(event: &ShowScheduled, revision: Revision) -> Show {
    let capacity = event.layout.capacity();
    let searched = [
        Some(event.name.as_str()),
        Some(event.venue.as_str()),
        event.category.as_deref(),
    ];
    Show {
        show_id: event.show_id,
        name: event.name.clone(),
        description: event.description.clone(),
        starts_at_ms: event.starts_at_ms,
        venue: event.venue.clone(),
        price: event.price,
        category: event.category.clone(),
        limit_per_user: event.limit_per_user,
        cancelled: false,
        numbered: matches!(event.layout, Layout::Numbered { .. }),
        capacity,
        tally: Tally {
            free: capacity,
            held: 0,
            sold: 0,
        },
        search: search::fold(&searched.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        unsettled: 0,
        scheduled_at_ms: event.scheduled_at_ms,
        organiser: event.organiser,
        revision,
    }
}
