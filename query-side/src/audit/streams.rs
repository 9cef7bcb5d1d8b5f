//! `GET /api/auditoria/streams/{stream}`: one stream, as it stands in the log.

use super::Registro;
use crate::{app::Shared, reads::log_problem};
use axum::{
    extract::{Path, State},
    response::Response,
};
use contract::StreamName;
use web::{
    Code, Params, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
};

/// How many events a page has at the most.
const MAX_LIMIT: u64 = 1_000;
const DEFAULT_LIMIT: u64 = 100;
/// Longer names are not in any log of ours.
const MAX_NAME: usize = 200;

/// Los registros de un stream, en orden
#[utoipa::path(
    get, path = "/api/auditoria/streams/{stream}", operation_id = "leerStream", tag = "Auditoría",
    params(
        ("stream" = String, Path, description = "`user-{id}`, `show-{id}`, `reservation-{id}`, `payment-{id}` …"),
        ("desde" = Option<u64>, Query, description = "Desde esta revisión"),
        ("limite" = Option<u32>, Query, description = "Cuántos", minimum = 1, maximum = 1000),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Vec<Registro>, description = "Los registros; vacío más allá del último"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn read(
    State(reader): State<Shared>,
    Path(name): Path<String>,
    mut params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    // Revisions past `i64` exist in no log; adapters need not cope with them.
    let from = params.integer("desde", 0..=i64::MAX.unsigned_abs(), 0);
    let limit = params.integer("limite", 1..=MAX_LIMIT, DEFAULT_LIMIT);
    params.finish()?;
    let not_found = || Problem::new(Code::NotFound).detail("No existe ningún stream con ese nombre.");
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(not_found());
    }
    let (log, stream) = (&reader.app.log, StreamName::new(&name));
    let limit = usize::try_from(limit).unwrap_or(1);
    let events = log
        .read(&stream, from, limit)
        .await
        .map_err(|error| log_problem(&error))?;
    if events.is_empty() {
        let first = log
            .read(&stream, 0, 1)
            .await
            .map_err(|error| log_problem(&error))?;
        first.first().ok_or_else(not_found)?;
    }
    let shown: Vec<Registro> = events.iter().map(|recorded| Registro::of(recorded)).collect();
    Ok(Tagged::json(&shown)?.respond(&has, Privacy::Personal))
}
