//! What was left open when the process ended, found in the read models.

use crate::{backoff::Backoff, runner::Orchestrator};
use contract::{
    Position, ReservationId, ShowId, Timestamp,
    collections::{Collection, RESERVATIONS, SHOWS},
};
use futures_util::future;
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

/// What is read of a reservation's document. One that does not say when it was made is old enough.
#[derive(Deserialize)]
struct ReservationDocument {
    #[serde(default)]
    created_at_ms: Timestamp,
}

/// Finds what is open among the events up to `head`, once the read models have them, and sends it on; again and
/// again if the settings say so. Ends when nobody takes what is found.
///
/// The read models are only where to look: what is to be done is decided on the log.
pub(crate) async fn run(orchestrator: Arc<Orchestrator>, head: Option<Position>, found: mpsc::Sender<Found>) {
    let recovery = orchestrator.settings.recovery;
    let mut applied = orchestrator.store.applied();
    if head.is_some() && applied.wait_for(|applied| *applied >= head).await.is_err() {
        return;
    }
    let reservations = async {
        loop {
            if open_reservations(&orchestrator, recovery.after_ms, &found)
                .await
                .is_none()
            {
                return;
            }
            let Some(every_ms) = recovery.reservations_every_ms else {
                return;
            };
            orchestrator.rest(every_ms).await;
        }
    };
    let shows = async {
        loop {
            if unsettled_shows(&orchestrator, &found).await.is_none() {
                return;
            }
            let Some(every_ms) = recovery.shows_every_ms else {
                return;
            };
            orchestrator.rest(every_ms).await;
        }
    };
    future::join(reservations, shows).await;
}

/// `None` when nobody takes them any more.
async fn open_reservations(
    orchestrator: &Orchestrator,
    after_ms: u64,
    found: &mpsc::Sender<Found>,
) -> Option<()> {
    let now = orchestrator.clock.now();
    let (mut open, mut after) = (0_u64, None);
    while let Some(page) = page(orchestrator, &RESERVATIONS, "open", &mut after).await {
        for document in page {
            let body = serde_json::from_slice::<ReservationDocument>(&document.body);
            match (document.key.parse(), body) {
                (Ok(_), Ok(body)) if now.ms_since(body.created_at_ms) < after_ms => {}
                (Ok(id), Ok(_)) => {
                    open += 1;
                    found.send(Found::Open(id)).await.ok()?;
                }
                (_, _) => tracing::error!(key = document.key, "not a reservation's document"),
            }
        }
    }
    if open > 0 {
        tracing::info!(open, "took up what was left open");
    }
    Some(())
}

/// `None` when nobody takes them any more.
async fn unsettled_shows(orchestrator: &Orchestrator, found: &mpsc::Sender<Found>) -> Option<()> {
    let mut after = None;
    while let Some(page) = page(orchestrator, &SHOWS, "unsettled", &mut after).await {
        for document in page {
            let body = serde_json::from_slice::<ShowDocument>(&document.body);
            match (document.key.parse(), body) {
                (Ok(show_id), Ok(ShowDocument { cancelled })) => {
                    found.send(Found::Unsettled { show_id, cancelled }).await.ok()?;
                }
                (_, _) => tracing::error!(key = document.key, "not a show's document"),
            }
        }
    }
    Some(())
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
