//! People who have a show's map open: connections that are sent events, and as little client as possible. A thousand
//! of them share this process with the server's buyers and its processors, so of an event only the version is read;
//! what it says is kept by a few, and looked at when all is over.

use crate::client::request;
use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    time::Instant,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// How much is taken from a connection at once.
const READ_BYTES: usize = 64 << 10;
/// The largest head that an answer may have.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How much one who keeps what they read may keep.
const MAX_KEPT_BYTES: usize = 64 << 20;
/// How much of a line is looked at: `id: ` and a number.
const LOOKED_AT: usize = 32;

/// What one follower has seen.
#[derive(Default)]
pub struct Seen {
    /// The version of each event, and when it was all there.
    pub events: RefCell<Vec<(u64, Instant)>>,
    /// All that was sent, where it is kept.
    pub kept: RefCell<Vec<u8>>,
    /// How many bytes it was.
    pub bytes: Cell<u64>,
    /// Why it ended, when it did.
    pub ended: RefCell<Option<String>>,
}

impl Seen {
    /// The version of the latest event.
    pub fn version(&self) -> Option<u64> {
        self.events.borrow().last().map(|(version, _)| *version)
    }
}

/// One who follows.
pub struct Follower {
    stream: TcpStream,
    seen: Rc<Seen>,
    keeps: bool,
    buffer: Rc<RefCell<Vec<u8>>>,
}

/// What all followers of a process read into: none of them holds on to it.
pub fn shared_buffer() -> Rc<RefCell<Vec<u8>>> {
    Rc::new(RefCell::new(vec![0; READ_BYTES]))
}

impl Follower {
    /// Connects and asks for the events of a path.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(
        address: SocketAddr,
        path: &str,
        keeps: bool,
        buffer: Rc<RefCell<Vec<u8>>>,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let mut bytes = Vec::new();
        request(&mut bytes, "GET", path, "Accept: text/event-stream\r\n", b"");
        stream.write_all(&bytes).await?;
        Ok(Self {
            stream,
            seen: Rc::default(),
            keeps,
            buffer,
        })
    }

    /// What it has seen so far, and will.
    pub fn seen(&self) -> Rc<Seen> {
        self.seen.clone()
    }

    /// Reads until the connection ends.
    pub async fn follow(self) {
        let why = match self.read_on().await {
            Ok(()) => "the server closed it".to_owned(),
            Err(error) => error.to_string(),
        };
        *self.seen.ended.borrow_mut() = Some(why);
    }

    async fn read_on(&self) -> io::Result<()> {
        let mut parser = Parser::default();
        loop {
            self.stream.readable().await?;
            let buffer = &mut *self.buffer.borrow_mut();
            let read = match self.stream.try_read(buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            let now = Instant::now();
            self.seen.bytes.set(self.seen.bytes.get() + read as u64);
            let events = &mut *self.seen.events.borrow_mut();
            let kept = &mut *self.seen.kept.borrow_mut();
            let keeps = self.keeps;
            parser.take(&buffer[..read], |found| match found {
                Found::Event(version) => events.push((version, now)),
                Found::Content(bytes) if keeps && kept.len() < MAX_KEPT_BYTES => {
                    kept.extend_from_slice(bytes);
                }
                Found::Content(_) => {}
            })?;
            if parser.is_over() {
                return Ok(());
            }
        }
    }
}

/// What was found in what was read.
enum Found<'a> {
    /// A part of the body, without the frames of its chunks.
    Content(&'a [u8]),
    /// An event is complete.
    Event(u64),
}

/// Takes an answer apart, however it is cut into pieces: head, chunks, lines.
#[derive(Default)]
struct Parser {
    head: Vec<u8>,
    chunk: Chunk,
    line: Vec<u8>,
    version: Option<u64>,
}

/// Where in its chunks a body is.
#[derive(Default, PartialEq, Eq)]
enum Chunk {
    /// Before the body.
    #[default]
    Head,
    /// In the line with the size of the next chunk; what of it was read.
    Size(usize),
    /// In a chunk; how much of it is to come.
    Inside(usize),
    /// Behind a chunk, before the end of its line.
    Behind,
    /// Behind the last.
    Over,
}

impl Parser {
    fn is_over(&self) -> bool {
        self.chunk == Chunk::Over
    }

