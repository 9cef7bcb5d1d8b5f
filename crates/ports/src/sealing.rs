//! What every vault does with its keys, wherever it keeps them: seal, open, wrap, and name by pseudonyms.
//!
//! | sealed | under | additional data |
//! |---|---|---|
//! | a field of a person | the person's key | the person's id and the field's name |
//! | a person's key | the master key | the person's id and `person_key` |
//! | the key of the pseudonyms | the master key | the nil id and `pseudonym_key` |
//!
//! AES-256-GCM with a random nonce of 96 bits. The stored form is nonce, ciphertext, tag; it is the same in every
//! vault, so that wrapped keys can be carried from one to another.

use crate::VaultError;
use aes_gcm::{
    Aes256Gcm, Key, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use async_trait::async_trait;
use contract::{Digest, Sealed, UserId};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The key of a person, of the pseudonyms, or of the master, unwrapped.
pub type KeyBytes = [u8; 32];

/// The field that the key of the pseudonyms is sealed for, and its name where it is kept.
pub const PSEUDONYM_KEY: &str = "pseudonym_key";
/// The field that a person's key is sealed for.
const PERSON_KEY: &str = "person_key";
const NONCE_BYTES: usize = 12;

/// What is kept about a person's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The key, wrapped by the master key.
    Wrapped(Vec<u8>),
    /// That it was destroyed: the person is forgotten, and gets no other.
    Destroyed,
}

/// A second place for wrapped keys beside a vault's own, so that people can be read while the vault's storage is
/// away. It need not be durable and may forget anything at any time; it must not bring back what was destroyed.
///
/// A reader who took a key from the vault may be overtaken by its destruction before it calls [`WrappedKeys::put`].
/// So `destroyed` leaves a mark, for longer than any call takes (minutes are plenty), and `put` never replaces
/// anything.
///
/// Implementations answer soon, also when their server is away; the vault does not wait for them for long.
#[async_trait]
pub trait WrappedKeys: Send + Sync {
    /// What is kept about the person; `None` says nothing.
    async fn get(&self, person: UserId) -> Result<Option<Kept>, VaultError>;

    /// Keeps a wrapped key, unless something is kept about this person: that stays, a mark of destruction
    /// above all.
    async fn put(&self, person: UserId, wrapped: &[u8]) -> Result<(), VaultError>;

    /// Puts the same key, wrapped anew, in place of this wrapping; anything else that is kept stays, a mark of
    /// destruction above all. Compared and replaced in one step.
    async fn replace(&self, person: UserId, wrapped: &[u8], anew: &[u8]) -> Result<(), VaultError>;

    /// Removes the person's key and marks it as destroyed, in one step. Again needs nothing. When it fails, the
    /// vault's `destroy` fails too and is to be repeated.
    async fn destroyed(&self, person: UserId) -> Result<(), VaultError>;
}

/// The master keys of a vault: the one that wraps, and, while one is exchanged for another, one more that still
/// opens. Never shown.
#[derive(Clone)]
pub struct Masters {
    current: KeyBytes,
    also: Option<KeyBytes>,
}

/// What a wrapped key is, seen from the master keys.
pub enum Rewrapped {
    /// Wrapped by the current master key already.
    Already,
    /// It was wrapped by the other; this is the same key, wrapped by the current one.
    Anew(Vec<u8>),
}

impl Masters {
    /// The key that wraps, and another that opens as well.
    pub fn new(current: KeyBytes, also: Option<KeyBytes>) -> Self {
        Self {
            current,
            also: also.filter(|also| *also != current),
        }
    }

    /// Whether one is being exchanged for another.
    pub fn are_two(&self) -> bool {
        self.also.is_some()
    }

    /// Wraps a person's key by the current master key.
    ///
    /// # Errors
    /// `Unavailable` when the system gives no random bytes.
    pub fn wrap(&self, person: UserId, key: &KeyBytes) -> Result<Vec<u8>, VaultError> {
        wrap(&self.current, person, key)
    }

    /// The person's key, whichever master key wrapped it.
    pub fn unwrap(&self, person: UserId, wrapped: &[u8]) -> Option<KeyBytes> {
        self.try_each(|master| unwrap(master, person, wrapped))
    }

    /// The pseudonyms, whichever master key wrapped their key.
    pub fn pseudonyms(&self, wrapped: &[u8]) -> Option<Pseudonyms> {
        self.try_each(|master| Pseudonyms::unwrap(master, wrapped))
    }

