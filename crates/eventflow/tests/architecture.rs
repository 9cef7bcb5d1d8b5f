//! Holds the import table of `docs/ARCHITECTURE.md`: which crate may know which, who may name a driver, and what
//! the pure files must not do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Our crates, and which of our crates each may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("views", &["contract"]),
    ("ports", &["contract"]),
    ("servers", &["contract", "ports"]),
    ("endpoint", &["contract", "ports"]),
    ("acceptance", &["eventflow", "stack"]), // tests alone
    ("stack", &[]),                          // starts servers for tests; nothing but tests may import it
    ("web", &["contract", "views"]),
    ("command-side", &["contract", "views", "ports", "web"]),
    ("query-side", &["contract", "views", "ports", "web"]),
    ("portal", &["web"]),
    ("projector", &["contract", "views", "ports"]),
    ("orchestrator", &["contract", "ports", "views"]),
    (
        "eventflow",
        &[
            "contract",
            "views",
            "ports",
            "web",
            "command-side",
            "query-side",
            "portal",
            "projector",
            "orchestrator",
            "servers",
            "endpoint",
        ],
    ),
];

/// Foreign crates that only some of ours may name.
const RESERVED: &[(&str, &[&str])] = &[
    (
        "axum",
        &["web", "command-side", "query-side", "portal", "eventflow"],
    ),
    ("hyper", &["web", "servers", "eventflow"]),
    ("rusqlite", &["ports", "eventflow"]),
    ("aes-gcm", &["ports"]),
    ("argon2", &["command-side"]),
    ("clap", &["eventflow"]),
    (
        "tokio",
        &[
            "ports",
            "servers",
            "endpoint",
            "web",
            "command-side",
            "query-side",
            "projector",
            "orchestrator",
            "eventflow",
            "acceptance",
        ],
    ),
    (
        "async-trait",
        &[
            "ports",
            "servers",
            "endpoint",
            "web",
            "command-side",
            "orchestrator",
            "projector",
            "eventflow",
        ],
    ),
    ("eventstore", &["servers"]),
    ("lapin", &["servers"]),
    ("mongodb", &["servers"]),
    ("redis", &["servers"]),
    ("tonic", &["endpoint"]),
    ("prost", &["endpoint"]),
    ("rustls", &[]), // TLS is the drivers' own business
];

fn root() -> PathBuf {
    // Cargo runs tests in their crate's folder. Two clones may share a target folder, so where this was compiled tells
    // nothing.
    Path::new("../..").canonicalize().unwrap()
}

/// Every crate of the workspace with the names of what it depends on outside of tests.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let normal = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dep| dep["kind"].is_null());
            let names = normal
                .map(|dep| dep["name"].as_str().unwrap().to_owned())
                .collect();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

