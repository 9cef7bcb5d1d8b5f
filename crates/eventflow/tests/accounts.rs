//! Accounts in the program as a whole: the first administrator from the command line, and tokens that both sides obey.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use serde_json::{Value, json};
use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

const PASSWORD: &str = "correct horse battery";

/// Runs `admin` with this on standard input.
fn admin(args: &[&str], data: &Path, typed: &str) -> Output {
    let mut child = program()
        .arg("admin")
        .args(args)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn create(data: &Path, document: &str, email: &str, typed: &str) -> Output {
    let mut args = vec!["create", "--given-name", "Ada", "--family-name", "Rojas"];
    args.extend(["--document-type", "dni", "--document", document, "--email", email]);
    admin(&args, data, typed)
}

/// The id on standard output, and nothing else.
fn id(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(output));
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .trim()
        .to_owned()
}

async fn login(client: &mut Client, email: &str, password: &str) -> Answer {
    client
        .post("/api/auth/login", json!({"email": email, "password": password}))
        .await
}

fn bearer(answer: &Answer) -> String {
    format!("Authorization: Bearer {}\r\n", answer.field("access_token"))
}

#[tokio::test]
async fn the_first_administrator_is_made_on_a_folder_and_logs_in() {
    let folder = Folder::new("first-admin");
    let data = folder.data();
    let made = create(&data, "30.111.222", "Ada@example.com", &format!("{PASSWORD}\n"));
    assert!(!text(&made).contains(PASSWORD));
    let ada = id(&made);

    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    login(&mut client, "ada@example.com", "not the password")
        .await
        .refused(401, "CREDENCIALES_INVALIDAS");
    let tokens = login(&mut client, "ada@example.com", PASSWORD).await.expect(200);
    let me = client
        .send("GET", "/api/auth/yo", &bearer(&tokens), "")
        .await
        .expect(200);
    assert_eq!(me.field("usuario_id"), ada);
    assert_eq!(me.body["roles"], json!(["cliente", "admin"]));

    // While `dev` has the folder, it is told how to go on.
    let refused = create(&data, "30.111.223", "eva@example.com", PASSWORD);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("in use by"), "{}", text(&refused));
    assert!(text(&refused).contains("/roles"), "{}", text(&refused));
    server.stop();
    verify_holds(&data);
}

#[tokio::test]
async fn whoever_is_registered_is_made_an_administrator_without_another_password() {
    let folder = Folder::new("admin-again");
    let data = folder.data();
    let ada = id(&create(&data, "30.111.222", "ada@example.com", PASSWORD));
    let again = create(&data, "30111222", "other@example.com", "");
    assert_eq!(id(&again), ada);
    let granted = admin(&["grant", "--user", &ada, "--role", "puerta"], &data, "");
    assert_eq!(id(&granted), ada);
    assert!(
        text(&granted).contains("cliente, puerta, admin"),
        "{}",
        text(&granted)
    );
    verify_holds(&data);
}

#[test]
fn what_cannot_be_an_administrator_is_refused_and_nothing_is_made() {
    let folder = Folder::new("no-admin");
    let data = folder.data();
    for (document, email, typed, part) in [
        ("30.111.222", "nowhere", PASSWORD, "--email"),
        ("...", "ada@example.com", PASSWORD, "--document"),
        ("30.111.222", "ada@example.com", "short\n", "password"),
        ("30.111.222", "ada@example.com", "", "password"),
    ] {
        let refused = create(&data, document, email, typed);
        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
        assert!(text(&refused).contains(part), "{}", text(&refused));
    }
    let nobody = admin(
        &[
            "grant",
            "--user",
            "00000000-0000-0000-0000-000000000000",
            "--role",
            "admin",
        ],
        &data,
        "",
    );
    assert_eq!(nobody.status.code(), Some(1));
    let word = admin(
        &[
            "grant",
            "--user",
            "00000000-0000-0000-0000-000000000000",
            "--role",
            "x",
        ],
        &data,
        "",
    );
    assert_eq!(word.status.code(), Some(2));
}

#[tokio::test]
async fn a_log_out_and_a_change_of_roles_are_obeyed_by_both_sides_at_once_and_after_a_restart() {
    let folder = Folder::new("tokens");
    let data = folder.data();
    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    let mut body: Value = person("Ana");
    body["password"] = PASSWORD.into();
    let email = body["email"].as_str().unwrap().to_owned();
    let ana = client
        .post("/api/usuarios", body)
        .await
        .expect(201)
        .field("usuario_id");
    let first = login(&mut client, &email, PASSWORD).await.expect(200);
    let second = login(&mut client, &email, PASSWORD).await.expect(200);
    let own = format!("/api/usuarios/{ana}?posicion={}", client.position);
    client.send("GET", &own, &bearer(&first), "").await.expect(200);
    client
        .send("GET", "/api/auditoria/verificar", &bearer(&first), "")
        .await
        .refused(403, "SIN_PERMISO");

    client
        .send("POST", "/api/auth/logout", &bearer(&first), "")
        .await
        .expect(204);
    client
        .send("GET", &own, &bearer(&first), "")
        .await
        .refused(401, "NO_AUTENTICADO");
    client.send("GET", &own, &bearer(&second), "").await.expect(200);

    let roles = json!({"roles": ["auditor"]}).to_string();
    client
        .send("PUT", &format!("/api/usuarios/{ana}/roles"), "", &roles)
        .await
        .expect(200);
    client
        .send("GET", &own, &bearer(&second), "")
        .await
        .refused(401, "NO_AUTENTICADO");
    let refresh = json!({"refresh_token": second.field("refresh_token")});
    let renewed = client.post("/api/auth/refresh", refresh).await.expect(200);
    client
        .send("GET", "/api/auditoria/verificar", &bearer(&renewed), "")
        .await
        .expect(200);
    server.stop();

    // Another process knows it from the log alone.
    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    for gone in [&first, &second] {
        client
            .send("GET", &own, &bearer(gone), "")
            .await
            .refused(401, "NO_AUTENTICADO");
    }
    client.send("GET", &own, &bearer(&renewed), "").await.expect(200);
    server.stop();
    verify_holds(&data);
}

#[tokio::test]
async fn a_failed_login_takes_as_long_for_nobody_as_for_somebody() {
    let folder = Folder::new("timing");
    let data = folder.data();
    let server = Server::start(&data, &[]);
    server.ready().await;
    let mut client = server.client().await;
    let mut body = person("Ana");
    body["password"] = PASSWORD.into();
    let email = body["email"].as_str().unwrap().to_owned();
    client.post("/api/usuarios", body).await.expect(201);
    let mut took = Vec::new();
    for who in [email.as_str(), "nobody@example.com"] {
        let mut fastest = Duration::MAX;
        for _ in 0..4 {
            let asked = Instant::now();
            login(&mut client, who, "not the password").await.expect(401);
            fastest = fastest.min(asked.elapsed());
        }
        took.push(fastest);
    }
    let apart = took[0].abs_diff(took[1]);
    assert!(apart < Duration::from_millis(50), "{took:?}");
    server.stop();
}
