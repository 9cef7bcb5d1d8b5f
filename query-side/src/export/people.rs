//! `GET /api/usuarios/exportar`: everybody, so that nobody can be found. What makes it anonymous is
//! [`views::anonymous`].

use super::{
    Format, Source, answer,
    format::{Cell, Record},
    population,
};
use crate::{app::Shared, disclosure, reads::catch_up};
use axum::{extract::State, response::Response};
use contract::{Currency, Money, events::Disclosure};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use views::anonymous::{Class, Entry, Export, Mean, Row};
use web::{
    Params, Problem,
    headers::Access,
    render::DOCUMENT_TYPES,
    schema::{Amount, CurrencyCode},
};

/// What stands for what was generalised.
const OTHER: &str = "otro";
/// How many rows are written at a time.
const ROWS: u64 = 256;

/// Un número que puede ser un promedio, con cuatro decimales como mucho.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promedio(Mean);

impl Serialize for Promedio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Mean(parts) = self.0;
        if parts % 10_000 == 0 {
            return serializer.serialize_i64(parts / 10_000);
        }
        serializer.serialize_f64(parts as f64 / 10_000.0)
    }
}

/// Lo que compró, como promedio de al menos k personas.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CompraAnonima {
    /// El evento, u `otro`.
    evento: String,
    /// Su categoría, u `otro`; `null` si no tiene.
    #[schema(required = true)]
    categoria: Option<String>,
    /// El mes (`2026-11`), el año (`2026`) u `otro`.
    mes: String,
    /// Cuántas entradas, en promedio.
    #[schema(value_type = f64, minimum = 0)]
    cantidad: Promedio,
    /// Lo que se pagó, en promedio.
    #[schema(value_type = f64, minimum = 0)]
    monto: Amount,
}

/// Una persona cualquiera de al menos k que son iguales en todo menos en el número.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UsuarioAnonimo {
    /// `Usuario_` y un número que solo vale en esta exportación.
    #[schema(example = "Usuario_000001")]
    nombre_anonimizado: String,
    /// El tipo de documento, u `otro`.
    tipo_documento: &'static str,
    /// El dominio del correo, u `otro`.
    dominio_email: String,
    /// El mes (`2026-11`), el año (`2026`) u `otro`.
    mes_registro: String,
    /// Cuántas compras cuenta el historial, en promedio.
    #[schema(value_type = f64, minimum = 0)]
    total_compras: Promedio,
    /// La suma de los montos del historial.
    #[schema(value_type = f64, minimum = 0)]
    monto_total: Amount,
    /// Código ISO 4217.
    #[schema(value_type = String, example = "USD")]
    moneda: CurrencyCode,
    /// Lo que se compró.
    historial: Vec<CompraAnonima>,
}

impl Record for UsuarioAnonimo {
    const COLUMNS: &'static [&'static str] = &[
        "nombre_anonimizado",
        "tipo_documento",
        "dominio_email",
        "mes_registro",
        "total_compras",
        "monto_total",
        "moneda",
        "historial",
    ];
    fn cells(&self) -> Vec<Cell<'_>> {
        let json = |value: serde_json::Result<String>| Cell::Own(value.unwrap_or_default().into());
        vec![
            Cell::Text(&self.nombre_anonimizado),
            Cell::Text(self.tipo_documento),
            Cell::Text(&self.dominio_email),
            Cell::Text(&self.mes_registro),
            json(serde_json::to_string(&self.total_compras)),
            json(serde_json::to_string(&self.monto_total)),
            Cell::Own(self.moneda.0.code().to_owned().into()),
            json(serde_json::to_string(&self.historial)),
        ]
    }
}

/// Todas las personas, anonimizadas sin vuelta atrás
///
/// Cada fila es igual, salvo su número, a las de al menos k - 1 personas más, y dos exportaciones no se pueden
/// relacionar para saber qué compró alguien. Las compras recientes aparecen cuando las acompañan las de k personas.
#[utoipa::path(
    get, path = "/api/usuarios/exportar", operation_id = "exportarUsuarios", tag = "Usuarios",
    params(
        ("formato" = inline(Option<Format>), Query, description = "Si no se indica otro, `json`"),
        ("posicion" = Option<u64>, Query, description = "Espera hasta que la lectura alcance esta posición"),
    ),
    responses((status = 200, description = "Todas las personas", content(
        (Vec<UsuarioAnonimo> = "application/json"),
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
    let population = population::read(&reader.app).await?;
    let k = reader.app.settings.export_k;
    let made = tokio::task::spawn_blocking(move || population.export(k)).await;
    let export = made.map_err(|error| Problem::internal(&error))?;
    disclosure::record(&reader.app, &caller, None, Disclosure::PeopleExport).await?;
    let rows = Rows::of(export, reader.app.settings.currency);
    answer(reader, rows, format, "usuarios", place).await
}

/// The rows of an export, numbered as they are written: the number says nothing.
struct Rows {
    classes: std::vec::IntoIter<Class>,
    class: Option<(UsuarioAnonimo, u64)>,
    written: u64,
    currency: Currency,
}

impl Rows {
    /// `currency` stands where there is nothing to count.
    fn of(export: Export, currency: Currency) -> Self {
        Self {
            classes: export.classes.into_iter(),
            class: None,
            written: 0,
            currency,
        }
    }

    fn next_row(&mut self) -> Option<UsuarioAnonimo> {
        if self.class.as_ref().is_none_or(|(_, left)| *left == 0) {
            let class = self.classes.next()?;
            self.class = Some((shown(class.row, self.currency), class.rows));
        }
        let (row, left) = self.class.as_mut()?;
        *left = left.checked_sub(1)?;
        self.written += 1;
        row.nombre_anonimizado = format!("Usuario_{:06}", self.written);
        Some(row.clone())
    }
}

impl Source for Rows {
    type Record = UsuarioAnonimo;
    async fn page(&mut self) -> Result<Vec<UsuarioAnonimo>, Problem> {
        Ok((0..ROWS).map_while(|_| self.next_row()).collect())
    }
}

fn shown(row: Row, default: Currency) -> UsuarioAnonimo {
    let currency = row.currency.unwrap_or(default);
    let or_other = |text: Option<std::sync::Arc<str>>| {
        text.map_or_else(|| OTHER.to_owned(), |text| text.as_ref().to_owned())
    };
    let entry = |entry: Entry| CompraAnonima {
        evento: or_other(entry.show),
        categoria: match entry.category {
            Some(category) if category.is_empty() => None,
            category => Some(or_other(category)),
        },
        mes: or_other(entry.period),
        cantidad: Promedio(entry.quantity),
        monto: Amount(Money::new(entry.minor, currency)),
    };
    UsuarioAnonimo {
        nombre_anonimizado: String::new(),
        tipo_documento: row.document_type.map_or(OTHER, |kind| {
            let known = DOCUMENT_TYPES.iter().find(|(_, known)| *known == kind);
            known.map_or(OTHER, |(name, _)| *name)
        }),
        dominio_email: or_other(row.email_domain),
        mes_registro: or_other(row.registered),
        total_compras: Promedio(row.purchases),
        monto_total: Amount(Money::new(row.minor, currency)),
        moneda: CurrencyCode(currency),
        historial: row.history.into_iter().map(entry).collect(),
    }
}
