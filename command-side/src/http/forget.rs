//! `DELETE /api/usuarios/{usuario_id}`

use crate::{app::App, forget};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::delete,
};
use contract::{UserId, events::ForgetReason};
use web::{Id, Problem, RequestContext, headers::ResponseExtras, paths, schema::Problema};

pub(super) fn routes() -> Router<App> {
    paths::USERS.into_iter().fold(Router::new(), |router, path| {
        router.route(&format!("{path}{}", paths::USER), delete(forget))
    })
}

/// Olvida a una persona, para siempre
#[utoipa::path(
    delete, path = "/api/usuarios/{usuario_id}", operation_id = "olvidarUsuario", tag = "Usuarios",
    params(("usuario_id" = uuid::Uuid, Path, description = "El usuario")),
    responses(
        (status = 204, description = "Olvidada: su clave está destruida y nadie puede leer ya sus datos. \
            Repetirlo no cambia nada"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`USUARIO_NO_ENCONTRADO`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn forget(
    State(app): State<App>,
    context: RequestContext,
    Id(user_id): Id<UserId>,
) -> Result<Response, Problem> {
    context.caller.reaches(user_id)?;
    let cause = context.cause(user_id.0);
    let forgotten = forget::forget(&app, &cause, user_id, ForgetReason::Asked).await?;
    Ok(StatusCode::NO_CONTENT.into_response().at(forgotten.position))
}
