//! `eventstore`: a data folder's log over EventStoreDB's own protocol, and nothing else: the log of a `serve`
//! installation where no EventStoreDB can be had, or of a stopped `dev` for its auditors.

use crate::{ProgramError, cli::EventstoreArgs, prepare, settings::Settings, signals::Signals, world};
use ports::embedded::{FolderError, LogOptions, SqliteLog};
use std::io::Write;
use tokio::net::TcpListener;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the folder is in use or cannot be used, or the address cannot be listened on.
pub fn run(args: EventstoreArgs) -> Result<(), ProgramError> {
    let listen = args.eventstore_listen;
    let settings = Settings {
        listen,
        ..prepare(args.folder)?
    };
    // The protocol's credentials are not asked for.
    settings.serve_log_in_trusted_networks(listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = world::take_folder(&settings.data)?.map_err(|occupied| FolderError::InUse {
        path: settings.data.clone(),
        holder: occupied.holder,
    })?;
    let log = SqliteLog::open(&folder.events(), LogOptions::default())?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            ProgramError::Refused(format!(
                "cannot listen on {listen} (--eventstore-listen): {error}"
            ))
        })?;
        let address = listener.local_addr()?;
        let signals = Signals::listen()?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on esdb://{address}?tls=false")?;
        out.flush()?;
        drop(out);
        endpoint::serve(log.clone(), listener, signals.told_to_stop())
            .await
            .map_err(|error| ProgramError::Refused(error.to_string()))
    })?;
    drop(runtime);
    drop(log);
    tracing::info!("stopped");
    Ok(())
}
