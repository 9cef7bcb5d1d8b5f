//! The bodies that are sent to the write side, as the OpenAPI document describes them. They are read by
//! [`web::Fields`], which tells every fault at once; these types are never made from one.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::schema::EstadoEvento;

/// La clave con la que una petición se puede repetir sin que se haga dos veces.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub(super) struct ConClave {
    /// La misma clave y el mismo cuerpo dan la misma respuesta.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    clave: Option<String>,
}

/// Una persona que se registra.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct NuevoUsuario {
    /// Se compara sin distinguir mayúsculas.
    tipo_documento: TipoDocumento,
    /// Letras, dígitos, `.` y `-`; se compara sin `.`, `-` ni mayúsculas.
    #[schema(
        min_length = 3,
        max_length = 32,
        pattern = "^[A-Za-z0-9.-]*[A-Za-z0-9][A-Za-z0-9.-]*$",
        example = "30.123.456"
    )]
    nro_documento: String,
    #[schema(min_length = 1, max_length = 100, example = "Ana")]
    nombre: String,
    #[schema(min_length = 1, max_length = 100, example = "Pérez")]
    apellido: String,
    #[schema(format = "email", max_length = 254, example = "ana@example.com")]
    email: String,
    #[schema(min_length = 10, max_length = 128, format = "password")]
    password: Option<String>,
}

#[derive(ToSchema)]
#[allow(dead_code)]
enum TipoDocumento {
    #[schema(rename = "DNI")]
    Dni,
    #[schema(rename = "CI")]
    Ci,
    Cedula,
    #[schema(rename = "RUT")]
    Rut,
    Pasaporte,
    Otro,
}

/// Un evento que se publica: con `aforo_total` o con `mapa_asientos`, uno de los dos.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct NuevoEvento {
    #[schema(min_length = 1, max_length = 200, example = "Noche de jazz")]
    nombre: String,
    #[schema(max_length = 5000)]
    descripcion: Option<String>,
    /// En el futuro.
    #[schema(format = DateTime, example = "2030-11-21T20:00:00Z")]
    fecha: String,
    #[schema(min_length = 1, max_length = 200, example = "Teatro Colón")]
    lugar: String,
    /// Con los decimales de la moneda como máximo.
    #[schema(minimum = 0, example = 49.9)]
    precio: f64,
    /// Código ISO 4217.
    #[schema(min_length = 3, max_length = 3, example = "USD")]
    moneda: Option<String>,
    #[schema(max_length = 50, example = "musica")]
    categoria: Option<String>,
    /// Sin asientos numerados.
    #[schema(minimum = 1, maximum = 100_000, example = 500)]
    aforo_total: Option<u32>,
    /// Con asientos numerados; 100.000 como máximo, con los bloqueados.
    mapa_asientos: Option<MapaNuevo>,
    #[schema(minimum = 1, maximum = 100_000, default = 10)]
    max_por_usuario: Option<u32>,
}

#[derive(ToSchema)]
#[allow(dead_code)]
struct MapaNuevo {
    #[schema(min_items = 1, max_items = 1000)]
    secciones: Vec<SeccionNueva>,
}

#[derive(ToSchema)]
#[allow(dead_code)]
struct SeccionNueva {
    /// Única en el evento.
    #[schema(min_length = 1, max_length = 40, example = "Platea")]
    nombre: String,
    #[schema(minimum = 1, maximum = 100_000, example = 10)]
    filas: u32,
    #[schema(minimum = 1, maximum = 100_000, example = 20)]
    asientos_por_fila: u32,
    /// Si no es el del evento.
    #[schema(minimum = 0)]
    precio: Option<f64>,
    /// Detrás de qué números hay un pasillo, en todas las filas: en orden, sin repetir y menores que
    /// `asientos_por_fila`. A un grupo que se sienta junto no lo separa un pasillo.
    #[schema(max_items = 100, example = json!([5, 15]))]
    pasillos: Option<Vec<u32>>,
    /// Las plazas donde no se vende nada, como `FILA-NUMERO`: sin repetir, y no todas. No cuentan en el aforo y
    /// los demás asientos conservan su número.
    #[schema(value_type = Option<Vec<Plaza>>, max_items = 100_000, example = json!(["A-1", "C-12"]))]
    bloqueados: Option<Vec<String>>,
}

