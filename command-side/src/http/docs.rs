//! The write side's part of the OpenAPI document, derived from its handlers.

use super::{accounts, forget, holds, operations, reservations, shows, users};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    users::register,
    forget::forget,
    shows::schedule,
    shows::cancel,
    holds::create,
    holds::describe,
    holds::release,
    reservations::reserve,
    reservations::purchase,
    reservations::cancel,
    operations::retry,
    accounts::login,
    accounts::refresh,
    accounts::log_out,
    accounts::change_roles,
))]
struct Document;

/// The paths and schemas of the write side, under their first names.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_endpoint_of_the_write_side_is_described() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut found = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            found.extend(
                item.as_object()
                    .unwrap()
                    .keys()
                    .map(|method| format!("{method} {path}")),
            );
        }
        found.sort();
        assert_eq!(
            found,
            [
                "delete /api/eventos/{evento_id}/bloqueos/{bloqueo_id}",
                "delete /api/reservar/{reserva_id}",
                "delete /api/usuarios/{usuario_id}",
                "get /api/eventos/{evento_id}/bloqueos/{bloqueo_id}",
                "post /api/auth/login",
                "post /api/auth/logout",
                "post /api/auth/refresh",
                "post /api/comprar",
                "post /api/eventos",
                "post /api/eventos/{evento_id}/bloqueos",
                "post /api/eventos/{evento_id}/cancelar",
                "post /api/operaciones/sagas/{reserva_id}/reintentar",
                "post /api/reservar",
                "post /api/usuarios",
                "put /api/usuarios/{usuario_id}/roles",
            ]
        );
        let key = &document["paths"]["/api/reservar"]["post"]["parameters"][0];
        assert_eq!(
            (&key["name"], &key["in"]),
            (&"Idempotency-Key".into(), &"header".into())
        );
    }
}
