//! `GET /api/usuarios/{usuario_id}/datos`: everything that is held about a person (the right of access).
//!
//! Found by the person's id: their profile, their purchases, and the streams that carry the id. Every list has a
//! limit and tells how much it leaves out; purchases beyond it are paged by `/compras`. What only a walk through
//! the whole log would find is named in `no_incluido` instead.

mod schema;
mod streams;

use crate::{
    app::{App, Shared},
    disclosure,
    paging::Page,
    reads::{self, catch_up, parse},
    users,
};
use axum::{extract::State, response::Response};
use contract::{ReservationId, UserId, collections, events::Disclosure};
use schema::{Datos, ReservaPropia};
use views::{purchase::Purchase, reservation::Reservation};
use web::{
    Id, Params, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
    headers::Access,
    render,
};

/// How many purchases are listed; `/compras` pages through all.
const MAX_PURCHASES: usize = 10_000;
/// How many reservations are listed, the latest; each is a look-up of its own.
const MAX_RESERVATIONS: usize = 1_000;
/// How many purchases are looked for at a time.
const PAGE: usize = 1_000;

/// Todo lo que se guarda de una persona
#[utoipa::path(
    get, path = "/api/usuarios/{usuario_id}/datos", operation_id = "verDatosPersonales", tag = "Usuarios",
    params(
        ("usuario_id" = uuid::Uuid, Path, description = "El usuario"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Datos, description = "Todo, y por qué se conserva lo que no se borra"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn everything(
    State(reader): State<Shared>,
    Access(caller): Access,
    Id(user_id): Id<UserId>,
    params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    caller.reaches(user_id)?;
    let app = &reader.app;
    catch_up(app, &params).await?;
    let _place = reader.audit()?;
    let user = users::open(app, users::find(app, user_id).await?).await?;
    // Before it is gathered: the record of this very look is part of the answer.
    disclosure::record(app, &caller, Some(user_id), Disclosure::Everything).await?;

    let own = streams::read(app, user_id).await?;
    let (purchases, more_purchases) = purchases(app, user_id).await?;
    let reservations = reservations(app, &own.reservations).await?;
    let omitted = own.reservations.len().saturating_sub(MAX_RESERVATIONS);
    let datos = Datos {
        usuario: render::user(user, purchases.iter().map(render::purchase).collect()),
        hay_mas_compras: more_purchases,
        tiene_contrasena: own.has_password,
        roles: own.roles,
        cambios_de_roles: own.role_changes,
        reservas: reservations,
        reservas_omitidas: u64::try_from(omitted).unwrap_or(u64::MAX),
        accesos: own.accesses,
        accesos_omitidos: own.accesses_omitted,
        conservacion: schema::kept(),
        no_incluido: schema::not_included(),
    };
    Ok(Tagged::json(&datos)?.respond(&has, Privacy::Personal))
}

/// The purchases, newest first, and whether there are more.
async fn purchases(app: &App, user_id: UserId) -> Result<(Vec<Purchase>, bool), Problem> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = Page { limit: PAGE, after };
        let (found, cursor) = users::history(app, user_id, &page).await?;
        let last = found
            .last()
            .map(|last| (last.at_ms.0, last.reservation_id.to_string()));
        all.extend(found);
        if cursor.is_none() || all.len() >= MAX_PURCHASES {
            return Ok((all, cursor.is_some()));
        }
        after = last;
    }
}

/// The latest reservations, as they stand.
async fn reservations(app: &App, ids: &[ReservationId]) -> Result<Vec<ReservaPropia>, Problem> {
    let mut found = Vec::new();
    for id in ids.iter().rev().take(MAX_RESERVATIONS) {
        let document = reads::document(app, &collections::RESERVATIONS, id.0).await?;
        let reservation: Option<Reservation> = document.as_deref().map(parse).transpose()?;
        found.extend(reservation.as_ref().map(ReservaPropia::of));
    }
    Ok(found)
}