    /// A new key for pseudonyms, wrapped by the current master key.
    ///
    /// # Errors
    /// `Unavailable` when the system gives no random bytes.
    pub fn fresh_pseudonyms(&self) -> Result<Vec<u8>, VaultError> {
        Pseudonyms::fresh(&self.current)
    }

    /// Wraps a person's key anew, unless the current master key wrapped it.
    ///
    /// # Errors
    /// `Unavailable` when neither opens it, or the system gives no random bytes.
    pub fn rewrap(&self, person: UserId, wrapped: &[u8]) -> Result<Rewrapped, VaultError> {
        self.rewrap_as(person.0, PERSON_KEY, wrapped)
    }

    /// The same for the key of the pseudonyms.
    ///
    /// # Errors
    /// As [`Masters::rewrap`].
    pub fn rewrap_pseudonyms(&self, wrapped: &[u8]) -> Result<Rewrapped, VaultError> {
        self.rewrap_as(Uuid::nil(), PSEUDONYM_KEY, wrapped)
    }

    fn rewrap_as(&self, owner: Uuid, field: &str, wrapped: &[u8]) -> Result<Rewrapped, VaultError> {
        if decrypt(&self.current, owner, field, wrapped).is_some() {
            return Ok(Rewrapped::Already);
        }
        let also = self
            .also
            .as_ref()
            .and_then(|also| decrypt(also, owner, field, wrapped));
        let key = also.ok_or_else(|| VaultError::Unavailable("a wrapped key does not open".into()))?;
        encrypt(&self.current, owner, field, &key).map(Rewrapped::Anew)
    }

    fn try_each<T>(&self, attempt: impl Fn(&KeyBytes) -> Option<T>) -> Option<T> {
        attempt(&self.current).or_else(|| self.also.as_ref().and_then(attempt))
    }
}

/// A new random key.
///
/// # Errors
/// `Unavailable` when the system gives no random bytes.
pub fn fresh_key() -> Result<KeyBytes, VaultError> {
    let mut key = KeyBytes::default();
    getrandom::fill(&mut key).map_err(|error| VaultError::Unavailable(error.to_string()))?;
    Ok(key)
}

/// Wraps a person's key by the master key.
///
/// # Errors
/// `Unavailable` when the system gives no random bytes.
pub fn wrap(master: &KeyBytes, person: UserId, key: &KeyBytes) -> Result<Vec<u8>, VaultError> {
    encrypt(master, person.0, PERSON_KEY, key)
}

/// The person's key; `None` when it was wrapped by another master key, for another person, or was altered.
pub fn unwrap(master: &KeyBytes, person: UserId, wrapped: &[u8]) -> Option<KeyBytes> {
    decrypt(master, person.0, PERSON_KEY, wrapped)?.try_into().ok()
}

/// Encrypts a field of a person.
///
/// # Errors
/// `Unavailable` when the system gives no random bytes, or the value is too large to be sealed.
pub fn seal(key: &KeyBytes, person: UserId, field: &str, clear: &str) -> Result<Sealed<String>, VaultError> {
    encrypt(key, person.0, field, clear.as_bytes()).map(Sealed::from_bytes)
}

/// Decrypts a field of a person.
///
/// # Errors
/// `Altered` when it is not this person's, not this field's, or not what was sealed.
pub fn open(
    key: &KeyBytes,
    person: UserId,
    field: &str,
    sealed: &Sealed<String>,
) -> Result<String, VaultError> {
    let clear = decrypt(key, person.0, field, sealed.as_bytes()).ok_or(VaultError::Altered)?;
    String::from_utf8(clear).map_err(|_| VaultError::Altered)
}

/// Makes pseudonyms: keyed HMAC-SHA-256.
#[derive(Clone)]
pub struct Pseudonyms(Hmac<Sha256>);

impl Pseudonyms {
    /// A new key for pseudonyms, wrapped by the master key: what a new vault stores.
    ///
    /// # Errors
    /// `Unavailable` when the system gives no random bytes.
    pub fn fresh(master: &KeyBytes) -> Result<Vec<u8>, VaultError> {
        encrypt(master, Uuid::nil(), PSEUDONYM_KEY, &fresh_key()?)
    }

