//! Following the log: from the file as long as there is much to catch up with, then from memory.

use super::{Dated, Page, Shared, closing};
use crate::{LogError, Tail};
use async_trait::async_trait;
use contract::{Position, Recorded};
use std::sync::Arc;
use tokio::{sync::watch, task::JoinHandle};

type Events = Result<Vec<Dated>, LogError>;

/// A reader that follows the log; see [`Tail`]. Dropping it ends it.
pub struct LogTail {
    shared: Arc<Shared>,
    head: watch::Receiver<Option<Position>>,
    /// The last event that was returned.
    after: Option<Position>,
    /// The read that goes on from `after`. It stays here until it has ended, so that a caller who stops waiting
    /// loses nothing; and while the caller works on one batch it brings the next.
    read: Option<JoinHandle<Events>>,
}

impl LogTail {
    pub(super) fn new(shared: Arc<Shared>, after: Option<Position>) -> Self {
        let head = shared.head.clone();
        Self {
            shared,
            head,
            after,
            read: None,
        }
    }

    /// Reads on from `after` in the file.
    fn begin_read(&self, page: Page) -> JoinHandle<Events> {
        let (shared, after) = (self.shared.clone(), self.after);
        tokio::spawn(async move { shared.page_after(after, page).await })
    }

    /// Waits until there is something behind `after`.
    async fn wait(&mut self) -> Result<(), LogError> {
        while *self.head.borrow_and_update() <= self.after {
            self.head.changed().await.map_err(|_| closing())?;
        }
        Ok(())
    }
}

impl LogTail {
    /// As [`Tail::next`], with when the log took the events and a page of bounded size. Cancel-safe.
    ///
    /// # Errors
    /// When the log cannot be read or is closing; the next call goes on from the same place.
    pub async fn next_page(&mut self, page: Page) -> Result<Vec<Dated>, LogError> {
        let page = Page {
            events: page.events.max(1),
            bytes: page.bytes,
        };
        loop {
            if self.read.is_none() {
                self.wait().await?;
                if let Some(events) = self.shared.recent(self.after, page.events) {
                    self.after = events.last().map(|dated| dated.event.position).or(self.after);
                    return Ok(events);
                }
            }
            // Nothing is awaited between the end of the read and the return.
            let read = match &mut self.read {
                Some(read) => read,
                None => self.read.insert(self.begin_read(page)),
            };
            let outcome = read.await;
            self.read = None;
            let mut events = outcome.map_err(|_| closing())??;
            let more = page.is_full(&events);
            events.truncate(page.events);
            self.after = events.last().map(|dated| dated.event.position).or(self.after);
            if more {
                self.read = Some(self.begin_read(page));
            }
            // A read ahead finds nothing when the batch before it ended at the head.
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    /// Whether all that is durable at this moment was returned.
    pub fn has_caught_up(&self) -> bool {
        *self.head.borrow() <= self.after
    }
}

#[async_trait]
impl Tail for LogTail {
    async fn next(&mut self, max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let events = self.next_page(Page::of(max)).await?;
        Ok(events.into_iter().map(|dated| dated.event).collect())
    }
}

impl Drop for LogTail {
    fn drop(&mut self) {
        if let Some(read) = &self.read {
            read.abort();
        }
    }
}
