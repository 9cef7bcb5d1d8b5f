//! The write side of a platform that runs elsewhere, for a command that asks it something: its own log and vault, and
//! the lanes of the command-side nodes over RabbitMQ. Nothing is decided or served here.

use super::{backends::Backends, node_name, stores};
use crate::{ProgramError, access, settings::Settings, world::parts};
use command_side::{app::App, outcomes::Outcomes};
use std::sync::Arc;

/// Connects; waits for servers that are away.
///
/// # Errors
/// When a setting is not as it must be.
pub(crate) async fn connect(settings: &Settings) -> Result<App, ProgramError> {
    // A name of its own, also beside a node whose name the environment says.
    let unnamed = Settings {
        node: String::new(),
        ..settings.clone()
    };
    let backends = Backends::connect(settings, &format!("asks-{}", node_name(&unnamed))).await?;
    let tokens = access::tokens(&backends.vault(), &backends.clock);
    let (clock, broker) = (&backends.clock, &backends.broker());
    let outcomes = Arc::new(Outcomes::new());
    Ok(parts::write_side(
        &stores(&backends),
        settings,
        clock,
        broker,
        outcomes,
        &tokens,
    ))
}
