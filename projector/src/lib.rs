//! The log becomes read models and broker messages.
//!
//! - [`Projector`] follows the log and keeps the documents of `views` in the read store, each change set in one
//!   atomic step with its checkpoint. It can [rebuild](Projector::rebuild) them beside the old ones.
//! - [`Forwarder`] follows the log and publishes every event to the broker, at least once: the log is the only
//!   outbox.
//!
//! Neither has effects of its own and neither ever skips an event: what cannot be read parks its stream, what
//! cannot be stored or sent is tried again until it can.

mod backoff;
mod cache;
mod forwarder;
mod health;
mod item;
mod projection;
mod projector;
mod rebuild;

pub use forwarder::{Forwarder, ForwarderOptions};
pub use health::Health;
pub use projection::{MAX_PARKED, ProjectError};
pub use projector::{Options, Projector};
pub use rebuild::{RebuildError, Rebuilt};

/// How a run is told to end: it ends when this becomes true, or its sender is gone.
pub type Shutdown = tokio::sync::watch::Receiver<bool>;

/// Returns when the run is to end.
async fn told_to_end(shutdown: &mut Shutdown) {
    // An error says that the sender is gone.
    let _ = shutdown.wait_for(|end| *end).await;
}
