//! TLS and credentials from the connection string, with nginx in front of the endpoint as the one who asks for them.

use crate::{Wire, client, events, follow, stream};
use ports::{EventLog, Expected, LogError};
use servers::eventstore::{EventStoreLog, EventStoreOptions};
use stack::{Scratch, Server};
use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration};

/// `ops@shop` with the password `p:w/d`, as HTTP sends them and as a connection string has them.
const AUTHORIZATION: &str = "Basic b3BzQHNob3A6cDp3L2Q=";
const USER: &str = "ops%40shop:p%3Aw%2Fd";

fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output();
    let done = done.expect("openssl is needed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A certificate for `localhost`, and that of who signed it.
fn certificates(folder: &Path) {
    let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    let authority = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority"];
    openssl(folder, &[&request[..], &authority].concat());
    let signed = [
        "-CA", "ca.crt", "-CAkey", "ca.key", "-keyout", "node.key", "-out", "node.crt",
    ];
    let named = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    openssl(folder, &[&request[..], &signed, &named].concat());
}

fn nginx(folder: &Path, endpoint: SocketAddr) -> Server {
    certificates(folder);
    let address = SocketAddr::from(([127, 0, 0, 1], stack::free_port().unwrap()));
    let at = folder.display();
    let configuration = format!(
        "daemon off; worker_processes 1; pid {at}/pid; error_log stderr;
         events {{}}
         http {{
           access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
           fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
           map $http_authorization $stranger {{ default 1; \"{AUTHORIZATION}\" 0; }}
           server {{
             listen {address} ssl http2;
             ssl_certificate {at}/node.crt; ssl_certificate_key {at}/node.key;
             location / {{ grpc_pass grpc://{endpoint}; }}
             location /event_store.client.streams {{
               if ($stranger) {{ return 401; }}
               error_page 401 = @stranger;
               grpc_pass grpc://{endpoint};
             }}
             location @stranger {{
               default_type application/grpc; add_header grpc-status 16 always; return 200;
             }}
           }}
         }}"
    );
    fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let path = folder.to_owned();
    Server::start("nginx", folder, address, move || {
        let mut command = Command::new("nginx");
        command
            .arg("-c")
            .arg(path.join("nginx.conf"))
            .arg("-p")
            .arg(&path);
        command
    })
    .unwrap()
}

async fn works(log: &EventStoreLog) {
    log.ready(Duration::from_secs(10)).await.unwrap();
    let mut tail = log.tail(log.head().await.unwrap()).await.unwrap();
    let name = stream();
    let written = log.append(&name, Expected::NoStream, events(3)).await.unwrap();
    assert_eq!(log.read(&name, 0, 10).await.unwrap().len(), 3);
    assert_eq!(follow(&mut *tail, written.position).await.len(), 3);
}

/// That it is not let in, and what it says about it.
async fn is_refused(log: Arc<EventStoreLog>) -> String {
    let outcome = log.head().await;
    assert!(matches!(outcome, Err(LogError::Unavailable(_))), "{outcome:?}");
    // The first attempt may still have been under way.
    let _ = log.ready(Duration::from_secs(3)).await;
    log.trouble().expect("it is connected")
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_credentials_come_from_the_connection_string() {
    let (wire, folder) = (Wire::new().await, Scratch::new("secured").unwrap());
    let server = nginx(folder.path(), wire.endpoint.address);
    let port = server.address().port();
    let ca = folder.path().join("ca.crt");
    let ca = ca.display();
    works(&client(format!(
        "esdb://{USER}@localhost:{port}?tls=true&tlsVerifyCert=false"
    )))
    .await;
    works(&client(format!("esdb://{USER}@localhost:{port}?tlsCaFile={ca}"))).await;
    let unverified = client(format!("esdb://{USER}@localhost:{port}?tls=true"));
    println!("unverified: {}", is_refused(unverified).await);
    let stranger = client(format!("esdb://admin:changeit@localhost:{port}?tlsCaFile={ca}"));
    let why = is_refused(stranger).await;
    assert!(why.contains("denied"), "{why}");
    let nobody = client(format!("esdb://localhost:{port}?tlsCaFile={ca}"));
    let why = is_refused(nobody).await;
    assert!(why.contains("denied"), "{why}");
}

#[test]
fn a_certificate_that_cannot_be_read_is_told_at_once() {
    let options = EventStoreOptions {
        url: "esdb://localhost?tlsCaFile=/nowhere/ca.crt".into(),
        ..EventStoreOptions::default()
    };
    let error = EventStoreLog::connect(options).err().unwrap().to_string();
    assert!(error.contains("/nowhere/ca.crt"), "{error}");
}
