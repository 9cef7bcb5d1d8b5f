//! The one table of every endpoint, and who may call it. A test walks the OpenAPI document of the running program and
//! finds a row for every endpoint and an endpoint for every row.

use super::caller::{Caller, Reach, RoleSet};
use crate::{codes::Code, paths, problem::Problem};
use Reach::{All, Own};
use Role::{Admin, Auditor, Customer, Organiser};
use Rule::{Authenticated, Entrance, Public, Roles};
use contract::Role;
use std::{collections::HashMap, sync::LazyLock};

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everybody. A token is not needed; one that is sent must be valid.
    Public,
    /// Everybody, also with a token that is not valid any more: where they come to get another, or to give it back.
    Entrance,
    /// Whoever is logged in.
    Authenticated,
    /// These roles, each as far as it reaches.
    Roles(&'static [(Role, Reach)]),
}

/// An endpoint and who may call it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `GET`, which is also `HEAD`; `POST`, …
    pub method: &'static str,
    /// As in the OpenAPI document, under its main address: `/api/eventos/{evento_id}`.
    pub path: &'static str,
    /// Who.
    pub rule: Rule,
}

/// Their own for customers, everybody's for the administrators.
const OWNER: Rule = Roles(&[(Customer, Own), (Admin, All)]);
/// Their own shows for organisers.
const ORGANISER: Rule = Roles(&[(Organiser, Own), (Admin, All)]);
/// What happened, for those who check it.
const AUDITOR: Rule = Roles(&[(Auditor, All), (Admin, All)]);
const ADMIN: Rule = Roles(&[(Admin, All)]);

const fn get(path: &'static str, rule: Rule) -> Row {
    let method = "GET";
    Row { method, path, rule }
}
const fn post(path: &'static str, rule: Rule) -> Row {
    let method = "POST";
    Row { method, path, rule }
}
const fn put(path: &'static str, rule: Rule) -> Row {
    let method = "PUT";
    Row { method, path, rule }
}
const fn delete(path: &'static str, rule: Rule) -> Row {
    let method = "DELETE";
    Row { method, path, rule }
}

/// Every endpoint. What has no row is closed.
pub static TABLE: &[Row] = &[
    // Pages and the description of the surface.
    get("/", Public),
    get("/portal/{version}/{*file}", Public),
    get("/docs", Public),
    get("/docs/app.js", Public),
    get("/docs/app.css", Public),
    get("/docs/errors", Public),
    get("/docs/errors/{codigo}", Public),
    get("/api/openapi.json", Public),
    // Health and metrics are for whoever reaches the node's own port; the proxy in front does not pass metrics on.
    get("/salud/viva", Public),
    get("/salud/lista", Public),
    get("/metrics", Public),
    // Access.
    post("/api/auth/login", Entrance),
    post("/api/auth/refresh", Entrance),
    post("/api/auth/logout", Entrance),
    get("/api/auth/yo", Authenticated),
    // Persons.
    post("/api/usuarios", Public),
    get("/api/usuarios/exportar", AUDITOR),
    get("/api/usuarios/{usuario_id}", OWNER),
    delete("/api/usuarios/{usuario_id}", OWNER),
    get("/api/usuarios/{usuario_id}/compras", OWNER),
    get("/api/usuarios/{usuario_id}/datos", OWNER),
    put("/api/usuarios/{usuario_id}/roles", ADMIN),
    // Shows.
    get("/api/eventos", Public),
    post("/api/eventos", ORGANISER),
    get(
        "/api/eventos/exportar",
        Roles(&[(Organiser, Own), (Auditor, All), (Admin, All)]),
    ),
    get("/api/eventos/{evento_id}", Public),
    get("/api/eventos/{evento_id}/asientos", Public),
    get("/api/eventos/{evento_id}/cambios", Public),
    post("/api/eventos/{evento_id}/cancelar", ORGANISER),
    // Holds, reservations, payments.
    post("/api/eventos/{evento_id}/bloqueos", OWNER),
    get("/api/eventos/{evento_id}/bloqueos/{bloqueo_id}", OWNER),
    delete("/api/eventos/{evento_id}/bloqueos/{bloqueo_id}", OWNER),
    post("/api/reservar", OWNER),
    post("/api/comprar", OWNER),
    get("/api/reservar/{reserva_id}", OWNER),
    delete("/api/reservar/{reserva_id}", OWNER),
    get("/api/reservar/{reserva_id}/cambios", OWNER),
    get("/api/pagos/{reserva_id}", AUDITOR),
    // What happened.
    get("/api/auditoria/streams/{stream}", AUDITOR),
    get("/api/auditoria/reservas/{reserva_id}", AUDITOR),
    get("/api/auditoria/eventos/{evento_id}", AUDITOR),
    get("/api/auditoria/verificar", AUDITOR),
    // The care of the system.
    get("/api/operaciones/proyecciones", AUDITOR),
    post("/api/operaciones/proyecciones/reconstruir", ADMIN),
    get("/api/operaciones/sagas", AUDITOR),
    post("/api/operaciones/sagas/{reserva_id}/reintentar", ADMIN),
    get("/api/operaciones/mensajes-muertos", AUDITOR),
    post("/api/operaciones/mensajes-muertos/{mensaje_id}/reencolar", ADMIN),
];

/// The rows by route pattern, under every alias, so that a look-up allocates nothing.
static BY_PATH: LazyLock<HashMap<String, Vec<&'static Row>>> = LazyLock::new(|| {
    let mut rows: HashMap<String, Vec<&'static Row>> = HashMap::new();
    for row in TABLE {
        for path in addresses(row.path) {
            rows.entry(path).or_default().push(row);
        }
    }
    rows
});

/// A path under its main address and its aliases.
fn addresses(path: &str) -> Vec<String> {
    for bases in [paths::USERS, paths::SHOWS, paths::RESERVATIONS, paths::PURCHASES] {
        let rest = path.strip_prefix(bases[0]);
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            return bases.iter().map(|base| format!("{base}{rest}")).collect();
        }
    }
    vec![path.to_owned()]
}

/// The row of a route: its pattern, under its main address or an alias. `HEAD` is `GET`.
pub fn row(method: &str, path: &str) -> Option<&'static Row> {
    let method = if method == "HEAD" { "GET" } else { method };
    let rows = BY_PATH.get(path)?;
    rows.iter().copied().find(|row| row.method == method)
}

/// How far somebody with these roles reaches at an endpoint with this rule; the furthest of all their roles.
///
/// # Errors
/// `SIN_PERMISO` when none of the roles may call it.
pub fn allowed(rule: Rule, roles: &RoleSet) -> Result<Reach, Problem> {
    let given = match rule {
        // Nothing there is anybody's; what a handler shows, it chooses by who the caller is.
        Public | Entrance | Authenticated => Some(if roles.contains(&Admin) { All } else { Own }),
        Roles(given) => given
            .iter()
            .filter(|(role, _)| roles.contains(role))
            .map(|(_, reach)| *reach)
            .max(),
    };
    given.ok_or_else(|| Problem::new(Code::Forbidden).detail("Ninguno de sus roles permite esto."))
}

impl Row {
    /// Whether the endpoint answers somebody without a token.
    pub fn is_open(&self) -> bool {
        matches!(self.rule, Public | Entrance)
    }

    /// Whoever called without a token, at an endpoint that needs none.
    pub(super) fn anonymous(&self) -> Result<Caller, Problem> {
        if self.is_open() {
            return Ok(Caller::anonymous());
        }
        Err(Problem::new(Code::Unauthenticated).detail("Hace falta un token: pídalo en /api/auth/login."))
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
