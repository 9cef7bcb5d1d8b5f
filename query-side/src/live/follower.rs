//! One caller who follows a show: a stream of bytes that others have made.

use super::{
    hub::{Frame, Hub, Kind, Receiver, written_as},
    hubs::Joined,
    missed::{self, Missed},
    standing::Standing,
};
use crate::app::Shared;
use axum::body::Bytes;
use contract::Revision;
use futures_util::{Stream, stream};
use metrics::{counter, gauge};
use std::{convert::Infallible, pin::Pin, sync::Arc};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, broadcast::error::RecvError},
};
use web::{Code, Problem, schema::FormatoAsientos};

/// A follower and their place.
pub(super) struct Follower {
    reader: Shared,
    hub: Arc<Hub>,
    format: FormatoAsientos,
    line: Option<Receiver>,
    /// What is sent before anything of the line.
    first: Option<Bytes>,
    /// What they know already: what the line says about an earlier version is old.
    knows: Option<Revision>,
    /// Ready when the stream has lasted long enough.
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
    _place: OwnedSemaphorePermit,
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
        place: OwnedSemaphorePermit,
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
            knows: None,
            over: Box::pin(async move { clock.sleep_until(ends_at).await }),
            _place: place,
        };
        let first = follower.first(&joined.standing, seen).await;
        follower.first = Some(first.ok_or_else(|| Problem::new(Code::Unavailable))?);
        Ok(follower)
    }

    /// The event that comes at once.
    async fn first(&mut self, told: &Arc<Standing>, seen: Option<Revision>) -> Option<Bytes> {
        let app = &self.reader.app;
        // As fresh as any read: what was told last may be a moment older. It must do when what is read is older still,
        // because the line goes on from there.
        let fresh = Standing::read(app, told.show.show_id, Some(told)).await;
        let fresh = fresh.ok().flatten().filter(|fresh| fresh.is_not_older_than(told));
        let standing = fresh.unwrap_or_else(|| told.clone());
        let missed = match seen {
            None => Missed::Places(Vec::new()),
            Some(seen) => missed::since(&*app.log, &standing, seen, app.settings.max_missed).await,
        };
        let (version, places) = match (missed, seen) {
            (Missed::Places(places), _) => (standing.version(), places),
            (Missed::Ahead, Some(seen)) => (seen, Vec::new()),
            (Missed::Ahead, None) | (Missed::Everything, _) => return self.anew(),
        };
        self.knows = Some(version);
        written_as(&standing, version, Some(&places), self.format, app.clock.now())
    }

    /// Everything, and what follows it.
    fn anew(&mut self) -> Option<Bytes> {
        let (bytes, line) = self.hub.anew(self.format, self.reader.app.clock.now())?;
        self.line = Some(line);
        self.knows = None;
        Some(bytes)
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
            match received {
                Ok(frame) if self.knows_already(&frame) => {}
                Ok(frame) => return Some(frame.bytes),
                Err(RecvError::Lagged(_)) => {
                    counter!("eventflow_live_lagged_total").increment(1);
                    return self.anew();
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn knows_already(&mut self, frame: &Frame) -> bool {
        match frame.kind {
            Kind::Alive | Kind::Unversioned => false,
            Kind::Version(version) if self.knows.is_some_and(|knows| version < knows) => true,
            Kind::Version(_) | Kind::Anew => {
                self.knows = None;
                false
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        gauge!("eventflow_live_followers").decrement(1.0);
        // First the line, then the word that it is gone.
        self.line = None;
        self.hub.left.notify_one();
    }
}
