//! Shows and their seats.

use super::{Amount, CurrencyCode, Seccion, Time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Cómo está un evento.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EstadoEvento {
    /// A la venta.
    Activo,
    /// Cancelado por quien lo organiza.
    Cancelado,
    /// Ya comenzó.
    Finalizado,
}

/// Un evento. Siempre `entradas_disponibles + entradas_retenidas + entradas_vendidas = aforo_total`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Evento {
    /// Su identificador.
    pub evento_id: Uuid,
    /// Su nombre.
    pub nombre: String,
    /// De qué se trata.
    #[schema(required = true)]
    pub descripcion: Option<String>,
    /// Cuándo empieza.
    #[schema(value_type = String, format = DateTime)]
    pub fecha: Time,
    /// Dónde.
    pub lugar: String,
    /// El precio de una entrada, si su sección no tiene otro.
    #[schema(value_type = f64, minimum = 0)]
    pub precio: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    pub moneda: CurrencyCode,
    /// De qué tipo es.
    #[schema(required = true)]
    pub categoria: Option<String>,
    /// Cuántas entradas puede tener una persona.
    pub max_por_usuario: u32,
    /// Cómo está.
    pub estado: EstadoEvento,
    /// Cuántas entradas hay en total.
    pub aforo_total: u32,
    /// Las que cualquiera puede comprar.
    pub entradas_disponibles: u32,
    /// Las que alguien retiene con un plazo.
    pub entradas_retenidas: u32,
    /// Las vendidas.
    pub entradas_vendidas: u32,
    /// Si sus asientos están numerados.
    pub numerado: bool,
}

/// Una página de eventos, primero los más próximos.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListaEventos {
    /// Los eventos.
    pub eventos: Vec<Evento>,
    /// Lo que se envía para obtener la página siguiente; `null` en la última.
    #[schema(required = true)]
    pub cursor: Option<String>,
}

/// Cómo está un asiento.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EstadoAsiento {
    /// Cualquiera puede comprarlo.
    Libre,
    /// Alguien lo retiene con un plazo.
    Retenido,
    /// Vendido.
    Vendido,
}

/// Un asiento.
#[derive(Debug, Serialize, ToSchema)]
pub struct Asiento {
    /// `SECCION-FILA-NUMERO`.
    #[schema(example = "Platea-A-12")]
    pub asiento: String,
    /// Cómo está.
    pub estado: EstadoAsiento,
}

/// Una fila.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fila {
    /// Sus letras: A, B … Z, AA.
    pub fila: String,
    /// Sus asientos, desde el 1; las plazas bloqueadas faltan.
    pub asientos: Vec<Asiento>,
}

/// Una sección.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeccionAsientos {
    /// Su nombre.
    pub nombre: String,
    /// Lo que cuesta aquí un asiento.
    #[schema(value_type = f64, minimum = 0)]
    pub precio: Amount,
    /// Detrás de qué números hay un pasillo, en todas las filas; falta si no hay ninguno.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1, example = json!([10, 20]))]
    pub pasillos: Vec<u32>,
    /// Sus filas.
    pub filas: Vec<Fila>,
}

/// El mapa de asientos; sin secciones cuando el evento no es numerado.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapaAsientos {
    /// El evento.
    pub evento_id: Uuid,
    /// Crece con cada cambio.
    pub version: u64,
    /// Las secciones.
    pub secciones: Vec<Seccion>,
}
