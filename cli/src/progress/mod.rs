//! What is shown while something is under way: on standard error, because standard output is for results.

mod bar;
mod json;
mod plain;
mod text;

pub(crate) use text::short;

use std::io::IsTerminal as _;

use longshore_core::{Digest, Event};

use crate::args::Style;

/// Shows events.
pub(crate) trait Show {
    /// Something happened.
    fn event(&mut self, event: &Event<Digest>);

    /// Nothing more will happen.
    fn end(&mut self) {}
}

/// What shows events in this style.
pub(crate) fn show(style: Style) -> Box<dyn Show + Send> {
    match style {
        Style::Auto if std::io::stderr().is_terminal() => Box::new(bar::Bars::with_lines()),
        Style::Bar => Box::new(bar::Bars::with_lines()),
        Style::Auto | Style::Plain => Box::new(plain::Lines::default()),
        Style::Json => Box::new(json::Json),
        Style::None => Box::new(Nothing),
    }
}

/// Bars while something runs, on a terminal, and nothing that stays.
pub(crate) fn bars_only() -> Box<dyn Show + Send> {
    if std::io::stderr().is_terminal() { Box::new(bar::Bars::alone()) } else { Box::new(Nothing) }
}

struct Nothing;

impl Show for Nothing {
    fn event(&mut self, _: &Event<Digest>) {}
}
