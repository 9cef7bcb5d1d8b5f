//! Progress bars for long work, on standard error and only when somebody is looking.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts events.
pub(crate) fn events(what: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    let template = "{msg} [{bar:40}] {human_pos}/{human_len} events, {per_sec}, {eta} left";
    // The template is a constant; were it wrong, the default style would do.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
