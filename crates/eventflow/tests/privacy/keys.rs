//! The master key is exchanged for another.

use crate::{common::*, evidence::*};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::UserId;
use eventflow::commands::keys;
use ports::{
    Vault,
    embedded::{DataFolder, FileVault, master_key},
    sealing,
};
use std::fs;
use uuid::Uuid;

#[tokio::test]
async fn a_new_master_key_takes_over_also_when_the_exchange_is_killed_in_the_middle() {
    let folder = Folder::new("rotated");
    let data = folder.data();
    let server = Server::start(&data, &[]);
    let mut client = server.client().await;
    let mut users = Vec::new();
    for name in ["ana", "eva", "luz"] {
        users.push(client.register(name).await);
    }
    let rotate = || run(&["keys", "rotate", "--data", data.to_str().unwrap()]);
    let refused = rotate();
    assert!(text(&refused).contains("in use"), "{}", text(&refused));
    client
        .send("DELETE", &format!("/api/usuarios/{}", users[2]), "", "")
        .await
        .expect(204);
    server.stop();

    // Many more, so that there is more than one batch.
    let old = master_key(&data.join("master.key")).unwrap();
    let vault = FileVault::open(&data.join("vault.db"), old).unwrap();
    let mut making = tokio::task::JoinSet::new();
    for _ in 0..600 {
        let vault = vault.clone();
        making.spawn(async move { vault.create_key(UserId(Uuid::new_v4())).await.unwrap() });
    }
    making.join_all().await;
    drop(vault);
    let before: Vec<_> = users[..2]
        .iter()
        .map(|user| ("an old wrapping".to_owned(), wrapped_key(&data, user).unwrap()))
        .collect();

    // Killed behind the first batch.
    let taken = DataFolder::open(&data).unwrap();
    let masters = keys::exchange(&taken).unwrap();
    let vault = FileVault::open_with(&taken.vault(), masters).unwrap();
    let step = vault.rewrap(None).await.unwrap();
    assert!(step.rewrapped > 0 && step.next.is_some(), "{step:?}");
    drop(vault);
    drop(taken);
    let new = master_key(&data.join("master.key")).unwrap();
    assert_ne!(old, new);
    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    for user in &users[..2] {
        client.get(&format!("/api/usuarios/{user}")).await.expect(200);
    }
    server.stop();

    let output = rotate();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("interrupted"), "{}", text(&output));
    assert_eq!(
        master_key(&data.join("master.key")).unwrap(),
        new,
        "the exchange went on with its key"
    );
    assert!(!data.join("master.key.previous").exists());
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(data.join("master.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    nowhere(&folder, &before);
    nowhere(
        &folder,
        &[("the old master key".into(), STANDARD.encode(old).into_bytes())],
    );
    for user in &users[..2] {
        let (id, wrapped) = (
            UserId(Uuid::parse_str(user).unwrap()),
            wrapped_key(&data, user).unwrap(),
        );
        assert!(sealing::unwrap(&old, id, &wrapped).is_none());
        assert!(sealing::unwrap(&new, id, &wrapped).is_some());
    }

    // And once more, from the settings: the old key is accepted beside the new one, and wraps nothing any more.
    let third = STANDARD.encode([7; 32]);
    let second = STANDARD.encode(new);
    fs::remove_file(data.join("master.key")).unwrap();
    let both = [
        ("EVENTFLOW_MASTER_KEY", third.as_str()),
        ("EVENTFLOW_MASTER_KEY_PREVIOUS", second.as_str()),
    ];
    let secret = wrapped_secret(&data);
    let server = Server::start(&data, &both);
    until("all keys are wrapped anew", async || {
        let secret_too = wrapped_secret(&data) != secret;
        secret_too
            && users[..2].iter().all(|user| {
                let (id, wrapped) = (
                    UserId(Uuid::parse_str(user).unwrap()),
                    wrapped_key(&data, user).unwrap(),
                );
                sealing::unwrap(&[7; 32], id, &wrapped).is_some()
            })
    })
    .await;
    server.stop();
    let server = Server::start(&data, &both[..1]);
    server.ready().await;
    let mut client = server.client().await;
    for user in &users[..2] {
        client.get(&format!("/api/usuarios/{user}")).await.expect(200);
    }
    client
        .get(&format!("/api/usuarios/{}", users[2]))
        .await
        .refused(410, "USUARIO_OLVIDADO");
    client
        .post("/api/usuarios", person("ana"))
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    server.stop();
    let wrong = Server::try_start(&data, &[("EVENTFLOW_MASTER_KEY", second.as_str())]);
    assert!(wrong.is_err_and(|said| said.contains("another master key")));
}
