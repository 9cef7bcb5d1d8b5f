//! The ports: traits that keep the outside world out of the domain, the adapters that need no server
//! ([`embedded`]), and the suite that every adapter must pass ([`conformance`]).
//!
//! All traits are object-safe. Their errors keep apart what a caller must do: *conflict* (look again and decide
//! anew), *unknown* (it may have happened: read back), *unavailable* (it did not happen: later).

pub mod broker;
pub mod clock;
pub mod conformance;
pub mod embedded;
pub mod event_log;
pub mod payments;
pub mod read_store;
pub mod sealing;
pub mod snapshots;
pub mod vault;

pub use broker::{
    Audience, Broker, BrokerError, Delivery, Events, Heard, Interest, Lanes, Receipt, Subscription,
};
pub use clock::{Clock, Ids, SystemClock, SystemIds};
pub use event_log::{AppendError, Appended, EventLog, Expected, LogError, Tail};
pub use payments::{Charge, ChargeOutcome, Ledger, PaymentError, Payments};
pub use read_store::{Change, Document, Filter, Generation, Op, Order, Query, ReadStore, StoreError};
pub use snapshots::{Snapshot, Snapshots};
pub use vault::{Rewrapping, Vault, VaultError};
