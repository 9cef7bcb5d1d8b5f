//! What can keep the program from doing what it was told, in words for whoever told it.

use crate::settings::Invalid;
use ports::{
    BrokerError, LogError, StoreError,
    embedded::{FolderError, MasterKeyError, OpenError},
};

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A setting is not as it must be.
    #[error(transparent)]
    Settings(#[from] Invalid),
    /// There is nothing to work on.
    #[error("{0} has no log; `eventflow dev` makes one, --data names another folder")]
    NoLog(String),
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The master key cannot be used.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A file of the data folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log fails.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read models fail.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker fails.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// An event cannot be read.
    #[error("the event at position {position} of {stream} cannot be read: {why}")]
    Unreadable {
        /// Where.
        position: contract::Position,
        /// In which stream.
        stream: contract::StreamName,
        /// Why.
        why: String,
    },
    /// `verify` found that something does not hold; what, it has printed.
    #[error("{0} violations; the first is named above")]
    Violated(u64),
    /// A measurement has no result.
    #[error("{0}")]
    Bench(String),
    /// What was asked for was refused or did not end well.
    #[error("{0}")]
    Refused(String),
    /// The system failed.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl ProgramError {
    /// 2 when what the program was told is wrong, 1 when doing it failed.
    pub fn exit_status(&self) -> u8 {
        match self {
            ProgramError::Settings(_) => 2,
            _ => 1,
        }
    }
}
