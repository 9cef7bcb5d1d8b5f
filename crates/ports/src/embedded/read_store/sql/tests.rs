#![allow(clippy::unwrap_used)]

use super::*;
use crate::Order;
use contract::collections::{PURCHASES, RESERVATIONS, SHOWS, USERS};
use rusqlite::params_from_iter;

/// How SQLite goes about a query.
fn plan(collection: &Collection, query: &Query) -> String {
    let connection = Connection::open_in_memory().unwrap();
    make(&connection, Generation(1)).unwrap();
    let (statement, values) = find(&table(collection, Generation(1)), query).unwrap();
    let mut explain = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
        .unwrap();
    let steps = explain
        .query_map(params_from_iter(values), |row| row.get::<_, String>(3))
        .unwrap();
    steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

fn query(filters: Vec<Filter>, order: Option<(&'static str, bool)>, after: bool) -> Query {
    let order = order.map(|(field, descending)| Order { field, descending });
    Query {
        filters,
        order,
        after: after.then(|| (5, "k".into())),
        limit: 10,
    }
}

fn equal(field: &'static str, value: impl Into<serde_json::Value>) -> Filter {
    Filter {
        field,
        op: Op::Eq(value.into()),
    }
}

#[test]
fn every_page_of_the_contract_is_found_by_an_index_and_never_sorted() {
    let soonest = Some(("starts_at_ms", false));
    let newest = Some(("at_ms", true));
    let from = Filter {
        field: "starts_at_ms",
        op: Op::AtLeast(3),
    };
    for after in [false, true] {
        let cases = [
            (&SHOWS, query(vec![], soonest, after), "shows_g1_starts_at_ms"),
            (
                &SHOWS,
                query(vec![from.clone()], soonest, after),
                "shows_g1_starts_at_ms",
            ),
            (
                &SHOWS,
                query(vec![equal("category", "rock")], soonest, after),
                "shows_g1_category_starts_at_ms",
            ),
            (
                &SHOWS,
                query(vec![equal("organiser", "u")], soonest, after),
                "shows_g1_organiser_starts_at_ms",
            ),
            (
                &SHOWS,
                query(vec![equal("unsettled", 1)], None, after),
                "shows_g1_unsettled",
            ),
            (
                &PURCHASES,
                query(vec![equal("user_id", "u")], newest, after),
                "purchases_g1_user_id_at_ms",
            ),
            (
                &RESERVATIONS,
                query(vec![equal("open", 1)], None, after),
                "reservations_g1_open",
            ),
            (&USERS, query(vec![], None, after), "sqlite_autoindex_users_g1_1"),
        ];
        for (collection, query, index) in cases {
            let plan = plan(collection, &query);
            assert!(plan.contains(&format!("INDEX {index}")), "{query:?}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{query:?}\n{plan}");
        }
    }
}

#[test]
fn a_field_that_is_no_plain_name_never_becomes_part_of_a_statement() {
    let (statement, _) = find("t", &query(vec![equal("a') OR 1=1 --", 1)], None, false)).unwrap();
    assert_eq!(
        statement,
        "SELECT key, version, body FROM t WHERE NULL = ?1 ORDER BY key ASC LIMIT ?2"
    );
}

#[test]
fn a_store_of_a_program_that_knew_fewer_indexes_goes_on_and_gets_them() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLES).unwrap();
    prepare(&connection).unwrap();
    // As that program left it: two generations, the active one with documents and a checkpoint.
    connection
        .execute_batch(
            r#"DROP INDEX shows_g1_organiser_starts_at_ms;
               INSERT INTO generations (id, checkpoint, active) VALUES (2, 7, 0);
               UPDATE generations SET checkpoint = 42 WHERE id = 1;
               INSERT INTO shows_g1 VALUES ('one', 3, '{"organiser":"u","starts_at_ms":1}');
               INSERT INTO shows_g1 VALUES ('other', 4, '{"starts_at_ms":2}');"#,
        )
        .unwrap();
    let found = prepare(&connection).unwrap();
    assert_eq!(found, (Generation(1), Some(Position(42))));
    let own = query(
        vec![equal("organiser", "u")],
        Some(("starts_at_ms", false)),
        false,
    );
    let (statement, values) = find("shows_g1", &own).unwrap();
    let keys = |statement: &str, values: Vec<Value>| {
        let mut select = connection.prepare(statement).unwrap();
        let rows = select.query_map(params_from_iter(values), |row| row.get::<_, String>(0));
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(keys(&statement, values), ["one"]);
    assert_eq!(
        keys("SELECT key FROM shows_g1 ORDER BY key", vec![]),
        ["one", "other"]
    );
    let indexes =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE '%organiser%' ORDER BY name";
    assert_eq!(
        keys(indexes, vec![]),
        [
            "shows_g1_organiser_starts_at_ms",
            "shows_g2_organiser_starts_at_ms"
        ]
    );
}
