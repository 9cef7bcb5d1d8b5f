//! Stands between client and server and loses what it is told to lose.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

pub struct Proxy {
    pub address: SocketAddr,
    faults: Arc<Faults>,
    cut: watch::Sender<u64>,
}

#[derive(Default)]
struct Faults {
    requests_lost: AtomicBool,
    answers_lost: AtomicBool,
}

impl Proxy {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, cuts) = watch::channel(0);
        let faults = Arc::<Faults>::default();
        tokio::spawn({
            let faults = faults.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(carry(client, server, faults.clone(), cuts.clone()));
                }
            }
        });
        Self { address, faults, cut }
    }

    pub fn url(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    pub fn lose_requests(&self, lose: bool) {
        self.faults.requests_lost.store(lose, Ordering::SeqCst);
    }

    pub fn lose_answers(&self, lose: bool) {
        self.faults.answers_lost.store(lose, Ordering::SeqCst);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Works again, on new connections.
    pub fn mend(&self) {
        self.lose_requests(false);
        self.lose_answers(false);
        self.cut();
    }
}

async fn carry(client: TcpStream, server: SocketAddr, faults: Arc<Faults>, mut cut: watch::Receiver<u64>) {
    cut.mark_unchanged();
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = copy(from_client, to_server, &faults.requests_lost) => {}
        () = copy(from_server, to_client, &faults.answers_lost) => {}
        _ = cut.changed() => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, lost: &AtomicBool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if !lost.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
