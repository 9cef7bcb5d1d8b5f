//! Queries as MongoDB takes them.
//!
//! Values are compared within their kind: a number is never equal to a string or to true.

use super::super::{bodies, failure::Failure};
use ::mongodb::bson::{Bson, Document, doc};
use ports::{Op, Query};

/// The filter for a query: flat where it can be, for a field under its own name is what every planner finds its
/// index by. (SecantusDB finds none through `$and` and `$eq`.)
pub(super) fn filter(query: &Query) -> Result<Document, Failure> {
    let mut conditions = Vec::with_capacity(query.filters.len() + 1);
    for filter in &query.filters {
        conditions.push((filter.field, condition(&filter.op)?));
    }
    let (bound, either) = behind(query);
    conditions.extend(bound);
    let mut flat = Document::new();
    let mut more = Vec::new();
    for (field, (operator, value)) in conditions {
        let of_field = flat.entry(field).or_insert_with(|| Bson::Document(doc! {}));
        match of_field {
            Bson::Document(of_field) if !of_field.contains_key(operator) => {
                of_field.insert(operator, value);
            }
            // The same field is compared in the same way twice.
            _ => more.push(doc! { field: { operator: value } }),
        }
    }
    let mut all: Document = flat
        .into_iter()
        .map(|(field, of_field)| (field, plain(of_field)))
        .collect();
    if let Some(either) = either {
        all.insert("$or", either);
    }
    if !more.is_empty() {
        all.insert("$and", more);
    }
    Ok(all)
}

/// A value instead of `{$eq: value}`, where that means the same: not for a document, whose fields could be operators.
fn plain(operators: Bson) -> Bson {
    match &operators {
        Bson::Document(only) if only.len() == 1 => match only.get("$eq") {
            Some(Bson::Document(_) | Bson::RegularExpression(_)) | None => operators,
            Some(value) => value.clone(),
        },
        _ => operators,
    }
}

/// The order of a query: as the indexes have it, in one direction or the other.
pub(super) fn sort(query: &Query) -> Document {
    match query.order {
        None => doc! { "_id": 1 },
        Some(order) => {
            let direction = if order.descending { -1 } else { 1 };
            doc! { order.field: direction, "_id": direction }
        }
    }
}

/// An operator and its value.
type Condition = (&'static str, Bson);

fn condition(op: &Op) -> Result<Condition, Failure> {
    Ok(match op {
        Op::Eq(value) => {
            let value = bodies::value(value).map_err(|error| Failure::refused(error.to_string()))?;
            let value = Bson::try_from(value).map_err(|error| Failure::refused(error.to_string()))?;
            ("$eq", value)
        }
        Op::AtLeast(number) => ("$gte", Bson::Int64(*number)),
        Op::Below(number) => ("$lt", Bson::Int64(*number)),
        Op::Contains(text) => ("$regex", Bson::String(escaped(text))),
    })
}

/// Only what lies behind a place in the order: a bound for the search in the index, and what settles what is equal
/// there.
fn behind(query: &Query) -> (Option<(&'static str, Condition)>, Option<Vec<Document>>) {
    let Some((value, key)) = &query.after else {
        return (None, None);
    };
    let Some(order) = query.order else {
        return (Some(("_id", ("$gt", Bson::String(key.clone())))), None);
    };
    let (beyond, from) = if order.descending {
        ("$lt", "$lte")
    } else {
        ("$gt", "$gte")
    };
    let either = vec![
        doc! { order.field: { beyond: *value } },
        doc! { "_id": { beyond: key } },
    ];
    (Some((order.field, (from, Bson::Int64(*value)))), Some(either))
}

/// A regular expression that matches this text and nothing else.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for letter in text.chars() {
        match letter {
            // A regular expression ends at a NUL; nothing that is searched has one, so neither is it found.
            '\0' => escaped.push_str("(?!)"),
            letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ports::{Filter, Order};
    use serde_json::json;

    #[test]
    fn a_text_is_searched_as_it_is() {
        assert_eq!(escaped("a.b* (ñ)%"), r"a\.b\*\ \(ñ\)\%");
        assert_eq!(escaped("席\n"), "席\\\n");
    }

    #[test]
    fn a_page_begins_behind_the_one_before_in_either_direction() {
        let query = |descending| Query {
            filters: vec![],
            order: Some(Order {
                field: "at_ms",
                descending,
            }),
            after: Some((5, "k".into())),
            limit: 1,
        };
        assert_eq!(
            filter(&query(true)).unwrap(),
            doc! {
                "at_ms": { "$lte": 5_i64 },
                "$or": [{ "at_ms": { "$lt": 5_i64 } }, { "_id": { "$lt": "k" } }],
            }
        );
        assert_eq!(sort(&query(false)), doc! { "at_ms": 1, "_id": 1 });
    }

    #[test]
    fn conditions_stand_under_their_fields_and_none_is_lost() {
        let filter_of = |filters: Vec<(&'static str, Op)>| {
            let filters = filters.into_iter();
            filter(&Query {
                filters: filters.map(|(field, op)| Filter { field, op }).collect(),
                order: None,
                after: None,
                limit: 1,
            })
            .unwrap()
        };
        let eq = |value| ("category", Op::Eq(value));
        assert_eq!(
            filter_of(vec![
                eq(json!("rock")),
                ("at_ms", Op::AtLeast(1)),
                ("at_ms", Op::Below(9))
            ]),
            doc! { "category": "rock", "at_ms": { "$gte": 1_i64, "$lt": 9_i64 } }
        );
        assert_eq!(
            filter_of(vec![eq(json!("rock")), eq(json!("jazz"))]),
            doc! { "category": "rock", "$and": [{ "category": { "$eq": "jazz" } }] }
        );
        assert_eq!(
            filter_of(vec![eq(json!({"$gt": ""}))]),
            doc! { "category": { "$eq": { "$gt": "" } } }
        );
    }
}
