//! How far an import is, on stderr: a bar in a terminal, else lines.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle as BarStyle};
use serde_json::json;

use super::progress::{event, note};
use super::{Common, ProgressStyle};
use crate::capture::ImportProgress;

const BAR_EVERY: Duration = Duration::from_millis(200);
const JSON_EVERY: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows an import's progress, as often as its style says.
pub(super) struct ImportReporter {
    style: ProgressStyle,
    bar: Option<ProgressBar>,
    last: Instant,
}

impl ImportReporter {
    pub(super) fn new(common: &Common) -> Self {
        let style = match common.progress {
            _ if common.quiet => ProgressStyle::None,
            ProgressStyle::Auto if std::io::stderr().is_terminal() => ProgressStyle::Auto,
            ProgressStyle::Auto => ProgressStyle::Plain,
            chosen => chosen,
        };
        let bar = (style == ProgressStyle::Auto).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_finish(ProgressFinish::AndClear);
            if let Ok(style) = BarStyle::with_template("{bar:30} {bytes}/{total_bytes} {wide_msg}")
            {
                bar.set_style(style);
            }
            bar
        });
        ImportReporter { style, bar, last: Instant::now() }
    }

    /// Takes note of how far the import is.
    pub(super) fn observe(&mut self, progress: &ImportProgress) {
        let every = match self.style {
            ProgressStyle::None => return,
            ProgressStyle::Auto => BAR_EVERY,
            ProgressStyle::Json => JSON_EVERY,
            ProgressStyle::Plain => LINE_EVERY,
        };
        if self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        if let Some(bar) = &self.bar {
            if let Some(total) = progress.bytes_total {
                bar.set_length(total);
            }
            bar.set_position(progress.bytes_read);
            bar.set_message(counts(progress));
        } else if self.style == ProgressStyle::Json {
            let fields = json!({"files_done": progress.files_done,
                "files": progress.files, "bytes_read": progress.bytes_read,
                "bytes_total": progress.bytes_total, "lines": progress.lines,
                "accepted": progress.accepted, "rejected": progress.rejected});
            event("import", &fields);
        } else {
            note(&format!("import: {} MB read, {}", progress.bytes_read >> 20, counts(progress)));
        }
    }
}

fn counts(progress: &ImportProgress) -> String {
    format!(
        "{} lines, {} exchanges, {} set aside",
        progress.lines, progress.accepted, progress.rejected
    )
}
