//! How progress is shown.

use clap::ValueEnum;

/// How to show what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    // In ordinary comments, because help would give each a paragraph of its own.
    // Bars on a terminal, plain lines elsewhere.
    Auto,
    // A bar for each blob that is sent, and one for all.
    Bar,
    // A line for each thing that is done.
    Plain,
    // A line of JSON for each thing that happens.
    Json,
    // Nothing.
    None,
}
