//! What all reads have in common: waiting for a position, reading documents, and errors as problems.

use crate::app::App;
use contract::{ReservationId, StreamName, collections, collections::Collection};
use ports::{Document, LogError, StoreError};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::{Uuid, fmt::Hyphenated};
use views::reservation::{self, Reservation};
use web::{Code, Params, Problem};

/// A reservation's stream is never this long: six steps, their undoing, and a few retries by an operator.
const MAX_RESERVATION_EVENTS: usize = 1_000;

/// Waits until the read models have applied `?posicion=`, when there is one.
pub(crate) async fn catch_up(app: &App, params: &Params) -> Result<(), Problem> {
    let Some(position) = params.position()? else {
        return Ok(());
    };
    let mut applied = app.store.applied();
    if *applied.borrow() >= Some(position) {
        return Ok(());
    }
    let deadline = app.clock.now().plus_ms(app.settings.position_wait_ms);
    tokio::select! {
        reached = applied.wait_for(|applied| *applied >= Some(position)) => {
            reached.map(drop).map_err(|_| Problem::new(Code::Unavailable))
        }
        () = app.clock.sleep_until(deadline) => Err(Problem::new(Code::ReadLag)),
    }
}

/// The key of a document: an id in its usual spelling, without an allocation.
pub(crate) struct Key([u8; Hyphenated::LENGTH]);

impl Key {
    pub fn of(id: Uuid) -> Self {
        let mut buffer = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut buffer);
        Self(buffer)
    }

    pub fn as_str(&self) -> &str {
        // Only hexadecimal digits and dashes are in it.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A stored document.
pub(crate) async fn document(
    app: &App,
    collection: &'static Collection,
    id: Uuid,
) -> Result<Option<Arc<Document>>, Problem> {
    app.store
        .get(collection, Key::of(id).as_str())
        .await
        .map_err(|error| store_problem(&error))
}

/// What a stored document says.
pub(crate) fn parse<T: DeserializeOwned>(document: &Document) -> Result<T, Problem> {
    serde_json::from_slice(&document.body).map_err(|error| Problem::internal(&error))
}

/// A reservation: from its document, or folded from the log while the projection has not come to it, so that
/// whoever follows the `Location` of a 202 finds it at once.
pub(crate) async fn reservation(app: &App, id: ReservationId) -> Result<Option<Reservation>, Problem> {
    if let Some(document) = document(app, &collections::RESERVATIONS, id.0).await? {
        return parse(&document).map(Some);
    }
    let stream = StreamName::reservation(id);
    let events = app
        .log
        .read(&stream, 0, MAX_RESERVATION_EVENTS)
        .await
        .map_err(|error| log_problem(&error))?;
    events.iter().try_fold(None, |doc, recorded| {
        let event = recorded.event().map_err(|error| Problem::internal(&error))?;
        Ok(reservation::evolve(doc, &event, recorded.revision))
    })
}

pub(crate) fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "a read was turned away");
            Problem::new(Code::Unavailable)
        }
        StoreError::Damaged(_) => Problem::internal(error),
    }
}

pub(crate) fn log_problem(error: &LogError) -> Problem {
    match error {
        LogError::Unavailable(_) => {
            tracing::warn!(%error, "a read was turned away");
            Problem::new(Code::Unavailable)
        }
        LogError::Damaged(_) => Problem::internal(error),
    }
}
