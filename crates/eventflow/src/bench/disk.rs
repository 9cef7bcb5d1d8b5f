//! The disk: how often it can make something durable, and how much room the data take.

use rusqlite::{Connection, OpenFlags};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A folder for the data of one run, removed when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it, in `parent` or the system's place for temporary files.
    pub fn make(parent: Option<&Path>) -> io::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = parent.join(format!("eventflow-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}

/// How many times a second 4 KiB can be appended and made durable, one after another: the limit of everything
/// that commits alone.
pub fn syncs_per_second(folder: &Path, lasting: Duration) -> io::Result<f64> {
    let path = folder.join("syncs");
    let mut file = File::create(&path)?;
    let page = [0x5A_u8; 4096];
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < lasting {
        file.write_all(&page)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}

/// The bytes that the databases of a data folder hold: pages in use, so that what is still in a write-ahead log
/// counts once and free pages do not count.
pub fn bytes_in_use(data: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            bytes += pages_in_use(&path).map_err(io::Error::other)?;
        }
    }
    Ok(bytes)
}

fn pages_in_use(path: &Path) -> rusqlite::Result<u64> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.busy_timeout(Duration::from_secs(5))?;
    let number = |name: &str| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = (number("page_count")? - number("freelist_count")?) * number("page_size")?;
    Ok(bytes.unsigned_abs())
}
