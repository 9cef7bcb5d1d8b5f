//! Sharing queues among nodes. RabbitMQ gives a queue with a single active consumer to the first who comes, and to
//! the next in line when that one goes: left alone, the first node serves everything and the others wait.
//!
//! So every node takes the queues in an order of its own and not all at once, which shares them among nodes that
//! start together; and a node that serves more than its part while others wait gives a queue up, one at a time, and
//! joins its line at the end. Nothing depends on it: whoever consumes, the expected revision decides.

use super::{Core, driver::Trouble, lanes::consume, session::Session, topology};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use uuid::Uuid;

/// The queues of a kind's lanes or of a subscription's slots, as this node shares in them.
pub(super) struct Shares {
    /// Consumed by every node that shares.
    members: String,
    queues: Vec<Queue>,
}

struct Queue {
    name: String,
    /// Messages that came since it was last looked. Only the active consumer gets any.
    came: AtomicU64,
    step_back: Notify,
}

impl Shares {
    pub fn new(members: String, queues: impl IntoIterator<Item = String>) -> Arc<Self> {
        let queues = queues.into_iter().map(|name| Queue {
            name,
            came: AtomicU64::new(0),
            step_back: Notify::new(),
        });
        Arc::new(Self {
            members,
            queues: queues.collect(),
        })
    }

    /// The queues in the order in which a node takes them, each with the pause before.
    pub fn order(&self, node: &str, take_every_ms: u64) -> Vec<(usize, Duration)> {
        let rank =
            |queue: &Queue| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{node} {}", queue.name).as_bytes());
        let mut order: Vec<usize> = (0..self.queues.len()).collect();
        order.sort_by_key(|index| self.queues.get(*index).map(rank));
        let pause = |place| Duration::from_millis(take_every_ms.saturating_mul(place));
        order.into_iter().zip((0..).map(pause)).collect()
    }

    /// The name of a queue.
    pub fn name(&self, index: usize) -> &str {
        self.queues.get(index).map_or("", |queue| &queue.name)
    }

    /// A message came.
    pub fn note(&self, index: usize) {
        if let Some(queue) = self.queues.get(index) {
            queue.came.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until this queue is to be given up.
    pub async fn called_back(&self, index: usize) {
        match self.queues.get(index) {
            Some(queue) => queue.step_back.notified().await,
            None => std::future::pending().await,
        }
    }

    /// The queue by which those who share are counted.
    pub fn members(&self) -> &str {
        &self.members
    }

    /// Is one of those who share, and looks now and then whether this node serves more than its part, until the
    /// session or `end` ends.
    pub async fn watch(
        self: Arc<Self>,
        core: Arc<Core>,
        session: Arc<Session>,
        end: impl Future<Output = ()>,
    ) {
        let pause = Duration::from_millis(core.options.share_every_ms.max(1));
        let mut end = std::pin::pin!(end);
        while !session.is_lost() {
            match self.share(&core, &session, pause, end.as_mut()).await {
                Ok(()) => return,
                Err(trouble) => {
                    tracing::debug!(%trouble, members = self.members, "who shares cannot be seen");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    async fn share(
        &self,
        core: &Core,
        session: &Session,
        pause: Duration,
        mut end: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Trouble> {
        // Nothing ever comes; it is there to be counted.
        let (_channel, _counted) = consume(core, session, &self.members, 1).await?;
        let mut gone = std::pin::pin!(session.gone());
        loop {
            tokio::select! {
                () = &mut gone => return Ok(()),
                () = &mut end => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
            let busy: Vec<&Queue> = self
                .queues
                .iter()
                .filter(|queue| queue.came.swap(0, Ordering::Relaxed) > 0)
                .collect();
            // One queue is nobody's too much, and one without messages is nobody's work.
            let Some(last) = busy.last().filter(|_| busy.len() > 1) else {
                continue;
            };
            let nodes = topology::consumers(&session.consuming, &self.members).await?;
            if busy.len() > part(self.queues.len(), nodes.unwrap_or(1)) {
                core.meters.stepped_back.increment(1);
                tracing::debug!(queue = last.name, nodes, "given up to another node");
                last.step_back.notify_one();
            }
        }
    }
}

/// How many of the queues are one node's part.
fn part(queues: usize, nodes: u32) -> usize {
    queues.div_ceil(usize::try_from(nodes).unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_take_the_queues_in_different_orders_one_after_the_other() {
        let shares = Shares::new("members".into(), (0..8).map(|lane| format!("lane.{lane}")));
        let order = |node| {
            let (queues, pauses): (Vec<_>, Vec<_>) = shares.order(node, 20).into_iter().unzip();
            assert_eq!(
                pauses,
                [0, 20, 40, 60, 80, 100, 120, 140].map(Duration::from_millis)
            );
            queues
        };
        let (one, other) = (order("web-1"), order("web-2"));
        assert_ne!(one, other);
        for mut order in [one, other] {
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
        }
    }

    #[test]
    fn parts_cover_all_queues() {
        assert_eq!(part(4, 0), 4);
        assert_eq!(part(4, 1), 4);
        assert_eq!(part(4, 2), 2);
        assert_eq!(part(4, 3), 2);
        assert_eq!(part(4, 9), 1);
    }
}
