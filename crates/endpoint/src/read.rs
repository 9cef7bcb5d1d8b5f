//! Read: some events of a stream or of the whole log, in either direction; or, as a subscription, all that come.
//!
//! Every read is a row of pages. The next page is fetched when the connection has taken the last one, so a slow
//! reader holds one page and nothing else.

use crate::{
    convert::{IdForm, invalid, read_event, response, stream_name, unreadable},
    filter::Filter,
    options::{Endpoint, leaving},
    subscribe,
    wire::{
        FilterOptions, Filtering, FromPosition, FromRevision, HowMany, ReadContent, ReadOptions, ReadReq,
        ReadResp, StreamIdentifier, StreamNotFound, UuidChoice, What,
    },
};
use contract::{Position, Revision, StreamName};
use futures_util::{Stream, StreamExt, TryStreamExt, stream, stream::BoxStream};
use ports::embedded::{Dated, Page, Towards};
use std::sync::Arc;
use tonic::Status;

/// From this compatibility on, a client understands where a stream ends.
const KNOWS_LAST_REVISION: u32 = 1;

/// What one message after another of a call is made of.
pub(crate) trait Pages: Send + 'static {
    /// The next messages, possibly none; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<ReadResp>>, Status>> + Send;
}

/// Sends page after page, and ends with UNAVAILABLE when the endpoint closes.
pub(crate) fn send(
    endpoint: Arc<Endpoint>,
    pages: impl Pages,
) -> BoxStream<'static, Result<ReadResp, Status>> {
    stream::try_unfold((pages, endpoint), |(mut pages, endpoint)| async move {
        let page = tokio::select! {
            biased;
            () = endpoint.closed() => return Err(leaving()),
            page = pages.next() => page?,
        };
        Ok(page.map(|page| (stream::iter(page).map(Ok), (pages, endpoint))))
    })
    .try_flatten()
    .boxed()
}

/// Understands a request and begins to answer it.
pub(crate) fn begin(
    endpoint: &Arc<Endpoint>,
    request: ReadReq,
) -> Result<impl Stream<Item = Result<ReadResp, Status>> + Send + 'static + use<>, Status> {
    let options = request.options.ok_or_else(|| invalid("a read has options"))?;
    let towards = match options.direction {
        0 => Towards::End,
        1 => Towards::Start,
        _ => return Err(invalid("a read goes forwards or backwards")),
    };
    let ids = match options.uuid.and_then(|option| option.choice) {
        Some(UuidChoice::Structured(())) => IdForm::Structured,
        _ => IdForm::Text,
    };
    let how_many = options.how_many.ok_or_else(|| invalid("a read says how many"))?;
    let filter = match options.filtering {
        Some(Filtering::Filter(ref filter)) => Some(filter.clone()),
        _ => None,
    };
    match (how_many, options.what.clone()) {
        (HowMany::Count(count), Some(What::Stream(what))) if filter.is_none() => {
            let stream = stream_name(what.stream.as_ref())?;
            Ok(send(
                endpoint.clone(),
                StreamRead {
                    endpoint: endpoint.clone(),
                    from: first_revision(what.from, towards),
                    stream,
                    towards,
                    left: count,
                    ids,
                    says_last: knows_last_revision(&options),
                    state: State::First,
                },
            ))
        }
        (HowMany::Count(count), Some(What::All(what))) => Ok(send(
            endpoint.clone(),
            AllRead {
                endpoint: endpoint.clone(),
                bound: all_bound(what.from, towards),
                towards,
                left: count,
                ids,
                filter: filter.map(Filter::new).transpose()?,
                ended: false,
            },
        )),
        (HowMany::Subscription(()), Some(_)) if towards == Towards::Start => {
            Err(invalid("a subscription goes forwards"))
        }
        (HowMany::Subscription(()), Some(What::Stream(what))) if filter.is_none() => {
            let stream = stream_name(what.stream.as_ref())?;
            subscribe::to_stream(endpoint, stream, what.from, ids)
        }
        (HowMany::Subscription(()), Some(What::All(what))) => {
            let filter: Option<FilterOptions> = filter;
            subscribe::to_all(endpoint, what.from, filter.map(Filter::new).transpose()?, ids)
        }
        (_, Some(What::Stream(_))) => Err(invalid("only reads of the whole log can be filtered")),
        (_, None) => Err(invalid("a read is of a stream or of the whole log")),
    }
}

fn knows_last_revision(options: &ReadOptions) -> bool {
    options
        .control
        .is_some_and(|control| control.compatibility >= KNOWS_LAST_REVISION)
}

