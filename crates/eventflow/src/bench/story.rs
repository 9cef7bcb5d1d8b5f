//! Purchases as they stand in a log, without anybody having made them: the same events in the same order, linked
//! and sealed as the real ones, appended many streams at a time.

mod events;

use crate::ProgramError;
use contract::{
    Cause, CommandId, Event, ReservationId, ShowId, StreamEnd, StreamKind, StreamName, Timestamp,
    events::{EmailClaimed, HoldGrant, Tally},
};
use events::{captured, confirmed, held, price, recorded, registration, requested, scheduled, sold};
use futures_util::future::try_join_all;
use ports::{Clock, EventLog, Expected, Vault};
use std::{collections::VecDeque, sync::Arc};
use uuid::Uuid;

const PEOPLE: usize = 2_000;
const SHOWS: usize = 40;
/// How many purchases of one show are made together.
const TOGETHER: usize = 100;
/// Over how many shows at once; divides [`SHOWS`], and all their buyers are different people.
const AT_ONCE: usize = 8;
const HOLD_MS: u64 = 600_000;
/// Enough for the longest log that `bench` writes.
const CAPACITY: u32 = 100_000;

/// A stream and where it ends.
struct Place {
    id: Uuid,
    stream: StreamName,
    end: StreamEnd,
}

impl Place {
    fn new(kind: StreamKind, id: Uuid) -> Self {
        Self {
            id,
            stream: StreamName::of(kind, id),
            end: StreamEnd::NEW,
        }
    }
}

/// Writes a log.
pub struct Author {
    log: Arc<dyn EventLog>,
    /// Those who buy next stand in front.
    people: VecDeque<Place>,
    shows: Vec<Show>,
    now: Timestamp,
    written: u64,
    chapters: usize,
}

/// A show and where its tickets are.
struct Show {
    place: Place,
    index: usize,
    tally: Tally,
}

/// One purchase while it is written.
struct Purchase {
    reservation: Place,
    payment: Place,
    buyer: Place,
    grant: HoldGrant,
}

impl Author {
    /// Registers the people and schedules the shows.
    pub async fn begin(
        log: Arc<dyn EventLog>,
        clock: Arc<dyn Clock>,
        vault: Arc<dyn Vault>,
    ) -> Result<Self, ProgramError> {
        // It all happened yesterday.
        let now = Timestamp(clock.now().0 - 86_400_000);
        let registered = try_join_all((0..PEOPLE).map(|index| registration(&*vault, index, now)));
        let registered = registered
            .await
            .map_err(|error| ProgramError::Bench(error.to_string()))?;
        let mut emails: Vec<Place> = Vec::new();
        let mut people: Vec<Place> = Vec::new();
        for person in &registered {
            emails.push(Place::new(
                StreamKind::Email,
                Uuid::new_v5(&person.user_id.0, b"email"),
            ));
            people.push(Place::new(StreamKind::User, person.user_id.0));
        }
        let claims = registered.iter().map(|it| {
            EmailClaimed {
                user_id: it.user_id,
                at_ms: now,
            }
            .into()
        });
        let mut written = append_each(&*log, now, emails.iter_mut().zip(claims)).await?;
        let registrations = registered.iter().map(|it| it.clone().into());
        written += append_each(&*log, now, people.iter_mut().zip(registrations)).await?;

        let show = |index| Show {
            place: Place::new(StreamKind::Show, Uuid::now_v7()),
            index,
            tally: Tally {
                free: CAPACITY,
                held: 0,
                sold: 0,
            },
        };
        let mut shows: Vec<Show> = (0..SHOWS).map(show).collect();
        let scheduled = shows.iter_mut().map(|show| {
            let event = scheduled(ShowId(show.place.id), show.index, now);
            (&mut show.place, event)
        });
        written += append_each(&*log, now, scheduled).await?;
        Ok(Self {
            log,
            people: people.into(),
            shows,
            now,
            written,
            chapters: 0,
        })
    }

