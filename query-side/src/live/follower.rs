//! One caller who follows a show: a stream of bytes that others have made.

use super::{
    hub::{Frame, Hub, Kind, Receiver, written_as},
    hubs::Joined,
    missed::{self, Missed},
    standing::{Moment, Standing},
};
use crate::{app::Shared, watchers::Place};
use axum::body::Bytes;
use contract::Revision;
use futures_util::{Stream, stream};
use metrics::{counter, gauge};
use std::{convert::Infallible, pin::Pin, sync::Arc};
use tokio::{select, sync::broadcast::error::RecvError};
use web::{Code, Problem, schema::FormatoAsientos};

/// A follower and their place.
pub(super) struct Follower {
    reader: Shared,
    hub: Arc<Hub>,
    format: FormatoAsientos,
    line: Option<Receiver>,
    /// What is sent before anything of the line.
    first: Option<Bytes>,
    /// Of which moment is what they were told. What the line says about an earlier one is old, and what begins at
    /// another one is not for them.
    knows: Moment,
    /// Ready when the stream has lasted long enough.
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
    _place: Place,
}

impl Follower {
    /// Somebody who follows from now on, and has seen a version.
    ///
    /// # Errors
    /// When the hub ends at this very moment.
    pub async fn begin(
        reader: &Shared,
        joined: Joined,
        format: FormatoAsientos,
        seen: Option<Revision>,
        place: Place,
    ) -> Result<Self, Problem> {
        let clock = reader.app.clock.clone();
        let ends_at = clock.now().plus_ms(reader.app.settings.follow_ms);
        gauge!("eventflow_live_followers").increment(1.0);
        let mut follower = Self {
            reader: reader.clone(),
            hub: joined.hub,
            format,
            line: Some(joined.line),
            first: None,
            knows: joined.standing.moment(),
            over: Box::pin(async move { clock.sleep_until(ends_at).await }),
            _place: place,
        };
        let first = follower.first(&joined.standing, seen).await;
        follower.first = Some(first.ok_or_else(|| Problem::new(Code::Unavailable))?);
        Ok(follower)
    }

    /// The event that comes at once.
    async fn first(&mut self, told: &Arc<Standing>, seen: Option<Revision>) -> Option<Bytes> {
        // As fresh as any read: what was told last may be a moment older. It must do when what is read is older still,
        // because the line goes on from there.
        let fresh = Standing::read(&self.reader.app, told.show.show_id, Some(told)).await;
        let fresh = fresh
            .ok()
            .flatten()
            .filter(|fresh| fresh.moment().reaches(told.moment()));
        let standing = fresh.unwrap_or_else(|| told.clone());
        self.tell(&standing, seen).await
    }

    /// Brings them from what they have seen to how the show stands.
    async fn tell(&mut self, standing: &Standing, seen: Option<Revision>) -> Option<Bytes> {
        let app = &self.reader.app;
        let now = app.clock.now();
        let missed = match seen {
            None => Missed::Places(Vec::new()),
            Some(seen) => missed::since(&*app.log, standing, seen, app.settings.max_missed).await,
        };
        let at = standing.moment();
        let (knows, places) = match (missed, seen) {
            (Missed::Places(places), _) => (at, Some(places)),
            // They keep their seats, and are told the tally that there is here: it is brought forward when it can be.
            (Missed::Ahead, Some(seen)) => (Moment { seats: seen, ..at }, Some(Vec::new())),
            (Missed::Ahead, None) | (Missed::Everything, _) if self.hub.standing()?.moment().reaches(at) => {
                return self.anew();
            }
            (Missed::Ahead, None) | (Missed::Everything, _) => (at, None),
        };
        self.knows = knows;
        written_as(standing, knows.seats, places.as_deref(), self.format, now)
    }

    /// Everything, and what follows it: the same bytes for all.
    fn anew(&mut self) -> Option<Bytes> {
        let (bytes, at, line) = self.hub.anew(self.format, self.reader.app.clock.now())?;
        self.line = Some(line);
        self.knows = at;
        Some(bytes)
    }

    /// The line goes on from another moment than what they know, as when they came with news that the hub had not told
    /// yet: what is between comes from the log, once.
    async fn in_step(&mut self) -> Option<Bytes> {
        counter!("eventflow_live_in_step_total").increment(1);
        let (standing, line) = self.hub.join(self.format)?;
        self.line = Some(line);
        self.tell(&standing, Some(self.knows.seats)).await
    }

    /// What is to be written, until it is over.
    pub fn bytes(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, async |mut follower| {
            let bytes = follower.next().await?;
            Some((Ok(bytes), follower))
        })
    }

    /// The next bytes; `None` ends the stream, and the caller may resume it.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let line = self.line.as_mut()?;
            let received = select! {
                biased;
                () = &mut self.over => return None,
                received = line.recv() => received,
            };
            let frame = match received {
                Ok(frame) => frame,
                Err(RecvError::Lagged(_)) => {
                    counter!("eventflow_live_lagged_total").increment(1);
                    return self.anew();
                }
                Err(RecvError::Closed) => return None,
            };
            match self.follows(&frame) {
                Follows::Next(at) => self.knows = at,
                Follows::Old => continue,
                Follows::Elsewhere => return self.in_step().await,
            }
            if !frame.bytes.is_empty() {
                return Some(frame.bytes);
            }
        }
    }

    /// How a message stands to what they know.
    fn follows(&self, frame: &Frame) -> Follows {
        match frame.kind {
            Kind::Alive => Follows::Next(self.knows),
            Kind::Anew(at) => Follows::Next(at),
            Kind::Step { from, to } if from == self.knows => Follows::Next(to),
            Kind::Step { from, to } if from != to && self.knows.reaches(to) => Follows::Old,
            Kind::Step { .. } => Follows::Elsewhere,
        }
    }
}

/// How a message stands to what a follower knows.
enum Follows {
    /// It goes on from there, to this moment.
    Next(Moment),
    /// They know all that it says.
    Old,
    /// It goes on from another moment.
    Elsewhere,
}

impl Drop for Follower {
    fn drop(&mut self) {
        gauge!("eventflow_live_followers").decrement(1.0);
        // First the line, then the word that it is gone.
        self.line = None;
        self.hub.left.notify_one();
    }
}
