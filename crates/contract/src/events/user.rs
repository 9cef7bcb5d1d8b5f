//! What happens to a person: stream `user-{id}`, and the claims `email-{id}` and `key-{id}`.

use crate::{
    envelope::Digest,
    ids::{ReservationId, ShowId, UserId},
    money::Money,
    sealed::Sealed,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The kinds of identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// Documento Nacional de Identidad.
    Dni,
    /// Cédula de identidad, written CI.
    Ci,
    /// Cédula.
    Cedula,
    /// Rol Único Tributario.
    Rut,
    /// A passport.
    Passport,
    /// Any other.
    Other,
}

/// `user_registered.v1`: always the first event of its stream, so the store refuses the same document twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRegistered {
    /// Version 5 of the document's keyed HMAC.
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
    /// The address's pseudonym: the keyed HMAC by which it is found.
    pub email_pseudonym: Digest,
    /// Argon2id in PHC form, when a password was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed<String>>,
    /// When.
    pub registered_at_ms: Timestamp,
    /// What was asked under an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Digest>,
}

/// `purchase_recorded.v1`: a purchase enters the buyer's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseRecorded {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// The show.
    pub show_id: ShowId,
    /// The show's name when it was bought.
    pub show_name: String,
    /// The show's category when it was bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many tickets.
    pub quantity: u32,
    /// What they cost together.
    pub amount: Money,
    /// When it entered the history.
    pub at_ms: Timestamp,
}

/// `purchase_unrecorded.v1`: a purchase leaves the history: its saga was compensated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseUnrecorded {
    /// The reservation.
    pub reservation_id: ReservationId,
    /// When.
    pub at_ms: Timestamp,
}

/// Why somebody is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForgetReason {
    /// They, or somebody for them, asked for it.
    Asked,
    /// Their last show is longer ago than data are kept.
    Retention,
}

/// `user_forgotten.v1`: the person's key is destroyed, or is about to be: nobody reads their data again. Their
/// purchases stay, as nobody's in particular.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserForgotten {
    /// Why.
    pub reason: ForgetReason,
    /// When.
    pub at_ms: Timestamp,
}

/// `email_claimed.v1`: an address now belongs to a user. The next claim needs a release between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailClaimed {
    /// Whose it is.
    pub user_id: UserId,
    /// When.
    pub at_ms: Timestamp,
}

/// `email_released.v1`: the claim came to nothing; the address is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailReleased {
    /// Whose it was.
    pub user_id: UserId,
    /// When.
    pub at_ms: Timestamp,
}

/// `key_claimed.v1`: an idempotency key was used for a request with this fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyClaimed {
    /// The keyed HMAC of the canonical request.
    pub fingerprint: Digest,
    /// When.
    pub at_ms: Timestamp,
}
