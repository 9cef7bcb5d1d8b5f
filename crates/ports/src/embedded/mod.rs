//! Adapters that need no server: SQLite files and memory.
//!
//! | port | adapter | where |
//! |---|---|---|
//! | `EventLog` | [`SqliteLog`] | `events.db` |
//! | `ReadStore`, `Snapshots` | [`SqliteReadStore`] | `views.db` |
//! | `Vault` | [`FileVault`] | `vault.db`, `master.key` |
//! | `Payments` | [`SimulatedGateway`] | `gateway.db` |
//! | `Broker` | [`MemoryBroker`] | memory |
//!
//! All files live in one [`DataFolder`], which one process at a time may use. Each file has one writer, a thread
//! that commits what many callers ask for together ([`commit`]), and a few connections that read. A person can
//! open the files with any SQLite tool, also while the program runs; the tables are described with each adapter.

mod broker;
pub mod commit;
mod data_folder;
mod gateway;
mod log;
mod master_key;
mod read_store;
mod sqlite;
mod vault;
mod write_through;

pub use broker::{BrokerOptions, MemoryBroker, lane_of};
pub use data_folder::{DataFolder, FolderError};
pub use gateway::{GatewayOptions, SimulatedGateway};
pub use log::{
    Dated, Head, LogOptions, LogReader, LogTail, Page, Scan, SqliteLog, StreamPage, Towards, next_position,
};
pub use master_key::{
    MasterKeyError, fresh_master_key, master_key, parse_master_key, read_master_key, remove_master_key,
    write_master_key,
};
pub use read_store::{ReadStoreOptions, SqliteReadStore};
pub use sqlite::OpenError;
pub use vault::FileVault;

#[cfg(test)]
mod scratch;
