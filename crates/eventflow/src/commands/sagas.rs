//! `sagas`: purchases that are not settled. Listing and showing read the log alone, beside a running `dev` or
//! without one.

use super::{ask_running, open_log, small_runtime};
use crate::{
    ProgramError,
    cli::SagasAction,
    prepare, progress,
    settings::Settings,
    world::{self, Occupied},
};
use contract::{ReservationId, StreamKind, StreamName};
use ports::embedded::LogReader;
use std::collections::BTreeSet;
use uuid::Uuid;
use views::reservation::{self, Reservation, Status};

/// More events than any saga has.
const LONGEST: usize = 10_000;

/// Does what was asked.
///
/// # Errors
/// When the log cannot be read, there is no such reservation, or it does not take a retry.
pub fn run(action: SagasAction) -> Result<(), ProgramError> {
    match action {
        SagasAction::List { folder } => list(&prepare(folder)?),
        SagasAction::Show { id, folder } => show(&prepare(folder)?, id),
        SagasAction::Retry { id, folder } => retry(&prepare(folder)?, id),
    }
}

fn list(settings: &Settings) -> Result<(), ProgramError> {
    let open = open_sagas(open_log(&settings.data)?)?;
    let mut reader = open_log(&settings.data)?;
    let mut sagas = Vec::new();
    for id in open {
        sagas.extend(fold(&mut reader, ReservationId(id))?);
    }
    sagas.sort_by_key(|saga| (saga.status != Status::Stuck, saga.created_at_ms));
    for saga in &sagas {
        println!("{}", line(saga));
    }
    let stuck = sagas.iter().filter(|saga| saga.status == Status::Stuck).count();
    println!("{} open, {stuck} of them stuck", sagas.len());
    Ok(())
}

fn show(settings: &Settings, id: ReservationId) -> Result<(), ProgramError> {
    let mut reader = open_log(&settings.data)?;
    let saga = fold(&mut reader, id)?.ok_or_else(|| no_such(id))?;
    println!("{}", line(&saga));
    for step in &saga.steps {
        let state = step
            .state
            .map_or_else(|| "to do".to_string(), |state| name(&state));
        let at = step.at_ms.map_or_else(String::new, |at| at.rfc3339());
        println!("  {:<14} {state:<11} {at}", name(&step.step));
    }
    for event in reader.read(&StreamName::reservation(id), 0, LONGEST)? {
        let at = event
            .meta()
            .map_or_else(|_| "?".to_string(), |meta| meta.at_ms.rfc3339());
        println!(
            "  {:>10} {at} {} {}",
            event.position,
            event.kind,
            String::from_utf8_lossy(&event.data)
        );
    }
    Ok(())
}

/// Through `dev` when it runs on the folder; else by the lane itself, started for this one command.
fn retry(settings: &Settings, id: ReservationId) -> Result<(), ProgramError> {
    // Asked first, so that nothing is made in a folder without a log.
    let saga = fold(&mut open_log(&settings.data)?, id)?.ok_or_else(|| no_such(id))?;
    if saga.status != Status::Stuck {
        return Err(ProgramError::Refused(format!(
            "reservation {id} is not stuck: {}",
            name(&saga.status)
        )));
    }
    let runtime = small_runtime()?;
    match world::take_folder(&settings.data)? {
        Ok(folder) => {
            runtime.block_on(world::resume_alone(folder, id))?;
            println!("recorded; it tries again when `eventflow dev` starts");
        }
        Err(Occupied { address, holder }) => {
            let Some(address) = address else {
                return Err(ProgramError::Refused(format!(
                    "the folder is in use by {holder}, which does not listen"
                )));
            };
            let path = format!("/api/operaciones/sagas/{id}/reintentar");
            let (status, body) = runtime.block_on(ask_running(address, "POST", &path))?;
            if status != 202 {
                return Err(ProgramError::Refused(format!(
                    "http://{address} answered {status}: {body}"
                )));
            }
            println!("it tries again: http://{address}/api/reservar/{id}");
        }
    }
    Ok(())
}

/// The reservations whose last word is not an outcome. Kinds alone tell, so nothing is decoded.
fn open_sagas(reader: LogReader) -> Result<BTreeSet<Uuid>, ProgramError> {
    let bar = progress::events("looking for open sagas", reader.head()?.count);
    let mut open = BTreeSet::new();
    for batch in reader.scan(None)? {
        let batch = batch?;
        bar.inc(batch.len() as u64);
        for event in &batch {
            let Some((StreamKind::Reservation, id)) = event.stream.parts() else {
                continue;
            };
            match &*event.kind {
                "reservation_confirmed.v1" | "reservation_rejected.v1" | "reservation_cancelled.v1" => {
                    open.remove(&id)
                }
                _ => open.insert(id),
            };
        }
    }
    bar.finish_and_clear();
    Ok(open)
}

fn fold(reader: &mut LogReader, id: ReservationId) -> Result<Option<Reservation>, ProgramError> {
    let mut document = None;
    for recorded in reader.read(&StreamName::reservation(id), 0, LONGEST)? {
        let event = recorded.event().map_err(|error| ProgramError::Unreadable {
            position: recorded.position,
            stream: recorded.stream.clone(),
            why: error.to_string(),
        })?;
        document = reservation::evolve(document, &event, recorded.revision);
    }
    Ok(document)
}

fn line(saga: &Reservation) -> String {
    let Reservation {
        reservation_id,
        created_at_ms,
        quantity,
        show_id,
        ..
    } = saga;
    let at = saga
        .steps
        .iter()
        .rev()
        .find(|step| step.state.is_some())
        .map_or("nothing yet".into(), |it| name(&it.step));
    let why = match (&saga.stuck, &saga.refusal) {
        (Some(stuck), _) => format!(": {stuck}"),
        (None, Some(refusal)) => format!(": {refusal}"),
        (None, None) => String::new(),
    };
    format!(
        "{reservation_id}  {:<9}  since {created_at_ms}  {quantity} of show {show_id}, last step {at}{why}",
        name(&saga.status)
    )
}

/// How a value is called in the stored forms: one word, one meaning.
fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        other => format!("{other:?}"),
    }
}

fn no_such(id: ReservationId) -> ProgramError {
    ProgramError::Refused(format!("the log has no reservation {id}"))
}
