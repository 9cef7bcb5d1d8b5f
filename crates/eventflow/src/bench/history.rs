//! A long log, written fast, and what can be done with it: cold start, replay, rebuild, and the proof that it is a
//! log as EventFlow itself would have written it.

use super::{
    Plan, Workload,
    disk::Scratch,
    server::{Server, Target, run_to_end},
    story::Author,
    table::Table,
};
use crate::ProgramError;
use ports::{
    SystemClock,
    embedded::{DataFolder, FileVault, LogOptions, SqliteLog, master_key},
};
use std::{path::Path, sync::Arc, time::Duration};

/// Writes the log and measures the chosen workloads on it.
pub async fn measure(plan: &Plan, scratch: &Scratch, table: &mut Table) -> Result<(), ProgramError> {
    let data = scratch.path().join("history");
    eprintln!("writing a log of {} events …", plan.events);
    let events = write(&data, u64::from(plan.events)).await?;
    // A cold start is one with read models: whoever has a long log has started before.
    eprintln!("rebuild …");
    let took = run_to_end("rebuild", &data)?;
    if plan.wants(Workload::Rebuild) {
        table.took("rebuild, all read models", events, took, true, None);
    }
    if plan.wants(Workload::Cold) {
        eprintln!("cold start …");
        let target = Target::Own(Server::start(&data)?);
        target.ready(Duration::from_secs(60)).await?;
        if let Target::Own(server) = target {
            table.took(
                "cold start, until ready",
                events,
                server.started.elapsed(),
                false,
                server.peak_bytes(),
            );
            server.stop()?;
        }
    }
    if plan.wants(Workload::Replay) {
        eprintln!("replay …");
        let took = run_to_end("replay", &data)?;
        table.took("replay, all views in memory", events, took, true, None);
        let took = run_to_end("verify", &data)?;
        table.took("verify", events, took, true, None);
    }
    Ok(())
}

/// Writes whole purchases until the log has at least so many events; how many there are then.
async fn write(data: &Path, at_least: u64) -> Result<u64, ProgramError> {
    let folder = DataFolder::open(data)?;
    let vault = FileVault::open(&folder.vault(), master_key(&folder.master_key())?)?;
    let log = SqliteLog::open(&folder.events(), LogOptions::default())?;
    let bar = crate::progress::events("writing", at_least);
    let mut author = Author::begin(log, Arc::new(SystemClock), vault).await?;
    while author.written() < at_least {
        author.write_chapter().await?;
        bar.set_position(author.written().min(at_least));
    }
    bar.finish_and_clear();
    Ok(author.written())
}
