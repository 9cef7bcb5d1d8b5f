//! The embedded default, wired: every part in one process, on one data folder.
//!
//! Starting goes from the inside out, so that whoever speaks is already heard: stores, broker, those who listen
//! (outcomes, orchestrator), lanes and payments, and only then the projector and the forwarder, which begin to
//! tell. Stopping goes the other way, each part after those that ask it: see [`World::stop`].

mod folder;
pub(crate) mod parts;
pub(crate) mod stages;
pub(crate) mod stores;

pub use folder::{Occupied, take_folder};
pub use stages::Watch;

use crate::{ProgramError, access, operations::Probes, retention, settings::Settings};
use command_side::{
    app::App,
    lanes::{self, LaneLimits, LanePorts},
    outcomes,
};
use contract::{
    Answer, Ask, Cause, Command, CommandId, ReservationId, StreamName,
    commands::{ReservationAction, ReservationCommand},
};
use orchestrator::Recovery;
use parts::{start_deciders, start_sagas, write_side};
use ports::{
    Broker, Clock, ReadStore, SystemClock,
    embedded::{BrokerOptions, DataFolder, LogOptions, LogReader, MemoryBroker, SqliteLog, next_position},
};
use projector::{Forwarder, ForwarderOptions, Projector};
use stages::Stage;
use std::{sync::Arc, time::Duration};
use stores::Stores;
use uuid::Uuid;
use views::verify::Expectations;
use web::{access::Tokens, server::Closing};

/// How long sagas that nobody waits for may go on once the server stops, in milliseconds. What is not done by then
/// goes on at the next start.
const SAGAS_DRAIN_MS: u64 = 1_000;
/// How long any other part may take to stop.
const PART_STOPS_WITHIN: Duration = Duration::from_millis(700);
/// How long the read models may take to see the last events, so that the next start has nothing to catch up.
const CATCH_UP: Duration = Duration::from_millis(500);

/// Every part of a running EventFlow.
pub struct World {
    stores: Stores,
    clock: Arc<dyn Clock>,
    tokens: Arc<Tokens>,
    app: App,
    projector: Arc<Projector>,
    care: Stage,
    sagas: Stage,
    deciders: Stage,
    readers: Stage,
    forwarding: Stage,
    probes: Probes,
    sqlite: Arc<SqliteLog>,
    /// Last, so that it is given back when all files are closed.
    _folder: DataFolder,
}

impl World {
    /// Starts everything on a folder. Returns when it serves; the read models may still be catching up, which
    /// `/salud/lista` tells.
    ///
    /// # Errors
    /// When a file of the folder cannot be opened or the master key does not fit.
    pub async fn start(settings: &Settings, folder: DataFolder) -> Result<Self, ProgramError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (stores, sqlite) = Stores::open(&folder, settings, &clock)?;
        let start = stores.log.head().await?;
        let options = BrokerOptions {
            lanes: settings.lanes,
            ..BrokerOptions::default()
        };
        let broker: Arc<dyn Broker> = MemoryBroker::new(options, clock.clone());

        let mut readers = Stage::new("projector");
        let outcomes = outcomes::start(
            broker.clone(),
            stores.log.clone(),
            clock.clone(),
            readers.shutdown(),
        )
        .await?;
        let tokens = access::tokens(&stores.vault, &clock);
        let app = write_side(&stores, settings, &clock, &broker, outcomes, &tokens);
        let deciders = start_deciders(&stores, LaneLimits::default(), &clock, &broker, &app).await?;
        let sagas = orchestrator::Settings {
            hold_ttl_ms: settings.hold_ttl_ms,
            drain_ms: SAGAS_DRAIN_MS,
            recovery: Recovery::ONCE,
            ..orchestrator::Settings::default()
        };
        let sagas = start_sagas(&stores, sagas, &clock, &broker);

        let care = retention::start(&app, &stores.store, &stores.vault, settings);

        let (log, store) = (stores.log.clone(), stores.store.clone());
        let options = projector::Options::default();
        let projector = Arc::new(Projector::new(log.clone(), store.clone(), clock.clone(), options));
        let projecting = projector.clone();
        readers.run(|shutdown| async move { projecting.run(shutdown).await });
        let mut forwarding = Stage::new("forwarder");
        let forwarder = Forwarder::new(log, store, broker, clock.clone(), ForwarderOptions::default());
        forwarding.run(|shutdown| async move { forwarder.run(shutdown).await });

