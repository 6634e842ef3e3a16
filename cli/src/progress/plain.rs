//! A line for each thing that is done: for logs.

use longshore_core::{Digest, Event};

use super::{Show, text};
use crate::output;
use crate::size::human;

/// The length in bytes below which the progress of a blob is not printed.
const WORTH_PARTS: u64 = 100_000_000;

/// Writes lines to standard error.
#[derive(Default)]
pub(super) struct Lines {
    /// How many parts of the bytes were reported.
    parts: u64,
}

impl Show for Lines {
    fn event(&mut self, event: &Event<Digest>) {
        for line in self.part(event).into_iter().chain(text::line(event)) {
            output::say(line);
        }
    }
}

impl Lines {
    /// A line for each tenth of a large push, or for each [`WORTH_PARTS`] bytes if its length is not known.
    fn part(&mut self, event: &Event<Digest>) -> Option<String> {
        let Event::Progress { done, total, .. } = *event else { return None };
        let Some(all) = total else {
            let parts = done / WORTH_PARTS;
            let is_news = parts > self.parts;
            self.parts = parts.max(self.parts);
            return is_news.then(|| format!("sending   {} so far", human(done)));
        };
        let tenths = done.saturating_mul(10) / all.max(1);
        let is_news = all >= WORTH_PARTS && tenths > self.parts && tenths < 10;
        self.parts = tenths.max(self.parts);
        is_news.then(|| format!("{tenths}0%       {} of {}", human(done), human(all)))
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::{Client, Options, Push};

    use super::*;

    #[test]
    fn a_stream_of_unknown_length_is_told_by_what_was_sent_and_a_known_one_by_tenths() {
        let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
        let operation = Client::<Digest>::new(Options::default()).start(push);
        let mut lines = Lines::default();
        let mut said = |done, total| lines.part(&Event::Progress { operation, done, total });
        assert_eq!(said(99_999_999, None), None);
        assert_eq!(said(100_000_000, None).unwrap(), "sending   100.0 MB so far");
        assert_eq!(said(150_000_000, None), None);
        assert_eq!(said(200_000_000, Some(1_000_000_000)).unwrap(), "20%       200.0 MB of 1.0 GB");
        assert_eq!(said(1_000_000_000, Some(1_000_000_000)), None);
    }
}