    /// How many events the log has.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Some hundred purchases, over several shows at once.
    ///
    /// # Errors
    /// When the log does not take them.
    pub async fn write_chapter(&mut self) -> Result<(), ProgramError> {
        let first = self.chapters * AT_ONCE % SHOWS;
        self.chapters += 1;
        self.now = self.now.plus_ms(10);
        let (log, at) = (&*self.log, self.now);
        let people = &mut self.people;
        let sales = self.shows[first..first + AT_ONCE]
            .iter_mut()
            .map(|show| sell(log, at, show, people.drain(..TOGETHER).collect()));
        for (written, buyers) in try_join_all(sales).await? {
            self.written += written;
            self.people.extend(buyers);
        }
        Ok(())
    }
}

/// Sells one ticket of a show to each of these people. Gives them back, and how many events that were.
async fn sell(
    log: &dyn EventLog,
    at: Timestamp,
    show: &mut Show,
    buyers: Vec<Place>,
) -> Result<(u64, Vec<Place>), ProgramError> {
    let show_id = ShowId(show.place.id);
    let mut purchases: Vec<Purchase> = buyers.into_iter().map(|buyer| purchase(buyer, at)).collect();

    let requests = purchases.iter_mut().map(|it| {
        let event = requested(it, show_id, at);
        (&mut it.reservation, event)
    });
    let mut written = append_each(log, at, requests).await?;
    let tally = &mut show.tally;
    let holds = purchases.iter().map(|it| {
        *tally = Tally {
            free: tally.free - 1,
            held: tally.held + 1,
            ..*tally
        };
        held(it, *tally)
    });
    written += append(log, at, &mut show.place, holds.collect()).await?;

    let at = at.plus_ms(1);
    let payments = purchases.iter_mut().map(|it| {
        let event = captured(it, at);
        (&mut it.payment, event)
    });
    written += append_each(log, at, payments).await?;
    let entries = purchases.iter_mut().map(|it| {
        let event = recorded(it, show_id, show.index, at);
        (&mut it.buyer, event)
    });
    written += append_each(log, at, entries).await?;

    let at = at.plus_ms(1);
    let tally = &mut show.tally;
    let sales = purchases.iter().map(|it| {
        *tally = Tally {
            held: tally.held - 1,
            sold: tally.sold + 1,
            ..*tally
        };
        sold(it, *tally)
    });
    written += append(log, at, &mut show.place, sales.collect()).await?;
    let ends = purchases.iter_mut().map(|it| {
        let event = confirmed(it, show_id, at);
        (&mut it.reservation, event)
    });
    written += append_each(log, at, ends).await?;
    Ok((written, purchases.into_iter().map(|it| it.buyer).collect()))
}

/// Appends one event to each of many streams, together.
async fn append_each<'a>(
    log: &dyn EventLog,
    at: Timestamp,
    events: impl IntoIterator<Item = (&'a mut Place, Event)>,
) -> Result<u64, ProgramError> {
    let appends = events
        .into_iter()
        .map(|(place, event)| append(log, at, place, vec![event]));
    Ok(try_join_all(appends).await?.into_iter().sum())
}

/// Links events to the end of a stream and appends them; how many they were.
async fn append(
    log: &dyn EventLog,
    at: Timestamp,
    place: &mut Place,
    events: Vec<Event>,
) -> Result<u64, ProgramError> {
    let expected = Expected::before(place.end.next);
    let cause = Cause {
        correlation: place.id,
        actor: "saga".into(),
        trace: None,
    };
    let events = place
        .end
        .link(&place.stream, CommandId(Uuid::now_v7()), &cause, at, events)
        .map_err(|error| ProgramError::Bench(error.to_string()))?;
    let count = events.len() as u64;
    log.append(&place.stream, expected, events)
        .await
        .map_err(|error| ProgramError::Bench(error.to_string()))?;
    Ok(count)
}

fn purchase(buyer: Place, at: Timestamp) -> Purchase {
    let id = ReservationId(Uuid::now_v7());
    Purchase {
        reservation: Place::new(StreamKind::Reservation, id.0),
        payment: Place::new(StreamKind::Payment, id.0),
        buyer,
        grant: HoldGrant {
            hold_id: id.own_hold(),
            quantity: 1,
            seats: Vec::new(),
            amount: price(),
            deadline_ms: at.plus_ms(HOLD_MS),
        },
    }
}
