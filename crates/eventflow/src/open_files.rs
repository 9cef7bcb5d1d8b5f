//! How many files and connections this process may have open. Most systems give a process 1,024 at first and let it
//! take more: with a thousand people following a show that is too few.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than this is never needed: connections are limited by a setting.
const ENOUGH: u64 = 65_536;

/// Takes as many as there may be. When that is not allowed, connections beyond the limit wait to be accepted, and the
/// log says so.
pub(crate) fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if current.is_some_and(|current| current < wanted) {
        let current = Some(wanted);
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    }
}
