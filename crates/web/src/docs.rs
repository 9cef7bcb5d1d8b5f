//! `/docs`: the API, browsable. One page with its own script and style, nothing from elsewhere, so that it works
//! without the internet and under a strict content security policy.

use crate::{codes::Code, error_pages, problem::Problem};
use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;

const PAGE: &str = include_str!("docs/index.html");
const SCRIPT: &str = include_str!("docs/app.js");
const STYLE: &str = include_str!("docs/app.css");

/// Only what this server itself sends is run, shown or called.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/docs`, the pages of the error codes, and the document itself at `/api/openapi.json`.
///
/// # Errors
/// When the document cannot be written as JSON.
pub fn router(document: &utoipa::openapi::OpenApi) -> Result<Router, serde_json::Error> {
    let json = Bytes::from(serde_json::to_vec(document)?);
    let document = move || async move { file("application/json", json.clone()) };
    Ok(Router::new()
        .route("/api/openapi.json", get(document))
        .route("/docs", get(async || html(PAGE.into())))
        .route(
            "/docs/app.js",
            get(async || file("text/javascript; charset=utf-8", SCRIPT.into())),
        )
        .route(
            "/docs/app.css",
            get(async || file("text/css; charset=utf-8", STYLE.into())),
        )
        .route("/docs/errors", get(async || html(error_pages::index().into())))
        .route("/docs/errors/{codigo}", get(error_page)))
}

/// The page of a code: HTML for people, its Markdown for whoever asks for that.
async fn error_page(Path(codigo): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let code = Code::parse(&codigo).ok_or_else(|| Problem::new(Code::NotFound))?;
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accepted.contains("text/markdown") {
        return Ok(file("text/markdown; charset=utf-8", code.page().into()));
    }
    Ok(html(error_pages::html(code).into()))
}

fn file(content_type: &'static str, body: Bytes) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn html(body: Bytes) -> Response {
    let mut response = file("text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::{body::Body, extract::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn answer(path: &str) -> (u16, HeaderMap, String) {
        let router = router(&crate::openapi::merge([])).unwrap();
        let response = router
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        (
            parts.status.as_u16(),
            parts.headers,
            String::from_utf8(body).unwrap(),
        )
    }

    #[tokio::test]
    async fn the_page_and_all_that_it_needs_come_from_here() {
        let (status, headers, page) = answer("/docs").await;
        assert_eq!(status, 200);
        assert!(
            headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "nothing from elsewhere"
        );
        assert!(
            !page.contains("<style") && !page.contains(" style=") && !page.contains(" on"),
            "nothing inline"
        );
        for (path, content_type) in [
            ("/docs/app.js", "text/javascript; charset=utf-8"),
            ("/docs/app.css", "text/css; charset=utf-8"),
            ("/api/openapi.json", "application/json"),
        ] {
            let (status, headers, body) = answer(path).await;
            assert_eq!(
                (status, headers[header::CONTENT_TYPE].to_str().unwrap()),
                (200, content_type)
            );
            assert!(!body.is_empty());
        }
    }

    #[tokio::test]
    async fn every_code_has_its_page_at_its_address() {
        let (_, _, index) = answer("/docs/errors").await;
        for code in Code::ALL {
            let (status, _, page) = answer(code.page_address()).await;
            assert_eq!(status, 200, "{}", code.text());
            assert!(page.contains(code.text()) && page.contains("Qué hacer"));
            assert!(index.contains(code.page_address()));
        }
        assert_eq!(answer("/docs/errors/NADA").await.0, 404);
    }
}
