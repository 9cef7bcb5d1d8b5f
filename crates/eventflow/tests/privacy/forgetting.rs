//! Forgetting, over HTTP, from the command line, and through crashes.

use crate::{common::*, evidence::*};
use contract::{
    StreamName, Timestamp, UserId,
    events::{ForgetReason, UserForgotten},
};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn nothing_of_a_person_stands_anywhere_in_the_clear_and_nothing_opens_once_they_are_forgotten() {
    let folder = Folder::new("forgotten");
    let server = Logged::start(&folder);
    let mut client = Client::open(server.address).await;
    let user = client
        .post("/api/usuarios", somebody())
        .await
        .expect(201)
        .field("usuario_id");
    let path = format!("/api/usuarios/{user}");
    let show = client.schedule(10).await;
    let bought = client
        .post("/api/reservar", purchase(&user, &show, 2))
        .await
        .expect(201);
    let reservation = bought.field("reserva_id");
    let profile = client.get_fresh(&path).await.expect(200);
    assert_eq!(profile.body["nombre"], GIVEN_NAME);
    client
        .post("/api/usuarios", somebody())
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    client
        .post("/api/auth/login", json!({ "email": EMAIL, "password": PASSWORD }))
        .await;
    client
        .post(
            "/api/auth/login",
            json!({ "email": EMAIL, "password": format!("{PASSWORD}!") }),
        )
        .await;

    let datos = client.get_fresh(&format!("{path}/datos")).await.expect(200).body;
    assert_eq!(datos["usuario"]["email"], EMAIL);
    assert_eq!(
        datos["usuario"]["historial_compras"][0]["reserva_id"],
        json!(reservation)
    );
    assert_eq!(datos["reservas"][0]["estado"], "confirmada");
    assert_eq!(datos["tiene_contrasena"], true);
    assert_eq!(datos["roles"], json!(["cliente"]));

    let clear = clear_spellings();
    nowhere(&folder, &clear);
    let keys = key_bytes(&folder.data(), &user);
    assert!(
        stands_somewhere(&folder, &keys[0].1),
        "what is looked for is found while it is there"
    );

    let forgotten = client.send("DELETE", &path, "", "").await.expect(204);
    assert!(forgotten.position.is_some());
    for gone in [path.clone(), format!("{path}/compras"), format!("{path}/datos")] {
        client.get(&gone).await.refused(410, "USUARIO_OLVIDADO");
        client.get_fresh(&gone).await.refused(410, "USUARIO_OLVIDADO");
    }
    assert_eq!(wrapped_key(&folder.data(), &user), None);
    nowhere(&folder, &clear);
    nowhere(&folder, &keys);

    // Again, under its other address, and for nobody.
    client
        .send("DELETE", &format!("/api/users/{user}"), "", "")
        .await
        .expect(204);
    client
        .send("DELETE", &format!("/api/usuarios/{}", Uuid::nil()), "", "")
        .await
        .refused(404, "USUARIO_NO_ENCONTRADO");
    // What was bought stays; the document is nobody else's; the address may be.
    let kept = client
        .get_fresh(&format!("/api/reservar/{reservation}"))
        .await
        .expect(200);
    assert_eq!(kept.body["estado"], "confirmada");
    client
        .post("/api/reservar", purchase(&user, &show, 1))
        .await
        .refused(410, "USUARIO_OLVIDADO");
    client
        .post("/api/usuarios", somebody())
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    let mut other = person("otra");
    other["email"] = json!(EMAIL.to_lowercase());
    client.post("/api/usuarios", other).await.expect(201);
    assert!(server.said.iter().all(|path| path.exists()));
    drop(server);

    let data = folder.data();
    verify_holds(&data);
    let replayed = run(&["replay", "--data", data.to_str().unwrap()]);
    assert!(replayed.status.success(), "{}", text(&replayed));
    let rebuilt = run(&["rebuild", "--data", data.to_str().unwrap()]);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt));
    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    client.get(&path).await.refused(410, "USUARIO_OLVIDADO");
    server.stop();
    nowhere(&folder, &keys);
}

#[tokio::test]
async fn what_a_crash_right_after_the_event_left_is_completed_at_the_next_start() {
    let folder = Folder::new("forgotten-crash");
    let data = folder.data();
    let server = Server::start(&data, &[]);
    let mut client = server.client().await;
    let user = client.register("ana").await;
    server.ready().await;
    server.stop();
    let keys = key_bytes(&data, &user);
    let reason = ForgetReason::Asked;
    let at_ms = Timestamp(chrono::Utc::now().timestamp_millis());
    let stream = StreamName::user(UserId(Uuid::parse_str(&user).unwrap()));
    append(&data, &stream, vec![UserForgotten { reason, at_ms }.into()]).await;
    assert!(wrapped_key(&data, &user).is_some());

    let server = Server::start(&data, &[]);
    until("the key is destroyed", async || {
        wrapped_key(&data, &user).is_none()
    })
    .await;
    let mut client = server.client().await;
    client
        .get(&format!("/api/usuarios/{user}"))
        .await
        .refused(410, "USUARIO_OLVIDADO");
    let mut other = person("otra");
    other["email"] = person("ana")["email"].clone();
    until("the address is free", async || {
        client.post("/api/usuarios", other.clone()).await.status == 201
    })
    .await;
    server.stop();
    verify_holds(&data);
    nowhere(&folder, &keys);
}

