//! The OpenAPI document: each side derives its part from its handlers, here they become one.

use crate::{
    access::{self, Reach, Rule, role_word},
    schema::{ErrorDeCampo, Problema},
};
use utoipa::{
    OpenApi,
    openapi::{
        Components, Content, Ref, RefOr, ResponseBuilder,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "EventFlow",
        description = "Venta de entradas: usuarios, eventos, bloqueos, reservas y auditoría.\n\n\
            Alias: `/api/users` = `/api/usuarios`, `/api/events` = `/api/eventos`, `/api/reservas` = \
            `/api/reservar`, `/api/purchase` = `/api/comprar`.\n\n\
            Cada problema es `application/problem+json` (RFC 9457); cada `codigo` tiene su página en \
            [/docs/errors](/docs/errors).",
        license(name = "MIT OR Apache-2.0")
    ),
    servers((url = "/")),
    components(schemas(Problema, ErrorDeCampo))
)]
struct Base;

/// The name of the one security scheme.
const TOKEN: &str = "token";

/// One document of several parts. Every operation also gets the `default` response, a problem document, and who may call
/// it, from [`access::TABLE`].
pub fn merge(parts: impl IntoIterator<Item = utoipa::openapi::OpenApi>) -> utoipa::openapi::OpenApi {
    let mut whole = Base::openapi();
    for part in parts {
        whole.merge(part);
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("El `access_token` de `POST /api/auth/login`."))
        .build();
    let components = whole.components.get_or_insert_with(Components::default);
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
    for (path, item) in &mut whole.paths.paths {
        for (method, operation) in operations(item) {
            if let Some(row) = access::row(method, path) {
                protect(operation, row.rule);
            }
            let problem = ResponseBuilder::new()
                .description("Un problema")
                .content(
                    "application/problem+json",
                    Content::new(Some(Ref::from_schema_name("Problema"))),
                )
                .build();
            operation
                .responses
                .responses
                .entry("default".to_owned())
                .or_insert(RefOr::T(problem));
        }
    }
    whole
}

/// Says in the operation's description who may call it, and that it needs a token if it does.
fn protect(operation: &mut Operation, rule: Rule) {
    let who = match rule {
        Rule::Public | Rule::Entrance => return,
        Rule::Authenticated => "cualquiera con token".to_owned(),
        Rule::Roles(roles) => {
            let word = |(role, reach): &(_, Reach)| match reach {
                Reach::Own => format!("{} (lo propio)", role_word(*role)),
                Reach::All => role_word(*role).to_owned(),
            };
            roles.iter().map(word).collect::<Vec<_>>().join(", ")
        }
    };
    let said = operation.description.take();
    let said = said.map(|said| format!("{said}\n\n")).unwrap_or_default();
    operation.description = Some(format!("{said}Roles: {who}."));
    let scopes: [&str; 0] = [];
    operation.security = Some(vec![SecurityRequirement::new(TOKEN, scopes)]);
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(OpenApi)]
    #[openapi(paths(example))]
    struct Part;

    /// An example.
    #[utoipa::path(get, path = "/api/ejemplo", responses((status = 200, description = "bien")))]
    #[allow(dead_code)]
    async fn example() {}

    #[derive(OpenApi)]
    #[openapi(paths(seats, user))]
    struct Rows;

    #[utoipa::path(get, path = "/api/eventos/{evento_id}/asientos", responses((status = 200, description = "bien")))]
    #[allow(dead_code)]
    async fn seats() {}

    /// An example.
    ///
    /// More of it.
    #[utoipa::path(get, path = "/api/usuarios/{usuario_id}", responses((status = 200, description = "bien")))]
    #[allow(dead_code)]
    async fn user() {}

    #[test]
    fn the_document_says_who_may_call_what() {
        let whole = serde_json::to_value(merge([Rows::openapi()])).unwrap();
        assert_eq!(
            whole["components"]["securitySchemes"]["token"]["scheme"],
            "bearer"
        );
        let open = &whole["paths"]["/api/eventos/{evento_id}/asientos"]["get"];
        assert!(open["security"].is_null());
        let closed = &whole["paths"]["/api/usuarios/{usuario_id}"]["get"];
        assert_eq!(closed["security"], serde_json::json!([{"token": []}]));
        let said = closed["description"].as_str().unwrap();
        assert!(
            said.starts_with("More of it.") && said.ends_with("Roles: cliente (lo propio), admin."),
            "{said}"
        );
    }

    #[test]
    fn parts_become_one_document_and_every_operation_can_answer_with_a_problem() {
        let whole = serde_json::to_value(merge([Part::openapi()])).unwrap();
        let answers = &whole["paths"]["/api/ejemplo"]["get"]["responses"];
        assert!(answers["200"].is_object());
        let problem = &answers["default"]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(problem, "#/components/schemas/Problema");
        assert_eq!(
            whole["components"]["schemas"]["Problema"]["properties"]["type"]["type"],
            "string"
        );
        let required = whole["components"]["schemas"]["Problema"]["required"].to_string();
        assert!(
            !required.contains("errores") && required.contains("codigo"),
            "{required}"
        );
    }
}
