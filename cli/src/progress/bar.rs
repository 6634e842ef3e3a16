//! A bar for each blob that is sent, and one for all: for people at a terminal.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use longshore_core::{Digest, Event};

use super::{Show, text};
use crate::output;

/// Draws on standard error.
pub(super) struct Bars {
    screen: MultiProgress,
    blobs: BTreeMap<Digest, ProgressBar>,
    /// The bar for all, without a length as long as it is not known how much there is.
    all: Option<ProgressBar>,
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
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { screen, blobs: BTreeMap::new(), all: None, lines }
    }

    fn count(&mut self, done: u64, all: Option<u64>) {
        let bar = self.all.get_or_insert_with(|| {
            let style = style("{prefix:29} {decimal_bytes:>10} so far, {decimal_bytes_per_sec}");
            self.screen.add(ProgressBar::no_length().with_style(style).with_prefix("all"))
        });
        if let (Some(all), None) = (all, bar.length()) {
            let template = "{prefix:29} {bar:30} {decimal_bytes:>10} of {decimal_total_bytes}, {decimal_bytes_per_sec}";
            bar.set_style(style(template));
            bar.set_length(all);
        }
        bar.set_position(done);
    }

    fn sending(&mut self, blob: &Digest, sent: u64, total: u64) {
        let bar = self.blobs.entry(*blob).or_insert_with(|| {
            let style = style("{prefix:29} {bar:30} {decimal_bytes:>10} of {decimal_total_bytes}");
            let bar = ProgressBar::new(total).with_style(style);
            let bar = bar.with_prefix(format!("blob      {}", text::short(blob)));
            match &self.all {
                Some(all) => self.screen.insert_before(all, bar),
                None => self.screen.add(bar),
            }
        });
        bar.set_position(sent);
    }
}

impl Show for Bars {
    fn event(&mut self, event: &Event<Digest>) {
        match event {
            Event::BlobSending { blob, sent, total: Some(total) } => self.sending(blob, *sent, *total),
            Event::BlobStored { blob, .. } => {
                if let Some(bar) = self.blobs.remove(blob) {
                    bar.finish_and_clear();
                }
            }
            Event::Progress { done, total, .. } if *total != Some(0) => self.count(*done, *total),
            _ => {}
        }
        if self.lines
            && let Some(line) = text::line(event)
        {
            self.screen.suspend(|| output::say(line));
        }
    }

    fn end(&mut self) {
        for bar in self.blobs.values().chain(&self.all) {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ ")
}
