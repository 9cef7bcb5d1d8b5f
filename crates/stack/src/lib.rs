//! Real servers as child processes: on free ports of the loopback interface, in temporary folders, gone when dropped.
//! For conformance, the fault matrix and measurements; never part of the program.
//!
//! ```text
//! let redis = stack::redis::start()?;
//! connect(&redis.url());
//! redis.kill(); redis.start()?;     // the same ports and folder again
//! ```

mod process;

pub mod mongodb;
pub mod nginx;
pub mod platform;
pub mod prometheus;
pub mod rabbitmq;
pub mod redis;

pub use process::{Failed, Scratch, Server, free_port, repository};
