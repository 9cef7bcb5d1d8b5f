//! A node: one process of the platform on real servers, with one role or several.
//!
//! | role | what runs | what is served beside health and metrics |
//! |---|---|---|
//! | command side | lanes and payments, from RabbitMQ's queues; outcomes; the care of people | every POST and DELETE |
//! | query side | – | every GET, the documentation |
//! | projector | MongoDB's read models (under a lease), Redis's hot views and the forwarder (under a lock) | the care of projections |
//! | orchestrator | the sagas of the events that RabbitMQ gives it | – |
//!
//! Starting goes from the inside out and stopping the other way, as in [`crate::world`]. Nothing that was
//! acknowledged depends on an orderly stop.

pub(crate) mod asking;
mod backends;

use crate::{
    ProgramError,
    access::{self, Required},
    cli::Role,
    leading::{Leading, work_while_leading},
    operations::{self, DeadLetters, dependencies::Dependencies},
    retention,
    settings::Settings,
    world::{parts, stages::Stage, stores::Stores},
};
use axum::Router;
use backends::{Backends, LINE, patiently};
use command_side::{lanes::LaneLimits, outcomes};
use metrics_exporter_prometheus::PrometheusHandle;
use orchestrator::Recovery;
use ports::ReadStore;
use projector::{Forwarder, ForwarderOptions, Projector};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use views::verify::Expectations;
use web::{access::Tokens, server::Closing};

/// How long sagas may go on once the node stops, in milliseconds. Another node takes over what is not done then.
const SAGAS_DRAIN_MS: u64 = 3_000;
/// How long any other part may take to stop.
const PART_STOPS_WITHIN: Duration = Duration::from_millis(1_500);

/// A running node. Its parts stop in the order in which they stand here.
pub struct Node {
    stages: Vec<(Stage, Duration)>,
}

impl Node {
    /// Starts the roles, once the servers that they cannot start without are there. Gives back what is served.
    ///
    /// # Errors
    /// When a setting is not as it must be.
    pub async fn start(
        settings: &Settings,
        roles: &BTreeSet<Role>,
        recorded: PrometheusHandle,
        closing: Closing,
    ) -> Result<(Self, Router), ProgramError> {
        let name = node_name(settings);
        let backends = Backends::connect(settings, &name).await?;
        let tokens = access::tokens(&backends.vault(), &backends.clock);
        let looking = Stage::new("dependencies");
        let essential = |dependency: &str| roles.iter().any(|role| needs(*role).contains(&dependency));
        let dependencies = Dependencies::watch(backends.dependencies(essential), &looking.shutdown());
        let letters = backends.dead_letters(settings);
        let mut router = operations::base(recorded, dependencies);
        let mut stages = Vec::new();
        if roles.contains(&Role::Orchestrator) {
            stages.push(orchestrator(&backends, settings));
        }
        if roles.contains(&Role::CommandSide) {
            let (more, served) = command_side(&backends, settings, &tokens).await?;
            stages.extend(more);
            router = router
                .merge(served)
                .merge(operations::for_operators(letters.clone()));
        }
        if roles.contains(&Role::Projector) {
            let (more, served) = projector(&backends, &name);
            stages.push(more);
            router = router.merge(served);
        }
        if roles.contains(&Role::QuerySide) {
            router = router.merge(query_side(&backends, settings, closing, letters)?);
        }
        stages.push((looking, PART_STOPS_WITHIN));
        let router = access::guard(router, tokens, backends.reads(), settings, Required::Yes);
        Ok((Self { stages }, router))
    }

    /// Stops everything in order, after the last request was answered.
    pub async fn stop(self) {
        for (stage, within) in self.stages {
            stage.stop(within).await;
        }
    }
}

/// The servers without which a role can do nothing useful: commands wait at the broker for the log, and reads fall
/// back from one store to the other.
fn needs(role: Role) -> &'static [&'static str] {
    match role {
        Role::CommandSide => &["rabbitmq"],
        Role::QuerySide => &[],
        Role::Projector | Role::Orchestrator => &["eventstore", "rabbitmq"],
    }
}

/// As it is set, or made of host and process, which no other process has at the same time.
fn node_name(settings: &Settings) -> String {
    if !settings.node.is_empty() {
        return settings.node.clone();
    }
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    format!("{host}-{}", std::process::id())
}

