//! `replay`: reads the log from its start and makes every view of it in memory, or prints it.
//!
//! One thread reads; as many as there are processors decode and fold. A stream's events all go to the same
//! folder, and every document comes from one stream, so that the folders need nothing of each other.

use super::open_log;
use crate::{
    ProgramError,
    cli::{ReplayArgs, Until},
    progress,
    settings::Settings,
};
use contract::{Recorded, StreamName};
use ports::embedded::LogReader;
use std::{
    collections::{BTreeMap, HashMap},
    io::{self, BufWriter, Write},
    num::NonZero,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Instant,
};
use views::project::{Doc, Target, targets};

/// How many batches may wait for a folder.
const AHEAD: usize = 4;
/// More folders than this wait for the one reader.
const MAX_FOLDERS: usize = 8;
/// How many events of a stream are read at once.
const PAGE: usize = 1_000;

/// Replays, and prints the events or how fast it went and what came out.
///
/// # Errors
/// When the log cannot be read, or an event of it cannot be understood.
pub fn run(settings: &Settings, args: &ReplayArgs) -> Result<(), ProgramError> {
    let reader = open_log(&settings.data)?;
    let batches = Batches::open(reader, args)?;
    if args.print {
        return match print(batches, &mut BufWriter::new(io::stdout().lock())) {
            // Whoever reads has seen enough, as in `… --print | head`.
            Err(ProgramError::System(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        };
    }
    let started = Instant::now();
    let (events, documents) = fold(batches)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{events} events in {seconds:.2} s: {:.0} events/s",
        events as f64 / seconds.max(1e-9)
    );
    for (collection, count) in documents {
        println!("  {count:>10} {collection}");
    }
    Ok(())
}

/// What is replayed, in order, in batches, up to where it shall stop.
struct Batches {
    source: Box<dyn Iterator<Item = Result<Vec<Recorded>, ProgramError>>>,
    until: Option<Until>,
    total: u64,
}

impl Batches {
    fn open(reader: LogReader, args: &ReplayArgs) -> Result<Self, ProgramError> {
        let total = reader.head()?.count;
        let source: Box<dyn Iterator<Item = _>> = match &args.stream {
            None => Box::new(reader.scan(None)?.map(|batch| batch.map_err(ProgramError::from))),
            Some(name) => Box::new(pages(reader, StreamName::new(name))),
        };
        Ok(Self {
            source,
            until: args.until,
            total,
        })
    }

    /// Cuts a batch where the replay shall stop; true when it was cut.
    fn cut(&self, batch: &mut Vec<Recorded>) -> Result<bool, ProgramError> {
        let past = match self.until {
            None => None,
            Some(Until::Position(last)) => batch.iter().position(|event| event.position > last),
            Some(Until::Time(last)) => {
                let mut past = None;
                for (index, event) in batch.iter().enumerate() {
                    if event.meta().map_err(|error| unreadable(event, &error))?.at_ms > last {
                        past = Some(index);
                        break;
                    }
                }
                past
            }
        };
        if let Some(past) = past {
            batch.truncate(past);
        }
        Ok(past.is_some())
    }

    /// Gives every batch to `take`.
    fn for_each(
        mut self,
        mut take: impl FnMut(Vec<Recorded>) -> Result<(), ProgramError>,
    ) -> Result<(), ProgramError> {
        while let Some(batch) = self.source.next() {
            let mut batch = batch?;
            let last = self.cut(&mut batch)?;
            take(batch)?;
            if last {
                break;
            }
        }
        Ok(())
    }
}

/// A stream's events, a page at a time.
fn pages(
    mut reader: LogReader,
    stream: StreamName,
) -> impl Iterator<Item = Result<Vec<Recorded>, ProgramError>> {
    let mut from = Some(0);
    std::iter::from_fn(move || {
        let read = reader.read(&stream, from?, PAGE);
        from = match &read {
            Ok(page) if page.len() == PAGE => page.last().map(|event| event.revision + 1),
            _ => None,
        };
        Some(
            read.map(|page| page.iter().map(|event| Recorded::clone(event)).collect())
                .map_err(ProgramError::from),
        )
    })
}

/// Prints every event as a line of JSON.
fn print(batches: Batches, out: &mut impl Write) -> Result<(), ProgramError> {
    batches.for_each(|batch| {
        for event in batch {
            let place = serde_json::json!({
                "position": event.position,
                "stream": event.stream,
                "revision": event.revision,
                "id": event.id,
                "kind": &*event.kind,
            })
            .to_string();
            // Data and metadata are JSON already, and go out byte for byte as they stand in the log.
            out.write_all(&place.as_bytes()[..place.len() - 1])?;
            out.write_all(b",\"data\":")?;
            out.write_all(&event.data)?;
            out.write_all(b",\"meta\":")?;
            out.write_all(&event.meta)?;
            out.write_all(b"}\n")?;
        }
        Ok(())
    })?;
    Ok(out.flush()?)
}

/// Folds everything; how many events, and how many documents of each collection came out.
fn fold(batches: Batches) -> Result<(u64, BTreeMap<&'static str, usize>), ProgramError> {
    let bar = progress::events("replaying", batches.total);
    let folders = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MAX_FOLDERS);
    let folded = thread::scope(|scope| {
        let (senders, threads): (Vec<_>, Vec<_>) = (0..folders)
            .map(|_| {
                let (sender, receiver) = sync_channel::<Vec<Recorded>>(AHEAD);
                (
                    sender,
                    scope.spawn(move || Views::default().fold_all(receiver.iter())),
                )
            })
            .unzip();
        let mut events = 0;
        let dealt = batches.for_each(|batch| {
            events += batch.len() as u64;
            bar.inc(batch.len() as u64);
            deal(batch, &senders);
            Ok(())
        });
        drop(senders);
        let views: Result<Vec<Views>, ProgramError> = threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect();
        dealt?;
        Ok::<_, ProgramError>((events, views?))
    });
    bar.finish_and_clear();
    let (events, views) = folded?;
    let mut documents = BTreeMap::new();
    for target in views.iter().flat_map(|views| views.documents.keys()) {
        *documents.entry(target.collection().name).or_default() += 1;
    }
    Ok((events, documents))
}

