//! `POST /api/auth/login`, `…/refresh`, `…/logout`, `PUT /api/usuarios/{usuario_id}/roles`

use super::{
    answer,
    bodies::{ConClave, Credenciales, Renovacion, RolesDeUsuario, RolesNuevos, Salida, SesionIniciada},
};
use crate::{
    account::{self, Denied, Granted, RefreshToken, login::Credentials, logout, roles},
    app::{App, Produced},
    idempotency::{Keyed, Request},
};
use axum::{
    Extension, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{post, put},
};
use contract::{Role, UserId};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;
use web::{
    Code, Fields, Id, IdempotencyKey, Json, OptionalJson, Problem, RequestContext,
    access::{ClientAddress, role_from, role_word},
    fingerprint,
    headers::ResponseExtras,
    paths,
    schema::Problema,
};

/// The longest text that is looked at as an address: longer than any that can be registered.
const MAX_EMAIL: usize = 254;
/// The longest that is looked at as a refresh token.
const MAX_TOKEN: usize = 200;

pub(super) fn routes() -> Router<App> {
    let router = Router::new()
        .route("/api/auth/login", post(login))
        .route("/api/auth/refresh", post(refresh))
        .route("/api/auth/logout", post(log_out));
    paths::USERS.into_iter().fold(router, |router, path| {
        router.route(&format!("{path}{}/roles", paths::USER), put(change_roles))
    })
}

/// Inicia una sesión
#[utoipa::path(
    post, path = "/api/auth/login", operation_id = "iniciarSesion", tag = "Acceso",
    params(ConClave),
    request_body = Credenciales,
    responses(
        (status = 200, body = SesionIniciada, description = "Los tokens de la sesión"),
        (status = 401, body = Problema, content_type = "application/problem+json",
            description = "`CREDENCIALES_INVALIDAS`: igual para un correo que no existe"),
        (status = 429, body = Problema, content_type = "application/problem+json",
            description = "`DEMASIADAS_SOLICITUDES`: tras varios intentos fallidos"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`DATOS_INVALIDOS`, `CLAVE_REUTILIZADA`"),
    )
)]
pub(super) async fn login(
    State(app): State<App>,
    context: RequestContext,
    address: Option<Extension<ClientAddress>>,
    key: IdempotencyKey,
    Json(body): Json,
) -> Result<Response, Problem> {
    let credentials = read(&body)?;
    let address = address.map(|Extension(address)| address.0);
    // Keys of other people are others; the password is in no fingerprint.
    let account = account::login::account(&app, &credentials);
    let keyed = key.0.map(|key| {
        let scope = format!("login {account}");
        Keyed::new(&app, &scope, "anonymous", &key, &account.0)
    });
    let request = Request::new(&app, keyed);
    let cause = context.cause(request.id);
    // Carried out also when the caller hangs up: a failure that nobody waits for is one, too.
    let attempt = async move { account::login(&app, &cause, request, address, credentials).await };
    let granted = tokio::spawn(attempt)
        .await
        .map_err(|error| Problem::internal(&error))?;
    Ok(tokens(
        granted.map_err(|denied| refused(denied, Code::InvalidCredentials))?,
    ))
}

/// Renueva una sesión: otro token de acceso y otro de renovación
#[utoipa::path(
    post, path = "/api/auth/refresh", operation_id = "renovarSesion", tag = "Acceso",
    params(ConClave),
    request_body = Renovacion,
    responses(
        (status = 200, body = SesionIniciada, description = "Los tokens nuevos; los roles son los de ahora"),
        (status = 401, body = Problema, content_type = "application/problem+json",
            description = "`NO_AUTENTICADO`: el token no existe, venció o ya se usó; si ya se usó, la sesión termina"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`DATOS_INVALIDOS`, `CLAVE_REUTILIZADA`"),
    )
)]
pub(super) async fn refresh(
    State(app): State<App>,
    context: RequestContext,
    key: IdempotencyKey,
    Json(body): Json,
) -> Result<Response, Problem> {
    let mut fields = Fields::parse(&body);
    let text = fields.text("refresh_token", 1..=MAX_TOKEN);
    fields.finish()?;
    let token = RefreshToken::read(&text).ok_or_else(no_longer)?;
    let keyed = key.0.map(|key| {
        let scope = format!("refresh {}", token.session());
        Keyed::new(&app, &scope, "anonymous", &key, &fingerprint::canonical(&body))
    });
    let request = Request::new(&app, keyed);
    let cause = context.cause(token.session().0);
    let renewed = account::refresh(&app, &cause, request, &token).await;
    Ok(tokens(
        renewed.map_err(|denied| refused(denied, Code::Unauthenticated))?,
    ))
}

