//! Users and their purchases.

use super::{Amount, CurrencyCode, Time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Una compra de la historia de un usuario.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Compra {
    /// La reserva.
    pub reserva_id: Uuid,
    /// El evento.
    pub evento_id: Uuid,
    /// Cómo se llamaba el evento.
    pub evento: String,
    /// Cuántas entradas.
    pub cantidad: u32,
    /// Lo que se pagó.
    #[schema(value_type = f64, minimum = 0)]
    pub monto: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    pub moneda: CurrencyCode,
    /// Cuándo.
    #[schema(value_type = String, format = DateTime)]
    pub fecha_compra: Time,
}

/// Un usuario.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Usuario {
    /// Su identificador.
    pub usuario_id: Uuid,
    /// El tipo de su documento.
    #[schema(value_type = String, example = "DNI")]
    pub tipo_documento: &'static str,
    /// El número de su documento.
    pub nro_documento: String,
    /// Su nombre.
    pub nombre: String,
    /// Su apellido.
    pub apellido: String,
    /// Su correo.
    pub email: String,
    /// Cuándo se registró.
    #[schema(value_type = String, format = DateTime)]
    pub fecha_registro: Time,
    /// Sus últimas compras, primero las más recientes; todas están en `/compras`.
    pub historial_compras: Vec<Compra>,
}

/// Una página de la historia de compras, primero las más recientes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListaCompras {
    /// Las compras.
    pub compras: Vec<Compra>,
    /// Lo que se envía para obtener la página siguiente; `null` en la última.
    #[schema(required = true)]
    pub cursor: Option<String>,
}
