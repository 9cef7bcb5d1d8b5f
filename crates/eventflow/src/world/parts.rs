//! The sides, put together from ports: the same for the embedded default and for real servers.

use super::{stages::Stage, stores::Stores};
use crate::{ProgramError, settings::Settings};
use command_side::{
    app::{App, Parts},
    lanes::{self, LaneLimits, LanePorts},
    outcomes::Outcomes,
    payment,
};
use contract::StreamKind;
use orchestrator::Orchestrator;
use ports::{Broker, Clock, SystemIds};
use std::sync::Arc;
use views::verify::Expectations;
use web::access::Tokens;

/// The write side.
pub(crate) fn write_side(
    stores: &Stores,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    broker: &Arc<dyn Broker>,
    outcomes: Arc<Outcomes>,
    tokens: &Arc<Tokens>,
) -> App {
    App::new(Parts {
        log: stores.log.clone(),
        broker: broker.clone(),
        vault: stores.vault.clone(),
        payments: stores.payments.clone(),
        clock: clock.clone(),
        ids: Arc::new(SystemIds),
        outcomes,
        tokens: tokens.clone(),
        settings: command_side::app::Settings {
            hold_ttl_ms: settings.hold_ttl_ms,
            currency: settings.currency,
            access_ttl_s: settings.access_ttl_s,
            session_ttl_s: settings.session_ttl_s,
            ..command_side::app::Settings::default()
        },
    })
}

/// The read side's limits. Whoever follows a show keeps a connection; half of all stay for those who ask and buy.
pub(crate) fn read_limits(settings: &Settings, expectations: Expectations) -> query_side::Settings {
    let usual = query_side::Settings::default();
    query_side::Settings {
        position_wait_ms: settings.read_wait_ms,
        export_k: settings.export_k,
        currency: settings.currency,
        max_watchers: usual.max_watchers.min(settings.max_connections / 2),
        expectations,
        ..usual
    }
}

/// Whatever decides and appends: the lanes, and the participant that takes payments.
pub(crate) async fn start_deciders(
    stores: &Stores,
    limits: LaneLimits,
    clock: &Arc<dyn Clock>,
    broker: &Arc<dyn Broker>,
    app: &App,
) -> Result<Stage, ProgramError> {
    let mut deciders = Stage::new("lanes");
    let ports = LanePorts {
        log: stores.log.clone(),
        snapshots: stores.snapshots.clone(),
        clock: clock.clone(),
    };
    let mut lanes = lanes::start(&ports, limits, broker, &deciders.shutdown()).await?;
    deciders.run(|_| async move { while lanes.join_next().await.is_some() {} });
    let mailboxes = broker.serve(StreamKind::Payment).await?;
    let participant = app.clone();
    deciders.run(|shutdown| payment::participant::serve(participant, mailboxes, shutdown));
    Ok(deciders)
}

/// The orchestrator.
pub(crate) fn start_sagas(
    stores: &Stores,
    settings: orchestrator::Settings,
    clock: &Arc<dyn Clock>,
    broker: &Arc<dyn Broker>,
) -> Stage {
    let (log, store) = (stores.log.clone(), stores.store.clone());
    let orchestrator = Orchestrator::new(log, broker.clone(), store, clock.clone(), settings);
    let mut sagas = Stage::new("orchestrator");
    sagas.run(|shutdown| orchestrator.run(shutdown));
    sagas
}
