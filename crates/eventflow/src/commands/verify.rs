//! `verify`: proves from the log alone that EventFlow kept its promises.
//!
//! Reads only, so it also runs beside `dev`: it proves the log up to where it ended when the proof began.

use super::open_log;
use crate::{ProgramError, progress, settings::Settings};
use ports::embedded::{LogReader, next_position};
use std::time::Instant;
use views::verify::{Expectations, Report, Verifier};

/// How many violations are printed; the report counts all.
const SHOWN: usize = 10;

/// Proves the log of the data folder and prints what was found.
///
/// # Errors
/// [`ProgramError::Violated`] when a promise is broken, after naming the first offending event.
pub fn run(settings: &Settings) -> Result<(), ProgramError> {
    let started = Instant::now();
    let report = verify(open_log(&settings.data)?)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} events in {} streams: {} shows, {} reservations ({} confirmed, {} open); {seconds:.1} s",
        report.events, report.streams, report.shows, report.reservations, report.confirmed, report.open
    );
    for violation in report.violations.iter().take(SHOWN) {
        println!("{violation}");
    }
    if !report.is_clean() {
        return Err(ProgramError::Violated(report.violations_total));
    }
    println!(
        "everything holds: nothing oversold, no seat twice, every ticket accounted for, every sale paid once, no gap, nothing altered"
    );
    Ok(())
}

/// Proves a whole log.
///
/// # Errors
/// When it cannot be read.
pub(super) fn verify(reader: LogReader) -> Result<Report, ProgramError> {
    let head = reader.head()?;
    let bar = progress::events("verifying", head.count);
    let mut verifier = Verifier::expecting(Expectations {
        first: Some(LogReader::FIRST),
        next: Some(next_position),
        head: head.last,
        events: Some(head.count),
    });
    for batch in reader.scan(None)? {
        let batch = batch?;
        // What `dev` appends meanwhile is for the next proof.
        let known = batch.partition_point(|event| Some(event.position) <= head.last);
        batch[..known].iter().for_each(|event| verifier.check(event));
        bar.inc(known as u64);
        if known < batch.len() {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(verifier.finish())
}
