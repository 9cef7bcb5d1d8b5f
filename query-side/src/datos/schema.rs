//! What the answer looks like.

use contract::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use views::reservation::Reservation;
use web::{
    render,
    schema::{Amount, CurrencyCode, EstadoReserva, Time, Usuario},
};

/// Todo lo que se guarda de una persona.
#[derive(Serialize, ToSchema)]
pub(crate) struct Datos {
    /// Sus datos, con todas sus compras.
    pub usuario: Usuario,
    /// Hay más compras de las que caben aquí: `/compras` las da todas, por páginas.
    pub hay_mas_compras: bool,
    /// Se guarda un resumen (Argon2id, cifrado) de su contraseña.
    pub tiene_contrasena: bool,
    /// Lo que es ahora.
    pub roles: Vec<&'static str>,
    /// Cuándo cambió lo que puede hacer, y quién lo cambió.
    pub cambios_de_roles: Vec<CambioDeRoles>,
    /// Sus reservas que llegaron a pagarse, primero las más recientes, también las canceladas.
    pub reservas: Vec<ReservaPropia>,
    /// Cuántas reservas más antiguas no caben aquí.
    pub reservas_omitidas: u64,
    /// Intentos fallidos de ingreso y consultas de otros a estos datos, primero los más antiguos.
    pub accesos: Vec<Acceso>,
    /// Cuántos accesos más antiguos no caben aquí.
    pub accesos_omitidos: u64,
    /// Qué se conserva cuando se olvida a la persona, y por qué.
    pub conservacion: Vec<Conservacion>,
    /// Lo que existe y no está aquí, y cómo se obtiene.
    pub no_incluido: Vec<&'static str>,
}

/// Un cambio de roles.
#[derive(Serialize, ToSchema)]
pub(crate) struct CambioDeRoles {
    /// Los roles desde entonces.
    pub roles: Vec<&'static str>,
    /// Cuándo.
    #[schema(value_type = String, format = DateTime)]
    pub en: Time,
    /// Quién: el identificador de un usuario, o `admin`.
    pub por: String,
}

/// Una reserva.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReservaPropia {
    /// La reserva.
    pub reserva_id: Uuid,
    /// El evento.
    pub evento_id: Uuid,
    /// Cómo está.
    pub estado: EstadoReserva,
    /// Cuántas entradas.
    pub cantidad: u32,
    /// Cuáles, si son numeradas.
    pub asientos: Vec<String>,
    /// Lo que cuestan.
    #[schema(value_type = f64, minimum = 0)]
    pub monto_total: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    pub moneda: CurrencyCode,
    /// Cuándo se pidió.
    #[schema(value_type = String, format = DateTime)]
    pub creada_en: Time,
}

impl ReservaPropia {
    pub fn of(reservation: &Reservation) -> Self {
        Self {
            reserva_id: reservation.reservation_id.0,
            evento_id: reservation.show_id.0,
            estado: render::reservation(reservation).estado,
            cantidad: reservation.quantity,
            asientos: reservation.seats.clone(),
            monto_total: Amount(reservation.amount),
            moneda: CurrencyCode(reservation.amount.currency),
            creada_en: Time(reservation.created_at_ms),
        }
    }
}

/// Un intento fallido de ingreso, o una consulta de otro a estos datos.
#[derive(Serialize, ToSchema)]
pub(crate) struct Acceso {
    /// `ingreso_fallido`, `consulta_de_perfil`, `consulta_de_todo` o `exportacion` (esta, hecha por la persona).
    pub tipo: &'static str,
    /// Cuándo.
    #[schema(value_type = String, format = DateTime)]
    pub en: Time,
    /// Quién: el identificador de un usuario, o `anonymous`.
    pub por: String,
}

impl Acceso {
    pub fn of(kind: &'static str, at: Timestamp, by: &str) -> Self {
        Self {
            tipo: kind,
            en: Time(at),
            por: by.to_owned(),
        }
    }
}

/// Algo que se conserva.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conservacion {
    /// Qué.
    pub que: &'static str,
    /// Por qué.
    pub por_que: &'static str,
}

/// What stays when a person is forgotten. `docs/PRIVACY.md` says the same.
pub(crate) fn kept() -> Vec<Conservacion> {
    [
        (
            "Reservas, pagos y compras, bajo un identificador que ya no lleva a nadie",
            "Contabilidad, devoluciones y la prueba de que nada se vendió dos veces",
        ),
        (
            "Los datos cifrados, en el registro de eventos",
            "El registro no se altera; sin la clave, que se destruye, nadie puede leerlos",
        ),
        (
            "Que el documento ya estuvo registrado, como un resumen con clave (HMAC-SHA-256)",
            "El identificador de la persona se deriva de él y no se entrega dos veces",
        ),
        (
            "El tipo de documento y las fechas de registro y de olvido",
            "Son parte de los eventos y no identifican a nadie por sí solos",
        ),
        (
            "Quién consultó estos datos y cuándo",
            "Para poder responder de esas consultas también después",
        ),
    ]
    .map(|(que, por_que)| Conservacion { que, por_que })
    .into()
}

/// What there is besides, and where.
pub(crate) fn not_included() -> Vec<&'static str> {
    vec![
        "Las sesiones (cuándo se abrieron, renovaron y cerraron; sin direcciones ni aparatos): el registro las guarda \
         por sesión, y un auditor las lee en /api/auditoria/streams/session-{id}.",
        "Las reservas que no llegaron a pagarse: quien las pidió tiene su dirección, /api/reservar/{reserva_id}.",
        "Los bloqueos de entradas vigentes: se ven en /api/eventos/{evento_id}/bloqueos/{bloqueo_id}.",
    ]
}
