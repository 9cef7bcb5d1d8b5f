//! What the log holds under a person's id: `user-{id}`, `account-{id}`, `access-{id}`.

use super::schema::{Acceso, CambioDeRoles};
use crate::{app::App, reads::log_problem};
use contract::{Event, Meta, ReservationId, Role, StreamKind, StreamName, UserId, events::Disclosure};
use std::collections::{BTreeSet, VecDeque};
use web::{Problem, access::role_word, schema::Time};

/// How many events of one stream are read. Past it the answer is of what came first; no person's stream is so long.
const MAX_EVENTS: u64 = 100_000;
/// How many are read at a time.
const PAGE: usize = 1_000;
/// How many accesses are listed, the latest.
const MAX_ACCESSES: usize = 10_000;
/// How many changes of roles are listed, the latest.
const MAX_ROLE_CHANGES: usize = 1_000;

/// What the streams say.
pub(super) struct Own {
    pub has_password: bool,
    /// Reservations that entered the history, in that order.
    pub reservations: Vec<ReservationId>,
    pub roles: Vec<&'static str>,
    pub role_changes: Vec<CambioDeRoles>,
    pub accesses: Vec<Acceso>,
    pub accesses_omitted: u64,
}

/// Reads all three.
pub(super) async fn read(app: &App, user_id: UserId) -> Result<Own, Problem> {
    let (mut has_password, mut reservations, mut known) = (false, Vec::new(), BTreeSet::new());
    each(app, StreamKind::User, user_id, |event, _| match event {
        Event::UserRegistered(registered) => has_password = registered.password.is_some(),
        Event::PurchaseRecorded(recorded) if known.insert(recorded.reservation_id) => {
            reservations.push(recorded.reservation_id);
        }
        _ => {}
    })
    .await?;

    let (mut roles, mut changes) = (BTreeSet::from([Role::Customer]), VecDeque::new());
    each(app, StreamKind::Account, user_id, |event, meta| {
        if let Event::RolesChanged(changed) = event {
            roles = changed.roles.clone();
            roles.insert(Role::Customer);
            changes.push_back(CambioDeRoles {
                roles: words(&roles),
                en: Time(changed.at_ms),
                por: meta.actor.to_string(),
            });
            if changes.len() > MAX_ROLE_CHANGES {
                changes.pop_front();
            }
        }
    })
    .await?;

    let (mut accesses, mut omitted) = (VecDeque::new(), 0);
    each(app, StreamKind::Access, user_id, |event, meta| {
        if let Some(access) = access(event, meta) {
            accesses.push_back(access);
            if accesses.len() > MAX_ACCESSES {
                accesses.pop_front();
                omitted += 1;
            }
        }
    })
    .await?;
    Ok(Own {
        has_password,
        reservations,
        roles: words(&roles),
        role_changes: changes.into(),
        accesses: accesses.into(),
        accesses_omitted: omitted,
    })
}

fn access(event: &Event, meta: &Meta) -> Option<Acceso> {
    match event {
        Event::LoginFailed(failed) => Some(Acceso::of("ingreso_fallido", failed.at_ms, &meta.actor)),
        Event::DataDisclosed(disclosed) => {
            let kind = match disclosed.what {
                Disclosure::Profile => "consulta_de_perfil",
                Disclosure::Everything => "consulta_de_todo",
                Disclosure::PeopleExport | Disclosure::ShowsExport => "exportacion",
            };
            Some(Acceso::of(kind, disclosed.at_ms, &meta.actor))
        }
        _ => None,
    }
}

fn words(roles: &BTreeSet<Role>) -> Vec<&'static str> {
    roles.iter().map(|role| role_word(*role)).collect()
}

/// Goes through a stream, event by event.
async fn each(
    app: &App,
    kind: StreamKind,
    user_id: UserId,
    mut take: impl FnMut(&Event, &Meta),
) -> Result<(), Problem> {
    let stream = StreamName::of(kind, user_id.0);
    let mut from = 0;
    while from < MAX_EVENTS {
        let page = app
            .log
            .read(&stream, from, PAGE)
            .await
            .map_err(|error| log_problem(&error))?;
        for recorded in &page {
            let decoded = recorded.decode().map_err(|error| Problem::internal(&error))?;
            take(&decoded.0, &decoded.1);
        }
        if page.len() < PAGE {
            break;
        }
        from += page.len() as u64;
    }
    Ok(())
}