async fn command_side(
    backends: &Backends,
    settings: &Settings,
    tokens: &Arc<Tokens>,
) -> Result<(Vec<(Stage, Duration)>, Router), ProgramError> {
    let (clock, broker) = (backends.clock.clone(), backends.broker());
    let stores = stores(backends);
    let listening = Stage::new("outcomes");
    let outcomes = patiently("RabbitMQ, for outcomes", || {
        outcomes::start(
            broker.clone(),
            backends.log(),
            clock.clone(),
            listening.shutdown(),
        )
    })
    .await;
    let app = parts::write_side(&stores, settings, &clock, &broker, outcomes, tokens);
    let limits = LaneLimits {
        line: LINE,
        ..LaneLimits::default()
    };
    let deciders = parts::start_deciders(&stores, limits, &clock, &broker, &app).await?;
    let care = retention::start(&app, &stores.store, &stores.vault, settings);
    let stages = vec![
        (care, PART_STOPS_WITHIN),
        (deciders, PART_STOPS_WITHIN),
        (listening, PART_STOPS_WITHIN),
    ];
    Ok((stages, command_side::http::router(app)))
}

fn orchestrator(backends: &Backends, settings: &Settings) -> (Stage, Duration) {
    let saga_settings = orchestrator::Settings {
        hold_ttl_ms: settings.hold_ttl_ms,
        drain_ms: SAGAS_DRAIN_MS,
        recovery: Recovery::SHARED,
        // A server that is away for a while is no reason to call an operator: a quarter of an hour.
        undo_attempts: 200,
        ..orchestrator::Settings::default()
    };
    let stage = parts::start_sagas(
        &stores(backends),
        saga_settings,
        &backends.clock,
        &backends.broker(),
    );
    (stage, Duration::from_millis(SAGAS_DRAIN_MS) + PART_STOPS_WITHIN)
}

/// What the write side and the sagas work with. Sagas look for what was left open in MongoDB.
fn stores(backends: &Backends) -> Stores {
    Stores {
        log: backends.log(),
        store: backends.mongo.clone(),
        snapshots: backends.snapshots(),
        vault: backends.vault(),
        payments: backends.payments(),
    }
}

#[allow(
    clippy::async_yields_async,
    reason = "first the lead is waited for, and what that gives is its end"
)]
fn projector(backends: &Backends, name: &str) -> ((Stage, Duration), Router) {
    let mut stage = Stage::new("projector");
    let clock = backends.clock.clone();
    let make = |store: Arc<dyn ReadStore>, options| {
        Arc::new(Projector::new(backends.log(), store, clock.clone(), options))
    };
    let documents = make(
        backends.mongo.clone(),
        projector::Options {
            label: "documents",
            ..projector::Options::default()
        },
    );
    let hot = make(backends.redis.clone(), hot_views());
    let forwarder = Arc::new(Forwarder::new(
        backends.log(),
        backends.mongo.clone(),
        backends.broker(),
        clock.clone(),
        ForwarderOptions::default(),
    ));

    let leading = Leading::default();
    let (lease, holder) = (backends.lease.clone(), name.to_string());
    let (work, ours, store) = (documents.clone(), leading.clone(), backends.mongo.clone());
    stage.run(|shutdown| async move {
        let lead = || async {
            let term = lease.lead("projector", &holder).await;
            async move { term.lost().await }
        };
        let run = |stop| {
            // What was known of the checkpoints while another led is not true any more.
            store.take_over();
            let projector = work.clone();
            async move { projector.run(stop).await }
        };
        work_while_leading("projector", ours, shutdown, lead, run).await;
    });
    let (broker, work) = (backends.broker.clone(), hot.clone());
    stage.run(|shutdown| async move {
        let lead = || async {
            let term = broker.lead("forwarder").await;
            async move { term.over().await }
        };
        let run = |stop: tokio::sync::watch::Receiver<bool>| {
            let (hot, forwarder) = (work.clone(), forwarder.clone());
            async move {
                let also = stop.clone();
                tokio::join!(hot.run(stop), forwarder.run(also));
            }
        };
        work_while_leading("forwarder", Leading::default(), shutdown, lead, run).await;
    });
    let router = operations::projections(vec![documents, hot], Some(leading));
    ((stage, PART_STOPS_WITHIN), router)
}

/// How Redis's documents are kept: only the hot ones, and told when they are all there.
fn hot_views() -> projector::Options {
    projector::Options {
        collections: &servers::redis::HOT,
        label: "hot",
        complete_mark: Some(servers::redis::COMPLETE),
        // A Redis that comes back empty is filled again without delay.
        longest_pause_ms: 1_000,
        ..projector::Options::default()
    }
}

fn query_side(
    backends: &Backends,
    settings: &Settings,
    closing: Closing,
    letters: DeadLetters,
) -> Result<Router, ProgramError> {
    let app = query_side::App {
        store: backends.reads(),
        log: backends.log(),
        vault: backends.vault(),
        payments: backends.payments(),
        clock: backends.clock.clone(),
        closing,
        // A server's positions follow no rule that could be checked; its streams' hashes do.
        settings: parts::read_limits(settings, Expectations::default()),
    };
    let wait = Duration::from_millis(settings.read_wait_ms);
    let more = operations::for_readers(backends.reads(), wait, letters)?;
    Ok(query_side::router(app).merge(more))
}
