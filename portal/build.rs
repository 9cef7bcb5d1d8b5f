#![allow(clippy::panic, reason = "a build script has nobody else to tell")]
//! Lists the files of `assets/`, so that a page that is added there is served without another line of code.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    println!("cargo::rerun-if-changed=assets");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("assets");
    let mut files = Vec::new();
    list(&root, &root, &mut files);
    files.sort();
    let entries: String = files
        .iter()
        .map(|name| {
            let path = root.join(name);
            // Files, too: a folder's time stamp does not change with what is written into its files.
            println!("cargo::rerun-if-changed={}", path.display());
            // Where this clone is, the compiler says: clones may share a target folder.
            format!(
                "    ({name:?}, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/assets/\", {name:?}))),\n"
            )
        })
        .collect();
    let table = format!("&[\n{entries}]\n");
    let target = Path::new(&variable("OUT_DIR")).join("files.rs");
    fs::write(&target, table).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            list(root, &path, files);
        } else if let Ok(name) = path.strip_prefix(root) {
            files.push(name.display().to_string());
        }
    }
}
