//! `GET …/exportar`: everybody, anonymised, and all shows with their sales, as JSON, CSV or NDJSON.
//!
//! What is needed is read before the first byte, and so is the disclosure written down: a store that is away is a
//! 503, never half a file. Then rows are written as the caller takes them, a page at a time. A file that breaks off
//! (the store went away, the caller took too long) ends without its last chunk, which every client notices.

mod format;
pub(crate) mod people;
mod population;
pub(crate) mod shows;

use crate::app::{App, Reader};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use contract::Timestamp;
pub(crate) use format::Format;
use format::{Record, Writer};
use futures_util::stream;
use std::{future::Future, io, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;
use web::{Code, Problem};

/// Where the rows of an export come from.
pub(crate) trait Source: Send + 'static {
    /// What a row is.
    type Record: Record + Send;
    /// The next rows; none = that was all.
    fn page(&mut self) -> impl Future<Output = Result<Vec<Self::Record>, Problem>> + Send;
}

/// An export on its way to its caller.
struct Sending<S: Source> {
    source: S,
    writer: Writer,
    /// The page that goes next; `None` after the last.
    page: Option<Vec<S::Record>>,
    reader: Arc<Reader>,
    ends_at: Timestamp,
    _place: OwnedSemaphorePermit,
}

/// Answers with everything that the source gives. `name` is the file's, without its ending.
async fn answer<S: Source>(
    reader: Arc<Reader>,
    mut source: S,
    format: Format,
    name: &str,
    place: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let sending = Sending {
        page: Some(source.page().await?),
        source,
        writer: Writer::new(format),
        ends_at: reader.app.clock.now().plus_ms(reader.app.settings.export_ms),
        reader,
        _place: place,
    };
    let body = stream::unfold(sending, |mut sending| async move {
        let bytes = sending.next().await?;
        Some((bytes, sending))
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let file = format!("attachment; filename=\"{name}.{}\"", format.ending());
    if let Ok(file) = HeaderValue::from_str(&file) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    Ok(response)
}

impl<S: Source> Sending<S> {
    /// The next bytes; `None` after the last.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let page = self.page.take()?;
        if self.reader.app.clock.now() >= self.ends_at {
            return Some(Err(io::Error::other("the caller took too long")));
        }
        match self.write(page).await {
            Ok(bytes) => Some(Ok(bytes)),
            Err(problem) => {
                tracing::warn!(code = problem.code().text(), "an export broke off");
                Some(Err(io::Error::other("the export broke off")))
            }
        }
    }

    async fn write(&mut self, page: Vec<S::Record>) -> Result<Bytes, Problem> {
        let mut bytes = Vec::new();
        if page.is_empty() {
            self.writer.finish::<S::Record>(&mut bytes);
        } else {
            for record in &page {
                self.writer.record(&mut bytes, record)?;
            }
            self.page = Some(self.source.page().await?);
        }
        Ok(bytes.into())
    }
}

/// More than this would not fit into memory beside everything else.
fn too_large() -> Problem {
    Problem::new(Code::Busy)
        .detail("Hay más datos de los que este servidor puede exportar de una vez.")
        .retry_after(3_600)
}

/// How many documents are read at a time.
const PAGE: usize = 500;

/// All documents of a collection, a page at a time, by key.
struct Pages {
    collection: &'static contract::collections::Collection,
    /// The last key that was read; `None` before the first.
    after: Option<String>,
    done: bool,
}

impl Pages {
    fn of(collection: &'static contract::collections::Collection) -> Self {
        Self {
            collection,
            after: None,
            done: false,
        }
    }

    /// The next documents; none = that was all.
    async fn next(&mut self, app: &App) -> Result<Vec<Arc<ports::Document>>, Problem> {
        if self.done {
            return Ok(Vec::new());
        }
        let query = ports::Query {
            filters: Vec::new(),
            order: None,
            after: self.after.take().map(|key| (0, key)),
            limit: PAGE,
        };
        let found = app.store.find(self.collection, query).await;
        let found = found.map_err(|error| crate::reads::store_problem(&error))?;
        self.after = found.last().map(|document| document.key.clone());
        self.done = found.len() < PAGE;
        Ok(found)
    }
}
