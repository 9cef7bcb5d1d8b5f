//! The web portal: one page and its files, part of the program, nothing from elsewhere.
//!
//! The pages are plain web standards (`assets/`): ES modules, no build step, no framework. They know the platform by its
//! HTTP API alone, as any other client. Files are served under a version that is a hash of them all, so that a browser
//! keeps them for good and never mixes two releases.

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};
use web::{Code, Problem};

/// Every file of `assets/`: its name and what is in it.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));
/// The page, a template.
const PAGE: &str = "index.html";

/// Only what this server itself sends is run, shown or called; no markup is ever made from text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What is served, made once.
struct Portal {
    /// Of all files together.
    version: String,
    page: Bytes,
    page_tag: HeaderValue,
    files: BTreeMap<&'static str, &'static [u8]>,
}

/// `GET /` and `GET /portal/{version}/{*file}`.
pub fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/portal/{version}/{*file}", get(file))
        .with_state(Arc::new(Portal::new()))
}

impl Portal {
    fn new() -> Self {
        let files: BTreeMap<_, _> = FILES.iter().copied().collect();
        let mut digest = Sha256::new();
        for (name, content) in &files {
            for part in [name.as_bytes(), content] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        let version = digest.finalize()[..8]
            .iter()
            .fold(String::new(), |mut text, byte| {
                // Writing to a string does not fail.
                let _ = write!(text, "{byte:02x}");
                text
            });
        let template = files.get(PAGE).copied().unwrap_or_default();
        let page = String::from_utf8_lossy(template)
            .replace("{preload}", preload(&files).trim_end())
            .replace("{version}", &version);
        Self {
            page: page.into_bytes().into(),
            // Hexadecimal digits in quotes are a valid header value.
            page_tag: HeaderValue::try_from(format!("\"{version}\""))
                .unwrap_or(HeaderValue::from_static("\"\"")),
            version,
            files,
        }
    }
}

/// The modules that every page needs, so that the browser asks for all of them at once instead of one import after the
/// other.
fn preload(files: &BTreeMap<&'static str, &'static [u8]>) -> String {
    let needed = files.keys().filter(|name| {
        let own = name
            .strip_prefix("js/")
            .is_some_and(|rest| !rest.contains('/') && rest.ends_with(".js"));
        own || matches!(**name, "js/i18n/common.js" | "js/i18n/errors.js")
    });
    needed.fold(String::new(), |mut text, name| {
        let _ = writeln!(
            text,
            "<link rel=\"modulepreload\" href=\"/portal/{{version}}/{name}\">"
        );
        text
    })
}

async fn page(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH) == Some(&portal.page_tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        portal.page.clone().into_response()
    };
    let more = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in more {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
        .headers_mut()
        .insert(header::ETAG, portal.page_tag.clone());
    response
}

/// A file under its version never changes. Under another version (a page that was open before an upgrade) it is what it
/// is now, and nobody may keep it.
async fn file(
    State(portal): State<Arc<Portal>>,
    Path((version, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let content = portal.files.get(name.as_str()).filter(|_| name != PAGE);
    let content = content.ok_or_else(|| Problem::new(Code::NotFound))?;
    let cache = if version == portal.version {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let mut response = Bytes::from_static(content).into_response();
    for (header, value) in [
        (header::CONTENT_TYPE, content_type(&name)),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response
            .headers_mut()
            .insert(header, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
