//! The program: it wires the sides into one process and gives them a command line.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | what can be said on the command line |
//! | [`settings`] | what can be set, and where: flags, environment, file, defaults |
//! | [`world`] | every part, wired for the embedded default; start and ordered end |
//! | [`dev`] | the server's life, from the first log line to the last |
//! | [`gateway`] | the simulated payment provider, as a process of its own |
//! | [`serve`], `node` | the same for one role or several on real servers |
//! | [`access`] | who is let in |
//! | [`operations`] | health, metrics, the description of the HTTP surface |
//! | [`retention`] | the care of people: who is to be forgotten, and what is left to do about it |
//! | [`commands`] | the other subcommands, one file each |
//! | [`bench`] | how fast it is here |
//!
//! Deliberately absent: rules of the business. Whatever decides, projects or renders stands in the other crates.

pub mod access;
pub mod bench;
pub mod cli;
pub mod client;
pub mod commands;
pub mod dev;
mod error;
pub mod gateway;
mod leading;
mod logging;
mod node;
mod open_files;
pub mod operations;
mod progress;
pub mod retention;
pub mod serve;
pub mod settings;
mod signals;
pub mod world;

pub use error::ProgramError;

use cli::{Cli, Command};
use settings::{Flags, Settings};

/// Does what the command line says.
///
/// # Errors
/// Whatever kept it from being done, for a person to read.
pub fn run(cli: Cli) -> Result<(), ProgramError> {
    open_files::raise();
    match cli.command {
        None => dev::run(&prepare(cli.dev)?),
        Some(Command::Dev(flags)) => dev::run(&prepare(flags)?),
        Some(Command::Verify(flags)) => commands::verify::run(&prepare(flags)?),
        Some(Command::Replay(args)) => {
            let settings = prepare(args.folder.clone())?;
            commands::replay::run(&settings, &args)
        }
        Some(Command::Rebuild(flags)) => commands::rebuild::run(&prepare(flags)?),
        Some(Command::Sagas(args)) => commands::sagas::run(args.action),
        Some(Command::Forget(args)) => commands::forget::run(args),
        Some(Command::Admin(args)) => commands::admin::run(args.action),
        Some(Command::Keys(args)) => commands::keys::run(args.action),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Serve(args)) => serve::run(&prepare(args.settings)?, &args.roles),
        Some(Command::DeadLetters(args)) => commands::dead_letters::run(args.action),
        Some(Command::Eventstore(args)) => commands::eventstore::run(args),
        Some(Command::Gateway(args)) => {
            // How to log, and whether the network is trusted, the environment says.
            let settings = Settings {
                listen: args.listen,
                ..prepare(settings::ServersFlags::default())?
            };
            settings.stay_in_trusted_networks()?;
            gateway::run(args.listen, args.data, args.currency)
        }
        Some(Command::Health { url }) => commands::health::run(&url),
    }
}

/// The settings, and logging as they say.
pub(crate) fn prepare<const AUDIENCE: settings::Audience>(
    flags: Flags<AUDIENCE>,
) -> Result<Settings, ProgramError> {
    let (settings, warnings) = flags.settings()?;
    logging::start(&settings);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(settings)
}
