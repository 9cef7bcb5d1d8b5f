//! Seats in few bytes, and what is told of a show to those who follow it.

use super::{section, show_state};
use crate::schema::{
    Amount, Asiento, EstadoAsiento, FormatoAsientos, MapaAsientos, NovedadEvento, Seccion, SeccionCompacta,
    Tramo,
};
use contract::{Timestamp, events::seat_name};
use std::fmt::Write as _;
use views::{
    seat_changes::{self, Place, Run},
    seat_map::{BLOCKED, HELD, SOLD, SeatMap, SectionSeats},
    show::Show,
};

/// A seat map in few bytes: one a place at the most.
pub fn compact_seat_map(map: &SeatMap) -> MapaAsientos {
    MapaAsientos {
        evento_id: map.show_id.0,
        version: map.revision,
        secciones: sections(map, FormatoAsientos::Compacto),
    }
}

/// All sections of a map.
pub(super) fn sections(map: &SeatMap, format: FormatoAsientos) -> Vec<Seccion> {
    let shown = |seats: &SectionSeats| match format {
        FormatoAsientos::Completo => Seccion::Completa(section(seats)),
        FormatoAsientos::Compacto => Seccion::Compacta(compact(seats)),
    };
    map.sections.iter().map(shown).collect()
}

fn compact(section: &SectionSeats) -> SeccionCompacta {
    SeccionCompacta {
        nombre: section.name.clone(),
        precio: Amount(section.price),
        filas: section.rows,
        asientos_por_fila: section.seats_per_row,
        pasillos: section.aisles.clone(),
        estados: run_lengths(section.states.as_bytes()),
    }
}

/// How places are, as text: a count where it is not one, then a letter. Never longer than there are places.
fn run_lengths(states: &[u8]) -> String {
    let mut text = String::new();
    for run in states.chunk_by(|a, b| a == b) {
        if run.len() > 1 {
            // Writing into a string cannot fail.
            let _ = write!(text, "{}", run.len());
        }
        text.extend(run.first().map(|state| letter(*state)));
    }
    text
}

fn letter(state: u8) -> char {
    match state {
        state if char::from(state) == BLOCKED => 'x',
        state if char::from(state) == HELD => 'r',
        state if char::from(state) == SOLD => 'v',
        _ => 'l',
    }
}

/// What is told of a show to those who follow it.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    /// The show.
    pub show: &'a Show,
    /// Its seats, when they are numbered.
    pub map: Option<&'a SeatMap>,
    /// Up to where all that happened to seats is told with this.
    pub version: u64,
    /// The places that changed, in their order; `None` = everything is told anew.
    pub changed: Option<&'a [Place]>,
    /// Decides whether the show has begun.
    pub now: Timestamp,
}

impl News<'_> {
    /// As it is sent.
    pub fn render(&self, format: FormatoAsientos) -> NovedadEvento {
        let changed = self.changed.unwrap_or_default();
        let runs = self.map.into_iter().flat_map(|map| {
            let runs = seat_changes::runs(map, changed);
            runs.filter_map(|run| Some((map.sections.get(run.first.section)?, run)))
        });
        let (asientos, cambios) = match format {
            FormatoAsientos::Completo => (Some(runs.flat_map(named).collect()), None),
            FormatoAsientos::Compacto => (None, Some(runs.map(|(_, run)| stretch(&run)).collect())),
        };
        let anew = self.changed.is_none();
        let secciones = anew.then(|| self.map.map_or_else(Vec::new, |map| sections(map, format)));
        let tally = self.show.tally;
        NovedadEvento {
            evento_id: self.show.show_id.0,
            version: self.version,
            estado: show_state(self.show.cancelled, self.show.starts_at_ms, self.now),
            entradas_disponibles: tally.free,
            entradas_retenidas: tally.held,
            entradas_vendidas: tally.sold,
            asientos,
            cambios,
            secciones,
        }
    }
}

fn stretch(run: &Run<'_>) -> Tramo {
    Tramo(run.first.section, run.first.index, run_lengths(run.states))
}

/// The seats of a run by their names. Where there is no seat, nothing has a name.
fn named<'a>((section, run): (&'a SectionSeats, Run<'a>)) -> impl Iterator<Item = Asiento> + 'a {
    let per_row = section.seats_per_row.max(1) as usize;
    let seats = run.states.iter().zip(run.first.index..);
    seats.filter_map(move |(state, index)| {
        let row = u32::try_from(index / per_row).ok()?;
        let number = u32::try_from(index % per_row + 1).ok()?;
        let asiento = seat_name(&section.name, row, number);
        let estado = seat_state(*state)?;
        Some(Asiento { asiento, estado })
    })
}

/// `None` where there is no seat.
fn seat_state(state: u8) -> Option<EstadoAsiento> {
    match letter(state) {
        'x' => None,
        'r' => Some(EstadoAsiento::Retenido),
        'v' => Some(EstadoAsiento::Vendido),
        _ => Some(EstadoAsiento::Libre),
    }
}

#[cfg(test)]
#[path = "seats_tests.rs"]
mod tests;
