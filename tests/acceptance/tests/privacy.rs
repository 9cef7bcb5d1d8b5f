//! What the servers know of a person: nothing in the clear, at any time; and nothing that opens once they are forgotten.
//!
//! Every file of the log, MongoDB, Redis, RabbitMQ, nginx and the nodes is searched, what they print at level `debug`
//! included. That a destroyed key is gone from MongoDB is told in `crates/servers/tests/mongodb/vault.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use acceptance::{client, client::purchase, stories, tell, verify};
use serde_json::{Value, json};
use stack::{
    platform::{Platform, Shape},
    redis::Redis,
};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::ExitCode,
};

const PASSWORD: &str = "zxzx-caballo-grapa-zxzx";
/// Stands in a public show: where the search finds this, it would have found a name.
const CONTROL: &str = "Quixotismo en re menor";

fn somebody(name: &str) -> Value {
    json!({
        "tipo_documento": "Pasaporte",
        "nro_documento": format!("ZX.{name}.908172"),
        "nombre": format!("Zxnombre{name}"),
        "apellido": format!("Zxapellido{name}"),
        "email": format!("zxcorreo.{name}@zxdominio.example"),
        "password": PASSWORD,
    })
}

/// What of a person must be nowhere.
fn clear(person: &Value) -> Vec<String> {
    let mut texts: Vec<String> = ["nro_documento", "nombre", "apellido", "email", "password"]
        .iter()
        .map(|field| person[*field].as_str().unwrap().to_owned())
        .collect();
    texts.push(texts[0].replace('.', ""));
    texts.push("zxdominio".into());
    texts
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).unwrap().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        match kind.is_dir() {
            true => files(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
}

/// In which files any of these texts stands, in whatever case.
fn found_in(platform: &Platform, texts: &[String]) -> Vec<(PathBuf, String)> {
    dump(&platform.redis);
    let mut all = Vec::new();
    for folder in platform.folders() {
        files(folder, &mut all);
    }
    let mut found = Vec::new();
    for file in all {
        // Servers make and remove files as they like.
        let Ok(bytes) = fs::read(&file) else { continue };
        let bytes = bytes.to_ascii_lowercase();
        for text in texts {
            let text = text.to_ascii_lowercase();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push((file.clone(), text));
            }
        }
    }
    found
}

/// Redis keeps nothing on disk: now it writes all that it has to one.
fn dump(redis: &Redis) {
    let mut connection = TcpStream::connect(redis.server().address()).unwrap();
    for setting in ["CONFIG SET rdbcompression no\r\n", "SAVE\r\n"] {
        connection.write_all(setting.as_bytes()).unwrap();
        let mut answer = [0; 5];
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+OK\r\n", "{setting}");
    }
}

async fn nothing_of_a_person_stands_anywhere_in_the_clear_and_the_forgotten_are_gone(platform: &Platform) {
    let mut client = client(platform).await;
    let control = json!({ "aforo_total": 100, "nombre": CONTROL });
    let show = client
        .post("/api/eventos", acceptance::client::show(control))
        .await
        .expect(201);
    let mut texts = vec![PASSWORD.to_owned()];
    let mut people = Vec::new();
    for name in ["uno", "dos"] {
        let person = somebody(name);
        texts.extend(clear(&person));
        let id = client
            .post("/api/usuarios", person.clone())
            .await
            .expect(201)
            .field("usuario_id");
        let bought = purchase(&id, &show.field("evento_id"), 2);
        client.post("/api/reservar", bought).await.expect(201);
        let session = json!({ "email": person["email"], "password": PASSWORD });
        client.post("/api/auth/login", session).await.expect(200);
        let wrong = json!({ "email": person["email"], "password": "zxzx-otra-cosa-zxzx" });
        client.post("/api/auth/login", wrong).await.expect(401);
        let path = format!("/api/usuarios/{id}");
        assert_eq!(
            client.get_fresh(&path).await.expect(200).body["nombre"],
            person["nombre"]
        );
        client.get_fresh(&format!("{path}/datos")).await.expect(200);
        people.push((id, person));
    }
    // The same document again, and input that is refused: what is in an error is in a log.
    client
        .post("/api/usuarios", people[0].1.clone())
        .await
        .refused(409, "DOCUMENTO_REGISTRADO");
    let mut odd = somebody("tres");
    texts.extend(clear(&odd));
    odd["tipo_documento"] = json!(7);
    client.post("/api/usuarios", odd).await.expect(422);

    let [id, other] = [&people[0].0, &people[1].0];
    let path = format!("/api/usuarios/{id}");
    assert_eq!(found_in(platform, &texts), []);
    client.send("DELETE", &path, "", "").await.expect(204);
    client.send("DELETE", &path, "", "").await.expect(204);
    for what in ["", "/compras", "/datos"] {
        client
            .get_fresh(&format!("{path}{what}"))
            .await
            .refused(410, "USUARIO_OLVIDADO");
    }
    let session = json!({ "email": people[0].1["email"], "password": PASSWORD });
    client
        .post("/api/auth/login", session)
        .await
        .refused(401, "CREDENCIALES_INVALIDAS");
    let bought = purchase(id, &show.field("evento_id"), 1);
    client
        .post("/api/reservar", bought)
        .await
        .refused(410, "USUARIO_OLVIDADO");
    client
        .get_fresh(&format!("/api/usuarios/{other}"))
        .await
        .expect(200);
    // Their address is free again.
    let mut heir = somebody("cuatro");
    heir["email"] = people[0].1["email"].clone();
    texts.extend(clear(&heir));
    client.post("/api/usuarios", heir).await.expect(201);
    assert_eq!(found_in(platform, &texts), []);

    let control = found_in(platform, &[CONTROL.to_owned()]);
    let stands_in = |folder: &Path| control.iter().any(|(file, _)| file.starts_with(folder));
    let [log, mongodb, redis, ..] = platform.folders();
    assert!(
        [log, mongodb, redis].into_iter().all(stands_in),
        "the search finds nothing where something is: {control:?}"
    );
    verify(platform).await;
}

fn main() -> ExitCode {
    let shape = Shape {
        command_side: 2,
        query_side: 2,
        projectors: 1,
        orchestrators: 1,
    };
    tell(
        shape,
        &[("EVENTFLOW_LOG", "debug,h2=info")],
        stories![nothing_of_a_person_stands_anywhere_in_the_clear_and_the_forgotten_are_gone],
    )
}
