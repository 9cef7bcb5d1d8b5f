//! What goes wrong with MongoDB, sorted by what can be done about it.

use ::mongodb::error::{
    Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};
use ports::{StoreError, VaultError};

/// The server's code for a key that is there already.
pub(super) const DUPLICATE_KEY: i32 = 11_000;

/// Why MongoDB cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MongoError {
    /// The connection string is malformed. It is not repeated here: it may have a password in it.
    #[error("the MongoDB connection string cannot be used: {0}")]
    Url(String),
    /// It is away, or refuses; try again.
    #[error("MongoDB is unavailable: {0}")]
    Unavailable(String),
    /// The keys that are stored were wrapped by another master key.
    #[error("the keys in MongoDB were wrapped by another master key")]
    WrongMasterKey,
}

impl MongoError {
    pub(super) fn of_url(error: Error) -> Self {
        match &*error.kind {
            ErrorKind::DnsResolve { message, .. } => Self::Unavailable(message.clone()),
            kind => Self::Url(kind.to_string()),
        }
    }
}

/// What can be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The transaction did not happen: the same again may succeed.
    RunAgain,
    /// The transaction may have happened: commit again, or read back.
    CommitAgain,
    /// Somebody else has changed what this was to change: look again.
    ReadBack,
    /// The key is there already: somebody else was first.
    LookAtIt,
    /// Nothing here.
    GiveUp,
}

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub why: String,
    pub remedy: Remedy,
    /// It was not answered, as far as can be told: the server is away.
    pub no_answer: bool,
}

impl Failure {
    /// There was no answer.
    pub fn away(why: &str) -> Self {
        Self {
            why: why.into(),
            remedy: Remedy::GiveUp,
            no_answer: true,
        }
    }

    /// The answer was no, and will be.
    pub fn refused(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            remedy: Remedy::GiveUp,
            no_answer: false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let remedy = if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) {
            Remedy::CommitAgain
        } else if error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
            Remedy::RunAgain
        } else if is_duplicate(&error) {
            Remedy::LookAtIt
        } else {
            Remedy::GiveUp
        };
        let no_answer = matches!(
            &*error.kind,
            ErrorKind::Io(_)
                | ErrorKind::ServerSelection { .. }
                | ErrorKind::ConnectionPoolCleared { .. }
                | ErrorKind::DnsResolve { .. }
                | ErrorKind::Shutdown
        );
        Self {
            // Without labels and the server's whole answer, which the error itself would print.
            why: error.kind.to_string(),
            remedy,
            no_answer,
        }
    }
}

fn is_duplicate(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(write)) => write.code == DUPLICATE_KEY,
        ErrorKind::Command(command) => command.code == DUPLICATE_KEY,
        _ => false,
    }
}

impl From<Failure> for MongoError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.why)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.why)
    }
}

impl From<Failure> for VaultError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.why)
    }
}
