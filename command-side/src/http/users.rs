//! `POST /api/usuarios`

use super::{
    Endpoint, answer,
    bodies::{ConClave, NuevoUsuario},
    checked, located, request,
};
use crate::{
    app::App,
    register::{self, NAME, PASSWORD, Person},
};
use axum::{Router, extract::State, http::StatusCode, response::Response, routing::post};
use contract::events::DocumentType;
use serde_json::Value;
use web::{
    Fields, IdempotencyKey, Json, Problem, RequestContext, paths,
    render::{self, ClearUser, DOCUMENT_TYPES},
    schema::{Problema, Usuario},
};

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
    let given_name = fields.text("nombre", NAME);
    let family_name = fields.text("apellido", NAME);
    let email = fields.parsed("email", String::new(), email);
    let password = fields.optional_secret("password", PASSWORD);
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

fn document(text: &str) -> Result<String, &'static str> {
    if register::is_document(text) {
        return Ok(text.to_owned());
    }
    Err("debe tener de 3 a 32 letras, dígitos, puntos o guiones")
}

fn email(text: &str) -> Result<String, &'static str> {
    if register::is_email(text) {
        return Ok(text.to_owned());
    }
    Err("debe ser una dirección de correo válida")
}
