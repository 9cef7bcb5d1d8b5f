//! Which shows are followed in this process. A hub begins with the first who follows its show and ends when nobody
//! does any more.

use super::{
    hub::{Hub, Receiver},
    keeper,
    standing::Standing,
};
use crate::{app::Shared, reads::store_problem};
use contract::ShowId;
use metrics::gauge;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use web::{Code, Problem, schema::FormatoAsientos};

/// The hubs by show: never more than there are places for followers.
#[derive(Default)]
pub(crate) struct Hubs(Mutex<HashMap<ShowId, Arc<Hub>>>);

/// Somebody who follows a show from now on.
pub(super) struct Joined {
    pub hub: Arc<Hub>,
    /// How the show stands without what comes over the line.
    pub standing: Arc<Standing>,
    pub line: Receiver,
}

impl Hubs {
    /// Never held while anything is waited for; whoever holds it may take a hub's lock, never the other way round.
    fn all(&self) -> MutexGuard<'_, HashMap<ShowId, Arc<Hub>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line to a show's hub, which begins when there is none.
    ///
    /// # Errors
    /// `EVENTO_NO_ENCONTRADO`, or when the read models are away.
    pub(super) async fn join(
        reader: &Shared,
        id: ShowId,
        format: FormatoAsientos,
    ) -> Result<Joined, Problem> {
        let known = reader.hubs.all().get(&id).and_then(|hub| joined(hub, format));
        if let Some(joined) = known {
            return Ok(joined);
        }
        // Listened to before the documents are read, so that a change in between wakes the hub.
        let applied = reader.app.store.applied();
        let standing = Standing::read(&reader.app, id, None)
            .await
            .map_err(|error| store_problem(&error))?
            .ok_or_else(|| Problem::new(Code::ShowNotFound))?;
        let mut hubs = reader.hubs.all();
        if let Some(joined) = hubs.get(&id).and_then(|hub| joined(hub, format)) {
            return Ok(joined);
        }
        let hub = Arc::new(Hub::new(standing, reader.app.clock.now()));
        let joined = joined(&hub, format).ok_or_else(|| Problem::new(Code::Unavailable))?;
        hubs.insert(id, hub.clone());
        count(&hubs);
        drop(hubs);
        tokio::spawn(keeper::keep(reader.clone(), id, hub, applied));
        Ok(joined)
    }

    /// Ends a hub; with `deserted`, only when nobody follows it. True when it has ended.
    pub(super) fn end(&self, id: ShowId, hub: &Arc<Hub>, deserted: bool) -> bool {
        let mut hubs = self.all();
        // Nobody can join while the lock is held.
        if deserted && !hub.is_deserted() {
            return false;
        }
        if hubs.get(&id).is_some_and(|known| Arc::ptr_eq(known, hub)) {
            hubs.remove(&id);
        }
        hub.end();
        count(&hubs);
        true
    }
}

fn joined(hub: &Arc<Hub>, format: FormatoAsientos) -> Option<Joined> {
    let (standing, line) = hub.join(format)?;
    let hub = hub.clone();
    Some(Joined { hub, standing, line })
}

#[allow(clippy::cast_precision_loss, reason = "there are a few thousand at the most")]
fn count(hubs: &HashMap<ShowId, Arc<Hub>>) {
    gauge!("eventflow_live_hubs").set(hubs.len() as f64);
}
