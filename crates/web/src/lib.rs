//! What both HTTP sides share: problem documents, input checking, rendering, telemetry, limits, the server.
//!
//! This is where English becomes Spanish: the public HTTP surface speaks Spanish, and besides the `http` modules
//! of the two sides only this crate knows its words. A request passes, in this order: [`server`] (connection
//! limits) → [`telemetry`] (request id, metrics, overload, panics) → [`access`] (who, and may they) → an extractor ([`ids`], [`headers`],
//! [`params`], [`json`]) → [`fields`] → the side's handler → [`render`] or [`problem`].
//!
//! Deliberately absent: sessions and cookies, content negotiation (everything is JSON), reflection of input in
//! error messages, and any knowledge of stores, brokers or aggregates.

pub mod access;
pub mod codes;
pub mod docs;
pub mod error_pages;
pub mod etag;
pub mod fields;
pub mod fingerprint;
pub mod headers;
pub mod ids;
pub mod json;
pub mod openapi;
pub mod params;
pub mod paths;
pub mod problem;
pub mod refusal;
pub mod render;
pub mod schema;
pub mod server;
mod stalls;
pub mod telemetry;

pub use access::Caller;
pub use codes::Code;
pub use fields::Fields;
pub use headers::{IdempotencyKey, Prefer, RequestContext, with_position};
pub use ids::Id;
pub use json::{Json, OptionalJson};
pub use params::Params;
pub use problem::Problem;
