//! The tables of the read store and the statements over them.

use super::document;
use crate::{
    Document, Filter, Generation, Op, Query,
    embedded::{
        OpenError,
        sqlite::{Durability, File, number, optional_number, stored},
    },
};
use contract::{
    Position,
    collections::{self, Collection},
};
use rusqlite::{Connection, OptionalExtension, types::Value};
use std::{fmt::Write as _, path::Path, sync::Arc};

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS generations (id INTEGER PRIMARY KEY, checkpoint INTEGER, active INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS snapshots (
        stream TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        digest BLOB NOT NULL,
        position INTEGER NOT NULL,
        form INTEGER NOT NULL,
        state BLOB NOT NULL
    ) STRICT;
    INSERT INTO generations (id, checkpoint, active) SELECT 1, NULL, 1 WHERE NOT EXISTS (SELECT 1 FROM generations);
";

/// Opens the store for writing.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    File {
        path,
        durability: Durability::Process,
        cache_kib: 16 << 10,
        tables: TABLES,
        version: 1,
    }
    .open()
}

/// Makes the tables that the known generations lack, drops those that a crash left over, and returns the active
/// generation with its checkpoint.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<(Generation, Option<Position>)> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let generations = generations(connection)?;
    for generation in &generations {
        make(connection, *generation)?;
    }
    let mut leftover = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables: Vec<String> = leftover
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        let of = table
            .rsplit_once("_g")
            .and_then(|(name, number)| Some((name, Generation(number.parse().ok()?))));
        if let Some((name, generation)) = of
            && collections::ALL.iter().any(|collection| collection.name == name)
            && !generations.contains(&generation)
        {
            connection.execute_batch(&format!("DROP TABLE {table}"))?;
        }
    }
    connection.execute_batch("COMMIT")?;
    let active = "SELECT id, checkpoint FROM generations WHERE active = 1";
    connection.query_row(active, (), |row| {
        Ok((Generation(row.get(0)?), optional_number(row, 1)?.map(Position)))
    })
}

fn generations(connection: &Connection) -> rusqlite::Result<Vec<Generation>> {
    let mut select = connection.prepare_cached("SELECT id FROM generations")?;
    select.query_map((), |row| row.get(0).map(Generation))?.collect()
}

/// The checkpoint of a generation; `None` when there is no such generation.
pub(super) fn checkpoint(
    connection: &Connection,
    generation: Generation,
) -> rusqlite::Result<Option<Option<Position>>> {
    let mut select = connection.prepare_cached("SELECT checkpoint FROM generations WHERE id = ?1")?;
    select
        .query_row([generation.0], |row| Ok(optional_number(row, 0)?.map(Position)))
        .optional()
}

/// The table of a collection in a generation.
pub(super) fn table(collection: &Collection, generation: Generation) -> String {
    format!("{}_g{}", collection.name, generation.0)
}

/// Makes the tables and indexes of a generation, where they do not exist.
pub(super) fn make(connection: &Connection, generation: Generation) -> rusqlite::Result<()> {
    for collection in collections::ALL {
        let table = table(collection, generation);
        let mut statements = format!(
            "CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;"
        );
        for fields in collection.indexes {
            let columns: Vec<String> = fields.iter().map(|field| extract(field)).collect();
            let (name, columns) = (fields.join("_"), columns.join(", "));
            // Writing to a String cannot fail.
            let _ = write!(
                statements,
                "CREATE INDEX IF NOT EXISTS {table}_{name} ON {table} ({columns}, key);"
            );
        }
        connection.execute_batch(&statements)?;
    }
    Ok(())
}

/// Drops the tables of a generation, each in a transaction of its own, so that the writer is never away for long.
pub(super) fn drop_tables(connection: &Connection, generation: Generation) -> rusqlite::Result<()> {
    for collection in collections::ALL {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {}", table(collection, generation)))?;
    }
    Ok(())
}

/// A document by its key.
pub(super) fn get(
    connection: &Connection,
    collection: &Collection,
    generation: Generation,
    key: &str,
) -> rusqlite::Result<Option<Arc<Document>>> {
    let select = format!(
        "SELECT key, version, body FROM {} WHERE key = ?1",
        table(collection, generation)
    );
    connection
        .prepare_cached(&select)?
        .query_row([key], document)
        .optional()
}

/// A field of the document, written exactly as in the indexes, or SQLite would not use them. Fields are names in our
/// own code; anything else yields NULL rather than becoming part of a statement.
fn extract(field: &str) -> String {
    if !field.is_empty()
        && field
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        format!("json_extract(body, '$.{field}')")
    } else {
        "NULL".into()
    }
}

/// The statement for a query, and its values.
pub(super) fn find(table: &str, query: &Query) -> rusqlite::Result<(String, Vec<Value>)> {
    let mut values = Vec::new();
    let mut conditions: Vec<String> = query
        .filters
        .iter()
        .map(|filter| condition(filter, &mut values))
        .collect();
    let (direction, beyond) = match query.order {
        Some(order) if order.descending => ("DESC", "<"),
        _ => ("ASC", ">"),
    };
    if let Some((value, key)) = &query.after {
        values.push(Value::Text(key.clone()));
        let key = values.len();
        match query.order {
            None => conditions.push(format!("key {beyond} ?{key}")),
            Some(order) => {
                let field = extract(order.field);
                values.push(Value::Integer(*value));
                let value = values.len();
                // The first half alone bounds the search in the index, the second settles what is equal.
                conditions.push(format!("{field} {beyond}= ?{value}"));
                conditions.push(format!("({field} {beyond} ?{value} OR key {beyond} ?{key})"));
            }
        }
    }
    let mut statement = format!("SELECT key, version, body FROM {table}");
    for (index, condition) in conditions.iter().enumerate() {
        statement.push_str(if index == 0 { " WHERE " } else { " AND " });
        statement.push_str(condition);
    }
    statement.push_str(" ORDER BY ");
    if let Some(order) = query.order {
        let _ = write!(statement, "{} {direction}, ", extract(order.field));
    }
    values.push(Value::Integer(stored(query.limit as u64)));
    let _ = write!(statement, "key {direction} LIMIT ?{}", values.len());
    Ok((statement, values))
}

fn condition(filter: &Filter, values: &mut Vec<Value>) -> String {
    let field = extract(filter.field);
    let (value, before, behind) = match &filter.op {
        Op::Eq(serde_json::Value::Null) => return format!("{field} IS NULL"),
        Op::Eq(value) => (comparable(value), format!("{field} = "), ""),
        Op::AtLeast(number) => (Value::Integer(*number), format!("{field} >= "), ""),
        Op::Below(number) => (Value::Integer(*number), format!("{field} < "), ""),
        Op::Contains(text) => (Value::Text(text.clone()), format!("instr({field}, "), ") > 0"),
    };
    values.push(value);
    format!("{before}?{}{behind}", values.len())
}

/// A JSON value as `json_extract` gives it.
fn comparable(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Integer(i64::from(*truth)),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Integer(whole),
            (None, Some(real)) => Value::Real(real),
            (None, None) => Value::Null,
        },
        serde_json::Value::String(text) => Value::Text(text.clone()),
        nested => Value::Text(nested.to_string()),
    }
}

/// The next number for a generation. Not even the number of a dropped one is used twice while this file is open,
/// because the highest is dropped only together with the taking of the next.
pub(super) fn next_generation(connection: &Connection) -> rusqlite::Result<Generation> {
    let mut select = connection.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM generations")?;
    select
        .query_row((), |row| number(row, 0))
        .map(|next| Generation(u32::try_from(next).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests;
