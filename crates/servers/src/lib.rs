//! The adapters for real servers, each behind its port and each held to the same conformance suite as the embedded
//! ones. The only crate that names a driver.

#[cfg(feature = "eventstore")]
pub mod eventstore;
#[cfg(feature = "mongodb")]
pub mod mongodb;
#[cfg(feature = "payments")]
pub mod payments;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(feature = "redis")]
pub mod redis;
