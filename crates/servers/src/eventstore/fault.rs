//! What the crate's errors mean for us.
//!
//! It makes one `ServerError` with a text of many statuses and of everything that happens to a connection. Only one
//! text is told apart, that of a connection that could not be made, because then nothing can have been sent; should
//! it read otherwise some day, such a call counts as unknown and is looked into, which is slower and still right.

use contract::Revision;
use eventstore::{CurrentRevision, Error};

/// How the HTTP client begins when it has no connection (`hyper_util::client::legacy`).
const NO_CONNECTION: &str = "client error (Connect)";

/// gRPC's numbers of the statuses that say that the request itself is at fault.
const INVALID_ARGUMENT: i32 = 3;
const OUT_OF_RANGE: i32 = 11;

/// What an error of an append says about the append.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was written: the stream ends at another revision, or does not exist.
    Elsewhere(Option<Revision>),
    /// Nothing was sent, or a follower sent it away unread: the same again may do.
    NotSent,
    /// Nothing was written, and for now nothing will be.
    Denied,
    /// Nothing was written, and the same will never be.
    Unacceptable,
    /// Anything may have happened.
    Unsure,
}

pub(super) fn verdict(error: &Error) -> Verdict {
    match error {
        Error::WrongExpectedVersion { current, .. } => Verdict::Elsewhere(match current {
            CurrentRevision::Current(revision) => Some(*revision),
            CurrentRevision::NoStream => None,
        }),
        Error::ConnectionClosed
        | Error::GrpcConnectionError(_)
        | Error::InitializationError(_)
        | Error::NotLeaderException(_) => Verdict::NotSent,
        Error::ServerError(text) if text.contains(NO_CONNECTION) => Verdict::NotSent,
        Error::AccessDenied | Error::UnsupportedFeature => Verdict::Denied,
        // The stream has a tombstone and takes nothing any more.
        Error::ResourceDeleted => Verdict::Unacceptable,
        // Larger than this server takes (`MaxAppendSize`, 1 MiB unless set), or not a name that it takes.
        Error::Grpc { code, .. } if matches!(*code as i32, INVALID_ARGUMENT | OUT_OF_RANGE) => {
            Verdict::Unacceptable
        }
        _ => Verdict::Unsure,
    }
}

/// Whether the connection may be at fault and should be looked at.
pub(super) fn is_suspicious(error: &Error) -> bool {
    !matches!(
        error,
        Error::WrongExpectedVersion { .. }
            | Error::AccessDenied
            | Error::UnsupportedFeature
            | Error::ResourceNotFound
            | Error::ResourceDeleted
            | Error::ResourceAlreadyExists
            | Error::Grpc { .. }
    )
}

/// Whether the client itself has ended, not only its connection.
pub(super) fn is_end_of_client(error: &Error) -> bool {
    matches!(
        error,
        Error::ConnectionClosed | Error::GrpcConnectionError(_) | Error::InitializationError(_)
    )
}

/// In few words: without the HTTP headers that the crate prints along.
pub(super) fn text(error: &Error) -> String {
    let text = error.to_string();
    match text.split_once(", details: ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_was_not_sent_counts_as_not_sent() {
        let refused = "status: Unknown, message: \"client error (Connect)\", details: [], metadata: {}";
        let broken = "status: Unknown, message: \"client error (SendRequest)\", details: [], metadata: {}";
        assert_eq!(verdict(&Error::ServerError(refused.into())), Verdict::NotSent);
        assert_eq!(verdict(&Error::ServerError(broken.into())), Verdict::Unsure);
        assert_eq!(verdict(&Error::DeadlineExceeded), Verdict::Unsure);
        assert_eq!(verdict(&Error::ConnectionClosed), Verdict::NotSent);
        assert_eq!(verdict(&Error::AccessDenied), Verdict::Denied);
        assert_eq!(
            text(&Error::ServerError(broken.into())),
            "Server-side error: status: Unknown, message: \"client error (SendRequest)\""
        );
    }
}
