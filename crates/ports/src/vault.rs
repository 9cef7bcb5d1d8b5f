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

    /// The keyed HMAC-SHA-256 of a value, the same for the same purpose and value as long as the vault lives.
    fn pseudonym(&self, purpose: &str, value: &[u8]) -> Digest;
}
