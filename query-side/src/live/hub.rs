//! What was told of a show last, and the lines to those who follow it.

use super::{
    frame,
    standing::{Moment, Standing},
};
use axum::body::Bytes;
use contract::{Revision, Timestamp};
use metrics::counter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast};
use views::seat_changes::{self, Place};
use web::{render, schema::EstadoEvento, schema::FormatoAsientos};

/// How many messages a follower may be behind; with more, they are told everything anew. At the pace of
/// [`crate::Settings::changes_every`] this is three seconds.
const BEHIND: usize = 32;

/// A message, ready to be written. Without bytes there is nothing to write: the show came to another moment, and is as
/// it was told last.
#[derive(Clone)]
pub(super) struct Frame {
    pub bytes: Bytes,
    pub kind: Kind,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: a sign of life.
    Alive,
    /// What is different from one moment to the other. It is nothing for whoever does not stand at the first: of a seat
    /// that was taken and is free again it says nothing, and they may have seen it taken.
    Step { from: Moment, to: Moment },
    /// Everything, as of a moment.
    Anew(Moment),
}

pub(super) type Receiver = broadcast::Receiver<Frame>;

/// A show that is followed.
pub(super) struct Hub {
    /// `None` once it has ended.
    told: Mutex<Option<Told>>,
    /// Somebody has left.
    pub left: Notify,
}

struct Told {
    standing: Arc<Standing>,
    state: EstadoEvento,
    complete: Line,
    compact: Line,
}

/// The followers of one format.
struct Line {
    sender: broadcast::Sender<Frame>,
    /// Everything, as it was told last, when somebody needed it: the same bytes for all.
    anew: Option<Bytes>,
}

impl Hub {
    pub fn new(standing: Arc<Standing>, now: Timestamp) -> Self {
        let line = || Line {
            sender: broadcast::Sender::new(BEHIND),
            anew: None,
        };
        let told = Told {
            state: state(&standing, now),
            standing,
            complete: line(),
            compact: line(),
        };
        Self {
            told: Mutex::new(Some(told)),
            left: Notify::new(),
        }
    }

    /// Never held while anything is waited for.
    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the show stood when it was told last.
    pub fn standing(&self) -> Option<Arc<Standing>> {
        self.told().as_ref().map(|told| told.standing.clone())
    }

    /// When the show begins, if it was told last as one that will.
    pub fn begins_at(&self) -> Option<Timestamp> {
        let told = self.told();
        let told = told.as_ref().filter(|told| told.state == EstadoEvento::Activo)?;
        Some(told.standing.show.starts_at_ms)
    }

    /// A line to what is told from now on, and how the show stands without it.
    pub fn join(&self, format: FormatoAsientos) -> Option<(Arc<Standing>, Receiver)> {
        let mut told = self.told();
        let told = told.as_mut()?;
        let receiver = told.line(format).sender.subscribe();
        Some((told.standing.clone(), receiver))
    }

    /// Everything as it was told last, of which moment that is, and a line to what is told from then on. `None` once the
    /// hub has ended.
    pub fn anew(&self, format: FormatoAsientos, now: Timestamp) -> Option<(Bytes, Moment, Receiver)> {
        let mut told = self.told();
        let told = told.as_mut()?;
        let standing = told.standing.clone();
        let line = told.line(format);
        let bytes = match &line.anew {
            Some(bytes) => bytes.clone(),
            None => written(&standing, None, format, now)?,
        };
        line.anew = Some(bytes.clone());
        Some((bytes, standing.moment(), line.sender.subscribe()))
    }

