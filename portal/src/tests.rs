#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use axum::{body::Body, extract::Request};
use http_body_util::BodyExt;
use tower::ServiceExt;

async fn answer(path: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = router().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (
        parts.status.as_u16(),
        parts.headers,
        String::from_utf8(body).unwrap(),
    )
}

/// The addresses in the page's attributes.
fn addresses(page: &str) -> Vec<String> {
    ["href=\"", "src=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn text(name: &str) -> &'static str {
    let (_, content) = FILES.iter().find(|(file, _)| *file == name).unwrap();
    std::str::from_utf8(content).unwrap()
}

#[tokio::test]
async fn the_page_and_all_that_it_names_are_served_to_be_kept() {
    let (status, headers, page) = answer("/").await;
    assert_eq!(status, 200);
    assert_eq!(headers[header::CONTENT_SECURITY_POLICY], POLICY);
    assert!(!page.contains('{'), "the template is filled in");
    let named = addresses(&page);
    assert!(named.len() > 10, "{named:?}");
    for address in named.iter().filter(|address| address.starts_with("/portal/")) {
        let (status, headers, _) = answer(address).await;
        assert_eq!(status, 200, "{address}");
        assert!(
            headers[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
    }
}

#[tokio::test]
async fn nothing_comes_from_elsewhere_and_nothing_is_inline() {
    let (_, _, page) = answer("/").await;
    let handler = |word: &str| word.starts_with("on") && word.contains('=');
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.split_whitespace().any(handler));
    for (name, content) in FILES {
        let content = String::from_utf8_lossy(content);
        for place in ["http://", "https://"] {
            let foreign = content
                .match_indices(place)
                .any(|(at, _)| !content[at..].starts_with("http://www.w3.org/"));
            assert!(!foreign, "{name} names {place}");
        }
        for unsafe_use in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!content.contains(unsafe_use), "{name} uses {unsafe_use}");
        }
    }
}

#[tokio::test]
async fn a_page_that_was_open_before_an_upgrade_still_finds_its_files() {
    let (status, headers, _) = answer("/portal/0000000000000000/js/app.js").await;
    assert_eq!(status, 200);
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document() {
    for path in [
        "/portal/x/js/none.js",
        "/portal/x/index.html",
        "/portal/x/../Cargo.toml",
    ] {
        let (status, headers, _) = answer(path).await;
        assert_eq!(status, 404, "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    }
}

#[test]
fn every_code_of_the_api_has_words_for_people_in_both_languages() {
    let errors = text("js/i18n/errors.js");
    for code in Code::ALL {
        let said = errors.split(&format!("\n  {}: {{", code.text())).nth(1);
        let said = said.and_then(|rest| rest.split("\n  }").next().or(Some(rest)));
        let said = said.unwrap_or_else(|| panic!("{} is not in errors.js", code.text()));
        assert!(
            said.contains("es: \"") && said.contains("en: \""),
            "{}",
            code.text()
        );
    }
}
