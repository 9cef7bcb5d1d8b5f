//! What every vault promises.

use super::{Check, Failed, Fixture, Outcome, checks, ensure, fresh_id, same};
use crate::{Vault, VaultError};
use contract::{Sealed, UserId};
use std::{fmt, sync::Arc};

type Keys<'a> = &'a dyn Fixture<dyn Vault>;

pub(super) fn checks() -> Vec<Check<dyn Vault>> {
    checks![
        what_is_sealed_opens_again,
        what_is_sealed_does_not_show_what_it_says,
        a_sealed_value_opens_only_for_its_person_and_field,
        an_altered_value_does_not_open,
        nobody_without_a_key_is_sealed_for,
        a_key_is_made_once,
        keys_and_pseudonyms_survive_a_restart,
        a_destroyed_key_opens_nothing_and_never_comes_back,
        wrapping_anew_changes_nothing_that_is_sealed,
        a_pseudonym_belongs_to_its_purpose_and_value,
        a_pseudonym_is_not_guessed_without_the_vault,
    ]
}

async fn person(vault: &dyn Vault) -> Result<UserId, VaultError> {
    let person = UserId(fresh_id());
    vault.create_key(person).await?;
    Ok(person)
}

/// Fails the check unless the vault refused, and for this reason.
fn refused<T: fmt::Debug>(outcome: Result<T, VaultError>, why: fn(&VaultError) -> bool) -> Outcome {
    match outcome {
        Err(error) if why(&error) => Ok(()),
        other => Err(Failed::because(format!("a wrong answer: {other:?}"))),
    }
}

fn altered(error: &VaultError) -> bool {
    matches!(error, VaultError::Altered)
}
fn forgotten(error: &VaultError) -> bool {
    matches!(error, VaultError::Forgotten)
}
fn no_key(error: &VaultError) -> bool {
    matches!(error, VaultError::NoKey)
}

async fn what_is_sealed_opens_again(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let person = person(&*vault).await?;
    for clear in ["", "Ana", "José Ñandú 席", &"long ".repeat(1_000)] {
        let sealed = vault.seal(person, "name", clear).await?;
        same(
            "the value",
            vault.open(person, "name", &sealed).await?,
            clear.to_owned(),
        )?;
    }
    Ok(())
}

async fn what_is_sealed_does_not_show_what_it_says(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let person = person(&*vault).await?;
    let (one, other) = (
        vault.seal(person, "name", "Ana María").await?,
        vault.seal(person, "name", "Ana María").await?,
    );
    ensure!(one != other, "the same value is sealed to the same bytes");
    ensure!(
        !one.as_bytes().windows(3).any(|bytes| bytes == b"Ana"),
        "the value shows"
    );
    Ok(())
}

async fn a_sealed_value_opens_only_for_its_person_and_field(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let (ana, eva) = (person(&*vault).await?, person(&*vault).await?);
    let sealed = vault.seal(ana, "email", "ana@example.org").await?;
    refused(vault.open(ana, "name", &sealed).await, altered)?;
    refused(vault.open(ana, "", &sealed).await, altered)?;
    refused(vault.open(eva, "email", &sealed).await, altered)
}

async fn an_altered_value_does_not_open(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let person = person(&*vault).await?;
    let sealed = vault.seal(person, "name", "Ana").await?;
    let bytes = sealed.as_bytes();
    for index in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        flipped[index] ^= 1;
        refused(
            vault.open(person, "name", &Sealed::from_bytes(flipped)).await,
            altered,
        )?;
        refused(
            vault
                .open(person, "name", &Sealed::from_bytes(bytes[..index].to_vec()))
                .await,
            altered,
        )?;
    }
    Ok(())
}

async fn nobody_without_a_key_is_sealed_for(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let stranger = UserId(fresh_id());
    refused(vault.seal(stranger, "name", "Ana").await, no_key)?;
    refused(
        vault
            .open(stranger, "name", &Sealed::from_bytes(vec![0; 40]))
            .await,
        no_key,
    )
}

