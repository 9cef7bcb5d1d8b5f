//! Documents and answers as the HTTP contract shows them: the one place where states, steps and document types
//! get their Spanish names.

mod seats;

pub use seats::{News, compact_seat_map};

use crate::{
    problem::Problem,
    refusal,
    schema::{
        Amount, Asiento, Bloqueo, Compra, CurrencyCode, Documentos, EstadoAsiento, EstadoBloqueo,
        EstadoEvento, EstadoPaso, EstadoReserva, Evento, Fila, FormatoAsientos, MapaAsientos, Paso,
        PasoReserva, Reserva, SeccionAsientos, Time, Usuario,
    },
};
use contract::{
    ShowId, Timestamp, UserId,
    commands::{HoldPhase, HoldStatus},
    events::{DocumentType, HoldGrant, Step, StepState, row_letters, seat_name},
};
use serde_json::json;
use views::{
    purchase::Purchase,
    reservation::{Reservation, Status, StepView},
    seat_map::{BLOCKED, HELD, SOLD, SeatMap, SectionSeats},
    show::Show,
};

/// A show as it stands at `now`, which decides whether it has begun.
pub fn show(show: &Show, now: Timestamp) -> Evento {
    Evento {
        evento_id: show.show_id.0,
        nombre: show.name.clone(),
        descripcion: show.description.clone(),
        fecha: Time(show.starts_at_ms),
        lugar: show.venue.clone(),
        precio: Amount(show.price),
        moneda: CurrencyCode(show.price.currency),
        categoria: show.category.clone(),
        max_por_usuario: show.limit_per_user,
        estado: show_state(show.cancelled, show.starts_at_ms, now),
        aforo_total: show.capacity,
        entradas_disponibles: show.tally.free,
        entradas_retenidas: show.tally.held,
        entradas_vendidas: show.tally.sold,
        numerado: show.numbered,
    }
}

/// A cancelled show stays cancelled; any other is over for buyers when it begins.
pub fn show_state(cancelled: bool, starts_at: Timestamp, now: Timestamp) -> EstadoEvento {
    match (cancelled, now >= starts_at) {
        (true, _) => EstadoEvento::Cancelado,
        (false, true) => EstadoEvento::Finalizado,
        (false, false) => EstadoEvento::Activo,
    }
}

/// A seat map, seat by seat.
pub fn seat_map(map: &SeatMap) -> MapaAsientos {
    MapaAsientos {
        evento_id: map.show_id.0,
        version: map.revision,
        secciones: seats::sections(map, FormatoAsientos::Completo),
    }
}

fn section(section: &SectionSeats) -> SeccionAsientos {
    let seats: Vec<u8> = section.states.bytes().collect();
    // A section without seats in its rows cannot be made; `max(1)` keeps `chunks` total all the same.
    let rows = seats.chunks(section.seats_per_row.max(1) as usize).zip(0_u32..);
    let row = |(states, row): (&[u8], u32)| Fila {
        fila: row_letters(row),
        asientos: states
            .iter()
            .map(|state| char::from(*state))
            .zip(1_u32..)
            .filter(|(state, _)| *state != BLOCKED)
            .map(|(state, number)| Asiento {
                asiento: seat_name(&section.name, row, number),
                estado: match state {
                    HELD => EstadoAsiento::Retenido,
                    SOLD => EstadoAsiento::Vendido,
                    _ => EstadoAsiento::Libre,
                },
            })
            .collect(),
    };
    SeccionAsientos {
        nombre: section.name.clone(),
        precio: Amount(section.price),
        pasillos: section.aisles.clone(),
        filas: rows.map(row).collect(),
    }
}

/// A reservation with its six steps.
pub fn reservation(doc: &Reservation) -> Reserva {
    Reserva {
        reserva_id: doc.reservation_id.0,
        usuario_id: doc.user_id.0,
        evento_id: doc.show_id.0,
        cantidad: doc.quantity,
        asientos: doc.seats.clone(),
        monto_total: Amount(doc.amount),
        moneda: CurrencyCode(doc.amount.currency),
        estado: status(doc.status),
        motivo: doc.refusal.as_ref().map(|refusal| refusal::code(refusal).text()),
        pasos: doc.steps.iter().map(step).collect(),
        documentos: Documentos {
            estado: "pendiente",
            entradas: Vec::new(),
        },
        creada_en: Time(doc.created_at_ms),
        confirmada_en: doc.confirmed_at_ms.map(Time),
    }
}

