//! The one table that comes out, as markdown.

use super::{load::Measured, server::Target};
use std::{fmt, time::Duration};

/// What a workload took of the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    before: Option<Duration>,
    /// Processor time of the server per operation.
    cpu: Option<Duration>,
    /// Bytes on disk per operation.
    pub bytes: Option<u64>,
}

impl Cost {
    /// Looks at the server before a workload.
    pub fn begin(target: &Target) -> Self {
        Self {
            before: target.own().and_then(|server| server.cpu()),
            ..Self::default()
        }
    }

    /// Looks again behind it.
    pub fn end(self, target: &Target, operations: u64) -> Self {
        let after = target.own().and_then(|server| server.cpu());
        let each = |used: Duration| used.div_f64(operations.max(1) as f64);
        let cpu = self
            .before
            .zip(after)
            .and_then(|(before, after)| after.checked_sub(before))
            .map(each);
        Self { cpu, ..self }
    }
}

/// Rows and notes, in the order in which they came.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<[String; 9]>,
    notes: Vec<String>,
    /// The rate of the empty endpoint, once it is known.
    pub empty: Option<f64>,
}

impl Table {
    /// What the disk can do.
    pub fn disk(&mut self, syncs_per_second: f64) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        self.note(&format!(
            "{cores} processors shared by server and client; the disk makes 4 KiB durable {syncs_per_second:.0} times/s"
        ));
    }

    /// A workload over HTTP.
    pub fn measured(&mut self, name: &str, measured: &Measured, target: &Target, cost: Option<Cost>) {
        let percentile = |p: f64| {
            let micros = measured.latencies.value_at_quantile(p);
            format!("{:.2}", micros as f64 / 1_000.0)
        };
        let cost = cost.unwrap_or_default();
        let peak = target.own().and_then(|server| server.peak_bytes());
        self.rows.push([
            name.to_string(),
            grouped(measured.wanted),
            grouped(measured.per_second() as u64),
            percentile(0.5),
            percentile(0.99),
            percentile(0.999),
            cost.cpu
                .map_or_else(String::new, |cpu| format!("{:.0}", cpu.as_secs_f64() * 1e6)),
            peak.map_or_else(String::new, megabytes),
            cost.bytes.map_or_else(String::new, grouped),
        ]);
    }

    /// Something that was done once and took a while. `rate` is left out where the time does not grow with the
    /// number of operations.
    pub fn took(&mut self, name: &str, operations: u64, elapsed: Duration, rate: bool, peak: Option<u64>) {
        let per_second = operations as f64 / elapsed.as_secs_f64().max(1e-9);
        let mut row: [String; 9] = Default::default();
        row[0] = format!("{name}, {:.2} s", elapsed.as_secs_f64());
        row[1] = grouped(operations);
        row[2] = if rate {
            grouped(per_second as u64)
        } else {
            String::new()
        };
        row[7] = peak.map_or_else(String::new, megabytes);
        self.rows.push(row);
    }

    /// A sentence under the table.
    pub fn note(&mut self, text: &str) {
        self.notes.push(text.to_string());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADS: [&str; 9] = [
            "workload",
            "count",
            "per second",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "server CPU µs each",
            "peak MB",
            "disk bytes each",
        ];
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEADS[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: [&str; 9]| {
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(f, "| {cell:<width$} ")?,
                    _ => write!(f, "| {cell:>width$} ")?,
                }
            }
            writeln!(f, "|")
        };
        line(f, HEADS)?;
        for (column, width) in widths.iter().enumerate() {
            let dashes = "-".repeat(width + 1);
            write!(
                f,
                "|{}",
                if column == 0 {
                    format!("{dashes}-")
                } else {
                    format!("{dashes}:")
                }
            )?;
        }
        writeln!(f, "|")?;
        for row in &self.rows {
            line(f, row.each_ref().map(String::as_str))?;
        }
        for note in &self.notes {
            write!(f, "\n- {note}")?;
        }
        Ok(())
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / 1e6)
}

/// A number with its thousands apart: `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn a_table_without_rows_is_a_table() {
        let mut table = Table::default();
        table.note("nothing was chosen");
        assert!(table.to_string().ends_with("- nothing was chosen"));
    }
}
