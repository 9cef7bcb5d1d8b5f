//! `POST /api/eventos`, `POST /api/eventos/{evento_id}/cancelar`

use super::{
    Endpoint, answer,
    bodies::{ConClave, EventoCancelado, NuevoEvento},
    checked, located, request, seat_plan,
};
use crate::{
    app::App,
    reserve::hold_ids,
    schedule::{self, Draft},
};
use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};
use contract::{Currency, ShowId, events::Layout};
use serde_json::Value;
use web::{
    Fields, Id, IdempotencyKey, Json, OptionalJson, Problem, RequestContext, paths, render,
    schema::{EstadoEvento, Evento, Problema},
};

/// How many tickets a show can have.
const MAX_CAPACITY: u32 = 100_000;
/// How many tickets one person can have when the organiser does not say.
const DEFAULT_LIMIT: u32 = 10;

pub(super) fn routes() -> Router<App> {
    paths::SHOWS.into_iter().fold(Router::new(), |router, path| {
        router
            .route(path, post(schedule))
            .route(&format!("{path}{}", paths::CANCEL_SHOW), post(cancel))
    })
}

/// Publica un evento
#[utoipa::path(
    post, path = "/api/eventos", operation_id = "publicarEvento", tag = "Eventos",
    params(ConClave),
    request_body = NuevoEvento,
    responses(
        (status = 201, body = Evento, description = "Publicado"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`CLAVE_REUTILIZADA`, `DATOS_INVALIDOS`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn schedule(
    State(app): State<App>,
    context: RequestContext,
    key: IdempotencyKey,
    Json(body): Json,
) -> Result<Response, Problem> {
    let mut draft = read(&body, app.settings.currency)?;
    // Whoever reaches every show schedules in nobody's name.
    draft.organiser = context.caller.user().filter(|_| !context.caller.reaches_all());
    let request = request(&app, &context, Endpoint::Schedule, key, &body);
    let show_id = hold_ids::show_id(request.id);
    let scheduled = schedule::schedule(&app, &context.cause(show_id.0), request, show_id, draft).await?;
    let body = render::show(&scheduled.value, app.clock.now());
    Ok(located(
        answer(StatusCode::CREATED, body, scheduled.position),
        paths::SHOWS[0],
        show_id.0,
    ))
}

/// Cancela un evento: se liberan los bloqueos y se devuelve cada venta
#[utoipa::path(
    post, path = "/api/eventos/{evento_id}/cancelar", operation_id = "cancelarEvento", tag = "Eventos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ConClave,
    ),
    responses(
        (status = 202, body = EventoCancelado, description = "Cancelado; las devoluciones siguen"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`EVENTO_NO_ENCONTRADO`, `CLAVE_REUTILIZADA`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn cancel(
    State(app): State<App>,
    context: RequestContext,
    Id(show_id): Id<ShowId>,
    key: IdempotencyKey,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Problem> {
    if !context.caller.reaches_all() {
        context
            .caller
            .reaches_some(schedule::organiser(&app, show_id).await?)?;
    }
    let request = request(&app, &context, Endpoint::CancelShow(show_id), key, &body);
    let cancelled = schedule::cancel(&app, &context.cause(show_id.0), request, show_id).await?;
    let body = EventoCancelado {
        evento_id: show_id.0,
        estado: EstadoEvento::Cancelado,
    };
    Ok(located(
        answer(StatusCode::ACCEPTED, body, cancelled.position),
        paths::SHOWS[0],
        show_id.0,
    ))
}

fn read(body: &Value, default_currency: Currency) -> Result<Draft, Problem> {
    let mut fields = Fields::parse(body);
    let name = fields.text("nombre", 1..=200);
    let description = description(&mut fields);
    let starts_at_ms = fields.time("fecha");
    let venue = fields.text("lugar", 1..=200);
    let currency = fields.currency("moneda", default_currency);
    let price = fields.money("precio", currency);
    let category = fields.optional_text("categoria", 1..=50);
    let limit = fields.optional_integer("max_por_usuario", 1..=MAX_CAPACITY);
    let layout = layout(&mut fields, currency);
    fields.finish()?;
    Ok(Draft {
        name,
        description,
        starts_at_ms,
        venue,
        price,
        category,
        limit_per_user: limit.unwrap_or(DEFAULT_LIMIT),
        layout: checked(layout)?,
        organiser: None,
    })
}

/// A description may have several lines, unlike every other text.
fn description(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.optional_secret("descripcion", 0..=5_000)?;
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        fields.error("descripcion", "no puede contener caracteres de control");
    }
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn layout(fields: &mut Fields<'_>, currency: Currency) -> Option<Layout> {
    match (fields.has("aforo_total"), fields.has("mapa_asientos")) {
        (true, false) => {
            let capacity = fields.optional_integer("aforo_total", 1..=MAX_CAPACITY)?;
            Some(Layout::General { capacity })
        }
        (false, true) => {
            let sections = fields.object("mapa_asientos", |map| seat_plan::sections(map, currency))?;
            Some(Layout::Numbered { sections })
        }
        _ => {
            fields.error(
                "aforo_total",
                "indique aforo_total o mapa_asientos, uno de los dos",
            );
            None
        }
    }
}
