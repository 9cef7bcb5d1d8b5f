//! Answers that were rendered already: reading a show that did not change needs no JSON work.

use contract::Timestamp;
use quick_cache::{Weighter, sync::Cache};
use std::sync::Arc;
use uuid::Uuid;
use web::{Problem, etag::Tagged};

/// What was rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// `GET /api/eventos/{evento_id}`
    Show,
    /// `GET /api/eventos/{evento_id}/asientos`
    Seats,
    /// `GET /api/eventos/{evento_id}/asientos?formato=compacto`
    CompactSeats,
}

/// A rendered answer and what it depends on.
struct Answer {
    /// The document's version.
    version: u64,
    /// When the show begins: from then on it is shown otherwise. `None` when time changes nothing.
    begins_at: Option<Timestamp>,
    /// Whether it had begun.
    begun: bool,
    tagged: Tagged,
}

impl Answer {
    fn begun(begins_at: Option<Timestamp>, now: Timestamp) -> bool {
        begins_at.is_some_and(|begins_at| now >= begins_at)
    }
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(Kind, Uuid), Arc<Answer>> for ByBytes {
    fn weight(&self, _: &(Kind, Uuid), answer: &Arc<Answer>) -> u64 {
        answer.tagged.size() as u64 + 256
    }
}

/// A bounded cache of answers.
pub(crate) struct Rendered(Cache<(Kind, Uuid), Arc<Answer>, ByBytes>);

impl Rendered {
    /// A cache that holds this many bytes at the most.
    pub fn new(max_bytes: u64) -> Self {
        let expected = usize::try_from(max_bytes / 1_024).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(expected, max_bytes, ByBytes))
    }

    /// The answer that was rendered from this version of the document, or the one that `render` makes; it gives
    /// the body and when the show begins, if that matters.
    pub fn get(
        &self,
        kind: Kind,
        id: Uuid,
        version: u64,
        now: Timestamp,
        render: impl FnOnce() -> Result<(Tagged, Option<Timestamp>), Problem>,
    ) -> Result<Tagged, Problem> {
        if let Some(answer) = self.0.get(&(kind, id))
            && answer.version == version
            && answer.begun == Answer::begun(answer.begins_at, now)
        {
            return Ok(answer.tagged.clone());
        }
        let (tagged, begins_at) = render()?;
        let begun = Answer::begun(begins_at, now);
        self.0.insert(
            (kind, id),
            Arc::new(Answer {
                version,
                begins_at,
                begun,
                tagged: tagged.clone(),
            }),
        );
        Ok(tagged)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::cell::Cell;

    #[test]
    fn an_answer_is_rendered_again_when_the_document_changed_or_the_show_began() {
        let (cache, renderings) = (Rendered::new(1 << 20), Cell::new(0));
        let get = |version, now| {
            let render = || {
                renderings.set(renderings.get() + 1);
                Ok((Tagged::json(&version).unwrap(), Some(Timestamp(100))))
            };
            cache
                .get(Kind::Show, Uuid::nil(), version, Timestamp(now), render)
                .unwrap();
            renderings.get()
        };
        assert_eq!(get(1, 0), 1);
        assert_eq!(get(1, 99), 1, "nothing changed");
        assert_eq!(get(2, 99), 2, "another version");
        assert_eq!(get(2, 100), 3, "it began");
        assert_eq!(get(2, 101), 3);
        assert_eq!(get(2, 99), 4, "a clock that was set back is believed");
    }
}
