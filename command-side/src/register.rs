//! Use case: a person registers.
//!
//! Two things must be unique over all people: the document, because a user's id follows from it and the user's
//! stream can begin only once; and the e-mail address, by a claim on a stream of its own ([`email`]). The claim
//! comes first, so that a registered user always owns their address; one that came to nothing is released, or,
//! after a crash, taken over.
//!
//! Personal data is sealed here, before it goes anywhere: from here on only the vault can read it.

mod email;
pub(crate) mod password;
mod written;

pub use written::{NAME, PASSWORD, is_document, is_email};

use crate::{
    app::{App, Produced, Rejection},
    idempotency::{self, Request},
};
use contract::{
    Answer, Cause, Command, Digest, Event, Failure, Refusal, Sealed, StreamName, Timestamp, UserId,
    commands::{UserAction, UserCommand},
    events::{DocumentType, UserRegistered},
};
use email::Address;
use ports::VaultError;
use uuid::{Uuid, uuid};

/// Under which users' ids are made from their documents' pseudonyms. Never changes: ids in the log follow from it.
const USERS: Uuid = uuid!("9a3e5d17-64c8-5f02-8b1d-e07f42c6a95b");

/// A person as they wrote themselves down. In the clear: never stored, sent or logged.
#[derive(Clone)]
pub struct Person {
    /// The kind of their document.
    pub document_type: DocumentType,
    /// Its number.
    pub document: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// E-mail address.
    pub email: String,
    /// The password, if they chose one.
    pub password: Option<String>,
}

/// Somebody who is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Who.
    pub user_id: UserId,
    /// Since when.
    pub at_ms: Timestamp,
}

/// The id of whoever has this document. Its kind counts: the same number may be one person's passport and
/// another's identity card. Compared without `.`, `-` and case.
pub fn user_id(app: &App, document_type: DocumentType, document: &str) -> UserId {
    let number: String = document.chars().filter(|c| !matches!(c, '.' | '-')).collect();
    let name = format!("{document_type:?}:{}", number.to_lowercase());
    let pseudonym = app.vault.pseudonym("document", name.as_bytes());
    UserId(Uuid::new_v5(&USERS, &pseudonym.0))
}

/// Registers a person. Durable on return. Of several who come with the same document or address at the same
/// moment, one is registered.
///
/// # Errors
/// [`Refusal::DocumentRegistered`], also when its owner was forgotten since; [`Refusal::EmailRegistered`];
/// [`Refusal::KeyReused`]; technical failures, after which the same request can be sent again.
pub async fn register(
    app: &App,
    actor: &Cause,
    request: Request,
    person: Person,
) -> Result<Produced<Registered>, Rejection> {
    let user_id = user_id(app, person.document_type, &person.document);
    let cause = Cause {
        correlation: user_id.0,
        ..actor.clone()
    };
    idempotency::claim(app, &cause, &request).await?;

    app.vault.create_key(user_id).await.map_err(vault)?;
    let address = Address::of(app, &person.email);
    let registration = seal(app, request, user_id, person, address.pseudonym).await?;

    let claim = email::claim(app, &cause, request, address, user_id).await?;
    let action = UserAction::Register {
        registration: Box::new(registration),
    };
    let command = Command::User(UserCommand { user_id, action });
    let id = request.command().derived("register");
    let position = match app.ask_until(claim.fence(app), &cause, id, command).await {
        Ok(reply) => reply.position,
        Err(Rejection::Refused(refusal)) => {
            // The broker may have brought this very ask twice: then the registration that is there is this one.
            if let Some(first) = app.read_first(&StreamName::user(user_id)).await?
                && first.decode()?.1.causation == id.0
            {
                let value = Registered {
                    user_id,
                    at_ms: registered_at(app, &cause, request, user_id).await?,
                };
                return Ok(Produced {
                    value,
                    position: Some(first.position),
                });
            }
            // Whoever has the document may have this very address; then the claim is theirs. While nobody has
            // it, the claim may carry another registration of the same person.
            if owned_address(app, user_id)
                .await?
                .is_some_and(|owned| owned != address.pseudonym)
            {
                email::release(app, &cause, request, address, user_id).await?;
            }
            return Err(refusal.into());
        }
        Err(failed) => return Err(failed),
    };
    // Not the time of this registration: of equal requests at the same moment another may have come first.
    let at_ms = registered_at(app, &cause, request, user_id).await?;
    Ok(Produced {
        value: Registered { user_id, at_ms },
        position,
    })
}

