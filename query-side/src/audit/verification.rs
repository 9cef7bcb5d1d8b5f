//! `GET /api/auditoria/verificar`: replays the whole log and proves that it keeps its promises.

use crate::{
    app::{App, Shared},
    reads::log_problem,
};
use axum::{extract::State, response::Response};
use contract::Position;
use serde::Serialize;
use utoipa::ToSchema;
use views::verify::{Expectations, Report, Verifier, Violation};
use web::{
    Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
};

/// How many events are checked at once, outside the threads that answer requests.
const PAGE: usize = 4_096;

/// Una promesa rota y el registro que la rompe.
#[derive(Serialize, ToSchema)]
pub(crate) struct Violacion {
    /// Dónde en la historia.
    posicion: u64,
    /// En qué stream.
    stream: String,
    /// Qué número en él.
    revision: u64,
    /// Qué promesa.
    regla: String,
    /// Qué pasa, sin datos personales.
    detalle: String,
}

/// Lo que se comprobó.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verificacion {
    /// Si la historia cumple todo lo que promete.
    correcto: bool,
    /// Hasta qué posición se leyó; `null` si no hay nada.
    #[schema(required = true)]
    posicion: Option<u64>,
    /// Cuántos registros se leyeron.
    registros: u64,
    /// De ellos, los de streams ajenos: se cuentan y no se juzgan.
    registros_ajenos: u64,
    /// Cuántos streams.
    streams: u64,
    /// Cuántos eventos.
    eventos: u64,
    /// Cuántas reservas.
    reservas: u64,
    /// De ellas, las confirmadas.
    confirmadas: u64,
    /// De ellas, las que aún se tramitan.
    abiertas: u64,
    /// Cuántas promesas rotas.
    total_violaciones: u64,
    /// Las primeras, en el orden de la historia.
    violaciones: Vec<Violacion>,
}

/// Vuelve a leer toda la historia y comprueba que cuadra
#[utoipa::path(
    get, path = "/api/auditoria/verificar", operation_id = "verificar", tag = "Auditoría",
    params(("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene")),
    responses(
        (status = 200, body = Verificacion, description = "Lo que se comprobó, también si algo no cuadra"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn verify(State(reader): State<Shared>, has: IfNoneMatch) -> Result<Response, Problem> {
    let _place = reader.verification()?;
    // What is appended meanwhile is not looked at: the log as it stood when the question came.
    let head = reader.app.log.head().await.map_err(|error| log_problem(&error))?;
    let report = replay(&reader.app, head).await?;
    Ok(Tagged::json(&shown(report, head))?.respond(&has, Privacy::Personal))
}

async fn replay(app: &App, head: Option<Position>) -> Result<Report, Problem> {
    let mut verifier = Verifier::expecting(Expectations {
        head,
        ..app.settings.expectations
    });
    let mut after = None;
    while after < head {
        let mut page = app
            .log
            .read_all(after, PAGE)
            .await
            .map_err(|error| log_problem(&error))?;
        page.retain(|recorded| Some(recorded.position) <= head);
        let Some(last) = page.last().map(|recorded| recorded.position) else {
            break;
        };
        after = Some(last);
        let checked = tokio::task::spawn_blocking(move || {
            page.iter().for_each(|recorded| verifier.check(recorded));
            verifier
        });
        verifier = checked.await.map_err(|error| Problem::internal(&error))?;
    }
    Ok(verifier.finish())
}

fn shown(report: Report, head: Option<Position>) -> Verificacion {
    Verificacion {
        correcto: report.is_clean(),
        posicion: head.map(|head| head.0),
        registros: report.events,
        registros_ajenos: report.foreign_events,
        streams: report.streams,
        eventos: report.shows,
        reservas: report.reservations,
        confirmadas: report.confirmed,
        abiertas: report.open,
        total_violaciones: report.violations_total,
        violaciones: report.violations.into_iter().map(violation).collect(),
    }
}

fn violation(violation: Violation) -> Violacion {
    Violacion {
        posicion: violation.position.0,
        stream: violation.stream.to_string(),
        revision: violation.revision,
        regla: violation.rule.to_string(),
        detalle: violation.detail,
    }
}
