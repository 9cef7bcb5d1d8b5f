//! `admin`: the first administrator. Who may give roles is an administrator; somebody must be the first, and whoever
//! can reach the data folder or the servers with their secrets may be one.
//!
//! What is done is what HTTP does: the same registration, the same change of roles, by the same lanes.

use crate::{
    ProgramError, access,
    cli::{AdminAction, AdminPlace},
    node, prepare,
    settings::Settings,
    world::{self, Occupied, parts, stores::Stores},
};
use command_side::{
    account::{self, roles},
    app::{App, Rejection},
    idempotency::Request,
    lanes::LaneLimits,
    outcomes::Outcomes,
    register::{self, NAME, PASSWORD, Person, is_document, is_email},
};
use contract::{Cause, Event, Refusal, Role, StreamName, UserId, events::DocumentType};
use ports::{
    Broker, Clock, SystemClock,
    embedded::{BrokerOptions, DataFolder, MemoryBroker},
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    collections::BTreeSet,
    io::{self, BufRead, IsTerminal, Write},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How long the lanes may take to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(2);

/// What is to be done.
enum Wish {
    Create(Newcomer),
    Grant(UserId, BTreeSet<Role>),
}

/// An administrator to be, but for the password.
struct Newcomer {
    document_type: DocumentType,
    document: String,
    given_name: String,
    family_name: String,
    email: String,
}

/// Does what was asked, and prints the user's id.
///
/// # Errors
/// When a field is not as it must be, the folder is in use, the platform does not answer, or the person cannot be
/// registered. Nothing was changed then, or the same can be said again.
pub fn run(action: AdminAction) -> Result<(), ProgramError> {
    let (wish, place) = match action {
        AdminAction::Create {
            email,
            given_name,
            family_name,
            document_type,
            document,
            place,
        } => {
            let newcomer = Newcomer {
                document_type,
                document,
                given_name: given_name.trim().into(),
                family_name: family_name.trim().into(),
                email: email.trim().into(),
            };
            newcomer.check()?;
            (Wish::Create(newcomer), place)
        }
        AdminAction::Grant { user, role, place } => (Wish::Grant(user, role.into_iter().collect()), place),
    };
    let AdminPlace { servers, folder } = place;
    let settings = prepare(folder)?;
    if servers {
        on_servers(&settings, wish)
    } else {
        on_a_folder(&settings, wish)
    }
}

/// In this process, which has the folder to itself.
fn on_a_folder(settings: &Settings, wish: Wish) -> Result<(), ProgramError> {
    let folder = world::take_folder(&settings.data)?.map_err(|occupied| in_use(&occupied))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (done, stores) = runtime.block_on(alone(settings, &folder, wish))?;
    // Files are closed outside the runtime, which waits for their writers; the folder is given back last.
    drop(runtime);
    drop(stores);
    drop(folder);
    done
}

/// Starts the lanes for this one wish.
async fn alone(
    settings: &Settings,
    folder: &DataFolder,
    wish: Wish,
) -> Result<(Result<(), ProgramError>, impl Sized + use<>), ProgramError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (stores, sqlite) = Stores::open(folder, settings, &clock)?;
    let broker: Arc<dyn Broker> = MemoryBroker::new(BrokerOptions::default(), clock.clone());
    let tokens = access::tokens(&stores.vault, &clock);
    let outcomes = Arc::new(Outcomes::new());
    let app = parts::write_side(&stores, settings, &clock, &broker, outcomes, &tokens);
    let lanes = parts::start_deciders(&stores, LaneLimits::default(), &clock, &broker, &app).await?;
    let done = carry_out(&app, wish).await;
    lanes.stop(STOPS_WITHIN).await;
    Ok((done, (stores, sqlite, app)))
}

/// By the lanes of the platform that runs.
fn on_servers(settings: &Settings, wish: Wish) -> Result<(), ProgramError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let app = node::asking::connect(settings).await?;
        carry_out(&app, wish).await
    });
    runtime.shutdown_timeout(STOPS_WITHIN);
    done
}

async fn carry_out(app: &App, wish: Wish) -> Result<(), ProgramError> {
    let (user_id, given) = match wish {
        Wish::Create(newcomer) => (create(app, newcomer).await?, BTreeSet::from([Role::Admin])),
        Wish::Grant(user_id, given) => (user_id, given),
    };
    let mut wanted = roles::standing(app, user_id).await.map_err(said)?.roles;
    wanted.extend(given);
    let cause = cause(user_id.0);
    let changed = roles::change(app, &cause, user_id, wanted).await.map_err(said)?;
    let words: Vec<_> = changed.value.into_iter().map(web::access::role_word).collect();
    eprintln!("the roles of this user are now: {}", words.join(", "));
    println!("{user_id}");
    Ok(())
}

