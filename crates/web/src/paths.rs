//! The addresses, with their aliases: both sides route by the same patterns, so that their routers merge.
//!
//! Parameters have one name everywhere: `{usuario_id}`, `{evento_id}`, `{bloqueo_id}`, `{reserva_id}`,
//! `{stream}`; [`crate::ids::Id`] finds them by it.

/// `/api/usuarios` and its alias.
pub const USERS: [&str; 2] = ["/api/usuarios", "/api/users"];
/// `/api/eventos` and its alias.
pub const SHOWS: [&str; 2] = ["/api/eventos", "/api/events"];
/// `/api/reservar` and its alias.
pub const RESERVATIONS: [&str; 2] = ["/api/reservar", "/api/reservas"];
/// `/api/comprar` and its alias.
pub const PURCHASES: [&str; 2] = ["/api/comprar", "/api/purchase"];

/// `/{usuario_id}`
pub const USER: &str = "/{usuario_id}";
/// `/{evento_id}`
pub const SHOW: &str = "/{evento_id}";
/// `/{evento_id}/bloqueos`
pub const HOLDS: &str = "/{evento_id}/bloqueos";
/// `/{evento_id}/bloqueos/{bloqueo_id}`
pub const HOLD: &str = "/{evento_id}/bloqueos/{bloqueo_id}";
/// `/{evento_id}/cancelar`
pub const CANCEL_SHOW: &str = "/{evento_id}/cancelar";
/// `/{reserva_id}`
pub const RESERVATION: &str = "/{reserva_id}";
