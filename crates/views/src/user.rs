//! The person as readers see them, sealed. Their purchases are documents of their own ([`crate::purchase`]),
//! referenced by user, because a history has no bound.

use contract::{Event, Revision, Sealed, Timestamp, UserId, events::DocumentType};
use serde::{Deserialize, Serialize};

/// A document of [`contract::collections::USERS`], under the user's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The person.
    pub user_id: UserId,
    /// The kind of document; not personal by itself.
    pub document_type: DocumentType,
    /// The document's number as the person wrote it.
    pub document: Sealed<String>,
    /// Given name.
    pub given_name: Sealed<String>,
    /// Family name.
    pub family_name: Sealed<String>,
    /// E-mail address as the person wrote it.
    pub email: Sealed<String>,
    /// When they registered.
    pub registered_at_ms: Timestamp,
    /// When they were forgotten; then the sealed fields are empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten_at_ms: Option<Timestamp>,
    /// The revision of the last event that is in here.
    pub revision: Revision,
}

/// The user after an event of their stream. Purchases do not change it.
pub fn evolve(doc: Option<User>, event: &Event, revision: Revision) -> Option<User> {
    match (doc, event) {
        (Some(user), _) if revision <= user.revision => Some(user),
        (_, Event::UserRegistered(registered)) => Some(User {
            user_id: registered.user_id,
            document_type: registered.document_type,
            document: registered.document.clone(),
            given_name: registered.given_name.clone(),
            family_name: registered.family_name.clone(),
            email: registered.email.clone(),
            registered_at_ms: registered.registered_at_ms,
            forgotten_at_ms: None,
            revision,
        }),
        (Some(user), Event::UserForgotten(forgotten)) => Some(User {
            document: nothing(),
            given_name: nothing(),
            family_name: nothing(),
            email: nothing(),
            forgotten_at_ms: Some(forgotten.at_ms),
            revision,
            ..user
        }),
        (doc, _) => doc,
    }
}

/// What stands in place of a sealed value that was purged.
fn nothing() -> Sealed<String> {
    Sealed::from_bytes(Vec::new())
}
