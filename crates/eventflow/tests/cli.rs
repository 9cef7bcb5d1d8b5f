//! The program as somebody meets it on the command line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use rusqlite::Connection;
use std::{path::Path, time::Duration};

#[test]
fn help_shows_the_subcommands_the_settings_and_examples() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = text(&help);
    for part in [
        "dev",
        "verify",
        "replay",
        "rebuild",
        "sagas",
        "bench",
        "--hold-ttl-ms",
        "EVENTFLOW_HOLD_TTL_MS",
        "Examples",
    ] {
        assert!(help.contains(part), "--help does not say {part}");
    }
    for subcommand in [
        &["verify"][..],
        &["replay"],
        &["rebuild"],
        &["sagas", "list"],
        &["bench"],
    ] {
        let args = [subcommand, &["--help"]].concat();
        assert!(run(&args).status.success(), "{args:?}");
    }
}

#[test]
fn a_wrong_setting_is_named_with_what_is_expected() {
    let folder = Folder::new("settings");
    let data = folder.data();
    let output = program()
        .args(["dev", "--data"])
        .arg(&data)
        .env("EVENTFLOW_HOLD_TTL_MS", "soon")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output);
    for part in [
        "--hold-ttl-ms",
        "EVENTFLOW_HOLD_TTL_MS",
        "`hold_ttl_ms`",
        "\"soon\"",
        "a whole number",
    ] {
        assert!(said.contains(part), "{said:?} does not say {part}");
    }
    assert!(!data.exists(), "nothing is made before the settings are valid");

    let file = folder.0.join("eventflow.toml");
    std::fs::write(&file, "hold_ttl = 5\n").unwrap();
    let output = run(&["dev", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("hold_ttl_ms"), "{}", text(&output));
}

