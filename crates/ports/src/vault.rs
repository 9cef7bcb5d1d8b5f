//! The vault: a key per person, and pseudonyms by which they are found.

use async_trait::async_trait;
use contract::{Digest, Sealed, UserId};

/// Why the vault could not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The person's key was destroyed: they are forgotten.
    #[error("this person's key was destroyed")]
    Forgotten,
    /// There never was a key for this person.
    #[error("there is no key for this person")]
    NoKey,
    /// The sealed value is not this person's, not this field's, or was altered.
    #[error("the sealed value does not open")]
    Altered,
    /// It is away or its storage fails; try again.
    #[error("the vault is unavailable: {0}")]
    Unavailable(String),
}

/// How far the keys are wrapped by the current master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapping {
    /// How many keys this call wrapped anew.
    pub rewrapped: u64,
    /// Where the next call goes on; `None` when none is left that another master key wrapped.
    pub next: Option<UserId>,
}

/// Keys of persons, wrapped by a master key. AES-256-GCM with a random nonce of 96 bits; additional data are the
/// person's id and the field's name.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Makes sure that the person has a key. Durable on return. Refused as `Forgotten` after `destroy`.
    async fn create_key(&self, person: UserId) -> Result<(), VaultError>;

    /// Encrypts a field.
    async fn seal(&self, person: UserId, field: &str, clear: &str) -> Result<Sealed<String>, VaultError>;

    /// Decrypts a field.
    async fn open(&self, person: UserId, field: &str, sealed: &Sealed<String>) -> Result<String, VaultError>;

    /// Destroys the person's key, for good. Durable on return; again needs nothing.
    async fn destroy(&self, person: UserId) -> Result<(), VaultError>;

    /// Wraps keys anew by the current master key, where another that is still accepted wrapped them: those of some
    /// persons behind `after`, and with the last of them the key of the pseudonyms. Durable on return; what the old
    /// master key opens is gone from the storage when nothing is left to do. Again needs nothing, and may run in
    /// several processes at once.
    async fn rewrap(&self, after: Option<UserId>) -> Result<Rewrapping, VaultError>;

    /// The keyed HMAC-SHA-256 of a value, the same for the same purpose and value as long as the vault lives.
    fn pseudonym(&self, purpose: &str, value: &[u8]) -> Digest;
}
