//! `forget`: forgets a person and certifies it.
//!
//! Through `dev` when it runs on the folder; else here, with the lanes started for this one command and the read
//! models brought up to date. The certificate says only what was looked at afterwards: in the log, in the vault or
//! over HTTP, and by a proof of the whole log.

use super::{ask_running, open_log, small_runtime, verify};
use crate::{
    ProgramError, access,
    cli::ForgetArgs,
    prepare,
    settings::Settings,
    world::{self, Occupied, parts, stages::Stage, stores::Stores},
};
use command_side::{forget, lanes::LaneLimits, outcomes::Outcomes};
use contract::{
    Actor, Cause, Event, Meta, Recorded, StreamName, Timestamp, UserId, collections,
    events::{ForgetReason, UserForgotten},
};
use ports::{
    Broker, Clock, SystemClock, VaultError,
    embedded::{BrokerOptions, DataFolder, LogReader, MemoryBroker},
};
use projector::{Options, Projector};
use serde::Serialize;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use views::user::User;

/// How many events of a person's stream are read at a time.
const PAGE: usize = 1_000;
/// How long the parts may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(2);

/// What was purged, besides the key.
const PURGED: [&str; 4] = [
    "the sealed name, surname, document and e-mail address in the read models",
    "the claim on the e-mail address: somebody else can register with it",
    "every access token and session: none is valid any more",
    "the unwrapped key in the memory of the program",
];

/// What stays, and why.
const KEPT: [(&str, &str); 5] = [
    (
        "reservations, payments and purchases, under the person's id",
        "accounts, refunds and the proof that nothing was sold twice; the id leads to nobody any more",
    ),
    (
        "tickets for coming shows",
        "they are to bearer and stay valid; whoever wants the money back cancels first",
    ),
    (
        "the sealed fields and the sealed password hash in the log",
        "the log is never altered; without the key that was destroyed they are noise",
    ),
    (
        "that the document was registered once (the id is made of its keyed HMAC)",
        "the same id is not given to anybody again",
    ),
    (
        "the kind of document, the dates, and who looked at the data when",
        "they are parts of events, and whoever looked must be able to answer for it",
    ),
];

/// That a person was forgotten.
#[derive(Debug, Serialize)]
pub struct Certificate {
    user_id: UserId,
    forgotten_at: String,
    reason: ForgetReason,
    by: Actor,
    event: EventPlace,
    destroyed: &'static str,
    purged: [&'static str; 4],
    kept: Vec<Kept>,
    /// How it was seen that nobody can read the person's data any more.
    checked: &'static str,
    verified: Verified,
}

#[derive(Debug, Serialize)]
struct EventPlace {
    kind: String,
    stream: String,
    revision: u64,
    position: u64,
    hash: String,
}

#[derive(Debug, Serialize)]
struct Kept {
    what: &'static str,
    why: &'static str,
}

/// What `verify` found in the whole log afterwards.
#[derive(Debug, Serialize)]
struct Verified {
    events: u64,
    streams: u64,
    violations: u64,
}

/// Forgets, checks, and prints the certificate.
///
/// # Errors
/// When there is no such person, the folder cannot be used, or what was looked at afterwards is not as it must be.
/// It can then be run again: it completes what is missing.
pub fn run(args: ForgetArgs) -> Result<(), ProgramError> {
    let settings = prepare(args.folder)?;
    let user_id = args.user;
    // Asked first, so that nothing is made in a folder without a log, and nobody is forgotten who never was.
    if !told(&mut open_log(&settings.data)?, user_id)?.registered {
        return Err(ProgramError::Refused(format!("the log has no user {user_id}")));
    }
    let checked = match world::take_folder(&settings.data)? {
        Ok(folder) => here(&settings, folder, user_id)?,
        Err(Occupied {
            address: Some(address),
            ..
        }) => small_runtime()?.block_on(there(address, user_id))?,
        Err(Occupied { holder, .. }) => {
            return Err(ProgramError::Refused(format!(
                "the folder is in use by {holder}, which does not listen"
            )));
        }
    };
    let certificate = certify(&settings, user_id, checked)?;
    if args.json {
        let text = serde_json::to_string_pretty(&certificate).map_err(std::io::Error::from)?;
        println!("{text}");
    } else {
        print(&certificate);
    }
    match certificate.verified.violations {
        0 => Ok(()),
        violations => Err(ProgramError::Violated(violations)),
    }
}

/// In this process, which has the folder to itself.
fn here(settings: &Settings, folder: DataFolder, user_id: UserId) -> Result<&'static str, ProgramError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let held = runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (stores, sqlite) = Stores::open(&folder, settings, &clock)?;
        let broker: Arc<dyn Broker> = MemoryBroker::new(BrokerOptions::default(), clock.clone());
        let tokens = access::tokens(&stores.vault, &clock);
        let outcomes = Arc::new(Outcomes::new());
        let app = parts::write_side(&stores, settings, &clock, &broker, outcomes, &tokens);
        let lanes = parts::start_deciders(&stores, LaneLimits::default(), &clock, &broker, &app).await?;
        let cause = Cause {
            correlation: user_id.0,
            actor: "admin".into(),
            trace: None,
        };
        let forgotten = forget::forget(&app, &cause, user_id, ForgetReason::Asked).await;
        lanes.stop(STOPS_WITHIN).await;
        forgotten.map_err(|error| ProgramError::Refused(error.to_string()))?;
        project(&stores, &clock).await?;
        look(&stores, user_id).await?;
        Ok::<_, ProgramError>((stores, sqlite, app))
    })?;
    // Files are closed outside the runtime, which waits for their writers.
    drop(runtime);
    drop(held);
    Ok("in the vault (the key is destroyed) and in the read models (the fields are empty)")
}

