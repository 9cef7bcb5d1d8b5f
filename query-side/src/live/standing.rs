//! How a show and its seats stand, from their two documents.

use crate::{app::App, reads::Key};
use contract::{Revision, ShowId, Timestamp, collections};
use ports::{Document, StoreError};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use views::{seat_changes::Place, seat_map::SeatMap, show::Show};
use web::render::News;

/// Which events are in what was told: up to which revision for the seats, and for the tally and the rest. Two standings
/// of one moment are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub seats: Revision,
    pub show: Revision,
}

impl Moment {
    /// Whether all that is in the other is in this one.
    pub fn reaches(self, other: Self) -> bool {
        self.seats >= other.seats && self.show >= other.show
    }
}

/// A show and, when its seats are numbered, their map.
pub(super) struct Standing {
    pub show: Show,
    pub map: Option<Arc<SeatMap>>,
    /// Of the documents.
    show_version: u64,
    map_version: u64,
}

impl Standing {
    /// Reads both documents; `None` when there is no such show. What is as it was `before` is not read again, or not
    /// parsed again.
    ///
    /// # Errors
    /// When a document is not there, or not what it should be.
    pub async fn read(
        app: &App,
        id: ShowId,
        before: Option<&Arc<Standing>>,
    ) -> Result<Option<Arc<Self>>, StoreError> {
        let key = Key::of(id.0);
        let show = || app.store.get(&collections::SHOWS, key.as_str());
        let Some(first) = show().await? else {
            return Ok(None);
        };
        if let Some(before) =
            before.filter(|before| before.is_whole() && before.show_version == first.version)
        {
            return Ok(Some(before.clone()));
        }
        let map = app.store.get(&collections::SEAT_MAPS, key.as_str()).await?;
        // Once more, after the seats: so the tally is not older than they are.
        let Some(document) = show().await? else {
            return Ok(None);
        };
        let show: Show = parse(&document)?;
        let map_version = map.as_ref().map_or(0, |map| map.version);
        let map = match (map, before.and_then(|before| before.map.clone())) {
            (None, _) if show.numbered => {
                return Err(StoreError::Unavailable(
                    "the seats of a show are not there yet".into(),
                ));
            }
            (None, _) => None,
            (Some(_), Some(same)) if before.is_some_and(|before| before.map_version == map_version) => {
                Some(same)
            }
            (Some(document), _) => Some(Arc::new(parse::<SeatMap>(&document)?)),
        };
        Ok(Some(Arc::new(Self {
            show,
            map,
            show_version: document.version,
            map_version,
        })))
    }

    /// Up to where all that happened to the seats is in here. Never newer than the map: the two documents may be of
    /// different moments, and who comes back with a version must not miss a seat.
    pub fn version(&self) -> Revision {
        self.map.as_ref().map_or(self.show.revision, |map| map.revision)
    }

    /// Whether the seats are known to be of the same moment as the show. Where they are not, the last event had no
    /// seats, or the map is not there yet: the documents do not say which.
    fn is_whole(&self) -> bool {
        self.version() == self.show.revision
    }

    pub fn moment(&self) -> Moment {
        Moment {
            seats: self.version(),
            show: self.show.revision,
        }
    }

    /// What is told of it.
    pub fn news<'a>(&'a self, version: u64, changed: Option<&'a [Place]>, now: Timestamp) -> News<'a> {
        News {
            show: &self.show,
            map: self.map.as_deref(),
            version,
            changed,
            now,
        }
    }
}

fn parse<T: DeserializeOwned>(document: &Document) -> Result<T, StoreError> {
    serde_json::from_slice(&document.body).map_err(|error| StoreError::Damaged(error.to_string()))
}
