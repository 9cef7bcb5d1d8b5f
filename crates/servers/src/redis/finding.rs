//! Finding and counting by looking at every key: Redis holds what is read by id, and only streams that are parked are
//! ever found here, a handful.

use ports::{Document, Filter, Op, Query};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// How many documents are found at the most, whatever the caller wants.
const MAX_FOUND: usize = 10_000;

/// The documents that a query wants, of those that were offered. Keeps no more than its limit.
pub(super) struct Found {
    query: Query,
    limit: usize,
    /// In the query's order when it ascends.
    kept: BTreeMap<(i64, String), Arc<Document>>,
}

impl Found {
    pub fn new(query: Query) -> Self {
        Self {
            limit: query.limit.min(MAX_FOUND),
            query,
            kept: BTreeMap::new(),
        }
    }

    /// A document; the same one again changes nothing.
    pub fn offer(&mut self, document: Arc<Document>) -> Result<(), serde_json::Error> {
        let body: Map<String, Value> = serde_json::from_slice(&document.body)?;
        if !self.query.filters.iter().all(|filter| holds(filter, &body)) {
            return Ok(());
        }
        let value = self
            .query
            .order
            .and_then(|order| body.get(order.field)?.as_i64())
            .unwrap_or(0);
        let place = (value, document.key.clone());
        let descending = self.descends();
        let is_behind = match &self.query.after {
            Some(after) if descending => place < *after,
            Some(after) => place > *after,
            None => true,
        };
        if is_behind {
            self.kept.insert(place, document);
        }
        if self.kept.len() > self.limit {
            if descending {
                self.kept.pop_first();
            } else {
                self.kept.pop_last();
            }
        }
        Ok(())
    }

    pub fn finish(self) -> Vec<Arc<Document>> {
        let descending = self.descends();
        let ascending = self.kept.into_values();
        if descending {
            ascending.rev().collect()
        } else {
            ascending.collect()
        }
    }

    fn descends(&self) -> bool {
        self.query.order.is_some_and(|order| order.descending)
    }
}

fn holds(filter: &Filter, body: &Map<String, Value>) -> bool {
    let field = body.get(filter.field).unwrap_or(&Value::Null);
    match &filter.op {
        Op::Eq(value) => field == value,
        Op::AtLeast(number) => field.as_i64().is_some_and(|found| found >= *number),
        Op::Below(number) => field.as_i64().is_some_and(|found| found < *number),
        Op::Contains(text) => field.as_str().is_some_and(|found| found.contains(text)),
    }
}
