//! The files of the data folder, each behind its port.

use crate::{ProgramError, commands::keys, settings::Settings};
use ports::{
    Clock, EventLog, Payments, ReadStore, Snapshots, Vault,
    embedded::{
        DataFolder, FileVault, GatewayOptions, LogOptions, ReadStoreOptions, SimulatedGateway, SqliteLog,
        SqliteReadStore,
    },
};
use std::sync::Arc;

/// Everything that is stored, by port.
pub(crate) struct Stores {
    pub log: Arc<dyn EventLog>,
    pub store: Arc<dyn ReadStore>,
    pub snapshots: Arc<dyn Snapshots>,
    pub vault: Arc<dyn Vault>,
    pub payments: Arc<dyn Payments>,
}

impl Stores {
    pub(crate) fn open(
        folder: &DataFolder,
        settings: &Settings,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Self, Arc<SqliteLog>), ProgramError> {
        let masters = keys::masters(folder, settings)?;
        // The vault first: with a wrong master key nothing else is worth opening.
        let vault = FileVault::open_with(&folder.vault(), masters)?;
        let log = SqliteLog::open(
            &folder.events(),
            LogOptions {
                clock: clock.clone(),
                ..LogOptions::default()
            },
        )?;
        let store = open_read_store(folder)?;
        let gateway = GatewayOptions {
            clock: clock.clone(),
            currency: settings.currency,
        };
        let payments = SimulatedGateway::open(&folder.gateway(), gateway)?;
        let stores = Self {
            log: log.clone(),
            snapshots: store.clone(),
            store,
            vault,
            payments,
        };
        Ok((stores, log))
    }
}

pub(crate) fn open_read_store(folder: &DataFolder) -> Result<Arc<SqliteReadStore>, ProgramError> {
    Ok(SqliteReadStore::open(
        &folder.views(),
        ReadStoreOptions::default(),
    )?)
}
