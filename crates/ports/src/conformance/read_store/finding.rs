//! What every read store promises of queries.

use super::{Store, delete, put, show};
use crate::{
    Filter, Op, Order, Query, ReadStore, StoreError,
    conformance::{Check, Failed, Outcome, checks, ensure, same},
};
use contract::{
    Position,
    collections::{PURCHASES, SHOWS},
};
use serde_json::json;
use std::sync::Arc;

pub(super) fn checks() -> Vec<Check<dyn ReadStore>> {
    checks![
        a_filter_finds_what_it_says,
        results_are_ordered_by_field_and_then_by_key,
        pages_cover_everything_once,
        documents_are_counted,
    ]
}

async fn keys(store: &dyn ReadStore, query: Query) -> Result<Vec<String>, StoreError> {
    let found = store.find(&SHOWS, query).await?;
    Ok(found.iter().map(|document| document.key.clone()).collect())
}

fn query(filters: Vec<Filter>) -> Query {
    Query {
        filters,
        order: None,
        after: None,
        limit: 100,
    }
}

/// Six shows: keys a to f, two categories, starting times with a tie.
async fn catalogue(fixture: Store<'_>) -> Result<Arc<dyn ReadStore>, Failed> {
    let store = fixture.fresh().await?;
    let shows = [
        ("f", 30, "rock"),
        ("a", 10, "rock"),
        ("c", 20, "jazz"),
        ("b", 20, "rock"),
        ("e", 20, "rock"),
        ("d", 5, "jazz"),
    ];
    let changes = shows.map(|(key, starts, category)| {
        let body = json!({
            "starts_at_ms": starts, "category": category, "unsettled": u8::from(key == "c"),
            "search": format!("noche de {category} en el teatro"), "cancelled": key == "d",
        });
        put(&SHOWS, key, 1, &body)
    });
    store
        .apply(store.active().await?, changes.into(), Position(1))
        .await?;
    Ok(store)
}

async fn a_filter_finds_what_it_says(fixture: Store<'_>) -> Outcome {
    let store = catalogue(fixture).await?;
    let category = |name: &str| Filter {
        field: "category",
        op: Op::Eq(json!(name)),
    };
    let cases = [
        (vec![], "abcdef"),
        (vec![category("jazz")], "cd"),
        (vec![category("none")], ""),
        (
            vec![Filter {
                field: "unsettled",
                op: Op::Eq(json!(1)),
            }],
            "c",
        ),
        (
            vec![Filter {
                field: "cancelled",
                op: Op::Eq(json!(true)),
            }],
            "d",
        ),
        (
            vec![Filter {
                field: "starts_at_ms",
                op: Op::AtLeast(20),
            }],
            "bcef",
        ),
        (
            vec![Filter {
                field: "starts_at_ms",
                op: Op::Below(20),
            }],
            "ad",
        ),
        (
            vec![Filter {
                field: "search",
                op: Op::Contains("de rock en".into()),
            }],
            "abef",
        ),
        (
            vec![Filter {
                field: "search",
                op: Op::Contains("%".into()),
            }],
            "",
        ),
        (
            vec![
                category("rock"),
                Filter {
                    field: "starts_at_ms",
                    op: Op::AtLeast(20),
                },
            ],
            "bef",
        ),
        (
            vec![Filter {
                field: "no_such_field",
                op: Op::Eq(json!("x")),
            }],
            "",
        ),
    ];
    for (filters, expected) in cases {
        let what = format!("{filters:?}");
        same(
            &what,
            keys(&*store, query(filters)).await?.concat(),
            expected.to_owned(),
        )?;
    }
    Ok(())
}

async fn results_are_ordered_by_field_and_then_by_key(fixture: Store<'_>) -> Outcome {
    let store = catalogue(fixture).await?;
    for (descending, expected) in [(false, "dabcef"), (true, "fecbad")] {
        let order = Some(Order {
            field: "starts_at_ms",
            descending,
        });
        same(
            "the order",
            keys(
                &*store,
                Query {
                    order,
                    ..query(vec![])
                },
            )
            .await?
            .concat(),
            expected.to_owned(),
        )?;
        let first = Query {
            order,
            limit: 2,
            ..query(vec![])
        };
        same(
            "the first two",
            keys(&*store, first).await?.concat(),
            expected[..2].to_owned(),
        )?;
    }
    Ok(())
}

async fn pages_cover_everything_once(fixture: Store<'_>) -> Outcome {
    let store = catalogue(fixture).await?;
    let orders = [None, Some(false), Some(true)];
    for (order, expected) in orders.into_iter().zip(["abcdef", "dabcef", "fecbad"]) {
        let order = order.map(|descending| Order {
            field: "starts_at_ms",
            descending,
        });
        for limit in 1..=4 {
            let mut found = String::new();
            let mut after = None;
            loop {
                let page = store
                    .find(
                        &SHOWS,
                        Query {
                            order,
                            after,
                            limit,
                            ..query(vec![])
                        },
                    )
                    .await?;
                ensure!(page.len() <= limit, "a page of {limit} has {}", page.len());
                let Some(last) = page.last() else {
                    break;
                };
                found.extend(page.iter().map(|document| document.key.as_str()));
                ensure!(found.len() <= 6, "pages overlap: {found}");
                let body: serde_json::Value = serde_json::from_slice(&last.body)?;
                let value = order.and_then(|order| body[order.field].as_i64()).unwrap_or(0);
                after = Some((value, last.key.clone()));
            }
            same("all pages", found, expected.to_owned())?;
        }
    }
    Ok(())
}

async fn documents_are_counted(fixture: Store<'_>) -> Outcome {
    let store = catalogue(fixture).await?;
    same("shows", store.count(&SHOWS).await?, 6)?;
    same("purchases", store.count(&PURCHASES).await?, 0)?;
    store
        .apply(
            store.active().await?,
            vec![delete(&SHOWS, "a"), show("b", 2)],
            Position(2),
        )
        .await?;
    same("shows", store.count(&SHOWS).await?, 5)
}
