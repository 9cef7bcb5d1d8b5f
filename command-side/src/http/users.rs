//! `POST /api/usuarios`

use super::{
    Endpoint, answer,
    bodies::{ConClave, NuevoUsuario},
    checked, located, request,
};
use crate::{
    app::App,
    register::{self, Person},
};
use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};
use contract::events::DocumentType;
use serde_json::Value;
use web::{
    Fields, IdempotencyKey, Json, Problem, RequestContext, paths,
    render::{self, ClearUser, DOCUMENT_TYPES},
    schema::{Problema, Usuario},
};

/// The longest address that SMTP can carry.
const MAX_EMAIL: usize = 254;

pub(super) fn routes() -> Router<App> {
    paths::USERS
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, post(register)))
}

/// Registra a una persona
#[utoipa::path(
    post, path = "/api/usuarios", operation_id = "registrarUsuario", tag = "Usuarios",
    params(ConClave),
    request_body = NuevoUsuario,
    responses(
        (status = 201, body = Usuario, description = "Registrada"),
        (status = "4XX", body = Problema, content_type = "application/problem+json",
            description = "`DOCUMENTO_REGISTRADO`, `EMAIL_REGISTRADO`, `CLAVE_REUTILIZADA`, `DATOS_INVALIDOS`"),
    )
)]
pub(super) async fn register(
    State(app): State<App>,
    context: RequestContext,
    key: IdempotencyKey,
    Json(body): Json,
) -> Result<Response, Problem> {
    let person = read(&body)?;
    let request = request(&app, &context, Endpoint::Register, key, &body);
    let cause = context.cause(request.id);
    let registered = register::register(&app, &cause, request, person.clone()).await?;
    let user = ClearUser {
        user_id: registered.value.user_id,
        document_type: person.document_type,
        document: person.document,
        given_name: person.given_name,
        family_name: person.family_name,
        email: person.email,
        registered_at_ms: registered.value.at_ms,
    };
    let body = render::user(user, Vec::new());
    Ok(located(
        answer(StatusCode::CREATED, body, registered.position),
        paths::USERS[0],
        registered.value.user_id.0,
    ))
}

fn read(body: &Value) -> Result<Person, Problem> {
    let mut fields = Fields::parse(body);
    let kinds = DOCUMENT_TYPES.map(|(word, kind)| (word, Some(kind)));
    let kind: Option<DocumentType> = fields.one_of("tipo_documento", &kinds);
    let document = fields.parsed("nro_documento", String::new(), document);
    let given_name = fields.text("nombre", 1..=100);
    let family_name = fields.text("apellido", 1..=100);
    let email = fields.parsed("email", String::new(), email);
    let password = fields.optional_secret("password", 10..=128);
    fields.finish()?;
    let document_type = checked(kind)?;
    Ok(Person {
        document_type,
        document,
        given_name,
        family_name,
        email,
        password,
    })
}

/// 3–32 of letters, digits, `.` and `-`; not of `.` and `-` alone, which count for nothing.
fn document(text: &str) -> Result<String, &'static str> {
    let shaped = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let counts = text.bytes().any(|b| b.is_ascii_alphanumeric());
    if shaped && counts && (3..=32).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("debe tener de 3 a 32 letras, dígitos, puntos o guiones")
}

/// Whether mail reaches somebody only a mail can tell; this refuses what certainly is no address.
fn email(text: &str) -> Result<String, &'static str> {
    let valid = text.split_once('@').is_some_and(|(local, domain)| {
        let strange = |c: char| c.is_whitespace() || c.is_control() || "@<>()[],;:\\\"".contains(c);
        let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
        (1..=64).contains(&local.len())
            && local.split('.').all(|part| !part.is_empty())
            && !text.replacen('@', "", 1).contains(strange)
            && domain.contains('.')
            && domain.split('.').all(label)
    });
    if valid && text.len() <= MAX_EMAIL {
        Ok(text.to_owned())
    } else {
        Err("debe ser una dirección de correo válida")
    }
}
