//! The read side: HTTP queries over the read models, live updates, audit and time travel.
//!
//! Reads never write, and never ask the write side: what they show is what the projector has made of the log
//! ([`ports::ReadStore`]), or the log itself where history is the question. A reader who must see their own write
//! sends its position (`?posicion=`) and waits for the projection.
//!
//! One file per thing that is read: `shows`, `users`, `reservations`, `changes`, `payments`, `live/…`, `audit/…`,
//! `export/…`.

mod app;
mod audit;
mod changes;
mod datos;
mod disclosure;
mod export;
mod live;
mod paging;
mod payments;
mod reads;
mod rendered;
mod reservations;
mod shows;
mod users;
mod watchers;
mod whoami;

pub use app::{App, Settings};

use app::Reader;
use axum::{Router, routing::get};
use std::sync::Arc;
use utoipa::OpenApi;
use web::{paths, schema::NovedadEvento};

/// Every GET of the contract but the hold's, which only the write side can answer.
pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .route("/api/auth/yo", get(whoami::describe))
        .route("/api/pagos/{reserva_id}", get(payments::describe))
        .route("/api/auditoria/streams/{stream}", get(audit::streams::read))
        .route("/api/auditoria/reservas/{reserva_id}", get(audit::story::tell))
        .route(
            "/api/auditoria/eventos/{evento_id}",
            get(audit::time_travel::show),
        )
        .route("/api/auditoria/verificar", get(audit::verification::verify));
    for base in paths::USERS {
        router = router
            .route(&format!("{base}/exportar"), get(export::people::export))
            .route(&format!("{base}{}", paths::USER), get(users::describe))
            .route(&format!("{base}{}/compras", paths::USER), get(users::purchases))
            .route(&format!("{base}{}/datos", paths::USER), get(datos::everything));
    }
    for base in paths::SHOWS {
        router = router
            .route(base, get(shows::list))
            .route(&format!("{base}/exportar"), get(export::shows::export))
            .route(&format!("{base}{}", paths::SHOW), get(shows::describe))
            .route(&format!("{base}{}/asientos", paths::SHOW), get(shows::seats))
            .route(
                &format!("{base}{}/cambios", paths::SHOW),
                get(live::follow::follow),
            );
    }
    for base in paths::RESERVATIONS {
        router = router
            .route(
                &format!("{base}{}", paths::RESERVATION),
                get(reservations::describe),
            )
            .route(
                &format!("{base}{}/cambios", paths::RESERVATION),
                get(changes::follow),
            );
    }
    router.with_state(Arc::new(Reader::new(app)))
}

/// This side's part of the OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(
        whoami::describe,
        users::describe,
        users::purchases,
        datos::everything,
        export::people::export,
        export::shows::export,
        shows::list,
        shows::describe,
        shows::seats,
        live::follow::follow,
        reservations::describe,
        changes::follow,
        payments::describe,
        audit::streams::read,
        audit::story::tell,
        audit::time_travel::show,
        audit::verification::verify,
    ),
    components(schemas(NovedadEvento)),
    tags(
        (name = "Usuarios", description = "Personas y sus compras"),
        (name = "Eventos", description = "Lo que se puede ver, y sus asientos"),
        (name = "Reservas", description = "Reservas y sus pasos"),
        (name = "Pagos", description = "Lo que tiene la pasarela de pago"),
        (name = "Auditoría", description = "La historia completa, y la prueba de que cuadra"),
    )
)]
struct Document;
