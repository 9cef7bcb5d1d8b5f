//! `GET /api/eventos/exportar`: all shows with what was sold.

use super::{
    Format, Pages, Source, answer,
    format::{Cell, Record},
};
use crate::{
    app::{App, Shared},
    disclosure,
    reads::{catch_up, parse},
};
use axum::{extract::State, response::Response};
use contract::{Money, ShowId, UserId, collections, events::Disclosure};
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap};
use utoipa::ToSchema;
use views::{purchase::Purchase, show::Show};
use web::{
    Params, Problem,
    headers::Access,
    render,
    schema::{Amount, CurrencyCode, Evento},
};

/// Lo que se vendió de un evento.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ventas {
    /// Cuántas entradas.
    entradas: u64,
    /// Lo que se pagó por ellas.
    #[schema(value_type = f64, minimum = 0)]
    monto: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    moneda: CurrencyCode,
}

/// Un evento con lo que se vendió.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventoConVentas {
    /// El evento.
    #[serde(flatten)]
    evento: Evento,
    /// Lo que se vendió.
    ventas: Ventas,
}

impl Record for EventoConVentas {
    const COLUMNS: &'static [&'static str] = &[
        "evento_id",
        "nombre",
        "descripcion",
        "fecha",
        "lugar",
        "precio",
        "moneda",
        "categoria",
        "max_por_usuario",
        "estado",
        "aforo_total",
        "entradas_disponibles",
        "entradas_retenidas",
        "entradas_vendidas",
        "numerado",
        "ventas_entradas",
        "ventas_monto",
        "ventas_moneda",
    ];
    fn cells(&self) -> Vec<Cell<'_>> {
        let show = &self.evento;
        vec![
            number(show.evento_id),
            Cell::Text(&show.nombre),
            Cell::Text(show.descripcion.as_deref().unwrap_or_default()),
            number(show.fecha.0),
            Cell::Text(&show.lugar),
            number(show.precio.0.major_text()),
            number(show.moneda.0),
            Cell::Text(show.categoria.as_deref().unwrap_or_default()),
            number(show.max_por_usuario),
            word(&show.estado),
            number(show.aforo_total),
            number(show.entradas_disponibles),
            number(show.entradas_retenidas),
            number(show.entradas_vendidas),
            number(show.numerado),
            number(self.ventas.entradas),
            number(self.ventas.monto.0.major_text()),
            number(self.ventas.moneda.0),
        ]
    }
}

fn number<'a>(value: impl ToString) -> Cell<'a> {
    Cell::Own(Cow::Owned(value.to_string()))
}

/// A word of the contract, as in JSON.
fn word<'a>(value: &impl Serialize) -> Cell<'a> {
    let word = serde_json::to_value(value).ok();
    let word = word.as_ref().and_then(|word| word.as_str()).unwrap_or_default();
    Cell::Own(Cow::Owned(word.to_owned()))
}

/// Todos los eventos, con lo que se vendió de cada uno
///
/// Quien organiza obtiene los suyos.
#[utoipa::path(
    get, path = "/api/eventos/exportar", operation_id = "exportarEventos", tag = "Eventos",
    params(
        ("formato" = inline(Option<Format>), Query, description = "Si no se indica otro, `json`"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
    ),
    responses((status = 200, description = "Los eventos", content(
        (Vec<EventoConVentas> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    )))
)]
pub(crate) async fn export(
    State(reader): State<Shared>,
    Access(caller): Access,
    mut params: Params,
) -> Result<Response, Problem> {
    let format = Format::read(&mut params);
    catch_up(&reader.app, &params).await?;
    params.finish()?;
    let place = reader.export()?;
    let rows = Rows {
        sold: sold(&reader.app).await?,
        pages: Pages::of(&collections::SHOWS),
        only: if caller.reaches_all() {
            None
        } else {
            Some(caller.user())
        },
        reader: reader.clone(),
    };
    disclosure::record(&reader.app, &caller, None, Disclosure::ShowsExport).await?;
    answer(reader, rows, format, "eventos", place).await
}

type Sold = BTreeMap<ShowId, (u64, i64)>;

/// Tickets and money of each show, from everybody's purchases.
async fn sold(app: &App) -> Result<Sold, Problem> {
    let mut sold = Sold::new();
    let mut pages = Pages::of(&collections::PURCHASES);
    loop {
        let documents = pages.next(app).await?;
        if documents.is_empty() {
            return Ok(sold);
        }
        for document in documents {
            // A show's price has one currency, and so have all its sales.
            let purchase: Purchase = parse(&document)?;
            let (tickets, minor) = sold.entry(purchase.show_id).or_default();
            *tickets += u64::from(purchase.quantity);
            *minor = minor.saturating_add(purchase.amount.minor);
        }
    }
}

struct Rows {
    reader: Shared,
    pages: Pages,
    sold: Sold,
    /// Whose shows only: `Some(None)` is nobody's.
    only: Option<Option<UserId>>,
}

impl Source for Rows {
    type Record = EventoConVentas;
    async fn page(&mut self) -> Result<Vec<EventoConVentas>, Problem> {
        let now = self.reader.app.clock.now();
        loop {
            let documents = self.pages.next(&self.reader.app).await?;
            if documents.is_empty() {
                return Ok(Vec::new());
            }
            let mut rows = Vec::with_capacity(documents.len());
            for document in documents {
                let show: Show = parse(&document)?;
                if let Some(only) = self.only
                    && (only.is_none() || show.organiser != only)
                {
                    continue;
                }
                let (tickets, minor) = self.sold.get(&show.show_id).copied().unwrap_or_default();
                let currency = show.price.currency;
                rows.push(EventoConVentas {
                    evento: render::show(&show, now),
                    ventas: Ventas {
                        entradas: tickets,
                        monto: Amount(Money::new(minor, currency)),
                        moneda: CurrencyCode(currency),
                    },
                });
            }
            // A page without a row of the caller's is not the end.
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
    }
}
