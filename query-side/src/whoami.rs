//! `GET /api/auth/yo`: who the caller is, as their token says.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{
    Problem,
    access::role_word,
    etag::{IfNoneMatch, Privacy, Tagged},
    headers::Access,
    schema::Time,
};

/// Quién pregunta.
#[derive(Serialize, ToSchema)]
pub(crate) struct Yo {
    /// El usuario; `null` para quien opera el programa sin token.
    #[schema(required = true)]
    usuario_id: Option<Uuid>,
    /// Sus roles.
    #[schema(example = json!(["cliente"]))]
    roles: Vec<&'static str>,
    /// Cuándo vence su token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expira_en: Option<Time>,
}

/// Quién soy, según mi token
#[utoipa::path(
    get, path = "/api/auth/yo", operation_id = "verQuienSoy", tag = "Acceso",
    params(
        ("If-None-Match" = Option<String>, Header, description = "El ETag que ya se tiene"),
    ),
    responses(
        (status = 200, body = Yo, description = "Quién pregunta"),
        (status = 304, description = "No cambió"),
    )
)]
pub(crate) async fn describe(Access(caller): Access, has: IfNoneMatch) -> Result<Response, Problem> {
    let shown = Yo {
        usuario_id: caller.user().map(|user| user.0),
        roles: caller.roles().iter().map(|role| role_word(*role)).collect(),
        expira_en: caller.expires_at().map(Time),
    };
    Ok(Tagged::json(&shown)?.respond(&has, Privacy::Personal))
}
