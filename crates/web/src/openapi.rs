//! The OpenAPI document: each side derives its part from its handlers, here they become one.

use crate::schema::{ErrorDeCampo, Problema};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        path::{Operation, PathItem},
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

/// One document of several parts. Every operation also gets the `default` response: a problem document.
pub fn merge(parts: impl IntoIterator<Item = utoipa::openapi::OpenApi>) -> utoipa::openapi::OpenApi {
    let mut whole = Base::openapi();
    for part in parts {
        whole.merge(part);
    }
    for item in whole.paths.paths.values_mut() {
        for operation in operations(item) {
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

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
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
