//! `GET /api/usuarios/{usuario_id}…`: a person and their purchases. The only reads that open personal data.

use crate::{
    app::{App, Shared},
    disclosure,
    paging::{DEFAULT_LIMIT, Page},
    reads::{self, catch_up, parse, store_problem},
};
use axum::{extract::State, response::Response};
use contract::{Sealed, UserId, collections, events::Disclosure};
use ports::{Document, Filter, Op, Order, Query, VaultError};
use serde_json::json;
use std::sync::Arc;
use views::{purchase::Purchase, recent::Recent, user::User};
use web::{
    Code, Id, Params, Problem,
    etag::{IfNoneMatch, Privacy, Tagged},
    headers::Access,
    render::{self, ClearUser},
    schema::{ListaCompras, Usuario},
};

/// Un usuario con sus últimas compras
#[utoipa::path(
    get, path = "/api/usuarios/{usuario_id}", operation_id = "verUsuario", tag = "Usuarios",
    params(
        ("usuario_id" = uuid::Uuid, Path, description = "El usuario"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Usuario, description = "El usuario"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn describe(
    State(reader): State<Shared>,
    Access(caller): Access,
    Id(user_id): Id<UserId>,
    params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    // Before anything is looked up: whether somebody exists is nobody else's business either.
    caller.reaches(user_id)?;
    let app = &reader.app;
    catch_up(app, &params).await?;
    let clear = open(app, find(app, user_id).await?).await?;
    disclosure::record(app, &caller, Some(user_id), Disclosure::Profile).await?;
    let purchases = latest(app, user_id).await?;
    let shown = render::user(clear, purchases.iter().map(render::purchase).collect());
    Ok(Tagged::json(&shown)?.respond(&has, Privacy::Personal))
}

/// Todas las compras de un usuario, primero las más recientes
#[utoipa::path(
    get, path = "/api/usuarios/{usuario_id}/compras", operation_id = "listarCompras", tag = "Usuarios",
    params(
        ("usuario_id" = uuid::Uuid, Path, description = "El usuario"),
        ("limite" = Option<u32>, Query, description = "Cuántas por página", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "El `cursor` de la página anterior"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = ListaCompras, description = "Una página"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn purchases(
    State(reader): State<Shared>,
    Access(caller): Access,
    Id(user_id): Id<UserId>,
    mut params: Params,
    has: IfNoneMatch,
) -> Result<Response, Problem> {
    caller.reaches(user_id)?;
    let app = &reader.app;
    catch_up(app, &params).await?;
    let page = Page::read(&mut params);
    params.finish()?;
    // Opening one field is enough to learn that the person is forgotten.
    let user = find(app, user_id).await?;
    open_field(app, user_id, "document", &user.document).await?;
    let (found, cursor) = history(app, user_id, &page).await?;
    let compras = found.iter().map(render::purchase).collect();
    Ok(Tagged::json(&ListaCompras { compras, cursor })?.respond(&has, Privacy::Personal))
}

/// A person who is known and not forgotten. Their key may be destroyed already before the read models hear of it:
/// then opening a field says so.
pub(crate) async fn find(app: &App, user_id: UserId) -> Result<User, Problem> {
    let document = reads::document(app, &collections::USERS, user_id.0).await?;
    let user: User = parse(&*document.ok_or_else(|| Problem::new(Code::UserNotFound))?)?;
    match user.forgotten_at_ms {
        Some(_) => Err(Problem::new(Code::UserForgotten)),
        None => Ok(user),
    }
}

/// The latest purchases: from the one document that has them, where the store keeps it, else by searching.
async fn latest(app: &App, user_id: UserId) -> Result<Vec<Purchase>, Problem> {
    let limit = usize::try_from(DEFAULT_LIMIT).unwrap_or(1);
    if let Some(document) = reads::document(app, &collections::RECENT, user_id.0).await? {
        let mut recent: Recent = parse(&document)?;
        recent.purchases.truncate(limit);
        return Ok(recent.purchases);
    }
    let page = Page { limit, after: None };
    Ok(history(app, user_id, &page).await?.0)
}

pub(crate) async fn history(
    app: &App,
    user_id: UserId,
    page: &Page,
) -> Result<(Vec<Purchase>, Option<String>), Problem> {
    let query = Query {
        filters: vec![Filter {
            field: "user_id",
            op: Op::Eq(json!(user_id)),
        }],
        order: Some(Order {
            field: "at_ms",
            descending: true,
        }),
        after: page.after.clone(),
        limit: page.lookahead(),
    };
    let found = app
        .store
        .find(&collections::PURCHASES, query)
        .await
        .map_err(|error| store_problem(&error))?;
    let mut purchases = found
        .into_iter()
        .map(|document| parse(&document).map(|purchase| (purchase, document)))
        .collect::<Result<Vec<(Purchase, Arc<Document>)>, Problem>>()?;
    let cursor = page.cut(&mut purchases, |purchase| purchase.at_ms.0);
    Ok((
        purchases.into_iter().map(|(purchase, _)| purchase).collect(),
        cursor,
    ))
}

/// The names of the fields are part of what they are sealed with: registration uses the same.
pub(crate) async fn open(app: &App, user: User) -> Result<ClearUser, Problem> {
    let id = user.user_id;
    Ok(ClearUser {
        user_id: id,
        document_type: user.document_type,
        document: open_field(app, id, "document", &user.document).await?,
        given_name: open_field(app, id, "given_name", &user.given_name).await?,
        family_name: open_field(app, id, "family_name", &user.family_name).await?,
        email: open_field(app, id, "email", &user.email).await?,
        registered_at_ms: user.registered_at_ms,
    })
}

async fn open_field(app: &App, id: UserId, field: &str, sealed: &Sealed<String>) -> Result<String, Problem> {
    app.vault
        .open(id, field, sealed)
        .await
        .map_err(|error| match error {
            VaultError::Forgotten => Problem::new(Code::UserForgotten),
            VaultError::Unavailable(_) => {
                tracing::warn!(%error, "a user could not be shown");
                Problem::new(Code::Unavailable)
            }
            VaultError::NoKey | VaultError::Altered => Problem::internal(&error),
        })
}
