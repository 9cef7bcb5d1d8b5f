//! Password hashes: Argon2id with the parameters that OWASP recommends, in PHC form.

use crate::app::{App, Rejection};
use argon2::{Argon2, PasswordHasher, password_hash::phc::PasswordHash};
use contract::Failure;

/// Hashes a password, beside the processors that serve everybody else, a few at a time.
pub(super) async fn hash(app: &App, clear: String) -> Result<String, Rejection> {
    // All that a salt must be is different for everybody, which a fresh id is.
    let salt = app.ids.fresh();
    let failed = |what: String| Rejection::Failed(Failure::Unavailable { what });
    let _permit = app
        .hashing()
        .acquire()
        .await
        .map_err(|error| failed(error.to_string()))?;
    let hashed = tokio::task::spawn_blocking(move || {
        let hash: Result<PasswordHash, _> =
            Argon2::default().hash_password_with_salt(clear.as_bytes(), salt.as_bytes());
        hash.map(|hash| hash.to_string())
    });
    // Errors say what was wrong with parameters or the thread, and never what the password is.
    let hashed = hashed.await.map_err(|error| failed(error.to_string()))?;
    hashed.map_err(|error| failed(error.to_string()))
}