/// The problem of a reservation that came to nothing, with the reservation as `reserva`; `None` for one that did
/// not (or not yet).
pub fn rejection(doc: &Reservation) -> Option<Problem> {
    let refusal = match doc.status {
        Status::Rejected | Status::Expired | Status::Cancelled => doc.refusal.clone(),
        Status::Pending | Status::Confirmed | Status::Stuck => None,
    };
    refusal.map(|refusal| Problem::from(refusal).with("reserva", json!(reservation(doc))))
}

fn status(status: Status) -> EstadoReserva {
    match status {
        Status::Pending => EstadoReserva::Pendiente,
        Status::Confirmed => EstadoReserva::Confirmada,
        Status::Rejected => EstadoReserva::Rechazada,
        Status::Cancelled => EstadoReserva::Cancelada,
        Status::Expired => EstadoReserva::Vencida,
        Status::Stuck => EstadoReserva::Atascada,
    }
}

fn step(view: &StepView) -> PasoReserva {
    PasoReserva {
        paso: match view.step {
            Step::ValidateUser => Paso::ValidarUsuario,
            Step::ValidateShow => Paso::ValidarEvento,
            Step::HoldInventory => Paso::ReservarInventario,
            Step::TakePayment => Paso::ProcesarPago,
            Step::RecordHistory => Paso::ActualizarHistorial,
            Step::Confirm => Paso::ConfirmarReserva,
        },
        estado: match view.state {
            None => EstadoPaso::Pendiente,
            Some(StepState::Done) => EstadoPaso::Hecho,
            Some(StepState::Failed) => EstadoPaso::Fallido,
            Some(StepState::Compensated) => EstadoPaso::Compensado,
        },
        en: view.at_ms.map(Time),
    }
}

/// The personal fields of a user, opened.
#[derive(Clone)]
pub struct ClearUser {
    /// The person.
    pub user_id: UserId,
    /// The kind of document.
    pub document_type: DocumentType,
    /// The document's number.
    pub document: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// E-mail address.
    pub email: String,
    /// When they registered.
    pub registered_at_ms: Timestamp,
}

/// A user with their latest purchases.
pub fn user(user: ClearUser, purchases: Vec<Compra>) -> Usuario {
    Usuario {
        usuario_id: user.user_id.0,
        tipo_documento: document_type(user.document_type),
        nro_documento: user.document,
        nombre: user.given_name,
        apellido: user.family_name,
        email: user.email,
        fecha_registro: Time(user.registered_at_ms),
        historial_compras: purchases,
    }
}

/// The kinds of document by their names in the contract.
pub const DOCUMENT_TYPES: [(&str, DocumentType); 6] = [
    ("DNI", DocumentType::Dni),
    ("CI", DocumentType::Ci),
    ("Cedula", DocumentType::Cedula),
    ("RUT", DocumentType::Rut),
    ("Pasaporte", DocumentType::Passport),
    ("Otro", DocumentType::Other),
];

fn document_type(kind: DocumentType) -> &'static str {
    DOCUMENT_TYPES
        .iter()
        .find(|(_, known)| *known == kind)
        .map_or("Otro", |(name, _)| name)
}

/// A purchase of a user's history.
pub fn purchase(purchase: &Purchase) -> Compra {
    Compra {
        reserva_id: purchase.reservation_id.0,
        evento_id: purchase.show_id.0,
        evento: purchase.show_name.clone(),
        cantidad: purchase.quantity,
        monto: Amount(purchase.amount),
        moneda: CurrencyCode(purchase.amount.currency),
        fecha_compra: Time(purchase.at_ms),
    }
}

/// A hold that was just granted.
pub fn grant(grant: &HoldGrant, show_id: ShowId, user_id: UserId) -> Bloqueo {
    Bloqueo {
        bloqueo_id: grant.hold_id.0,
        evento_id: show_id.0,
        usuario_id: user_id.0,
        cantidad: grant.quantity,
        asientos: grant.seats.clone(),
        monto_total: Amount(grant.amount),
        moneda: CurrencyCode(grant.amount.currency),
        expira_en: Time(grant.deadline_ms),
        estado: EstadoBloqueo::Activo,
    }
}

/// A hold as it stands at `now`: from its deadline on it is over, whether or not that was recorded yet.
pub fn hold(status: &HoldStatus, show_id: ShowId, now: Timestamp) -> Bloqueo {
    let estado = match status.phase {
        HoldPhase::Active { .. } if now < status.grant.deadline_ms => EstadoBloqueo::Activo,
        HoldPhase::Active { .. } | HoldPhase::Over => EstadoBloqueo::Terminado,
        HoldPhase::Sold { .. } => EstadoBloqueo::Vendido,
    };
    Bloqueo {
        estado,
        ..grant(&status.grant, show_id, status.user_id)
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