        let probes = Probes {
            log: stores.log.clone(),
            store: stores.store.clone(),
            projector: projector.health(),
            payments: stores.payments.clone(),
            start,
            tasks: [
                ("comandos", deciders.watch()),
                ("lecturas", readers.watch()),
                ("mensajes", forwarding.watch()),
                ("sagas", sagas.watch()),
            ],
        };
        Ok(Self {
            stores,
            clock,
            tokens,
            app,
            projector,
            care,
            sagas,
            deciders,
            readers,
            forwarding,
            probes,
            sqlite,
            _folder: folder,
        })
    }

    /// The write side.
    pub fn app(&self) -> App {
        self.app.clone()
    }

    /// Issues and verifies access tokens.
    pub fn tokens(&self) -> Arc<Tokens> {
        self.tokens.clone()
    }

    /// The read side, for this server.
    pub fn queries(&self, settings: &Settings, closing: Closing) -> query_side::App {
        query_side::App {
            store: self.stores.store.clone(),
            log: self.stores.log.clone(),
            vault: self.stores.vault.clone(),
            payments: self.stores.payments.clone(),
            clock: self.clock.clone(),
            closing,
            settings: parts::read_limits(
                settings,
                Expectations {
                    first: Some(LogReader::FIRST),
                    next: Some(next_position),
                    ..Expectations::default()
                },
            ),
        }
    }

    /// The log, for those who read and write it over EventStoreDB's protocol.
    pub fn log(&self) -> Arc<SqliteLog> {
        self.sqlite.clone()
    }

    /// The projector, which can be asked for a rebuild.
    pub fn projector(&self) -> Arc<Projector> {
        self.projector.clone()
    }

    /// The read models.
    pub fn store(&self) -> Arc<dyn ReadStore> {
        self.stores.store.clone()
    }

    /// What tells whether all is well.
    pub fn probes(&self) -> Probes {
        self.probes.clone()
    }

    /// Stops everything in order, after the last request was answered: sagas, then the lanes and payments that
    /// they ask, then what tells others. Nothing that was acknowledged depends on any of it: what a part does not
    /// finish in time is taken up at the next start. Gives back what is to be dropped outside the runtime,
    /// because closing the files waits for their writers.
    pub async fn stop(self) -> impl Sized {
        self.care.stop(PART_STOPS_WITHIN).await;
        self.sagas
            .stop(Duration::from_millis(SAGAS_DRAIN_MS) + PART_STOPS_WITHIN)
            .await;
        self.deciders.stop(PART_STOPS_WITHIN).await;
        if let Ok(head) = self.stores.log.head().await {
            let mut applied = self.stores.store.applied();
            let caught_up = applied.wait_for(|applied| *applied >= head);
            if tokio::time::timeout(CATCH_UP, caught_up).await.is_err() {
                tracing::info!("the read models have not seen all yet; they go on at the next start");
            }
        }
        self.forwarding.stop(PART_STOPS_WITHIN).await;
        self.readers.stop(PART_STOPS_WITHIN).await;
        (self.stores, self.sqlite, self._folder)
    }
}

/// Lets a stuck saga try again when no server has the folder: only the lanes are started, and only for this.
///
/// # Errors
/// When the log cannot be opened, or the reservation refuses.
pub async fn resume_alone(folder: DataFolder, id: ReservationId) -> Result<(), ProgramError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let log = SqliteLog::open(&folder.events(), LogOptions::default())?;
    let broker: Arc<dyn Broker> = MemoryBroker::new(BrokerOptions::default(), clock.clone());
    let mut deciders = Stage::new("lanes");
    let snapshots = stores::open_read_store(&folder)?;
    let ports = LanePorts {
        log,
        snapshots,
        clock: clock.clone(),
    };
    let mut lanes = lanes::start(&ports, LaneLimits::default(), &broker, &deciders.shutdown()).await?;
    deciders.run(|_| async move { while lanes.join_next().await.is_some() {} });
    let command = ReservationCommand {
        reservation_id: id,
        action: ReservationAction::Resume,
    };
    let reply = broker
        .ask(Ask {
            id: CommandId(Uuid::now_v7()),
            cause: Cause {
                correlation: id.0,
                actor: "admin".into(),
                trace: None,
            },
            deadline_ms: clock.now().plus_ms(10_000),
            command: Command::Reservation(command),
        })
        .await;
    deciders.stop(PART_STOPS_WITHIN).await;
    match reply?.answer {
        Answer::Refused(refusal) => Err(ProgramError::Refused(refusal.to_string())),
        Answer::Failed(failure) => Err(ProgramError::Refused(failure.to_string())),
        _ => {
            tracing::info!(stream = %StreamName::reservation(id), "the saga may try again");
            Ok(())
        }
    }
}
