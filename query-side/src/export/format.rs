//! JSON, NDJSON and CSV.

use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;
use web::{Params, Problem};

/// Cómo se escribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Format {
    /// One array.
    Json,
    /// An object a line.
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

impl Format {
    /// Reads `formato`; a fault is remembered in `params`.
    pub fn read(params: &mut Params) -> Self {
        match params.raw("formato") {
            None | Some("json") => Format::Json,
            Some("ndjson") => Format::Ndjson,
            Some("csv") => Format::Csv,
            Some(_) => {
                params.error("formato", "debe ser json, csv o ndjson");
                Format::Json
            }
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson",
            Format::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    pub fn ending(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
        }
    }
}

/// A row.
pub(crate) trait Record: Serialize {
    /// The columns of the CSV.
    const COLUMNS: &'static [&'static str];
    /// Their values.
    fn cells(&self) -> Vec<Cell<'_>>;
}

/// A value in a CSV.
pub(crate) enum Cell<'a> {
    /// What people wrote: might be taken for a formula.
    Text(&'a str),
    /// What this program wrote: a number, a time, JSON.
    Own(Cow<'a, str>),
}

/// Writes rows one after another.
pub(crate) struct Writer {
    format: Format,
    begun: bool,
}

impl Writer {
    pub fn new(format: Format) -> Self {
        let begun = false;
        Self { format, begun }
    }

    /// The next row.
    pub fn record<R: Record>(&mut self, out: &mut Vec<u8>, record: &R) -> Result<(), Problem> {
        let begun = self.begun;
        self.begin::<R>(out);
        match self.format {
            Format::Json => {
                out.extend_from_slice(if begun { b",\n" } else { b"\n" });
                serde_json::to_writer(out, record).map_err(|error| Problem::internal(&error))
            }
            Format::Ndjson => {
                serde_json::to_writer(&mut *out, record).map_err(|error| Problem::internal(&error))?;
                out.push(b'\n');
                Ok(())
            }
            Format::Csv => {
                csv_line(out, record.cells());
                Ok(())
            }
        }
    }

    /// Behind the last row.
    pub fn finish<R: Record>(&mut self, out: &mut Vec<u8>) {
        self.begin::<R>(out);
        if self.format == Format::Json {
            out.extend_from_slice(b"\n]\n");
        }
    }

    fn begin<R: Record>(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        match self.format {
            Format::Json => out.push(b'['),
            Format::Ndjson => {}
            Format::Csv => csv_line(
                out,
                R::COLUMNS.iter().map(|name| Cell::Own((*name).into())).collect(),
            ),
        }
    }
}

fn csv_line(out: &mut Vec<u8>, cells: Vec<Cell<'_>>) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        csv_cell(out, cell);
    }
    out.extend_from_slice(b"\r\n");
}

fn csv_cell(out: &mut Vec<u8>, cell: &Cell<'_>) {
    let (text, guarded) = match cell {
        // A spreadsheet would run it, and whoever may name a show would write into the reader's computer.
        Cell::Text(text) => (*text, text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])),
        Cell::Own(text) => (text.as_ref(), false),
    };
    let quoted = guarded || text.contains(['"', ',', '\r', '\n']);
    if !quoted {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if guarded {
        out.push(b'\'');
    }
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Serialize)]
    struct Pair(String, u32);

    impl Record for Pair {
        const COLUMNS: &'static [&'static str] = &["texto", "numero"];
        fn cells(&self) -> Vec<Cell<'_>> {
            vec![Cell::Text(&self.0), Cell::Own(self.1.to_string().into())]
        }
    }

    fn written(format: Format, rows: &[(&str, u32)]) -> String {
        let (mut writer, mut out) = (Writer::new(format), Vec::new());
        for (text, number) in rows {
            writer.record(&mut out, &Pair((*text).into(), *number)).unwrap();
        }
        writer.finish::<Pair>(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_csv_is_quoted_as_rfc_4180_says_and_a_spreadsheet_runs_nothing_of_it() {
        let rows = [
            ("plain", 1),
            ("a \"b\", c\nd", 2),
            ("=1+1", 3),
            ("@x", 4),
            ("-5", 5),
            ("+x", 6),
        ];
        assert_eq!(
            written(Format::Csv, &rows),
            "texto,numero\r\nplain,1\r\n\"a \"\"b\"\", c\nd\",2\r\n\"'=1+1\",3\r\n\"'@x\",4\r\n\"'-5\",5\r\n\"'+x\",6\r\n"
        );
    }

    #[test]
    fn without_rows_there_is_an_empty_array_no_line_or_only_the_header() {
        let array: Vec<serde_json::Value> = serde_json::from_str(&written(Format::Json, &[])).unwrap();
        assert!(array.is_empty());
        assert_eq!(written(Format::Ndjson, &[]), "");
        assert_eq!(written(Format::Csv, &[]), "texto,numero\r\n");
    }

    #[test]
    fn json_is_an_array_and_ndjson_an_object_a_line() {
        let rows = [("a", 1), ("b", 2)];
        let array: Vec<(String, u32)> = serde_json::from_str(&written(Format::Json, &rows)).unwrap();
        assert_eq!(array, [("a".into(), 1), ("b".into(), 2)]);
        assert_eq!(written(Format::Ndjson, &rows), "[\"a\",1]\n[\"b\",2]\n");
    }
}