/// Deals a batch out to the folders, by stream.
fn deal(batch: Vec<Recorded>, folders: &[SyncSender<Vec<Recorded>>]) {
    let share = batch.len() / folders.len() + batch.len() / 8 + 1;
    let mut hands: Vec<_> = folders.iter().map(|_| Vec::with_capacity(share)).collect();
    for event in batch {
        // Names end in random hexadecimal digits: their last one is as good a hash as any.
        let digit = event.stream.as_str().bytes().next_back().unwrap_or(0);
        hands[usize::from(digit) % folders.len()].push(event);
    }
    for (folder, hand) in folders.iter().zip(hands) {
        // A folder that has ended has failed; its error is found when it is joined.
        let _ = folder.send(hand);
    }
}

/// Documents in memory.
#[derive(Default)]
struct Views {
    documents: HashMap<Target, Doc>,
}

impl Views {
    fn fold_all(mut self, batches: impl Iterator<Item = Vec<Recorded>>) -> Result<Self, ProgramError> {
        for batch in batches {
            for recorded in &batch {
                self.fold(recorded)?;
            }
        }
        Ok(self)
    }

    fn fold(&mut self, recorded: &Recorded) -> Result<(), ProgramError> {
        if recorded.stream.parts().is_none() {
            return Ok(());
        }
        let event = recorded.event().map_err(|error| unreadable(recorded, &error))?;
        let touched = targets(&event, &recorded.stream).map_err(|error| unreadable(recorded, &error))?;
        // What only spares other stores a search is no view of its own.
        let views = touched
            .into_iter()
            .flatten()
            .filter(|target| !matches!(target, Target::Recent(_)));
        for target in views {
            let document = self.documents.remove(&target);
            if let Some(document) = target.evolve(document, &event, recorded.revision) {
                self.documents.insert(target, document);
            }
        }
        Ok(())
    }
}

fn unreadable(recorded: &Recorded, why: &dyn std::fmt::Display) -> ProgramError {
    ProgramError::Unreadable {
        position: recorded.position,
        stream: recorded.stream.clone(),
        why: why.to_string(),
    }
}