/// Brings the read models up to date: what they hold of the person goes.
async fn project(stores: &Stores, clock: &Arc<dyn Clock>) -> Result<(), ProgramError> {
    let head = stores.log.head().await?;
    let (log, store) = (stores.log.clone(), stores.store.clone());
    let projector = Projector::new(log, store, clock.clone(), Options::default());
    let mut projecting = Stage::new("projector");
    projecting.run(|shutdown| async move { projector.run(shutdown).await });
    let mut applied = stores.store.applied();
    let caught_up = applied.wait_for(|applied| *applied >= head).await.is_ok();
    projecting.stop(STOPS_WITHIN).await;
    match caught_up {
        true => Ok(()),
        false => Err(ProgramError::Refused("the read models were closed".into())),
    }
}

/// Looks whether it is so.
async fn look(stores: &Stores, user_id: UserId) -> Result<(), ProgramError> {
    let unfinished = |what: &str| ProgramError::Refused(format!("{what}; run this again"));
    match stores.vault.seal(user_id, "", "").await {
        Err(VaultError::Forgotten) => {}
        Err(error) => return Err(ProgramError::Refused(error.to_string())),
        Ok(_) => return Err(unfinished("the key is still there")),
    }
    let document = stores
        .store
        .get(&collections::USERS, &user_id.to_string())
        .await?;
    let purged = document.is_none_or(|document| {
        serde_json::from_slice::<User>(&document.body).is_ok_and(|user| {
            let sealed = [&user.document, &user.given_name, &user.family_name, &user.email];
            sealed.iter().all(|field| field.as_bytes().is_empty())
        })
    });
    match purged {
        true => Ok(()),
        false => Err(unfinished("the read models still hold sealed fields")),
    }
}

/// By the server that has the folder.
async fn there(address: SocketAddr, user_id: UserId) -> Result<&'static str, ProgramError> {
    let path = format!("/api/usuarios/{user_id}");
    for (method, expected) in [("DELETE", 204), ("GET", 410)] {
        let (status, body) = ask_running(address, method, &path).await?;
        if status != expected {
            return Err(ProgramError::Refused(format!(
                "http://{address} answered {method} {status}: {body}"
            )));
        }
    }
    Ok("over HTTP: 204 once the key was destroyed and the address released, and 410 to whoever asks since")
}

/// What a person's stream says about it.
#[derive(Default)]
struct Told {
    registered: bool,
    forgotten: Option<(Recorded, UserForgotten, Meta)>,
}

fn told(reader: &mut LogReader, user_id: UserId) -> Result<Told, ProgramError> {
    let (stream, mut told, mut from) = (StreamName::user(user_id), Told::default(), 0);
    loop {
        let page = reader.read(&stream, from, PAGE)?;
        for recorded in &page {
            let decoded = recorded.decode().map_err(|error| ProgramError::Unreadable {
                position: recorded.position,
                stream: stream.clone(),
                why: error.to_string(),
            })?;
            match &decoded.0 {
                Event::UserRegistered(_) => told.registered = true,
                Event::UserForgotten(forgotten) => {
                    let place = Recorded::clone(recorded);
                    told.forgotten = Some((place, forgotten.clone(), decoded.1.clone()));
                }
                _ => {}
            }
        }
        from += page.len() as u64;
        if page.len() < PAGE {
            return Ok(told);
        }
    }
}

fn certify(settings: &Settings, user_id: UserId, checked: &'static str) -> Result<Certificate, ProgramError> {
    let told = told(&mut open_log(&settings.data)?, user_id)?;
    let (place, forgotten, meta) = told
        .forgotten
        .ok_or_else(|| ProgramError::Refused("the log does not say so; run this again".into()))?;
    let report = verify::verify(open_log(&settings.data)?)?;
    Ok(Certificate {
        user_id,
        forgotten_at: Timestamp::rfc3339(forgotten.at_ms),
        reason: forgotten.reason,
        by: meta.actor,
        event: EventPlace {
            kind: place.kind.to_string(),
            stream: place.stream.to_string(),
            revision: place.revision,
            position: place.position.0,
            hash: meta.hash.to_string(),
        },
        destroyed: "the person's key (AES-256): whatever was sealed with it, wherever a copy is, opens no more",
        purged: PURGED,
        kept: KEPT.map(|(what, why)| Kept { what, why }).into(),
        checked,
        verified: Verified {
            events: report.events,
            streams: report.streams,
            violations: report.violations_total,
        },
    })
}

fn print(certificate: &Certificate) {
    let Certificate { event, verified, .. } = certificate;
    println!("user {} is forgotten", certificate.user_id);
    let reason = match certificate.reason {
        ForgetReason::Asked => "it was asked for",
        ForgetReason::Retention => "the last show was longer ago than data are kept",
    };
    println!("  when       {}", certificate.forgotten_at);
    println!("  why        {reason}, by {}", certificate.by);
    println!(
        "  event      {} in {} at revision {}, position {}, hash {}",
        event.kind, event.stream, event.revision, event.position, event.hash
    );
    println!("  destroyed  {}", certificate.destroyed);
    for purged in certificate.purged {
        println!("  purged     {purged}");
    }
    for Kept { what, why } in &certificate.kept {
        println!("  kept       {what}: {why}");
    }
    println!("  checked    {}", certificate.checked);
    match verified.violations {
        0 => println!(
            "  verified   {} events in {} streams: everything holds",
            verified.events, verified.streams
        ),
        violations => println!("  verified   {violations} violations; `eventflow verify` names them"),
    }
}