    /// With the stored key; `None` when it was wrapped by another master key.
    pub fn unwrap(master: &KeyBytes, wrapped: &[u8]) -> Option<Self> {
        let key = decrypt(master, Uuid::nil(), PSEUDONYM_KEY, wrapped)?;
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&key)
            .ok()
            .map(Self)
    }

    /// The pseudonym of a value for a purpose.
    pub fn of(&self, purpose: &str, value: &[u8]) -> Digest {
        let mut mac = self.0.clone();
        // With its length in front, so that no two pairs of purpose and value are the same input.
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(value);
        Digest(mac.finalize().into_bytes().into())
    }
}

/// AES-256-GCM with a fresh nonce, bound to owner and field: nonce, ciphertext, tag.
fn encrypt(key: &KeyBytes, owner: Uuid, field: &str, clear: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| VaultError::Unavailable(error.to_string()))?;
    let payload = Payload {
        msg: clear,
        aad: &additional_data(owner, field),
    };
    let sealed = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| VaultError::Unavailable("the value is too large to be sealed".into()))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The clear bytes; `None` when the key, the owner or the field is another, or a byte was altered.
fn decrypt(key: &KeyBytes, owner: Uuid, field: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: sealed,
        aad: &additional_data(owner, field),
    };
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .decrypt(&Nonce::from(*nonce), payload)
        .ok()
}

fn additional_data(owner: Uuid, field: &str) -> Vec<u8> {
    [owner.as_bytes().as_slice(), field.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const MASTER: KeyBytes = [9; 32];

    /// Made by the embedded vault before this file was; what is stored must open for ever.
    #[test]
    fn a_stored_form_never_changes() {
        let person = UserId(Uuid::from_u128(7));
        let nonce = [3; NONCE_BYTES];
        let aad = [person.0.as_bytes().as_slice(), b"person_key"].concat();
        let sealed = Aes256Gcm::new(&Key::<Aes256Gcm>::from(MASTER))
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: &[5; 32],
                    aad: &aad,
                },
            )
            .unwrap();
        let stored = [nonce.as_slice(), &sealed].concat();
        assert_eq!(unwrap(&MASTER, person, &stored), Some([5; 32]));
        assert_eq!(stored.len(), 12 + 32 + 16);
    }

    #[test]
    fn a_wrapped_key_opens_only_under_its_master_key_and_for_its_person() {
        let (ana, eva) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let key = fresh_key().unwrap();
        let wrapped = wrap(&MASTER, ana, &key).unwrap();
        assert_eq!(unwrap(&MASTER, ana, &wrapped), Some(key));
        assert_eq!(unwrap(&MASTER, eva, &wrapped), None);
        assert_eq!(unwrap(&[1; 32], ana, &wrapped), None);
        assert_eq!(unwrap(&MASTER, ana, &[]), None);
    }

    #[test]
    fn a_key_is_wrapped_anew_by_the_current_master_key_and_by_no_other() {
        let ana = UserId(Uuid::from_u128(1));
        let key = fresh_key().unwrap();
        let (old, new) = (MASTER, [1; 32]);
        let both = Masters::new(new, Some(old));
        let Rewrapped::Anew(anew) = both.rewrap(ana, &wrap(&old, ana, &key).unwrap()).unwrap() else {
            panic!("it was wrapped by the old one");
        };
        assert_eq!(
            (unwrap(&new, ana, &anew), unwrap(&old, ana, &anew)),
            (Some(key), None)
        );
        assert!(matches!(both.rewrap(ana, &anew), Ok(Rewrapped::Already)));
        assert!(both.rewrap(ana, &wrap(&[2; 32], ana, &key).unwrap()).is_err());
        let wrapped = Pseudonyms::fresh(&old).unwrap();
        let Rewrapped::Anew(anew) = both.rewrap_pseudonyms(&wrapped).unwrap() else {
            panic!("it was wrapped by the old one");
        };
        let (before, after) = (
            Pseudonyms::unwrap(&old, &wrapped),
            Pseudonyms::unwrap(&new, &anew),
        );
        assert_eq!(before.unwrap().of("a", b"1"), after.unwrap().of("a", b"1"));
    }

    #[test]
    fn pseudonyms_are_the_same_for_whoever_has_the_key() {
        let wrapped = Pseudonyms::fresh(&MASTER).unwrap();
        let one = Pseudonyms::unwrap(&MASTER, &wrapped).unwrap();
        let other = Pseudonyms::unwrap(&MASTER, &wrapped).unwrap();
        assert_eq!(one.of("document", b"1"), other.of("document", b"1"));
        assert_ne!(one.of("document", b"1"), one.of("documen", b"t1"));
        assert!(Pseudonyms::unwrap(&[1; 32], &wrapped).is_none());
    }
}
