//! MongoDB as the read store, the vault and the judge of who leads.
//!
//! | port | adapter | where |
//! |---|---|---|
//! | `ReadStore`, `Snapshots` | [`MongoStore`] | `shows_g1`, `users_g1` …, `meta`, `writers`, `snapshots` |
//! | `Vault` | [`MongoVault`] | `keys`, `secrets` |
//! | – | [`MongoLease`] | `leases` |
//!
//! All of it is in one database, whose connection ([`Mongo`]) they share. It must be a replica set (one node is
//! enough) or a sharded cluster, because change sets are transactions. Everything is read from the primary: a
//! position that was heard of on one node must not be looked up on another that lags.
//!
//! Write concern: read models follow the connection string (`?w=1&journal=true`; MongoDB's own default is
//! `majority`), because what a failover loses of them is projected again; keys and leases are always written with
//! `majority` and journaled.

mod bodies;
mod connection;
mod failure;
mod lease;
mod store;
mod vault;

pub use connection::{Mongo, MongoOptions};
pub use failure::MongoError;
pub use lease::{LeaseOptions, MongoLease, Term};
pub use store::MongoStore;
pub use vault::MongoVault;
