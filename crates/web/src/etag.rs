//! Entity tags: a strong one for every answer that can be read again, so that an unchanged one is not sent twice.

use crate::problem::Problem;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Who may keep a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Anybody, if they ask each time whether it is still so.
    Public,
    /// Nobody: it is about a person.
    Personal,
}

/// What the caller has already, by its tags: `If-None-Match`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfNoneMatch(Vec<HeaderValue>);

impl IfNoneMatch {
    /// Reads the header.
    pub fn read(headers: &HeaderMap) -> Self {
        Self(headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Does it name the tag? Compared weakly, as RFC 9110 asks for this header.
    fn names(&self, tag: &HeaderValue) -> bool {
        let named = self.0.iter().filter_map(|value| value.to_str().ok());
        named.flat_map(|value| value.split(',')).any(|one| {
            let one = one.trim();
            one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes()
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::read(&parts.headers))
    }
}

/// A JSON body with its tag. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tagged {
    body: Bytes,
    tag: HeaderValue,
}

impl Tagged {
    /// Writes the body. The tag is a hash of its bytes: equal bytes, equal tag, also after a rebuild of the read
    /// models or in another version of this program.
    ///
    /// # Errors
    /// `ERROR_INTERNO` when it cannot be written as JSON, which none of our types does.
    pub fn json(body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
        let digest = Sha256::digest(&body);
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]));
        // Base64 in quotes is a valid header value.
        let tag = HeaderValue::try_from(tag).map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            body: body.into(),
            tag,
        })
    }

    /// How large the body is.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// 200 with the body, or 304 when the caller has it already.
    pub fn respond(&self, has: &IfNoneMatch, privacy: Privacy) -> Response {
        let mut response = if has.names(&self.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(self.body.clone().into());
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.tag.clone());
        let cache = match privacy {
            Privacy::Public => "no-cache",
            Privacy::Personal => "private, no-store",
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_the_caller_has_already_is_not_sent_again() {
        let tagged = Tagged::json(&serde_json::json!({"a": 1})).unwrap();
        let tag = tagged.tag.to_str().unwrap().to_owned();
        let status = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            tagged
                .respond(&IfNoneMatch::read(&headers), Privacy::Public)
                .status()
                .as_u16()
        };
        assert_eq!(status(&tag), 304);
        assert_eq!(status("*"), 304);
        assert_eq!(status(&format!("\"x\", W/{tag}")), 304);
        assert_eq!(status("\"x\""), 200);
        assert_eq!(status(tag.trim_matches('"')), 200, "a tag has quotes");
    }

    #[test]
    fn a_304_has_the_tag_and_no_body() {
        let tagged = Tagged::json(&1).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, tagged.tag.clone());
        let response = tagged.respond(&IfNoneMatch::read(&headers), Privacy::Personal);
        assert_eq!(response.headers()[header::ETAG], tagged.tag);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-store");
        assert!(!response.headers().contains_key(header::CONTENT_TYPE));
    }
}