/// The pseudonym of the address under which a user is registered; `None` when there is no such user.
async fn owned_address(app: &App, user_id: UserId) -> Result<Option<Digest>, Rejection> {
    let first = app.read_first(&StreamName::user(user_id)).await?;
    Ok(
        match first.map(|recorded| recorded.decode()).transpose()?.as_deref() {
            Some((Event::UserRegistered(registered), _)) => Some(registered.email_pseudonym),
            _ => None,
        },
    )
}

/// Gives back the address of somebody who is forgotten, so that others can register with it. Again needs nothing.
///
/// # Errors
/// Technical failures; then it is to be repeated.
pub(crate) async fn release_address(app: &App, cause: &Cause, user_id: UserId) -> Result<(), Rejection> {
    let Some(pseudonym) = owned_address(app, user_id).await? else {
        return Ok(());
    };
    let (address, request) = (Address { pseudonym }, Request::new(app, None));
    if email::release(app, cause, request, address, user_id).await? {
        return Ok(());
    }
    let retry_after_ms = 1_000;
    Err(Failure::Busy { retry_after_ms }.into())
}

/// Who claimed the address with this pseudonym. Whether they got as far as to register with it is for the caller to
/// see.
///
/// # Errors
/// The log is away or damaged.
pub(crate) async fn owner_of_address(app: &App, pseudonym: Digest) -> Result<Option<UserId>, Rejection> {
    email::owner(app, Address { pseudonym }).await
}

/// The pseudonym of an address: the same for every spelling in upper and lower case.
pub(crate) fn pseudonym_of_address(app: &App, email: &str) -> Digest {
    Address::of(app, email).pseudonym
}

/// When the user was registered, by this request or an equal one.
async fn registered_at(
    app: &App,
    cause: &Cause,
    request: Request,
    user_id: UserId,
) -> Result<Timestamp, Rejection> {
    let command = Command::User(UserCommand {
        user_id,
        action: UserAction::Check,
    });
    match app
        .ask(cause, request.command().derived("check_user"), command)
        .await?
        .answer
    {
        Answer::User { registered_at_ms } => Ok(registered_at_ms),
        other => Err(Rejection::unexpected(&other)),
    }
}

async fn seal(
    app: &App,
    request: Request,
    user_id: UserId,
    person: Person,
    email_pseudonym: Digest,
) -> Result<UserRegistered, Rejection> {
    let password = match person.password {
        Some(clear) => Some(password::hash(app, clear).await?),
        None => None,
    };
    let seal = async |field, clear: &str| -> Result<Sealed<String>, Rejection> {
        app.vault.seal(user_id, field, clear).await.map_err(vault)
    };
    Ok(UserRegistered {
        user_id,
        document_type: person.document_type,
        document: seal("document", &person.document).await?,
        given_name: seal("given_name", &person.given_name).await?,
        family_name: seal("family_name", &person.family_name).await?,
        email: seal("email", &person.email).await?,
        email_pseudonym,
        password: match password {
            Some(hash) => Some(seal("password", &hash).await?),
            None => None,
        },
        registered_at_ms: app.clock.now(),
        fingerprint: request.fingerprint,
    })
}

fn vault(error: VaultError) -> Rejection {
    match error {
        // The document was a person's who is forgotten; their id is not given to anybody again.
        VaultError::Forgotten => Refusal::DocumentRegistered.into(),
        VaultError::Unavailable(what) => Failure::Unavailable { what }.into(),
        VaultError::NoKey | VaultError::Altered => Failure::Unreadable {
            what: error.to_string(),
        }
        .into(),
    }
}
