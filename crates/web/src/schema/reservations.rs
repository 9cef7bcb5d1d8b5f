//! Reservations and holds.

use super::{Amount, CurrencyCode, Time};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Cómo está una reserva.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EstadoReserva {
    /// Aún se está tramitando.
    Pendiente,
    /// Pagada; las entradas son del comprador.
    Confirmada,
    /// No se pudo hacer; `motivo` dice por qué.
    Rechazada,
    /// Se canceló; el dinero se devolvió.
    Cancelada,
    /// No se completó a tiempo.
    Vencida,
    /// Un paso no se deja deshacer; una persona lo revisa.
    Atascada,
}

/// Los seis pasos, en orden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Paso {
    /// El comprador existe.
    ValidarUsuario,
    /// El evento existe y está a la venta.
    ValidarEvento,
    /// Las entradas están retenidas.
    ReservarInventario,
    /// El dinero está cobrado.
    ProcesarPago,
    /// La compra está en la historia del comprador.
    ActualizarHistorial,
    /// Las entradas están vendidas.
    ConfirmarReserva,
}

/// Cómo está un paso.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EstadoPaso {
    /// Aún no ha terminado.
    Pendiente,
    /// Hecho.
    Hecho,
    /// No se pudo.
    Fallido,
    /// Se deshizo.
    Compensado,
}

/// Un paso de una reserva.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PasoReserva {
    /// Cuál.
    pub paso: Paso,
    /// Cómo está.
    pub estado: EstadoPaso,
    /// Cuándo terminó; `null` mientras está pendiente.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub en: Option<Time>,
}

/// Las entradas y la boleta.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Documentos {
    /// `pendiente` hasta que se emiten.
    #[schema(value_type = String, example = "pendiente")]
    pub estado: &'static str,
    /// Las entradas emitidas.
    #[schema(value_type = Vec<Object>)]
    pub entradas: Vec<Value>,
}

/// Una reserva.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reserva {
    /// Su identificador.
    pub reserva_id: Uuid,
    /// El comprador.
    pub usuario_id: Uuid,
    /// El evento.
    pub evento_id: Uuid,
    /// Cuántas entradas.
    pub cantidad: u32,
    /// Los asientos; vacío si el evento no es numerado.
    pub asientos: Vec<String>,
    /// Lo que cuestan juntas.
    #[schema(value_type = f64, minimum = 0)]
    pub monto_total: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    pub moneda: CurrencyCode,
    /// Cómo está.
    pub estado: EstadoReserva,
    /// Por qué no se pudo: un código de la lista de errores.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub motivo: Option<&'static str>,
    /// Los seis pasos.
    pub pasos: Vec<PasoReserva>,
    /// Las entradas y la boleta.
    pub documentos: Documentos,
    /// Cuándo se pidió.
    #[schema(value_type = String, format = DateTime)]
    pub creada_en: Time,
    /// Cuándo se confirmó.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmada_en: Option<Time>,
}

/// Qué fue de un bloqueo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EstadoBloqueo {
    /// Retiene sus entradas hasta `expira_en`.
    Activo,
    /// Se vendió.
    Vendido,
    /// Se liberó, venció o se deshizo.
    Terminado,
}

/// Un bloqueo: entradas retenidas con un plazo.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Bloqueo {
    /// Su identificador.
    pub bloqueo_id: Uuid,
    /// El evento.
    pub evento_id: Uuid,
    /// De quién es.
    pub usuario_id: Uuid,
    /// Cuántas entradas.
    pub cantidad: u32,
    /// Los asientos; falta si el evento no es numerado.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub asientos: Vec<String>,
    /// Lo que cuestan juntas.
    #[schema(value_type = f64, minimum = 0)]
    pub monto_total: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    pub moneda: CurrencyCode,
    /// Cuándo se acaba el plazo.
    #[schema(value_type = String, format = DateTime)]
    pub expira_en: Time,
    /// Qué fue de él.
    pub estado: EstadoBloqueo,
}
