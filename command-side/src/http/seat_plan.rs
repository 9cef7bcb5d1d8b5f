//! `mapa_asientos` in `POST /api/eventos`: sections, their aisles and the places where nothing is sold.

use contract::{
    Currency,
    events::{Place, Section},
};
use std::{borrow::Cow, collections::BTreeSet};
use web::{Fields, fields::check_integer};

/// How many places a show can have, blocked ones, too.
pub(super) const MAX_PLACES: u32 = 100_000;
/// How many sections a show can have.
const MAX_SECTIONS: usize = 1_000;
/// How many aisles a section can have.
const MAX_AISLES: usize = 100;

/// Reads the sections. What is wrong is told to `map`.
pub(super) fn sections(map: &mut Fields<'_>, currency: Currency) -> Vec<Section> {
    let mut names = BTreeSet::new();
    let sections = map.list_of_objects("secciones", 1..=MAX_SECTIONS, |fields| {
        let name = fields.text("nombre", 1..=40);
        if !names.insert(name.clone()) && !name.is_empty() {
            fields.error("nombre", "está repetido");
        }
        let mut section = Section {
            name,
            rows: fields.integer("filas", 1..=MAX_PLACES),
            seats_per_row: fields.integer("asientos_por_fila", 1..=MAX_PLACES),
            price: fields.optional_money("precio", currency),
            aisles: Vec::new(),
            blocked: Vec::new(),
        };
        section.aisles = aisles(fields, &section);
        section.blocked = blocked(fields, &section);
        section
    });
    let places = sections
        .iter()
        .fold(0_u32, |sum, section| sum.saturating_add(section.places()));
    if places > MAX_PLACES {
        map.error(
            "secciones",
            format!("puede haber {MAX_PLACES} asientos como máximo, con los bloqueados"),
        );
    }
    sections
}

/// Behind each of these numbers there is an aisle, so there must be a seat on either side of it.
fn aisles(fields: &mut Fields<'_>, section: &Section) -> Vec<u32> {
    let mut last = 0;
    let aisles = fields.optional_list("pasillos", 0..=MAX_AISLES, |value| {
        let aisle = check_integer(value, &(1..=MAX_PLACES))?;
        // A number of seats that could not be read is told already, and says nothing about aisles.
        if section.seats_per_row > 0 && aisle >= section.seats_per_row {
            return Err("debe ser menor que asientos_por_fila".into());
        }
        if aisle <= last {
            return Err("debe ser mayor que el anterior".into());
        }
        last = aisle;
        Ok(aisle)
    });
    aisles.unwrap_or_default()
}

fn blocked(fields: &mut Fields<'_>, section: &Section) -> Vec<Place> {
    let mut seen = BTreeSet::new();
    let readable = section.places() > 0;
    let listed = fields.optional_list("bloqueados", 0..=MAX_PLACES as usize, |value| {
        let text = value.as_str().ok_or("debe ser un texto")?;
        let place: Place = text
            .trim()
            .parse()
            .map_err(|_| Cow::from("debe ser FILA-NUMERO, como A-12"))?;
        if readable && !section.has(place) {
            return Err("no existe en esta sección".into());
        }
        match seen.insert(place) {
            true => Ok(()),
            false => Err("está repetido".into()),
        }
    });
    if listed.is_some() && readable && seen.len() as u64 >= u64::from(section.places()) {
        fields.error("bloqueados", "debe quedar al menos un asiento a la venta");
    }
    seen.into_iter().collect()
}
