//! A bar for each blob that is sent, and one for all: for people at a terminal.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use longshore_core::{Digest, Event};

use super::{Show, text};

/// Draws on standard error.
pub(super) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    blobs: BTreeMap<Digest, ProgressBar>,
    /// Whether what was done stays on the screen.
    lines: bool,
}

impl Bars {
    pub(super) fn with_lines() -> Self {
        Self::new(true)
    }

    pub(super) fn alone() -> Self {
        Self::new(false)
    }

    fn new(lines: bool) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = all.add(ProgressBar::new(0).with_style(style(
            "{prefix:29} {bar:30} {decimal_bytes:>10} of {decimal_total_bytes}, {decimal_bytes_per_sec}",
        )));
        total.set_prefix("all");
        Self { all, total, blobs: BTreeMap::new(), lines }
    }

    fn sending(&mut self, blob: &Digest, sent: u64, total: u64) {
        let bar = self.blobs.entry(*blob).or_insert_with(|| {
            let bar = ProgressBar::new(total)
                .with_style(style("{prefix:29} {bar:30} {decimal_bytes:>10} of {decimal_total_bytes}"));
            bar.set_prefix(format!("blob      {}", text::short(blob)));
            self.all.insert_before(&self.total, bar)
        });
        bar.set_position(sent);
    }
}

impl Show for Bars {
    fn event(&mut self, event: &Event<Digest>) {
        match event {
            Event::BlobSending { blob, sent, total: Some(total) } => self.sending(blob, *sent, *total),
            Event::Progress { done, total, .. } => {
                self.total.set_length(*total);
                self.total.set_position(*done);
            }
            Event::BlobStored { blob, .. } => {
                if let Some(bar) = self.blobs.remove(blob) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        if self.lines
            && let Some(line) = text::line(event)
        {
            self.all.suspend(|| eprintln!("{line}"));
        }
    }

    fn end(&mut self) {
        for bar in self.blobs.values().chain([&self.total]) {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ ")
}
