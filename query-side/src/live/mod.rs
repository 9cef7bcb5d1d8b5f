//! `GET /api/eventos/{evento_id}/cambios`: a show as it changes, as server-sent events.
//!
//! A show that is followed has one [`hub`]: it looks at the documents when the read models move, finds what is
//! different from what it told last, writes that once for each format, and hands the same bytes to all followers. A
//! follower's own work is to write them to a connection. Who comes back is told what they missed, from the log
//! ([`missed`]), so any node can do it, also after a restart.
//!
//! | file | |
//! |---|---|
//! | `follow` | the handler: who follows what, from where |
//! | `hubs` | which shows are followed here |
//! | `hub` | what was told last, and the lines to the followers |
//! | `keeper` | the task of a hub: when it looks, and when it ends |
//! | `standing` | how a show and its seats stand, from their documents |
//! | `missed` | what happened since a version, from the log |
//! | `follower` | one caller's stream of bytes |
//! | `frame` | server-sent events as text |

pub(crate) mod follow;
mod follower;
mod frame;
mod hub;
mod hubs;
mod keeper;
mod missed;
mod standing;

pub(crate) use hubs::Hubs;
