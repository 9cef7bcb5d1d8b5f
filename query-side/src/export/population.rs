//! Reads people and purchases for the export. Of an e-mail address only the domain leaves this file.

use super::{Pages, too_large};
use crate::{
    app::App,
    reads::{parse, store_problem},
};
use contract::{
    Timestamp, UserId,
    collections::{self, Collection},
};
use futures_util::future::try_join_all;
use ports::{Document, VaultError};
use std::sync::Arc;
use views::{
    anonymous::{Bought, Facts, PersonIndex, Population},
    purchase::Purchase,
    user::User,
};
use web::{Code, Problem};

/// 40 bytes each.
const MAX_PEOPLE: u64 = 2_000_000;
/// 32 bytes each.
const MAX_PURCHASES: u64 = 8_000_000;
/// How many addresses are opened at once.
const OPENED_AT_ONCE: usize = 16;

/// Everybody and what they bought, as it stands now.
pub(super) async fn read(app: &App) -> Result<Population, Problem> {
    if count(app, &collections::USERS).await? > MAX_PEOPLE
        || count(app, &collections::PURCHASES).await? > MAX_PURCHASES
    {
        return Err(too_large());
    }
    let mut population = Population::default();
    let people = people(app, &mut population).await?;
    purchases(app, &mut population, &people).await?;
    Ok(population)
}

async fn count(app: &App, collection: &'static Collection) -> Result<u64, Problem> {
    let count = app.store.count(collection).await;
    count.map_err(|error| store_problem(&error))
}

/// Somebody's facts, or when they were forgotten.
enum Found {
    Person(User, String),
    Forgotten(User, Timestamp),
}

async fn people(app: &App, population: &mut Population) -> Result<Vec<(UserId, PersonIndex)>, Problem> {
    let mut people = Vec::new();
    let mut pages = Pages::of(&collections::USERS);
    loop {
        let documents = pages.next(app).await?;
        if documents.is_empty() {
            break;
        }
        let mut found = Vec::with_capacity(documents.len());
        for some in documents.chunks(OPENED_AT_ONCE) {
            found.extend(try_join_all(some.iter().map(|document| open(app, document.clone()))).await?);
        }
        for found in found {
            match found {
                Found::Person(user, email_domain) => {
                    let facts = Facts {
                        document_type: user.document_type,
                        email_domain: &email_domain,
                        registered_at_ms: user.registered_at_ms,
                    };
                    let index = population.person(facts).ok_or_else(too_large)?;
                    people.push((user.user_id, index));
                }
                Found::Forgotten(user, at) => {
                    population.forgotten(user.document_type, user.registered_at_ms, at);
                }
            }
        }
    }
    people.sort_unstable();
    Ok(people)
}

async fn open(app: &App, document: Arc<Document>) -> Result<Found, Problem> {
    let user: User = parse(&document)?;
    if let Some(at) = user.forgotten_at_ms {
        return Ok(Found::Forgotten(user, at));
    }
    match app.vault.open(user.user_id, "email", &user.email).await {
        Ok(email) => {
            let domain = email.rsplit('@').next().unwrap_or_default().to_lowercase();
            Ok(Found::Person(user, domain))
        }
        // The key is destroyed first; that it was is projected a moment later.
        Err(VaultError::Forgotten) => Ok(Found::Forgotten(user, app.clock.now())),
        Err(error @ VaultError::Unavailable(_)) => {
            tracing::warn!(%error, "an export was turned away");
            Err(Problem::new(Code::Unavailable))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

async fn purchases(
    app: &App,
    population: &mut Population,
    people: &[(UserId, PersonIndex)],
) -> Result<(), Problem> {
    let mut pages = Pages::of(&collections::PURCHASES);
    loop {
        let documents = pages.next(app).await?;
        if documents.is_empty() {
            return Ok(());
        }
        for document in documents {
            let purchase: Purchase = parse(&document)?;
            // Purchases of forgotten people stay in the accounts and out of the export.
            let Ok(place) = people.binary_search_by_key(&purchase.user_id, |(user, _)| *user) else {
                continue;
            };
            let Some((_, person)) = people.get(place) else {
                continue;
            };
            population.bought(
                *person,
                Bought {
                    show: &purchase.show_name,
                    category: purchase.category.as_deref(),
                    at_ms: purchase.at_ms,
                    quantity: purchase.quantity,
                    minor: purchase.amount.minor,
                    currency: purchase.amount.currency,
                },
            );
        }
    }
}