/// Where a read of a stream begins, included. Reading on from the end finds nothing; back from the start, the first.
fn first_revision(from: Option<FromRevision>, towards: Towards) -> Revision {
    match (from, towards) {
        (Some(FromRevision::Revision(revision)), _) => revision,
        (Some(FromRevision::Start(())), _) | (None, Towards::End) => 0,
        (Some(FromRevision::End(())), _) | (None, Towards::Start) => Revision::MAX,
    }
}

/// What a read of the whole log is behind or before. The position that a client gives is part of a read forwards and
/// not of one backwards.
fn all_bound(from: Option<FromPosition>, towards: Towards) -> Option<Position> {
    match (from, towards) {
        (Some(FromPosition::Position(from)), Towards::End) => from.commit.checked_sub(1).map(Position),
        (Some(FromPosition::Position(from)), Towards::Start) => Some(Position(from.commit)),
        (Some(FromPosition::Start(())), Towards::Start) => Some(Position(0)),
        (Some(FromPosition::End(())), Towards::End) => Some(Position(u64::MAX)),
        (Some(FromPosition::Start(())) | None, Towards::End)
        | (Some(FromPosition::End(())) | None, Towards::Start) => None,
    }
}

enum State {
    First,
    Further,
    Ended,
}

/// A read of one stream.
struct StreamRead {
    endpoint: Arc<Endpoint>,
    stream: StreamName,
    from: Revision,
    towards: Towards,
    left: u64,
    ids: IdForm,
    says_last: bool,
    state: State,
}

impl Pages for StreamRead {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        if matches!(self.state, State::Ended) {
            return Ok(None);
        }
        let page = narrowed(self.endpoint.page(), self.left);
        let read = self
            .endpoint
            .log
            .stream_page(&self.stream, self.from, self.towards, page);
        let found = read.await.map_err(|error| unreadable(&error))?;
        let Some(last) = found.last else {
            let content = ReadContent::StreamNotFound(StreamNotFound {
                stream: Some(StreamIdentifier {
                    name: self.stream.as_str().into(),
                }),
            });
            self.state = State::Ended;
            return Ok(Some(vec![response(content)]));
        };
        let mut messages: Vec<_> = found
            .events
            .iter()
            .map(|dated| read_event(dated, self.ids))
            .collect();
        self.left = self.left.saturating_sub(found.events.len() as u64);
        let next = found.events.last().and_then(|dated| match self.towards {
            Towards::End => dated.event.revision.checked_add(1).filter(|next| *next <= last),
            Towards::Start => dated.event.revision.checked_sub(1),
        });
        self.state = State::Further;
        match next {
            Some(next) if self.left > 0 => self.from = next,
            _ => {
                self.state = State::Ended;
                if self.says_last && self.towards == Towards::End {
                    messages.push(response(ReadContent::LastStreamRevision(last)));
                }
            }
        }
        Ok(Some(messages))
    }
}

/// A read of the whole log.
struct AllRead {
    endpoint: Arc<Endpoint>,
    /// Behind or before what, depending on the direction.
    bound: Option<Position>,
    towards: Towards,
    left: u64,
    ids: IdForm,
    filter: Option<Filter>,
    ended: bool,
}

impl AllRead {
    async fn page(&self, page: Page) -> Result<Vec<Dated>, Status> {
        let log = &self.endpoint.log;
        match self.towards {
            Towards::End => log.page_after(self.bound, page).await,
            Towards::Start => log.page_before(self.bound, page).await,
        }
        .map_err(|error| unreadable(&error))
    }
}

impl Pages for AllRead {
    async fn next(&mut self) -> Result<Option<Vec<ReadResp>>, Status> {
        if self.ended || self.left == 0 {
            return Ok(None);
        }
        let page = match self.filter {
            None => narrowed(self.endpoint.page(), self.left),
            Some(_) => self.endpoint.page(),
        };
        let found = self.page(page).await?;
        self.ended = !page.is_full(&found);
        if let Some(dated) = found.last() {
            self.bound = Some(dated.event.position);
        }
        let mut messages = Vec::with_capacity(found.len());
        for dated in &found {
            let wanted = match &self.filter {
                Some(filter) => filter.accepts(&dated.event)?,
                None => true,
            };
            if wanted && self.left > 0 {
                messages.push(read_event(dated, self.ids));
                self.left -= 1;
            }
        }
        Ok(Some(messages))
    }
}

/// A page that is not larger than what is wanted.
fn narrowed(page: Page, wanted: u64) -> Page {
    Page {
        events: usize::try_from(wanted).unwrap_or(usize::MAX).min(page.events),
        bytes: page.bytes,
    }
}
