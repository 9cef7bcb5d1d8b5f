//! `GET /api/auditoria/eventos/{evento_id}?hasta=`: a show as it stood then, folded from its stream.

use super::history;
use crate::app::Shared;
use axum::{extract::State, response::Response};
use contract::{Position, Recorded, ShowId, StreamName, Timestamp};
use serde::Serialize;
use std::ops::ControlFlow;
use utoipa::ToSchema;
use views::show::{self, Show};
use web::{
    Code, Id, Params, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
    fields::parse_time,
    render,
    schema::{Evento, Time},
};

/// Un evento como estaba en un momento.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventoPasado {
    #[serde(flatten)]
    evento: Evento,
    /// La posición del último registro que cuenta.
    posicion: u64,
    /// Su número en el stream del evento.
    revision: u64,
    /// Cuándo se decidió ese registro.
    #[schema(value_type = String, format = DateTime)]
    en: Time,
}

/// Until when the show's events count.
#[derive(Clone, Copy)]
enum Until {
    End,
    Position(Position),
    Time(Timestamp),
}

/// Un evento como estaba entonces
#[utoipa::path(
    get, path = "/api/auditoria/eventos/{evento_id}", operation_id = "verEventoPasado", tag = "Auditoría",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ("hasta" = Option<String>, Query, description = "Una posición, o una fecha y hora (RFC 3339); si falta, hasta el final"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = EventoPasado, description = "El evento como estaba"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn show(
    State(reader): State<Shared>,
    Id(show_id): Id<ShowId>,
    mut params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    let until = until(&mut params);
    params.finish()?;
    let _place = reader.audit()?;
    let mut then: Option<(Show, Position, Timestamp)> = None;
    history::each(&reader.app, &StreamName::show(show_id), 0, |recorded| {
        let (event, at) = read(recorded)?;
        let counts = match until {
            Until::End => true,
            Until::Position(position) => recorded.position <= position,
            Until::Time(time) => at <= time,
        };
        if !counts {
            return Ok(ControlFlow::Break(()));
        }
        let before = then.take().map(|(show, ..)| show);
        then = show::evolve(before, &event, recorded.revision).map(|show| (show, recorded.position, at));
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    let (show, position, at) = then.ok_or_else(|| Problem::new(Code::ShowNotFound))?;
    // Whether it had begun is judged by the time that was asked for, else by its last event.
    let now = match until {
        Until::Time(time) => time,
        Until::Position(_) => at,
        Until::End => reader.app.clock.now(),
    };
    let shown = EventoPasado {
        evento: render::show(&show, now),
        posicion: position.0,
        revision: show.revision,
        en: Time(at),
    };
    Ok(Tagged::json(&shown)?.respond(&has, Privacy::Public))
}

fn read(recorded: &Recorded) -> Result<(contract::Event, Timestamp), Problem> {
    let unreadable = |error| Problem::internal(&error);
    Ok((
        recorded.event().map_err(unreadable)?,
        recorded.meta().map_err(unreadable)?.at_ms,
    ))
}

fn until(params: &mut Params) -> Until {
    let Some(text) = params.raw("hasta") else {
        return Until::End;
    };
    let position = text
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten();
    match (position, parse_time(text)) {
        (Some(position), _) => Until::Position(Position(position)),
        (None, Some(time)) => Until::Time(time),
        (None, None) => {
            params.error("hasta", "debe ser una posición o una fecha y hora RFC 3339");
            Until::End
        }
    }
}