#[tokio::test]
async fn killed_at_any_moment_of_forgetting_a_person_is_forgotten_whole_or_not_at_all() {
    let folder = Folder::new("forgotten-killed");
    let data = folder.data();
    let mut completed = 0;
    for delay_us in [0, 200, 500, 1_000, 2_000, 4_000] {
        let server = Server::start(&data, &[]);
        server.ready().await;
        let mut client = server.client().await;
        let user = client.register(&format!("k{delay_us}")).await;
        let path = format!("/api/usuarios/{user}");
        let asked = tokio::spawn({
            let path = path.clone();
            async move { client.try_send("DELETE", &path, "", "").await }
        });
        tokio::time::sleep(Duration::from_micros(delay_us)).await;
        server.signal_kill();
        let answered = asked.await.unwrap().is_some();
        drop(server);

        let server = Server::start(&data, &[]);
        server.ready().await;
        let mut client = server.client().await;
        let stream = client
            .get(&format!("/api/auditoria/streams/user-{user}"))
            .await
            .expect(200);
        let event = stream.text.contains("user_forgotten.v1");
        assert!(event || !answered, "an answer without its event");
        if event {
            until("the key is destroyed", async || {
                wrapped_key(&data, &user).is_none()
            })
            .await;
            client.get_fresh(&path).await.refused(410, "USUARIO_OLVIDADO");
            let mut other = person(&format!("o{delay_us}"));
            other["email"] = person(&format!("k{delay_us}"))["email"].clone();
            until("the address is free", async || {
                client.post("/api/usuarios", other.clone()).await.status == 201
            })
            .await;
            completed += 1;
        } else {
            client.get(&path).await.expect(200);
            assert!(wrapped_key(&data, &user).is_some());
        }
        server.stop();
    }
    verify_holds(&data);
    eprintln!("{completed} of 6 had begun");
}

#[tokio::test]
async fn forget_certifies_what_it_did_with_and_without_a_running_server() {
    let folder = Folder::new("certificate");
    let data = folder.data();
    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    let (with, without) = (client.register("con").await, client.register("sin").await);
    let show = client.schedule(10).await;
    for user in [&with, &without] {
        client
            .post("/api/reservar", purchase(user, &show, 1))
            .await
            .expect(201);
    }
    let forget = |user: &str| {
        run(&[
            "forget",
            "--json",
            "--user",
            user,
            "--data",
            data.to_str().unwrap(),
        ])
    };
    let certify = |user: &str| -> Value {
        let output = forget(user);
        assert!(output.status.success(), "{}", text(&output));
        let certificate: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(certificate["user_id"], user);
        assert_eq!(certificate["reason"], "asked");
        assert_eq!(certificate["event"]["stream"], format!("user-{user}"));
        assert_eq!(certificate["event"]["kind"], "user_forgotten.v1");
        assert_eq!(certificate["verified"]["violations"], 0);
        assert!(
            certificate["kept"]
                .as_array()
                .is_some_and(|kept| !kept.is_empty())
        );
        certificate
    };
    let first = certify(&with);
    assert_eq!(wrapped_key(&data, &with), None);
    client
        .get(&format!("/api/usuarios/{with}"))
        .await
        .refused(410, "USUARIO_OLVIDADO");
    assert_eq!(
        certify(&with)["event"],
        first["event"],
        "again it certifies the same event"
    );
    let nobody = forget(&Uuid::nil().to_string());
    assert!(
        !nobody.status.success() && text(&nobody).contains("has no user"),
        "{}",
        text(&nobody)
    );
    server.stop();

    let keys = key_bytes(&data, &without);
    let first = certify(&without);
    assert_eq!(wrapped_key(&data, &without), None);
    nowhere(&folder, &keys);
    assert_eq!(certify(&without)["event"], first["event"]);
    let spoken = run(&["forget", "--user", &without, "--data", data.to_str().unwrap()]);
    assert!(text(&spoken).contains("everything holds"), "{}", text(&spoken));
    let server = Server::start(&data, &[]);
    let mut client = server.client().await;
    client
        .get(&format!("/api/usuarios/{without}"))
        .await
        .refused(410, "USUARIO_OLVIDADO");
    let mut other = person("otra");
    other["email"] = person("sin")["email"].clone();
    client.post("/api/usuarios", other).await.expect(201);
    server.stop();
}
