//! `keys rotate`: exchanges the master key for a new one. Only the wrapping of the keys changes: nothing that is
//! sealed, no pseudonym, no id.
//!
//! | step | what a crash behind it leaves | what the next run does |
//! |---|---|---|
//! | the key is copied to `master.key.previous` | both files the same | makes the new key |
//! | a new one is written to `master.key` | two keys; the vault accepts both | wraps |
//! | all keys are wrapped anew, in batches | some wrapped by the one, some by the other | wraps the rest |
//! | `master.key.previous` is overwritten and removed | done | begins another exchange |
//!
//! Each file appears whole or not at all, and at every moment the two files together open every key. `dev` starts
//! in any of these states.

use crate::{
    ProgramError,
    cli::KeysAction,
    prepare,
    settings::Settings,
    world::{self, Occupied},
};
use ports::{
    Rewrapping, Vault, VaultError,
    embedded::{
        DataFolder, FileVault, fresh_master_key, read_master_key, remove_master_key, write_master_key,
    },
    sealing::{KeyBytes, Masters},
};
use std::time::Duration;

/// How long is waited before wrapping anew is tried again where it failed.
const AGAIN: Duration = Duration::from_secs(5);

/// Does what was asked.
///
/// # Errors
/// When the folder is in use or has no vault, or a key does not fit. It can then be run again.
pub fn run(action: KeysAction) -> Result<(), ProgramError> {
    match action {
        KeysAction::Rotate { folder } => rotate(&prepare(folder)?),
    }
}

fn rotate(settings: &Settings) -> Result<(), ProgramError> {
    if !settings.data.join("vault.db").exists() {
        return Err(ProgramError::Refused(format!(
            "{} has no vault; `eventflow dev` makes one, --data names another folder",
            settings.data.display()
        )));
    }
    let folder = world::take_folder(&settings.data)?.map_err(|Occupied { holder, .. }| {
        ProgramError::Refused(format!(
            "the folder is in use by {holder}; stop it first, and start it again when this is done"
        ))
    })?;
    if let Some(key) = &settings.master_key {
        let Some(previous) = &settings.master_key_previous else {
            return Err(ProgramError::Refused(
                "the master key comes from the settings, so this program cannot write it: set EVENTFLOW_MASTER_KEY to \
                 the new key and EVENTFLOW_MASTER_KEY_PREVIOUS to the one before, and run this again"
                    .into(),
            ));
        };
        let rewrapped = rewrap(&folder, Masters::new(key.0, Some(previous.0)))?;
        println!("{rewrapped} keys were wrapped anew; EVENTFLOW_MASTER_KEY_PREVIOUS is needed no more");
        return Ok(());
    }
    let masters = exchange(&folder)?;
    let rewrapped = rewrap(&folder, masters)?;
    finish(&folder)?;
    println!(
        "{rewrapped} keys were wrapped anew by a new master key in {}; the one before is removed\n\
         copies of the vault from before this still need the old one: destroy them, or keep that key with them",
        folder.master_key().display()
    );
    Ok(())
}

/// The first two steps, or what is left of them: the new key is in its file, the one before in its own.
///
/// # Errors
/// When a file cannot be read or written. Nothing is lost then.
pub fn exchange(folder: &DataFolder) -> Result<Masters, ProgramError> {
    let (path, previous_path) = (folder.master_key(), folder.previous_master_key());
    let Some(current) = read_master_key(&path)? else {
        return Err(ProgramError::Refused(format!(
            "{} is not there; the master key may come from EVENTFLOW_MASTER_KEY",
            path.display()
        )));
    };
    if let Some(previous) = read_master_key(&previous_path)?
        && previous != current
    {
        println!("going on with an exchange that was interrupted");
        return Ok(Masters::new(current, Some(previous)));
    }
    // With a wrong key nothing is begun.
    drop(FileVault::open(&folder.vault(), current)?);
    write_master_key(&previous_path, &current)?;
    let new = fresh_master_key()?;
    write_master_key(&path, &new)?;
    Ok(Masters::new(new, Some(current)))
}

/// The last step.
///
/// # Errors
/// When the file cannot be removed.
pub fn finish(folder: &DataFolder) -> Result<(), ProgramError> {
    Ok(remove_master_key(&folder.previous_master_key())?)
}

fn rewrap(folder: &DataFolder, masters: Masters) -> Result<u64, ProgramError> {
    let vault = FileVault::open_with(&folder.vault(), masters)?;
    let rewrapped = super::small_runtime()?.block_on(rewrap_all(&*vault));
    rewrapped.map_err(|error| ProgramError::Refused(error.to_string()))
}

/// Wraps all keys anew that another master key wrapped, batch after batch; how many there were.
///
/// # Errors
/// As [`Vault::rewrap`]. What is done is done; begun again it goes on.
pub async fn rewrap_all(vault: &dyn Vault) -> Result<u64, VaultError> {
    let (mut total, mut after) = (0, None);
    loop {
        let Rewrapping { rewrapped, next } = vault.rewrap(after).await?;
        total += rewrapped;
        match next {
            Some(_) => after = next,
            None => return Ok(total),
        }
    }
}

/// The same beside everything else, until it has succeeded.
pub(crate) async fn rewrap_in_the_background(vault: &dyn Vault) {
    loop {
        match rewrap_all(vault).await {
            Ok(rewrapped) => {
                tracing::info!(
                    rewrapped,
                    "all keys are wrapped by master_key; once every node has said so, master_key_previous is needed \
                     no more"
                );
                // A task of a stage ends when it is told to.
                return std::future::pending().await;
            }
            Err(error) => tracing::warn!(%error, "keys cannot be wrapped anew; it is tried again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The master keys of a folder: from the settings, else from its files, where the first start makes one.
///
/// # Errors
/// When a file cannot be read or made.
pub(crate) fn masters(folder: &DataFolder, settings: &Settings) -> Result<Masters, ProgramError> {
    let also = settings.master_key_previous.as_ref().map(|key| key.0);
    if let Some(key) = &settings.master_key {
        return Ok(Masters::new(key.0, also));
    }
    let current: KeyBytes = ports::embedded::master_key(&folder.master_key())?;
    let previous = read_master_key(&folder.previous_master_key())?;
    if previous.is_some() {
        tracing::warn!(
            "the exchange of the master key was interrupted: `eventflow keys rotate` completes it"
        );
    }
    Ok(Masters::new(current, previous.or(also)))
}