async fn a_key_is_made_once(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let person = UserId(fresh_id());
    let makers: Vec<_> = (0..16)
        .map(|_| {
            let vault = vault.clone();
            tokio::spawn(async move {
                vault.create_key(person).await?;
                vault.seal(person, "name", "Ana").await
            })
        })
        .collect();
    for maker in makers {
        let sealed = maker.await??;
        vault.create_key(person).await?;
        same(
            "the value",
            vault.open(person, "name", &sealed).await?,
            "Ana".to_owned(),
        )?;
    }
    Ok(())
}

async fn keys_and_pseudonyms_survive_a_restart(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let person = person(&*vault).await?;
    let sealed = vault.seal(person, "name", "Ana").await?;
    let pseudonym = vault.pseudonym("document", b"12345678");
    let vault = fixture.reopen(vault).await?;
    same(
        "the value",
        vault.open(person, "name", &sealed).await?,
        "Ana".to_owned(),
    )?;
    same(
        "the pseudonym",
        vault.pseudonym("document", b"12345678"),
        pseudonym,
    )
}

async fn a_destroyed_key_opens_nothing_and_never_comes_back(fixture: Keys<'_>) -> Outcome {
    let mut vault = fixture.fresh().await?;
    let (gone, stays) = (person(&*vault).await?, person(&*vault).await?);
    let sealed = vault.seal(gone, "name", "Ana").await?;
    let others = vault.seal(stays, "name", "Eva").await?;
    // Readers keep asking for the key, and so keep it in whatever cache there is, while it is destroyed.
    let readers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(open_until_refused(vault.clone(), gone, sealed.clone())))
        .collect();
    vault.destroy(gone).await?;
    for _ in 0..2 {
        refused(vault.open(gone, "name", &sealed).await, forgotten)?;
        refused(vault.seal(gone, "name", "Ana").await, forgotten)?;
        refused(vault.create_key(gone).await, forgotten)?;
        same(
            "another person's value",
            vault.open(stays, "name", &others).await?,
            "Eva".to_owned(),
        )?;
        vault.destroy(gone).await?;
        vault = fixture.reopen(vault).await?;
    }
    for reader in readers {
        reader.await?;
    }
    Ok(())
}

async fn wrapping_anew_changes_nothing_that_is_sealed(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let (gone, stays) = (person(&*vault).await?, person(&*vault).await?);
    let sealed = vault.seal(stays, "name", "Eva").await?;
    let pseudonym = vault.pseudonym("document", b"1");
    vault.destroy(gone).await?;
    let mut after = None;
    loop {
        let step = vault.rewrap(after).await?;
        same("keys that another master key wrapped", step.rewrapped, 0)?;
        match step.next {
            Some(_) => after = step.next,
            None => break,
        }
    }
    let vault = fixture.reopen(vault).await?;
    same(
        "the value",
        vault.open(stays, "name", &sealed).await?,
        "Eva".to_owned(),
    )?;
    same("the pseudonym", vault.pseudonym("document", b"1"), pseudonym)?;
    refused(vault.create_key(gone).await, forgotten)
}

async fn open_until_refused(vault: Arc<dyn Vault>, person: UserId, sealed: Sealed<String>) {
    while vault.open(person, "name", &sealed).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

async fn a_pseudonym_belongs_to_its_purpose_and_value(fixture: Keys<'_>) -> Outcome {
    let vault = fixture.fresh().await?;
    let pairs: [(&str, &[u8]); 4] = [
        ("email", b"a"),
        ("document", b"a"),
        ("email", b"b"),
        ("emaila", b""),
    ];
    for (index, (purpose, value)) in pairs.into_iter().enumerate() {
        same(
            "the same again",
            vault.pseudonym(purpose, value),
            vault.pseudonym(purpose, value),
        )?;
        for (other_purpose, other) in &pairs[index + 1..] {
            let differs = vault.pseudonym(purpose, value) != vault.pseudonym(other_purpose, other);
            ensure!(
                differs,
                "{purpose} {value:?} and {other_purpose} {other:?} have the same pseudonym"
            );
        }
    }
    Ok(())
}

async fn a_pseudonym_is_not_guessed_without_the_vault(fixture: Keys<'_>) -> Outcome {
    let one = fixture.fresh().await?.pseudonym("document", b"12345678");
    let other = fixture.fresh().await?.pseudonym("document", b"12345678");
    ensure!(one != other, "two vaults give the same pseudonym");
    Ok(())
}