/// Termina una sesión: la del token de acceso, o la de `refresh_token`
#[utoipa::path(
    post, path = "/api/auth/logout", operation_id = "cerrarSesion", tag = "Acceso",
    params(ConClave),
    request_body(content = Option<Salida>, content_type = "application/json"),
    responses(
        (status = 204, description = "Terminada, o ya lo estaba"),
        (status = 401, body = Problema, content_type = "application/problem+json",
            description = "`NO_AUTENTICADO`: no vino ni un token de acceso ni uno de renovación"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`DATOS_INVALIDOS`"),
    )
)]
pub(super) async fn log_out(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Problem> {
    let mut fields = Fields::parse(&body);
    let text = fields.optional_text("refresh_token", 1..=MAX_TOKEN);
    fields.finish()?;
    let nothing_came = context.caller.session().is_none() && text.is_none();
    // A token that is no longer valid belongs to a session that is over, or soon will be.
    if nothing_came && !headers.contains_key(header::AUTHORIZATION) {
        return Err(Problem::new(Code::Unauthenticated)
            .detail("Envíe el token de la sesión: en Authorization, o `refresh_token` en el cuerpo."));
    }
    let cause = context.cause(Uuid::nil());
    let denied = |denied| refused(denied, Code::Unauthenticated);
    let mut position = None;
    if let Some(session) = context.caller.session() {
        let ended = account::log_out(&app, &cause, session).await.map_err(denied)?;
        position = ended.position;
    }
    if let Some(token) = text.as_deref().and_then(RefreshToken::read) {
        let ended = logout::give_back(&app, &cause, &token).await.map_err(denied)?;
        position = position.max(ended.position);
    }
    Ok(StatusCode::NO_CONTENT.into_response().at(position))
}

/// Cambia los roles de un usuario
#[utoipa::path(
    put, path = "/api/usuarios/{usuario_id}/roles", operation_id = "cambiarRoles", tag = "Usuarios",
    params(("usuario_id" = Uuid, Path, description = "El usuario")),
    request_body = RolesNuevos,
    responses(
        (status = 200, body = RolesDeUsuario, description = "Los que tiene ahora; sus tokens de antes ya no valen"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`USUARIO_NO_ENCONTRADO`, `USUARIO_OLVIDADO`, `DATOS_INVALIDOS`, `SIN_PERMISO`"),
    )
)]
pub(super) async fn change_roles(
    State(app): State<App>,
    context: RequestContext,
    Id(user_id): Id<UserId>,
    Json(body): Json,
) -> Result<Response, Problem> {
    let wanted = read_roles(&body)?;
    let changed = roles::change(&app, &context.cause(user_id.0), user_id, wanted).await?;
    let body = RolesDeUsuario {
        usuario_id: user_id.0,
        roles: changed.value.iter().map(|role| role_word(*role)).collect(),
    };
    Ok(answer(StatusCode::OK, body, changed.position))
}

fn read(body: &Value) -> Result<Credentials, Problem> {
    let mut fields = Fields::parse(body);
    let email = fields.text("email", 1..=MAX_EMAIL);
    // As long as any that can be chosen; shorter ones are only wrong.
    let password = fields.optional_secret("password", 1..=*crate::register::PASSWORD.end());
    if !fields.has("password") {
        fields.error("password", "es obligatorio");
    }
    fields.finish()?;
    let password = super::checked(password)?;
    Ok(Credentials { email, password })
}

fn read_roles(body: &Value) -> Result<BTreeSet<Role>, Problem> {
    let mut fields = Fields::parse(body);
    if !fields.has("roles") {
        fields.error("roles", "es obligatorio");
    }
    let words = fields.optional_list_of_text("roles", 0..=Role::ALL.len(), 1..=40);
    let mut roles = BTreeSet::new();
    for (index, word) in words.unwrap_or_default().iter().enumerate() {
        match role_from(word) {
            Some(role) => {
                roles.insert(role);
            }
            None => {
                let known = Role::ALL.map(role_word).join(", ");
                fields.error(&format!("roles[{index}]"), format!("debe ser uno de: {known}"));
            }
        }
    }
    fields.finish()?;
    Ok(roles)
}

fn tokens(granted: Produced<Granted>) -> Response {
    let Produced { value, position } = granted;
    let body = SesionIniciada {
        access_token: value.access_token,
        token_type: "Bearer",
        expires_in: value.expires_in_s,
        refresh_token: value.refresh_token.text(),
    };
    let mut response = answer(StatusCode::OK, body, position);
    // RFC 6749, 5.1.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `not_let_in` is what whoever is not let in is told: always the same.
fn refused(denied: Denied, not_let_in: Code) -> Problem {
    match denied {
        Denied::NotLetIn if not_let_in == Code::Unauthenticated => no_longer(),
        Denied::NotLetIn => Problem::new(not_let_in),
        Denied::Throttled { retry_after_s } => Problem::new(Code::TooManyRequests)
            .detail("Hubo demasiados intentos fallidos.")
            .retry_after(retry_after_s),
        Denied::Rejected(rejection) => rejection.into(),
    }
}

fn no_longer() -> Problem {
    Problem::new(Code::Unauthenticated).detail("El token de renovación no vale: inicie otra sesión.")
}
