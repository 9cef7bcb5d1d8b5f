//! What is sent, as types: written as JSON and described in the OpenAPI document from the same source. Names of
//! types and fields are those of the HTTP contract, in Spanish; the field order is the order in the JSON.
//! [`crate::render`] makes them from documents.

mod live;
mod problems;
mod reservations;
mod shows;
mod users;

pub use live::{FormatoAsientos, NovedadEvento, Seccion, SeccionCompacta, Tramo};
pub use problems::{ErrorDeCampo, Problema};
pub use reservations::{
    Bloqueo, Documentos, EstadoBloqueo, EstadoPaso, EstadoReserva, Paso, PasoReserva, Reserva,
};
pub use shows::{
    Asiento, EstadoAsiento, EstadoEvento, Evento, Fila, ListaEventos, MapaAsientos, SeccionAsientos,
};
pub use users::{Compra, ListaCompras, Usuario};

use contract::{Currency, Money, Timestamp};
use serde::{Serialize, Serializer};

/// An amount in major units, as a JSON number; its currency stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.major_json().serialize(serializer)
    }
}

/// A currency as its ISO 4217 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub Currency);

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

/// A point in time as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}
