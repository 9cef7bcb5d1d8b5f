//! Password hashes: Argon2id with the parameters that OWASP recommends, in PHC form.

use crate::app::{App, Rejection};
use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{Error, phc::PasswordHash},
};
use contract::Failure;
use tokio::sync::SemaphorePermit;

/// A turn at the processors: so many hash at a time, and everybody else waits.
pub(crate) async fn permit(app: &App) -> Result<SemaphorePermit<'_>, Rejection> {
    app.hashing().acquire().await.map_err(unavailable)
}

/// Hashes a password, beside the processors that serve everybody else, a few at a time.
pub(crate) async fn hash(app: &App, clear: String) -> Result<String, Rejection> {
    // All that a salt must be is different for everybody, which a fresh id is.
    let salt = app.ids.fresh();
    let _permit = permit(app).await?;
    let hashed = tokio::task::spawn_blocking(move || {
        let hash: Result<PasswordHash, _> =
            Argon2::default().hash_password_with_salt(clear.as_bytes(), salt.as_bytes());
        hash.map(|hash| hash.to_string())
    });
    // Errors say what was wrong with parameters or the thread, and never what the password is.
    hashed.await.map_err(unavailable)?.map_err(unavailable)
}

/// Is this the password that was hashed? Takes the same time whether it is or not. Whoever calls has a [`permit`].
pub(crate) async fn is(
    _permit: &SemaphorePermit<'_>,
    clear: String,
    hash: String,
) -> Result<bool, Rejection> {
    let verified = tokio::task::spawn_blocking(move || {
        PasswordVerifier::<str>::verify_password(&Argon2::default(), clear.as_bytes(), &hash)
    });
    match verified.await.map_err(unavailable)? {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Failure::Unreadable {
            what: format!("a password's hash: {error}"),
        }
        .into()),
    }
}

fn unavailable(error: impl std::fmt::Display) -> Rejection {
    Failure::Unavailable {
        what: error.to_string(),
    }
    .into()
}
