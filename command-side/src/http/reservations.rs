//! `POST /api/reservar`, `POST /api/comprar`, `DELETE /api/reservar/{reserva_id}`

use super::{
    Endpoint, answer,
    bodies::{ConClave, NuevaCompra, NuevaReserva},
    holds::{MAX_QUANTITY, MAX_SEAT_NAME, MAX_SEATS},
    located,
    patience::Patience,
    request,
};
use crate::{
    app::{App, Rejection},
    idempotency::Request,
    reserve::{
        self, Order, hold_ids,
        request::{Reserved, request as place},
    },
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use contract::{HoldId, Refusal, ReservationId, ShowId, UserId, events::Choice};
use serde_json::Value;
use web::{
    Fields, Id, IdempotencyKey, Json, Prefer, Problem, RequestContext,
    headers::ResponseExtras,
    paths, render,
    schema::{Problema, Reserva},
};

/// What the gateway is told when the buyer does not say how they pay.
const DEFAULT_TOKEN: &str = "tok_ok";

pub(super) fn routes() -> Router<App> {
    let router = paths::RESERVATIONS
        .into_iter()
        .fold(Router::new(), |router, path| {
            router
                .route(path, post(reserve))
                .route(&format!("{path}{}", paths::RESERVATION), delete(cancel))
        });
    paths::PURCHASES
        .into_iter()
        .fold(router, |router, path| router.route(path, post(purchase)))
}

/// Reserva y paga entradas
#[utoipa::path(
    post, path = "/api/reservar", operation_id = "reservar", tag = "Reservas",
    params(
        ConClave,
        ("Prefer" = Option<String>, Header,
            description = "`wait=N` (0–30 segundos, 5 si no se indica) o `respond-async`"),
    ),
    request_body = NuevaReserva,
    responses(
        (status = 201, body = Reserva, description = "Confirmada"),
        (status = 202, body = Reserva, description = "Aún en trámite; se sigue en `Location`"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`PAGO_RECHAZADO`, `USUARIO_NO_ENCONTRADO`, `EVENTO_NO_ENCONTRADO`, \
                `SIN_DISPONIBILIDAD`, `ASIENTOS_OCUPADOS`, `LIMITE_DE_COMPRA`, \
                `EVENTO_NO_DISPONIBLE`, `BLOQUEO_VENCIDO`, `SIN_PERMISO`. Con `reserva` si llegó a existir"),
    )
)]
pub(super) async fn reserve(
    State(app): State<App>,
    context: RequestContext,
    key: IdempotencyKey,
    prefer: Prefer,
    Json(body): Json,
) -> Result<Response, Problem> {
    let wanted = read(&body)?;
    context.caller.reaches(wanted.user_id)?;
    let request = request(&app, &context, Endpoint::Reserve, key, &body);
    let patience = Patience::of(&app, prefer);
    let reserved = place(&app, order(&context, request, wanted, patience), patience.until).await?;
    Ok(patience.applied_to(outcome(&reserved)))
}

/// Compra un bloqueo; el resultado se sigue en `Location`
#[utoipa::path(
    post, path = "/api/comprar", operation_id = "comprar", tag = "Reservas",
    params(ConClave),
    request_body = NuevaCompra,
    responses(
        (status = 202, body = Reserva, description = "En trámite"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`USUARIO_NO_ENCONTRADO`, `BLOQUEO_NO_ENCONTRADO`, `BLOQUEO_VENCIDO`, `BLOQUEO_EN_USO`, \
                `SIN_PERMISO`"),
    )
)]
pub(super) async fn purchase(
    State(app): State<App>,
    context: RequestContext,
    key: IdempotencyKey,
    Json(body): Json,
) -> Result<Response, Problem> {
    let wanted = read_purchase(&body)?;
    context.caller.reaches(wanted.user_id)?;
    let request = request(&app, &context, Endpoint::Purchase, key, &body);
    let patience = Patience::none(&app);
    let reserved = place(&app, order(&context, request, wanted, patience), patience.until).await;
    Ok(accepted(&reserved.map_err(of_hold)?))
}

/// Cancela una reserva: el dinero y las entradas se devuelven
#[utoipa::path(
    delete, path = "/api/reservar/{reserva_id}", operation_id = "cancelarReserva", tag = "Reservas",
    params(("reserva_id" = uuid::Uuid, Path, description = "La reserva")),
    responses(
        (status = 202, body = Reserva, description = "Se está deshaciendo; se sigue en `Location`"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`RESERVA_NO_ENCONTRADA`, `RESERVA_NO_CANCELABLE`, `EVENTO_NO_DISPONIBLE`, \
                `SIN_PERMISO`"),
    )
)]
pub(super) async fn cancel(
    State(app): State<App>,
    context: RequestContext,
    Id(reservation_id): Id<ReservationId>,
) -> Result<Response, Problem> {
    if !context.caller.reaches_all() {
        context
            .caller
            .reaches(reserve::cancel::buyer(&app, reservation_id).await?)?;
    }
    let request = Request::new(&app, None);
    let cause = context.cause(reservation_id.0);
    Ok(accepted(
        &reserve::cancel::cancel(&app, cause, request, reservation_id).await?,
    ))
}

