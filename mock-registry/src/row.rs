//! The ids of the rows of the spec's table: the words for them in faults, profiles and reports.

use longshore_core::Row;

/// What stands for a request that is of no row.
const OTHER: &str = "other";

/// The id of a request's row, such as `end-6`; `token` for a token service, and `other` for what neither has.
#[must_use]
pub fn row_id(row: Option<Row>) -> &'static str {
    row.map_or(OTHER, Row::id)
}

/// All ids, in the order of the spec's table, each once: GET and HEAD of a blob are one row.
pub fn row_ids() -> impl Iterator<Item = &'static str> {
    let rows = Row::ALL.into_iter().map(Row::id).chain([Row::FetchToken.id(), OTHER]);
    let mut last = "";
    rows.filter(move |id| std::mem::replace(&mut last, id) != *id)
}

/// The id that a word is.
pub(crate) fn row_id_named(word: &str) -> Option<&'static str> {
    row_ids().find(|id| *id == word)
}