#[test]
fn every_crate_imports_only_what_the_table_allows() {
    let imports = imports();
    let ours: BTreeSet<&str> = imports.keys().map(String::as_str).collect();
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    assert_eq!(
        ours,
        table.keys().copied().collect(),
        "the table names every crate, once"
    );
    let mut wrong = Vec::new();
    for (name, names) in &imports {
        for import in names.iter().map(String::as_str) {
            let ours_and_forbidden = ours.contains(import) && !table[name.as_str()].contains(&import);
            let reserved = RESERVED.iter().find(|(foreign, _)| *foreign == import);
            if ours_and_forbidden || reserved.is_some_and(|(_, allowed)| !allowed.contains(&name.as_str())) {
                wrong.push(format!("{name} must not import {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rust files below `dir`, tests left out.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file: without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let text = text.split("#[cfg(all(test,").next().unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Decide, state, react, projections, and the crates that are pure as a whole.
fn pure_files() -> Vec<PathBuf> {
    let root = root();
    let mut files = sources(&root.join("crates/contract/src"));
    files.extend(sources(&root.join("crates/views/src")));
    for dir in ["command-side/src", "orchestrator/src"] {
        let named = ["decide.rs", "state.rs", "react.rs", "seats.rs", "owed.rs"];
        let is_pure = |path: &PathBuf| named.iter().any(|name| path.ends_with(name));
        files.extend(sources(&root.join(dir)).into_iter().filter(is_pure));
    }
    files.retain(|path| {
        !path.components().any(|part| part.as_os_str() == "tests")
            && !path.to_string_lossy().ends_with("tests.rs")
    });
    files
}

#[test]
fn pure_files_have_no_async_no_clock_no_randomness_no_io() {
    let forbidden = [
        "async ",
        ".await",
        "tokio",
        "std::fs",
        "std::net",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "now_v7",
        "new_v4",
        "rand::",
        "getrandom",
        "println!",
        "std::env",
    ];
    let mut wrong = Vec::new();
    let files = pure_files();
    assert!(files.len() > 20, "the pure files were found: {files:?}");
    for path in files {
        let code = code(&path);
        for word in forbidden.iter().filter(|word| code.contains(**word)) {
            wrong.push(format!("{} uses {word:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_pure_depends_on_the_order_of_a_hash_map() {
    let mut wrong = Vec::new();
    for path in pure_files() {
        let code = code(&path);
        let names: Vec<&str> = code
            .lines()
            .filter(|line| line.contains("HashMap<") || line.contains("HashSet<"))
            .filter_map(|line| line.trim().trim_start_matches("pub ").split(':').next())
            .map(|name| {
                name.trim_start_matches("pub(super) ")
                    .trim_start_matches("let mut ")
                    .trim()
            })
            .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
            .collect();
        for name in names {
            for walk in [
                ".iter()",
                ".iter_mut()",
                ".values()",
                ".values_mut()",
                ".keys()",
                ".drain()",
                ".into_iter()",
            ] {
                if code.contains(&format!("{name}{walk}")) {
                    wrong.push(format!("{}: {name}{walk} walks a hash map", path.display()));
                }
            }
            if code.contains(&format!("in &self.{name}")) || code.contains(&format!("in &{name}")) {
                wrong.push(format!("{}: a loop walks {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn spanish_stays_in_the_http_modules() {
    let words = [
        "\"evento",
        "\"usuario",
        "\"reserva_",
        "\"bloqueo",
        "\"entrada",
        "\"cantidad",
        "/api/",
    ];
    let root = root();
    let mut wrong = Vec::new();
    for dir in [
        "crates/contract/src",
        "crates/views/src",
        "crates/ports/src",
        "projector/src",
        "orchestrator/src",
    ] {
        for path in sources(&root.join(dir)) {
            let code = code(&path);
            for word in words.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{} says {word:?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_outside_tests_unwraps_and_no_file_is_too_long_to_read() {
    let root = root();
    let mut wrong = Vec::new();
    for dir in [
        "crates",
        "command-side",
        "query-side",
        "projector",
        "orchestrator",
    ] {
        for path in sources(&root.join(dir)) {
            let in_tests = path
                .components()
                .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "examples")
                || path.to_string_lossy().ends_with("tests.rs");
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > 500 {
                wrong.push(format!("{} has {lines} lines", path.display()));
            }
            let code = code(&path);
            for word in [
                ".unwrap()",
                ".expect(",
                "panic!(",
                "todo!(",
                "unimplemented!(",
                "unreachable!(",
            ] {
                if !in_tests
                    && code.contains(word)
                    && !path.components().any(|p| p.as_os_str() == "conformance")
                {
                    wrong.push(format!("{} says {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The names in `counter!("…"`, `gauge!("…"` and `histogram!("…"`, wherever the line breaks are.
fn metrics_in(code: &str) -> BTreeSet<String> {
    let joined = code.split_whitespace().collect::<String>();
    joined
        .split("!(\"eventflow_")
        .skip(1)
        .filter_map(|rest| Some(format!("eventflow_{}", rest.split_once('"')?.0)))
        .collect()
}

#[test]
fn every_metric_is_described_and_nothing_else_is() {
    let root = root();
    let table = fs::read_to_string(root.join("crates/eventflow/src/operations/described.rs")).unwrap();
    let described: BTreeSet<String> = table
        .split('"')
        .filter(|text| text.starts_with("eventflow_"))
        .map(str::to_owned)
        .collect();
    let dirs = [
        "crates",
        "command-side",
        "query-side",
        "projector",
        "orchestrator",
    ];
    let in_src = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "src");
    let used: BTreeSet<String> = dirs
        .iter()
        .flat_map(|dir| sources(&root.join(dir)))
        .filter(in_src)
        .flat_map(|path| metrics_in(&code(&path)))
        .collect();
    let unknown: Vec<_> = used.symmetric_difference(&described).collect();
    assert!(
        unknown.is_empty(),
        "described or used, and not both: {unknown:#?}"
    );
}