    fn take(&mut self, mut bytes: &[u8], mut found: impl FnMut(Found<'_>)) -> io::Result<()> {
        while !bytes.is_empty() {
            bytes = match self.chunk {
                Chunk::Head => self.take_head(bytes)?,
                Chunk::Size(size) => self.take_size(size, bytes)?,
                Chunk::Behind => {
                    if bytes[0] == b'\n' {
                        self.chunk = Chunk::Size(0);
                    }
                    &bytes[1..]
                }
                Chunk::Inside(size) => {
                    let (content, rest) = bytes.split_at(size.min(bytes.len()));
                    found(Found::Content(content));
                    self.take_lines(content, &mut found);
                    self.chunk = match size - content.len() {
                        0 => Chunk::Behind,
                        left => Chunk::Inside(left),
                    };
                    rest
                }
                Chunk::Over => return Ok(()),
            };
        }
        Ok(())
    }

    fn take_head<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else {
            return match self.head.len() > MAX_HEAD_BYTES {
                true => Err(malformed("a head without end")),
                false => Ok(&[]),
            };
        };
        let rest = &bytes[end + 4 - before..];
        self.head.truncate(end);
        let head = String::from_utf8_lossy(&self.head).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200 ") || !head.contains("\r\ntransfer-encoding: chunked") {
            return Err(malformed(head.lines().next().unwrap_or_default()));
        }
        self.head = Vec::new();
        self.chunk = Chunk::Size(0);
        Ok(rest)
    }

    fn take_size<'a>(&mut self, size: usize, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        self.chunk = match bytes[0] {
            b'\n' if size == 0 => Chunk::Over,
            b'\n' => Chunk::Inside(size),
            b'\r' => Chunk::Size(size),
            digit => match char::from(digit).to_digit(16) {
                Some(digit) if size < READ_BYTES << 12 => Chunk::Size(size * 16 + digit as usize),
                _ => return Err(malformed("no size of a chunk")),
            },
        };
        Ok(&bytes[1..])
    }

    fn take_lines(&mut self, mut content: &[u8], found: &mut impl FnMut(Found<'_>)) {
        while !content.is_empty() {
            let end = content.iter().position(|byte| *byte == b'\n');
            let part = &content[..end.unwrap_or(content.len())];
            let room = LOOKED_AT.saturating_sub(self.line.len()).min(part.len());
            self.line.extend_from_slice(&part[..room]);
            let Some(end) = end else { return };
            content = &content[end + 1..];
            match version(&self.line) {
                Some(version) => self.version = Some(version),
                None if self.line.is_empty() => {
                    if let Some(version) = self.version.take() {
                        found(Found::Event(version));
                    }
                }
                None => {}
            }
            self.line.clear();
        }
    }
}

/// The version in a line `id: 12`.
fn version(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line.strip_prefix(b"id:")?).ok()?;
    text.trim().parse().ok()
}

fn malformed(what: &str) -> io::Error {
    let what = format!("not a stream of events: {what}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
        27\r\nevent: cambio\nid: 12\ndata: {\"id\": 99}\n\n\r\n\
        7\r\n: live\n\r\n\
        A\r\nevent: map\r\n\
        2e\r\na\nid:13\ndata: 0123456789012345678901234567890\n\r\n\
        1\r\n\n\r\n\
        0\r\n\r\n";

    fn parsed(pieces: impl Iterator<Item = Vec<u8>>) -> (Vec<u64>, String, bool) {
        let (mut versions, mut content, mut parser) = (Vec::new(), Vec::new(), Parser::default());
        for piece in pieces {
            parser
                .take(&piece, |found| match found {
                    Found::Event(version) => versions.push(version),
                    Found::Content(bytes) => content.extend_from_slice(bytes),
                })
                .unwrap();
        }
        (versions, String::from_utf8(content).unwrap(), parser.is_over())
    }

    #[test]
    fn events_are_found_however_the_answer_is_cut() {
        let whole = parsed(std::iter::once(ANSWER.as_bytes().to_vec()));
        assert_eq!((&whole.0, whole.2), (&vec![12, 13], true));
        assert!(whole.1.starts_with("event: cambio\nid: 12\n"), "{}", whole.1);
        assert!(!whole.1.contains('\r'), "no frame is left: {:?}", whole.1);
        for size in 1..60 {
            let pieces = ANSWER.as_bytes().chunks(size).map(<[u8]>::to_vec);
            assert_eq!(parsed(pieces), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_stream_of_events_is_not_followed() {
        for answer in [
            "HTTP/1.1 503 Service Unavailable\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ] {
            let taken = Parser::default().take(answer.as_bytes(), |_| {});
            assert!(taken.is_err(), "{answer}");
        }
    }
}
