//! A closed loop: so many connections, each sending its next request when the last was answered.

use crate::client::{Connection, Response};
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use std::{
    cell::RefCell,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After so many requests.
    Requests(u64),
    /// After so long.
    Elapsed(Duration),
}

/// What an answer is to its workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What the workload is about.
    Wanted,
    /// Accepted, not settled within the wait.
    Late,
    /// A no that belongs to the workload, and is not counted as a yes.
    Refused,
    /// Anything else; shown when the workload ends.
    Unwanted,
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another request, which has been written into the buffer.
    Next,
    /// Nothing: it came to this.
    Over(Verdict),
}

/// What a load came to.
#[derive(Debug)]
pub struct Measured {
    /// Of wanted answers, in microseconds.
    pub latencies: Histogram<u64>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Answers that were wanted.
    pub wanted: u64,
    /// Answers that came before the outcome.
    pub late: u64,
    /// Answers that were a no, where that may be.
    pub refused: u64,
    /// All others, and the first of them.
    pub unwanted: u64,
    /// The first answer that was not wanted.
    pub first_unwanted: Option<String>,
    /// The greatest log position that an answer carried.
    pub position: u64,
}

impl Measured {
    /// Nothing yet.
    ///
    /// # Errors
    /// When a histogram cannot be made, which does not happen.
    pub fn new() -> io::Result<Self> {
        // Three digits are ten microseconds in ten milliseconds; a minute is longer than any wait of the server.
        let latencies = Histogram::new_with_bounds(1, 60_000_000, 3).map_err(io::Error::other)?;
        Ok(Self {
            latencies,
            elapsed: Duration::ZERO,
            wanted: 0,
            late: 0,
            refused: 0,
            unwanted: 0,
            first_unwanted: None,
            position: 0,
        })
    }

    /// Wanted answers per second.
    pub fn per_second(&self) -> f64 {
        self.wanted as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    fn note(&mut self, verdict: Verdict, response: &Response<'_>, took: Duration) {
        self.position = self.position.max(response.position().unwrap_or(0));
        match verdict {
            Verdict::Wanted => {
                self.wanted += 1;
                self.latencies
                    .saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            }
            Verdict::Late => self.late += 1,
            Verdict::Refused => self.refused += 1,
            Verdict::Unwanted => {
                self.unwanted += 1;
                let body = String::from_utf8_lossy(response.body);
                self.first_unwanted
                    .get_or_insert_with(|| format!("{} {body}", response.status));
            }
        }
    }
}

/// Drives a server. `write` makes the request of an index into the buffer, `read` judges its answer.
///
/// # Errors
/// When a connection breaks: a server under measurement does not drop connections.
pub async fn drive(
    address: SocketAddr,
    in_flight: usize,
    until: Until,
    write: impl Fn(u64, &mut Vec<u8>),
    mut read: impl FnMut(u64, &Response<'_>) -> Verdict,
) -> io::Result<Measured> {
    let then = move |index, response: &Response<'_>, _: &mut Vec<u8>| Step::Over(read(index, response));
    drive_in_steps(address, in_flight, until, write, then).await
}

/// The same for what takes several requests one after another, and is measured as one: `then` looks at an answer and
/// writes the next request, or says that it is over.
///
/// # Errors
/// As [`drive`].
pub async fn drive_in_steps(
    address: SocketAddr,
    in_flight: usize,
    until: Until,
    write: impl Fn(u64, &mut Vec<u8>),
    then: impl FnMut(u64, &Response<'_>, &mut Vec<u8>) -> Step,
) -> io::Result<Measured> {
    let connections = try_join_all((0..in_flight).map(|_| Connection::open(address))).await?;
    let shared = RefCell::new((Measured::new()?, then, 0_u64));
    let started = Instant::now();
    let (shared_ref, write_ref) = (&shared, &write);
    let loops = connections.into_iter().map(|mut connection| async move {
        let (mut buffer, mut next) = (Vec::with_capacity(512), Vec::with_capacity(512));
        loop {
            let index = shared_ref.borrow().2;
            match until {
                Until::Requests(count) if index >= count => return Ok::<_, io::Error>(()),
                Until::Elapsed(limit) if started.elapsed() >= limit => return Ok(()),
                _ => shared_ref.borrow_mut().2 += 1,
            }
            write_ref(index, &mut buffer);
            let sent = Instant::now();
            loop {
                let response = connection.send(&buffer).await?;
                let took = sent.elapsed();
                let (measured, then, _) = &mut *shared_ref.borrow_mut();
                match then(index, &response, &mut next) {
                    Step::Next => std::mem::swap(&mut buffer, &mut next),
                    Step::Over(verdict) => {
                        measured.note(verdict, &response, took);
                        break;
                    }
                }
            }
        }
    });
    try_join_all(loops).await?;
    let (mut measured, _, _) = shared.into_inner();
    measured.elapsed = started.elapsed();
    Ok(measured)
}
