//! Pages: how many, from where, and where the next begins.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ports::Document;
use std::sync::Arc;
use web::{Params, ids::parse_uuid};

/// How many results a page has when nothing is asked for.
pub(crate) const DEFAULT_LIMIT: u64 = 20;
/// How many results a page has at the most.
pub(crate) const MAX_LIMIT: u64 = 100;

/// Which page is wanted.
pub(crate) struct Page {
    /// How many results.
    pub limit: usize,
    /// Behind which place in the order: value and key of the last result of the page before.
    pub after: Option<(i64, String)>,
}

impl Page {
    /// Reads `limite` and `cursor`; faults are remembered in `params`.
    pub fn read(params: &mut Params) -> Self {
        let limit = params.integer("limite", 1..=MAX_LIMIT, DEFAULT_LIMIT);
        let after = params.raw("cursor").map(decode);
        if after == Some(None) {
            params.error("cursor", "no es un cursor de esta lista");
        }
        Self {
            limit: usize::try_from(limit).unwrap_or(1),
            after: after.flatten(),
        }
    }

    /// How many documents to look for: one more than is shown tells whether there is another page.
    pub fn lookahead(&self) -> usize {
        self.limit + 1
    }

    /// Cuts what was found to the page, and gives the cursor of the next; `value` is the order's.
    pub fn cut<T>(&self, found: &mut Vec<(T, Arc<Document>)>, value: impl Fn(&T) -> i64) -> Option<String> {
        if found.len() <= self.limit {
            return None;
        }
        found.truncate(self.limit);
        found
            .last()
            .map(|(last, document)| encode(value(last), &document.key))
    }
}

/// Opaque to callers, so that what it is made of can change.
fn encode(value: i64, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{value}:{key}"))
}

fn decode(cursor: &str) -> Option<(i64, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (value, key) = text.split_once(':')?;
    let place = (value.parse().ok()?, parse_uuid(key)?.to_string());
    // One spelling only: what was not made by `encode` is no cursor.
    (encode(place.0, &place.1) == cursor).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_way_to_the_caller_and_back_and_nothing_else_is_one() {
        let key = "018f4c3e-7b7a-7cc0-8000-000000000001".to_owned();
        for value in [i64::MIN, -1, 0, 1_700_000_000_000, i64::MAX] {
            assert_eq!(decode(&encode(value, &key)), Some((value, key.clone())));
        }
        for bad in [
            "",
            "x",
            "%%%",
            &URL_SAFE_NO_PAD.encode("1:x"),
            &URL_SAFE_NO_PAD.encode("1"),
            "ñ",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        let spelled_otherwise = URL_SAFE_NO_PAD.encode(format!("+1:{key}"));
        assert_eq!(decode(&spelled_otherwise), None);
    }
}