/// The person with this document: as they are, or registered now.
async fn create(app: &App, newcomer: Newcomer) -> Result<UserId, ProgramError> {
    let user_id = register::user_id(app, newcomer.document_type, &newcomer.document);
    match account::exists(app, &cause(user_id.0), user_id).await {
        Ok(()) => {
            eprintln!("somebody is registered with this document; they stay as they are");
            warn_without_password(app, user_id).await.map_err(said)?;
            return Ok(user_id);
        }
        Err(Rejection::Refused(Refusal::UserNotFound)) => {}
        Err(other) => return Err(said(other)),
    }
    let Newcomer {
        document_type,
        document,
        given_name,
        family_name,
        email,
    } = newcomer;
    let person = Person {
        document_type,
        document,
        given_name,
        family_name,
        email,
        password: Some(read_password()?),
    };
    let request = Request::new(app, None);
    let registered = register::register(app, &cause(request.id), request, person).await;
    Ok(registered.map_err(said)?.value.user_id)
}

async fn warn_without_password(app: &App, user_id: UserId) -> Result<(), Rejection> {
    let first = app.read_first(&StreamName::user(user_id)).await?;
    if let Some((Event::UserRegistered(registered), _)) =
        first.map(|recorded| recorded.decode()).transpose()?.as_deref()
        && registered.password.is_none()
    {
        eprintln!("they registered without a password and cannot log in");
    }
    Ok(())
}

impl Newcomer {
    fn check(&self) -> Result<(), ProgramError> {
        let is_name = |name: &str| NAME.contains(&name.chars().count()) && !name.contains(char::is_control);
        for (flag, fits, expects) in [
            ("--email", is_email(&self.email), "an e-mail address"),
            ("--given-name", is_name(&self.given_name), "1 to 100 characters"),
            ("--family-name", is_name(&self.family_name), "1 to 100 characters"),
            (
                "--document",
                is_document(&self.document),
                "3 to 32 letters, digits, dots and dashes",
            ),
        ] {
            if !fits {
                return Err(ProgramError::Refused(format!("{flag} must be {expects}")));
            }
        }
        Ok(())
    }
}

fn cause(correlation: Uuid) -> Cause {
    Cause {
        correlation,
        actor: "admin".into(),
        trace: None,
    }
}

fn said(rejection: Rejection) -> ProgramError {
    let hint = match &rejection {
        Rejection::Refused(_) => "",
        Rejection::Failed(_) => "; with --servers, a command-side node must be running",
    };
    ProgramError::Refused(format!("{rejection}{hint}"))
}

fn in_use(Occupied { holder, address }: &Occupied) -> ProgramError {
    let remedy = match address {
        Some(address) => format!(
            "stop it first; or, while it is `dev`, which asks nobody who they are, register over HTTP and then\n  \
             curl -X PUT http://{address}/api/usuarios/ID/roles -H 'Content-Type: application/json' \
             -d '{{\"roles\":[\"admin\"]}}'"
        ),
        None => "stop it first".into(),
    };
    ProgramError::Refused(format!("the folder is in use by {holder}: {remedy}"))
}

/// From the terminal, twice and unseen; else the first line of standard input.
fn read_password() -> Result<String, ProgramError> {
    let password = if io::stdin().is_terminal() {
        let hidden = Hidden::start()?;
        let (first, again) = (ask("Password: ")?, ask("Once more: ")?);
        drop(hidden);
        if first != again {
            return Err(ProgramError::Refused("the two passwords are not the same".into()));
        }
        first
    } else {
        line()?
    };
    if PASSWORD.contains(&password.chars().count()) {
        return Ok(password);
    }
    let (least, most) = (PASSWORD.start(), PASSWORD.end());
    Err(ProgramError::Refused(format!(
        "the password, on standard input, must have {least} to {most} characters"
    )))
}

fn ask(prompt: &str) -> io::Result<String> {
    let mut out = io::stderr();
    write!(out, "{prompt}")?;
    out.flush()?;
    let said = line();
    writeln!(out)?;
    said
}

fn line() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text)?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(text)
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if tcsetattr(io::stdin(), OptionalActions::Now, &self.0).is_err() {
            eprintln!("the terminal stays as it is; `stty echo` shows again what is typed");
        }
    }
}
