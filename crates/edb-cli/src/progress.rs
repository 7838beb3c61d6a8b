//! Bars on a terminal, and nothing anywhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Common;

/// A bar over so many windows or files.
pub(crate) fn bar(common: &Common, length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), target(common));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// A line that counts without knowing the end.
pub(crate) fn counter(common: &Common, template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    bar.set_draw_target(target(common));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn target(common: &Common) -> ProgressDrawTarget {
    // indicatif draws nothing where stderr is no terminal.
    if common.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}
