//! `rebuild`: makes the read models anew from the log.
//!
//! When `dev` runs on the folder it is asked to do it, and goes on selling and answering meanwhile; else the
//! folder is taken and it is done here.

use super::{ask_running, open_log, small_runtime};
use crate::{
    ProgramError,
    settings::Settings,
    world::{self, Occupied},
};
use indicatif::{ProgressBar, ProgressStyle};
use ports::{
    SystemClock,
    embedded::{DataFolder, LogOptions, ReadStoreOptions, SqliteLog, SqliteReadStore},
};
use projector::{Options, Projector};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a running server is asked how far it is.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// Rebuilds, and prints how fast it went.
///
/// # Errors
/// When the log or the read models fail; readers then still see what they saw before.
pub fn run(settings: &Settings) -> Result<(), ProgramError> {
    // Asked first, so that nothing is made in a folder without a log.
    open_log(&settings.data)?;
    match world::take_folder(&settings.data)? {
        Ok(folder) => here(&folder),
        Err(Occupied {
            address: Some(address),
            ..
        }) => small_runtime()?.block_on(there(address)),
        Err(Occupied { holder, .. }) => Err(ProgramError::Refused(format!(
            "the folder is in use by {holder}, which does not listen"
        ))),
    }
}

/// In this process, which has the folder to itself.
fn here(folder: &DataFolder) -> Result<(), ProgramError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = SqliteLog::open(&folder.events(), LogOptions::default())?;
    let store = SqliteReadStore::open(&folder.views(), ReadStoreOptions::default())?;
    let bar = bar();
    let started = Instant::now();
    let projector = Projector::new(log, store, Arc::new(SystemClock), Options::default());
    let rebuilt = runtime
        .block_on(projector.rebuild(&|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        }))
        .map_err(|error| ProgramError::Refused(error.to_string()))?;
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let rate = rebuilt.events as f64 / seconds.max(1e-9);
    println!("{} events in {seconds:.2} s: {rate:.0} events/s", rebuilt.events);
    if rebuilt.parked > 0 {
        return Err(ProgramError::Refused(format!(
            "{} streams cannot be read and are parked",
            rebuilt.parked
        )));
    }
    Ok(())
}

/// By the server that has the folder; waits until it is done.
async fn there(address: SocketAddr) -> Result<(), ProgramError> {
    let answered =
        |status, body| ProgramError::Refused(format!("http://{address} answered {status}: {body}"));
    let path = "/api/operaciones/proyecciones/reconstruir";
    let (status, body) = ask_running(address, "POST", path).await?;
    if status != 202 {
        return Err(answered(status, body));
    }
    let bar = bar();
    loop {
        let (status, body) = ask_running(address, "GET", "/api/operaciones/proyecciones").await?;
        let rebuild = &body["reconstruccion"];
        bar.set_length(rebuild["total"].as_u64().unwrap_or(0));
        bar.set_position(rebuild["hecho"].as_u64().unwrap_or(0));
        match rebuild["estado"].as_str() {
            Some("en_curso") => tokio::time::sleep(ASKED_EVERY).await,
            Some("terminada") => break,
            _ => return Err(answered(status, body)),
        }
    }
    bar.finish_and_clear();
    println!("done by http://{address}");
    Ok(())
}

/// Progress is told in positions, which are bytes of the log.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0).with_message("rebuilding");
    let template = "{msg} [{bar:40}] {bytes}/{total_bytes} of the log, {eta} left";
    // The template is a constant; were it wrong, the default style would do.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