    /// Tells all followers what is different from what they were told last. True when there was anything; `None`
    /// when the hub has ended.
    pub fn tell(&self, next: Arc<Standing>, now: Timestamp) -> Option<bool> {
        let mut told = self.told();
        let told = told.as_mut()?;
        let before = std::mem::replace(&mut told.standing, next.clone());
        let state = state(&next, now);
        let was = std::mem::replace(&mut told.state, state);
        let changed = changed(&before, &next);
        if !Arc::ptr_eq(&before, &next) || was != state {
            told.forget_anew();
        }
        let is_news = changed.as_ref().is_none_or(|places| !places.is_empty())
            || before.show.tally != next.show.tally
            || was != state;
        let (from, to) = (before.moment(), next.moment());
        let kind = match &changed {
            None => Kind::Anew(to),
            Some(_) => Kind::Step { from, to },
        };
        if is_news {
            told.send(kind, |format| written(&next, changed.as_deref(), format, now))?;
        } else if from != to {
            told.send(kind, |_| Some(Bytes::new()))?;
        }
        Some(is_news)
    }

    /// Tells all followers that they are not forgotten. Whatever crowd needed the map has it by now.
    pub fn say_alive(&self) {
        if let Some(told) = self.told().as_mut() {
            told.forget_anew();
            told.send(Kind::Alive, |_| Some(Bytes::from_static(frame::ALIVE)));
        }
    }

    pub fn is_deserted(&self) -> bool {
        self.told().as_ref().is_none_or(|told| {
            let lines = [&told.complete, &told.compact];
            lines.iter().all(|line| line.sender.receiver_count() == 0)
        })
    }

    /// Followers get what was told, and then their streams end.
    pub fn end(&self) {
        *self.told() = None;
    }
}

impl Told {
    fn line(&mut self, format: FormatoAsientos) -> &mut Line {
        match format {
            FormatoAsientos::Completo => &mut self.complete,
            FormatoAsientos::Compacto => &mut self.compact,
        }
    }

    fn forget_anew(&mut self) {
        self.complete.anew = None;
        self.compact.anew = None;
    }

    /// Sends a message, made once for each format that somebody follows. `None` when one could not be made.
    fn send(&mut self, kind: Kind, make: impl Fn(FormatoAsientos) -> Option<Bytes>) -> Option<()> {
        for format in FormatoAsientos::ALL {
            let line = self.line(format);
            if line.sender.receiver_count() == 0 {
                continue;
            }
            let bytes = make(format)?;
            if matches!(kind, Kind::Anew(_)) {
                line.anew = Some(bytes.clone());
            }
            let is_message = kind != Kind::Alive && !bytes.is_empty();
            // Fails only when the last follower has just left.
            let _ = line.sender.send(Frame { bytes, kind });
            if is_message {
                counter!("eventflow_live_messages_total").increment(1);
            }
        }
        Some(())
    }
}

/// Which places are different; `None` when everything is to be told anew: the places are others, or the read models
/// went back.
fn changed(before: &Standing, next: &Standing) -> Option<Vec<Place>> {
    if next.version() < before.version() {
        return None;
    }
    match (&before.map, &next.map) {
        (None, None) => Some(Vec::new()),
        (Some(before), Some(next)) if Arc::ptr_eq(before, next) => Some(Vec::new()),
        (Some(before), Some(next)) => seat_changes::between(before, next),
        _ => None,
    }
}

fn state(standing: &Standing, now: Timestamp) -> EstadoEvento {
    render::show_state(standing.show.cancelled, standing.show.starts_at_ms, now)
}

/// A message about how a show stands now. `None` when it cannot be written, which is a fault of ours: the followers'
/// streams end, and they come back.
fn written(
    standing: &Standing,
    changed: Option<&[Place]>,
    format: FormatoAsientos,
    now: Timestamp,
) -> Option<Bytes> {
    written_as(standing, standing.version(), changed, format, now)
}

/// The same, as another version.
pub(super) fn written_as(
    standing: &Standing,
    version: Revision,
    changed: Option<&[Place]>,
    format: FormatoAsientos,
    now: Timestamp,
) -> Option<Bytes> {
    let event = if changed.is_none() { "mapa" } else { "cambio" };
    let news = standing.news(version, changed, now).render(format);
    let written = frame::encode(event, version, &news);
    written
        .inspect_err(|error| tracing::error!(%error, "news of a show cannot be written"))
        .ok()
}
