//! `/api/eventos/{evento_id}/bloqueos`: the only GET of the write side, because nobody but the show knows a hold.

use super::{
    Endpoint, answer,
    bodies::{ConClave, NuevoBloqueo},
    located, request,
};
use crate::{
    app::App,
    reserve::hold::{self, Wanted},
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use contract::{CommandId, HoldId, ShowId, UserId, events::Choice};
use serde_json::Value;
use web::{
    Fields, Id, IdempotencyKey, Json, Problem, RequestContext,
    headers::ResponseExtras,
    paths, render,
    schema::{Bloqueo, Problema},
};

/// How many tickets one request can ask for.
pub(super) const MAX_QUANTITY: u32 = 1_000;
/// How many seats one request can name.
pub(super) const MAX_SEATS: usize = 100;
/// How long a seat's name can be: section, row and number.
pub(super) const MAX_SEAT_NAME: usize = 60;

pub(super) fn routes() -> Router<App> {
    paths::SHOWS.into_iter().fold(Router::new(), |router, path| {
        router
            .route(&format!("{path}{}", paths::HOLDS), post(create))
            .route(&format!("{path}{}", paths::HOLD), get(describe).delete(release))
    })
}

/// Retiene entradas con un plazo: todas o ninguna
#[utoipa::path(
    post, path = "/api/eventos/{evento_id}/bloqueos", operation_id = "bloquear", tag = "Bloqueos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ConClave,
    ),
    request_body = NuevoBloqueo,
    responses(
        (status = 201, body = Bloqueo, description = "Retenidas"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`USUARIO_NO_ENCONTRADO`, `EVENTO_NO_ENCONTRADO`, `ASIENTOS_OCUPADOS`, \
                `SIN_DISPONIBILIDAD`, `LIMITE_DE_COMPRA`, `EVENTO_NO_DISPONIBLE`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    context: RequestContext,
    Id(show_id): Id<ShowId>,
    key: IdempotencyKey,
    Json(body): Json,
) -> Result<Response, Problem> {
    let wanted = read(&body, show_id)?;
    context.caller.reaches(wanted.user_id)?;
    let request = request(&app, &context, Endpoint::Hold(show_id), key, &body);
    let held = hold::hold(&app, &context.cause(request.id), request, wanted).await?;
    // As it was granted, also when the same request comes again later.
    let body = render::grant(&held.value.grant, show_id, held.value.user_id);
    let (id, collection) = (body.bloqueo_id, format!("{}/{show_id}/bloqueos", paths::SHOWS[0]));
    Ok(located(
        answer(StatusCode::CREATED, body, held.position),
        &collection,
        id,
    ))
}

/// Muestra un bloqueo
#[utoipa::path(
    get, path = "/api/eventos/{evento_id}/bloqueos/{bloqueo_id}", operation_id = "verBloqueo", tag = "Bloqueos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ("bloqueo_id" = uuid::Uuid, Path, description = "El bloqueo"),
    ),
    responses(
        (status = 200, body = Bloqueo, description = "Como está ahora"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`BLOQUEO_NO_ENCONTRADO`, `EVENTO_NO_ENCONTRADO`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn describe(
    State(app): State<App>,
    context: RequestContext,
    Id(show_id): Id<ShowId>,
    Id(hold_id): Id<HoldId>,
) -> Result<Response, Problem> {
    let request = CommandId(app.ids.fresh());
    let hold = hold::describe(&app, &context.cause(hold_id.0), request, show_id, hold_id).await?;
    context.caller.reaches(hold.value.user_id)?;
    Ok(answer(
        StatusCode::OK,
        render::hold(&hold.value, show_id, app.clock.now()),
        hold.position,
    ))
}

/// Libera un bloqueo
#[utoipa::path(
    delete, path = "/api/eventos/{evento_id}/bloqueos/{bloqueo_id}", operation_id = "liberarBloqueo", tag = "Bloqueos",
    params(
        ("evento_id" = uuid::Uuid, Path, description = "El evento"),
        ("bloqueo_id" = uuid::Uuid, Path, description = "El bloqueo"),
    ),
    responses(
        (status = 204, description = "Liberado"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`BLOQUEO_NO_ENCONTRADO`, `EVENTO_NO_ENCONTRADO`, `BLOQUEO_EN_USO`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn release(
    State(app): State<App>,
    context: RequestContext,
    Id(show_id): Id<ShowId>,
    Id(hold_id): Id<HoldId>,
) -> Result<Response, Problem> {
    let request = CommandId(app.ids.fresh());
    if !context.caller.reaches_all() {
        let hold = hold::describe(&app, &context.cause(hold_id.0), request, show_id, hold_id).await?;
        context.caller.reaches(hold.value.user_id)?;
    }
    let released = hold::release(&app, &context.cause(hold_id.0), request, show_id, hold_id).await?;
    Ok(StatusCode::NO_CONTENT.into_response().at(released.position))
}

fn read(body: &Value, show_id: ShowId) -> Result<Wanted, Problem> {
    let mut fields = Fields::parse(body);
    let user_id = UserId(fields.uuid("usuario_id"));
    let section = fields.optional_text("seccion", 1..=40);
    let choice = match (fields.has("cantidad"), fields.has("asientos")) {
        (true, false) => Choice::Quantity {
            quantity: fields.integer("cantidad", 1..=MAX_QUANTITY),
            section,
        },
        (false, true) => {
            if section.is_some() {
                fields.error(
                    "seccion",
                    "solo va con cantidad: los asientos ya dicen su sección",
                );
            }
            Choice::Seats {
                seats: fields.list_of_text("asientos", 1..=MAX_SEATS, 1..=MAX_SEAT_NAME),
            }
        }
        _ => {
            fields.error("cantidad", "indique cantidad o asientos, uno de los dos");
            Choice::Seats { seats: Vec::new() }
        }
    };
    fields.finish()?;
    Ok(Wanted {
        show_id,
        user_id,
        choice,
    })
}
