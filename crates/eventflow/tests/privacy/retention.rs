//! People are not kept for longer than it is set.

use crate::{common::*, evidence::*};
use contract::{
    Digest, Money, ReservationId, ShowId, StreamName, Timestamp, UserId,
    events::{DocumentType, PurchaseRecorded, UserRegistered},
};
use ports::{
    Vault,
    embedded::{FileVault, master_key},
};
use std::{path::Path, time::Duration};
use uuid::Uuid;

/// Registers somebody at that time, behind the program's back.
async fn registered_at(data: &Path, at_ms: Timestamp) -> String {
    let master = master_key(&data.join("master.key")).unwrap();
    let vault = FileVault::open(&data.join("vault.db"), master).unwrap();
    let user_id = UserId(Uuid::new_v4());
    vault.create_key(user_id).await.unwrap();
    let seal = async |field| vault.seal(user_id, field, "algo").await.unwrap();
    let registered = UserRegistered {
        user_id,
        document_type: DocumentType::Dni,
        document: seal("document").await,
        given_name: seal("given_name").await,
        family_name: seal("family_name").await,
        email: seal("email").await,
        email_pseudonym: Digest([0; 32]),
        password: None,
        registered_at_ms: at_ms,
        fingerprint: None,
    };
    append(data, &StreamName::user(user_id), vec![registered.into()]).await;
    user_id.to_string()
}

#[tokio::test]
async fn who_has_had_no_show_for_longer_than_people_are_kept_is_forgotten_by_itself() {
    let folder = Folder::new("retention");
    let data = folder.data();
    let server = Server::start(&data, &[]);
    let mut client = server.client().await;
    let recent = client.register("reciente").await;
    let show = client.schedule(10).await;
    server.stop();
    let long_ago = Timestamp(1_262_304_000_000);
    let (gone, waits) = (
        registered_at(&data, long_ago).await,
        registered_at(&data, long_ago).await,
    );
    // Bought long ago for a show that is still to come.
    let bought = PurchaseRecorded {
        reservation_id: ReservationId(Uuid::new_v4()),
        show_id: ShowId(Uuid::parse_str(&show).unwrap()),
        show_name: "La función".into(),
        category: None,
        quantity: 1,
        amount: Money::new(4_990, contract::Currency::USD),
        at_ms: long_ago,
    };
    let stream = StreamName::user(UserId(Uuid::parse_str(&waits).unwrap()));
    append(&data, &stream, vec![bought.into()]).await;

    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    client.get(&format!("/api/usuarios/{gone}")).await.expect(200);
    server.stop();
    let server = Server::start(&data, &[("EVENTFLOW_RETENTION_MONTHS", "24")]);
    server.ready().await;
    let mut client = server.client().await;
    until("the one without a show is forgotten", async || {
        client.get(&format!("/api/usuarios/{gone}")).await.status == 410
    })
    .await;
    let stream = client
        .get(&format!("/api/auditoria/streams/user-{gone}"))
        .await
        .expect(200);
    assert!(stream.text.contains("retention"), "{}", stream.text);
    tokio::time::sleep(Duration::from_millis(300)).await;
    for user in [&recent, &waits] {
        client.get(&format!("/api/usuarios/{user}")).await.expect(200);
    }
    server.stop();
}
