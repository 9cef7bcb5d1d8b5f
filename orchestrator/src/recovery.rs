//! What was left open when the process ended, found in the read models.

use crate::{backoff::Backoff, runner::Orchestrator};
use contract::{
    Position, ReservationId, ShowId,
    collections::{Collection, RESERVATIONS, SHOWS},
};
use ports::{Document, Filter, Op, Query};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many documents one query returns.
const PAGE: usize = 512;

/// Something that was left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A saga that has something to do, or is stuck.
    Open(ReservationId),
    /// A show with holds whose deadlines must be watched, or cancelled with sales left.
    Unsettled {
        /// Which.
        show_id: ShowId,
        /// Its sales must be given back.
        cancelled: bool,
    },
}

/// What is read of a show's document.
#[derive(Deserialize)]
struct ShowDocument {
    cancelled: bool,
}

/// Finds what is open among the events up to `head`, once the read models have them, and sends it on.
///
/// The read models are only where to look: what is to be done is decided on the log.
pub(crate) async fn run(orchestrator: Arc<Orchestrator>, head: Option<Position>, found: mpsc::Sender<Found>) {
    let Some(head) = head else { return };
    let mut applied = orchestrator.store.applied();
    if applied.wait_for(|applied| *applied >= Some(head)).await.is_err() {
        return;
    }
    let (mut open, mut unsettled) = (0_u64, 0_u64);
    let mut after = None;
    while let Some(page) = page(&orchestrator, &RESERVATIONS, "open", &mut after).await {
        for document in page {
            match document.key.parse() {
                Ok(id) => {
                    open += 1;
                    if found.send(Found::Open(id)).await.is_err() {
                        return;
                    }
                }
                Err(_) => tracing::error!(key = document.key, "not a reservation's document"),
            }
        }
    }
    let mut after = None;
    while let Some(page) = page(&orchestrator, &SHOWS, "unsettled", &mut after).await {
        for document in page {
            let (id, body) = (
                document.key.parse(),
                serde_json::from_slice::<ShowDocument>(&document.body),
            );
            match (id, body) {
                (Ok(show_id), Ok(ShowDocument { cancelled })) => {
                    unsettled += 1;
                    if found.send(Found::Unsettled { show_id, cancelled }).await.is_err() {
                        return;
                    }
                }
                (_, _) => tracing::error!(key = document.key, "not a show's document"),
            }
        }
    }
    tracing::info!(open, unsettled, "recovered what was left open");
}

/// The next documents whose `flag` is 1, behind `after`, by key; `None` at the end. A keyed page stays right when
/// documents close meanwhile.
async fn page(
    orchestrator: &Orchestrator,
    collection: &'static Collection,
    flag: &'static str,
    after: &mut Option<(i64, String)>,
) -> Option<Vec<Arc<Document>>> {
    let mut backoff = Backoff::new(&orchestrator.settings);
    loop {
        let query = Query {
            filters: vec![Filter {
                field: flag,
                op: Op::Eq(1.into()),
            }],
            order: None,
            after: after.clone(),
            limit: PAGE,
        };
        match orchestrator.store.find(collection, query).await {
            Ok(documents) => {
                *after = Some((0, documents.last()?.key.clone()));
                return Some(documents);
            }
            Err(error) => tracing::warn!(%error, "the recovery waits for the read models"),
        }
        if orchestrator.is_draining() {
            return None;
        }
        orchestrator
            .clock
            .sleep_until(orchestrator.clock.now().plus_ms(backoff.next_ms()))
            .await;
    }
}