#[test]
fn dev_refuses_to_listen_beyond_this_machine() {
    let folder = Folder::new("loopback");
    let output = run(&[
        "dev",
        "--listen",
        "0.0.0.0:0",
        "--data",
        folder.data().to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("--listen") && text(&output).contains("loopback"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_second_instance_on_the_same_folder_is_refused() {
    let folder = Folder::new("second");
    let first = Server::start(&folder.data(), &[]);
    let said = Server::try_start(&folder.data(), &[])
        .err()
        .expect("the second instance must not start");
    assert!(said.contains(folder.data().to_str().unwrap()), "{said}");
    assert!(said.contains("another EventFlow is using"), "{said}");
    first.stop();
    Server::start(&folder.data(), &[]).stop();
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight() {
    let folder = Folder::new("sigterm");
    let mut server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let (person, show) = (client.register("slow").await, client.schedule(10).await);
    let mut buyer = server.client().await;
    let body = with_token(purchase(&person, &show, 1), "tok_lenta").to_string();
    let buying = tokio::spawn(async move { buyer.send("POST", "/api/reservar", "", &body).await });
    while client.tally(&show).await[1] == 0 {}
    server.ask_to_stop();
    let answer = buying.await.unwrap().expect(201);
    let status = server.ended_within(Duration::from_secs(10));
    assert!(status.success(), "{status}");

    let server = Server::start(&folder.data(), &[]);
    server.ready().await;
    let mut client = server.client().await;
    client.position = answer.position.unwrap();
    let read = client
        .get_fresh(&format!("/api/reservar/{}", answer.field("reserva_id")))
        .await
        .expect(200);
    assert_eq!(read.body["estado"], "confirmada");
    assert_eq!(client.tally(&show).await, [9, 0, 1]);
    server.stop();
    verify_holds(&folder.data());
}

#[tokio::test]
async fn state_survives_a_restart() {
    let folder = Folder::new("restart");
    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let (person, show) = (client.register("ana").await, client.schedule(10).await);
    let made = client
        .post("/api/reservar", purchase(&person, &show, 3))
        .await
        .expect(201);
    let before = client
        .get_fresh(&format!("/api/usuarios/{person}"))
        .await
        .expect(200);
    server.stop();

    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    client.position = made.position.unwrap();
    assert_eq!(
        client
            .get_fresh(&format!("/api/usuarios/{person}"))
            .await
            .expect(200)
            .body,
        before.body
    );
    assert_eq!(client.tally(&show).await, [7, 0, 3]);
    client
        .post("/api/usuarios", common::person("ana"))
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    server.stop();
}

#[tokio::test]
async fn rebuild_makes_the_same_read_models_with_and_without_a_running_server() {
    let folder = Folder::new("rebuild");
    let data = folder.data();
    let rebuild = || {
        let output = run(&["rebuild", "--data", data.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output));
    };
    let server = Server::start(&data, &[]);
    let mut client = server.client().await;
    let (person, show) = (client.register("ana").await, client.schedule(10).await);
    client
        .post("/api/reservar", purchase(&person, &show, 3))
        .await
        .expect(201);
    let address = format!("/api/eventos/{show}");
    let before = client.get_fresh(&address).await.expect(200).body;
    let in_background = data.clone();
    let online =
        tokio::task::spawn_blocking(move || run(&["rebuild", "--data", in_background.to_str().unwrap()]));
    let online = online.await.unwrap();
    assert!(online.status.success(), "{}", text(&online));
    assert_eq!(client.get_fresh(&address).await.expect(200).body, before);
    server.stop();

    rebuild();
    let server = Server::start(&data, &[]);
    let mut again = server.client().await;
    again.position = client.position;
    assert_eq!(again.get_fresh(&address).await.expect(200).body, before);
    server.stop();
}

#[tokio::test]
async fn replay_and_sagas_tell_what_happened() {
    let folder = Folder::new("replay");
    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let (person, show) = (client.register("ana").await, client.schedule(10).await);
    let made = client
        .post("/api/reservar", purchase(&person, &show, 1))
        .await
        .expect(201);
    let id = made.field("reserva_id");
    let folder_text = folder.data().to_str().unwrap().to_string();
    // Both read the log beside the running server.
    let stream = format!("reservation-{id}");
    let replay = run(&["replay", "--stream", &stream, "--print", "--data", &folder_text]);
    assert!(replay.status.success(), "{}", text(&replay));
    let printed = String::from_utf8(replay.stdout).unwrap();
    let kinds: Vec<serde_json::Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(kinds[0]["kind"], "reservation_requested.v1");
    assert_eq!(kinds.last().unwrap()["kind"], "reservation_confirmed.v1");
    let shown = run(&["sagas", "show", &id, "--data", &folder_text]);
    assert!(
        shown.status.success() && text(&shown).contains("confirmed"),
        "{}",
        text(&shown)
    );
    let retried = run(&["sagas", "retry", &id, "--data", &folder_text]);
    assert!(
        !retried.status.success() && text(&retried).contains("not stuck"),
        "{}",
        text(&retried)
    );
    let listed = run(&["sagas", "list", "--data", &folder_text]);
    assert!(listed.status.success(), "{}", text(&listed));
    server.stop();
    let whole = run(&["replay", "--data", &folder_text]);
    assert!(
        whole.status.success() && text(&whole).contains("events/s"),
        "{}",
        text(&whole)
    );
}

#[tokio::test]
async fn verify_finds_and_names_what_was_tampered_with() {
    let folder = Folder::new("verify");
    let server = Server::start(&folder.data(), &[]);
    let mut client = server.client().await;
    let (person, show) = (client.register("ana").await, client.schedule(10).await);
    for _ in 0..3 {
        client
            .post("/api/reservar", purchase(&person, &show, 1))
            .await
            .expect(201);
    }
    verify_holds(&folder.data());
    server.stop();
    verify_holds(&folder.data());

    let stream = format!("show-{show}");
    let of_show = "stream = (SELECT id FROM streams WHERE name LIKE 'show-%')";
    let tampered = |name: &str, sql: &str| {
        let copy = folder.0.join(name);
        copy_folder(&folder.data(), &copy);
        let log = Connection::open(copy.join("events.db")).unwrap();
        log.execute_batch(sql).unwrap();
        drop(log);
        let output = run(&["verify", "--data", copy.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(&output));
        text(&output)
    };
    let flipped = tampered(
        "flipped",
        &format!(
            "UPDATE events SET data = replace(data, 'Teatro', 'Teatrp') WHERE {of_show} AND revision = 0"
        ),
    );
    assert!(
        flipped.contains(&stream) && flipped.contains("revision 0"),
        "{flipped}"
    );
    let deleted = tampered(
        "deleted",
        &format!("DELETE FROM events WHERE {of_show} AND revision = 3"),
    );
    assert!(
        deleted.contains("missing") || deleted.contains("revision"),
        "{deleted}"
    );
    let swapped = tampered(
        "swapped",
        &format!(
            "CREATE TEMP TABLE two AS SELECT * FROM events WHERE {of_show} AND revision IN (1, 3);
             UPDATE events SET (type, event_id, data, meta) =
                (SELECT type, event_id, data, meta FROM two WHERE two.revision = 4 - events.revision)
             WHERE {of_show} AND revision IN (1, 3);"
        ),
    );
    assert!(
        swapped.contains(&stream) && swapped.contains("revision 1"),
        "{swapped}"
    );
    let cut = tampered(
        "cut",
        "DELETE FROM events WHERE pos = (SELECT max(pos) FROM events)",
    );
    assert!(cut.contains("position"), "{cut}");
}

#[test]
fn verify_of_a_folder_without_a_log_says_so() {
    let folder = Folder::new("empty");
    let output = run(&["verify", "--data", folder.data().to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(
        text(&output).contains(folder.data().to_str().unwrap()),
        "{}",
        text(&output)
    );
    assert!(!folder.data().exists(), "a command that only reads makes nothing");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_takes_as_many_connections_as_the_system_lets_it_have() {
    let folder = Folder::new("files");
    // As most systems start a process: few files, and leave to take more.
    let mut child = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -S -n 96 && exec \"$0\" dev --listen 127.0.0.1:0 --data \"$1\"",
        ])
        .arg(env!("CARGO_BIN_EXE_eventflow"))
        .arg(folder.data())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let address: std::net::SocketAddr = lines
        .find_map(|line| {
            line.ok()?
                .trim()
                .strip_prefix("listening on http://")?
                .parse()
                .ok()
        })
        .unwrap();
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = Client::open(address).await;
        client.get("/salud/viva").await.expect(200);
        clients.push(client);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
