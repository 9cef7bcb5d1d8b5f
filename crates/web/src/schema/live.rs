//! A show while it is followed, and its seats in few bytes.

use super::{Amount, Asiento, EstadoEvento, SeccionAsientos};
use crate::{codes::Code, params::Params, problem::Problem};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Cómo se muestran los asientos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum FormatoAsientos {
    /// Asiento por asiento, con sus nombres.
    Completo,
    /// Una letra por lugar, y cuántas veces seguidas.
    Compacto,
}

impl FormatoAsientos {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Completo, Self::Compacto];

    /// Reads `formato`; complete when it is absent.
    ///
    /// # Errors
    /// 400 when it is neither.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        match params.raw("formato") {
            None | Some("completo") => Ok(Self::Completo),
            Some("compacto") => Ok(Self::Compacto),
            Some(_) => Err(Problem::new(Code::InvalidParameter)
                .detail("`formato` debe ser completo o compacto.")
                .field("formato", "debe ser completo o compacto")),
        }
    }
}

/// Una sección, según el `formato` que se pidió.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Seccion {
    /// Con `formato=completo`.
    Completa(SeccionAsientos),
    /// Con `formato=compacto`.
    Compacta(SeccionCompacta),
}

/// Una sección en pocos bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeccionCompacta {
    /// Su nombre.
    pub nombre: String,
    /// Lo que cuesta aquí un asiento.
    #[schema(value_type = f64, minimum = 0)]
    pub precio: Amount,
    /// Cuántas filas tiene: A, B … Z, AA.
    pub filas: u32,
    /// Cuántos lugares tiene cada fila, desde el 1.
    pub asientos_por_fila: u32,
    /// Detrás de qué números hay un pasillo, en todas las filas; falta si no hay ninguno.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1, example = json!([10, 20]))]
    pub pasillos: Vec<u32>,
    /// Todos los lugares, fila por fila. Cada letra puede llevar delante cuántas veces se repite; sin número, una.
    /// `l` libre, `r` retenido, `v` vendido, `x` aquí no hay asiento.
    #[schema(example = "120l3r2v4x")]
    pub estados: String,
}

/// Lugares seguidos de una sección que cambiaron: el índice de la sección, desde 0; el del primer lugar en ella, fila
/// por fila, desde 0; y cómo están ahora, escrito como `estados`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tramo(pub usize, pub usize, pub String);

/// Un evento mientras se sigue: lo que llevan los datos de cada aviso.
#[derive(Debug, Serialize, ToSchema)]
pub struct NovedadEvento {
    /// El evento.
    pub evento_id: Uuid,
    /// Todo lo que pasó con los asientos hasta esta versión está contado. Es también el `id` del aviso.
    pub version: u64,
    /// Cómo está el evento.
    pub estado: EstadoEvento,
    /// Las que cualquiera puede comprar.
    pub entradas_disponibles: u32,
    /// Las que alguien retiene con un plazo.
    pub entradas_retenidas: u32,
    /// Las vendidas.
    pub entradas_vendidas: u32,
    /// Con `formato=completo`: los asientos que cambiaron, como están ahora.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asientos: Option<Vec<Asiento>>,
    /// Con `formato=compacto`: los lugares que cambiaron: `[sección, primer lugar, estados]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Vec<serde_json::Value>>>, example = json!([[0, 12, "3r"], [1, 0, "v"]]))]
    pub cambios: Option<Vec<Tramo>>,
    /// Solo en `mapa`: todas las secciones, como en `/asientos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secciones: Option<Vec<Seccion>>,
}