/// Una plaza de una sección: su fila y su número.
#[derive(ToSchema)]
#[schema(pattern = "^[A-Z]{1,5}-[1-9][0-9]{0,9}$", example = "C-12")]
#[allow(dead_code)]
struct Plaza(String);

/// Un evento cancelado.
#[derive(Serialize, ToSchema)]
pub(super) struct EventoCancelado {
    /// El evento.
    pub evento_id: Uuid,
    /// Siempre `cancelado`.
    pub estado: EstadoEvento,
}

/// Entradas que se retienen: `cantidad` o `asientos`, uno de los dos.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct NuevoBloqueo {
    usuario_id: Uuid,
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    cantidad: Option<u32>,
    /// Sin repetir.
    #[schema(min_items = 1, max_items = 100)]
    asientos: Option<Vec<String>>,
    /// Solo con `cantidad`.
    #[schema(max_length = 40)]
    seccion: Option<String>,
}

/// Una reserva: `cantidad`, `asientos` o `bloqueo_id`, uno de los tres.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct NuevaReserva {
    usuario_id: Uuid,
    evento_id: Uuid,
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    cantidad: Option<u32>,
    /// Sin repetir.
    #[schema(min_items = 1, max_items = 100)]
    asientos: Option<Vec<String>>,
    bloqueo_id: Option<Uuid>,
    pago: Option<Pago>,
}

/// La compra de un bloqueo.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct NuevaCompra {
    usuario_id: Uuid,
    bloqueo_id: Uuid,
    pago: Option<Pago>,
}

#[derive(ToSchema)]
#[allow(dead_code)]
struct Pago {
    metodo: Metodo,
    /// Lo que representa la tarjeta ante la pasarela.
    #[schema(min_length = 1, max_length = 200, pattern = "^[!-~]+$", example = "tok_ok")]
    token: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code)]
enum Metodo {
    Tarjeta,
}

/// Con qué se inicia una sesión.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct Credenciales {
    #[schema(
        format = "email",
        min_length = 1,
        max_length = 254,
        example = "ana@example.com"
    )]
    email: String,
    #[schema(min_length = 1, max_length = 128, format = "password")]
    password: String,
}

/// Los tokens de una sesión.
#[derive(Serialize, ToSchema)]
pub(super) struct SesionIniciada {
    /// Va en `Authorization: Bearer …`.
    pub access_token: String,
    /// Siempre `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: &'static str,
    /// Cuántos segundos vale `access_token`.
    #[schema(example = 900)]
    pub expires_in: u64,
    /// Vale una sola vez, para renovar la sesión.
    pub refresh_token: String,
}

/// La renovación de una sesión.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct Renovacion {
    /// El último que se recibió.
    #[schema(min_length = 1, max_length = 200)]
    refresh_token: String,
}

/// El fin de una sesión, si no la dice el token de acceso.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct Salida {
    #[schema(min_length = 1, max_length = 200)]
    refresh_token: Option<String>,
}

/// Los roles que un usuario va a tener; `cliente` lo es siempre.
#[derive(ToSchema)]
#[allow(dead_code)]
pub(super) struct RolesNuevos {
    /// Sin repetir.
    #[schema(max_items = 5, example = json!(["organizador", "puerta"]))]
    roles: Vec<Rol>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code)]
enum Rol {
    Cliente,
    Organizador,
    Puerta,
    Auditor,
    Admin,
}

/// Los roles de un usuario.
#[derive(Serialize, ToSchema)]
pub(super) struct RolesDeUsuario {
    /// El usuario.
    pub usuario_id: Uuid,
    /// Todos; `cliente` siempre.
    #[schema(example = json!(["cliente", "organizador"]))]
    pub roles: Vec<&'static str>,
}
