//! Who may do what, and who did: streams `account-{user}`, `session-{id}` and `access-{user}`. Nothing personal in
//! the clear, and no secret: of a refresh token only a digest.

use crate::{envelope::Digest, ids::UserId, role::Role, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `roles_changed.v1`: these are the user's roles from now on. Who wanted it is the event's actor. Tokens that were
/// issued before say something else, and are no longer valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolesChanged {
    /// All of them.
    pub roles: BTreeSet<Role>,
    /// When.
    pub at_ms: Timestamp,
}

/// `session_opened.v1`: somebody logged in; the first event of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOpened {
    /// Who.
    pub user_id: UserId,
    /// The keyed HMAC of the refresh token that is valid now.
    pub refresh: Digest,
    /// When.
    pub at_ms: Timestamp,
    /// The session is over when this has passed, however often it was renewed.
    pub expires_at_ms: Timestamp,
}

/// `session_renewed.v1`: the refresh token was exchanged for another. Whoever still uses the old one is not the
/// only one who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRenewed {
    /// The keyed HMAC of the refresh token that is valid now.
    pub refresh: Digest,
    /// When.
    pub at_ms: Timestamp,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// Its owner logged out.
    LoggedOut,
    /// A refresh token came a second time: it was stolen, from its owner or by them.
    TokenReused,
}

/// `session_closed.v1`: its tokens are no longer valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClosed {
    /// Why.
    pub why: SessionEnd,
    /// When.
    pub at_ms: Timestamp,
}

/// `login_failed.v1`: somebody tried to log in as this user, with a wrong password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginFailed {
    /// When.
    pub at_ms: Timestamp,
}

/// What was disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// Name, document and address of a person.
    Profile,
    /// Everything that is held about a person.
    Everything,
    /// All people, anonymised.
    PeopleExport,
    /// All shows with their sales.
    ShowsExport,
}

/// `data_disclosed.v1`: somebody was shown personal data that are not their own, or took an export. Who it was is the
/// event's actor; whose data they are, its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataDisclosed {
    /// What.
    pub what: Disclosure,
    /// When.
    pub at_ms: Timestamp,
}