/// Why a hold cannot be bought. Its show was found by its id: when there is none, there is no such hold.
fn of_hold(rejection: Rejection) -> Problem {
    match rejection {
        Rejection::Refused(Refusal::ShowNotFound) => Refusal::HoldNotFound.into(),
        other => other.into(),
    }
}

/// What was asked for, read and checked.
struct Wanted {
    user_id: UserId,
    show_id: ShowId,
    choice: Choice,
    token: String,
}

fn order(context: &RequestContext, request: Request, wanted: Wanted, patience: Patience) -> Order {
    Order {
        reservation_id: ReservationId(request.id),
        user_id: wanted.user_id,
        show_id: wanted.show_id,
        choice: wanted.choice,
        payment_token: wanted.token,
        line_until_ms: patience.line_until,
        answer_until_ms: patience.until,
        fingerprint: request.fingerprint,
        cause: context.cause(request.id),
        quote: None,
        user_exists: false,
        price: None,
        created: None,
    }
}

fn read(body: &Value) -> Result<Wanted, Problem> {
    let mut fields = Fields::parse(body);
    let user_id = UserId(fields.uuid("usuario_id"));
    let show_id = ShowId(fields.uuid("evento_id"));
    let choice = match (
        fields.has("cantidad"),
        fields.has("asientos"),
        fields.has("bloqueo_id"),
    ) {
        (true, false, false) => Choice::Quantity {
            quantity: fields.integer("cantidad", 1..=MAX_QUANTITY),
            section: None,
        },
        (false, true, false) => Choice::Seats {
            seats: fields.list_of_text("asientos", 1..=MAX_SEATS, 1..=MAX_SEAT_NAME),
        },
        (false, false, true) => Choice::Hold {
            hold_id: HoldId(fields.uuid("bloqueo_id")),
        },
        _ => {
            fields.error(
                "cantidad",
                "indique cantidad, asientos o bloqueo_id, uno de los tres",
            );
            Choice::Seats { seats: Vec::new() }
        }
    };
    let token = token(&mut fields);
    fields.finish()?;
    Ok(Wanted {
        user_id,
        show_id,
        choice,
        token,
    })
}

fn read_purchase(body: &Value) -> Result<Wanted, Problem> {
    let mut fields = Fields::parse(body);
    let user_id = UserId(fields.uuid("usuario_id"));
    let hold_id = HoldId(fields.uuid("bloqueo_id"));
    let token = token(&mut fields);
    fields.finish()?;
    Ok(Wanted {
        user_id,
        show_id: hold_ids::show_of(hold_id),
        choice: Choice::Hold { hold_id },
        token,
    })
}

fn token(fields: &mut Fields<'_>) -> String {
    let paid = fields.object("pago", |payment| {
        payment.one_of("metodo", &[("tarjeta", ())]);
        payment.parsed("token", String::new(), |token| {
            let visible = token.bytes().all(|b| b.is_ascii_graphic());
            if visible && (1..=200).contains(&token.len()) {
                return Ok(token.to_owned());
            }
            Err("debe tener de 1 a 200 caracteres visibles")
        })
    });
    paid.unwrap_or_else(|| DEFAULT_TOKEN.to_owned())
}

/// 201 once it was confirmed, the problem when it came to nothing, 202 while neither is known. The same request
/// under its key is answered 201 again, whatever became of the reservation since; its `estado` says what.
fn outcome(reserved: &Reserved) -> Response {
    let doc = &reserved.reservation;
    if doc.confirmed_at_ms.is_some() {
        let response = answer(StatusCode::CREATED, render::reservation(doc), reserved.position);
        return located(response, paths::RESERVATIONS[0], doc.reservation_id.0);
    }
    match render::rejection(doc) {
        Some(problem) => {
            let response = problem.into_response().at(reserved.position);
            located(response, paths::RESERVATIONS[0], doc.reservation_id.0)
        }
        None => accepted(reserved),
    }
}

pub(super) fn accepted(reserved: &Reserved) -> Response {
    let doc = &reserved.reservation;
    let response = answer(StatusCode::ACCEPTED, render::reservation(doc), reserved.position);
    located(response, paths::RESERVATIONS[0], doc.reservation_id.0)
}
