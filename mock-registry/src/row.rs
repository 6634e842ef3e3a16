//! The ids of the rows of the spec's endpoint table, as faults, profiles and reports write them.

use longshore_core::Row;

/// The id of a request in no row.
const OTHER: &str = "other";

/// The id of a request's row, such as `end-6`; `token` for the token server, and `other` for any other request.
#[must_use]
pub fn row_id(row: Option<Row>) -> &'static str {
    row.map_or(OTHER, Row::id)
}

/// All ids, in the order of the spec's table, without duplicates: GET and HEAD of a blob have one id.
pub fn row_ids() -> impl Iterator<Item = &'static str> {
    let rows = Row::ALL.into_iter().map(Row::id).chain([Row::FetchToken.id(), OTHER]);
    let mut last = "";
    rows.filter(move |id| std::mem::replace(&mut last, id) != *id)
}

/// The id that is equal to a word.
pub(crate) fn row_id_named(word: &str) -> Option<&'static str> {
    row_ids().find(|id| *id == word)
}
