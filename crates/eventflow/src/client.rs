//! A small HTTP/1.1 client over one kept-alive connection: what `rebuild` and `sagas` use to reach a running
//! `dev`, and what `bench` measures with. Smaller than a general client on purpose: on a machine with two cores
//! every microsecond of the client is taken from the server that it measures.

use std::{io, net::SocketAddr, sync::OnceLock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The largest head or body that an answer may have.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// An answer, borrowed from its connection's buffer.
#[derive(Debug)]
pub struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
    head: &'a [u8],
}

impl<'a> Response<'a> {
    /// A header's value; the name is compared without case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(self.head, name)
    }

    /// The log position that a command produced.
    pub fn position(&self) -> Option<u64> {
        self.header("x-posicion")?.parse().ok()
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

/// One connection, one request at a time.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    keep: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            address,
            stream,
            buffer: Vec::with_capacity(4096),
            keep: true,
        })
    }

    /// Sends a whole request, as [`request`] writes one, and reads its answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is not HTTP/1.1 with a `Content-Length` or chunks. Whether the
    /// request was carried out is then unknown.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<Response<'_>> {
        if !self.keep {
            *self = Self::open(self.address).await?;
        }
        self.keep = false;
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head_end = loop {
            let seen = self.buffer.len().saturating_sub(3);
            self.fill().await?;
            if let Some(at) = find(&self.buffer[seen..], b"\r\n\r\n") {
                break seen + at + 4;
            }
        };
        let head = &self.buffer[..head_end];
        let status = head
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
            .filter(|_| head.starts_with(b"HTTP/1.1 "))
            .ok_or_else(|| malformed("no HTTP/1.1 status line"))?;
        let bodiless = matches!(status, 204 | 304);
        let chunked = header(head, "transfer-encoding").is_some();
        let length = match header(head, "content-length") {
            Some(text) => text.parse().map_err(|_| malformed("no length"))?,
            None if bodiless || chunked => 0,
            None => return Err(malformed("neither a length nor chunks")),
        };
        let keep = header(head, "connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"));
        if chunked {
            self.read_chunks(head_end).await?;
        } else {
            while self.buffer.len() < head_end + length {
                self.fill().await?;
            }
        }
        self.keep = keep;
        let (head, body) = self.buffer.split_at(head_end);
        Ok(Response { status, body, head })
    }

    /// Reads chunks until the last and leaves their content, joined, behind the head.
    async fn read_chunks(&mut self, head_end: usize) -> io::Result<()> {
        let (mut at, mut end) = (head_end, head_end);
        loop {
            let line = loop {
                if let Some(length) = find(&self.buffer[at..], b"\r\n") {
                    break length;
                }
                self.fill().await?;
            };
            let size = std::str::from_utf8(&self.buffer[at..at + line])
                .ok()
                .and_then(|text| usize::from_str_radix(text.split(';').next()?.trim(), 16).ok())
                .filter(|size| *size <= MAX_ANSWER_BYTES)
                .ok_or_else(|| malformed("no size of a chunk"))?;
            at += line + 2;
            while self.buffer.len() < at + size + 2 {
                self.fill().await?;
            }
            self.buffer.copy_within(at..at + size, end);
            at += size + 2;
            end += size;
            if size == 0 {
                self.buffer.truncate(end);
                return Ok(());
            }
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.buffer.len() > MAX_ANSWER_BYTES {
            return Err(malformed("an answer without end"));
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Sends this access token with every request of this process from now on. The first one counts.
pub fn authorize(token: &str) {
    let _ = AUTHORIZATION.set(format!("Authorization: Bearer {token}\r\n"));
}

static AUTHORIZATION: OnceLock<String> = OnceLock::new();

/// Writes a request into `buffer`, which is emptied first. `headers` are whole lines, each with its `\r\n`.
pub fn request(buffer: &mut Vec<u8>, method: &str, path: &str, headers: &str, body: &[u8]) {
    buffer.clear();
    let authorization = AUTHORIZATION.get().map_or("", String::as_str);
    for part in [
        method,
        " ",
        path,
        " HTTP/1.1\r\nHost: eventflow\r\n",
        authorization,
        headers,
    ] {
        buffer.extend_from_slice(part.as_bytes());
    }
    if !body.is_empty() {
        buffer.extend_from_slice(b"Content-Type: application/json\r\n");
    }
    if !body.is_empty() || method == "POST" {
        buffer.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    buffer.extend_from_slice(b"\r\n");
    buffer.extend_from_slice(body);
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(head).ok()?;
    text.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not an answer that is understood: {what}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use tokio::net::TcpListener;

    /// Answers each request on one connection with the next of these texts.
    async fn answering(texts: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for text in texts {
                let _ = stream.read(&mut [0; 1024]).await.unwrap();
                for byte in text.as_bytes().chunks(7) {
                    stream.write_all(byte).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn answers_with_a_length_and_in_chunks_come_over_one_connection() {
        let address = answering(&[
            "HTTP/1.1 201 Created\r\nX-Posicion: 7\r\ncontent-length: 11\r\n\r\n{\"a\": true}",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ])
        .await;
        let mut connection = Connection::open(address).await.unwrap();
        let mut bytes = Vec::new();
        request(&mut bytes, "POST", "/", "", b"{}");
        let response = connection.send(&bytes).await.unwrap();
        assert_eq!((response.status, response.position()), (201, Some(7)));
        assert_eq!(response.json()["a"], true);
        assert_eq!(connection.send(&bytes).await.unwrap().body, b"abcdefg");
        assert_eq!(connection.send(&bytes).await.unwrap().status, 204);
        assert!(connection.send(&bytes).await.is_err());
    }
}
