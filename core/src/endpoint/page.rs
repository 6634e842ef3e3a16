//! The next page of a list.

use bytes::Bytes;
use http::Response;

use super::wire::malformed;
use super::{AnswerError, Row};
use crate::Target;
use crate::header::next_link;

/// The next page of a list, at the same origin as the page before. It can only be made from an answer.
///
/// A registry may link pages in a circle, or link a complete list to itself ([quirk](crate::quirks) `tags-link-forms`).
/// So a caller must stop at a page that has nothing new, and after a maximum number of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage(Target);

impl NextPage {
    /// The target of the page.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.0
    }

    pub(super) fn read(row: Row, from: &Target, response: &Response<Bytes>) -> Result<Option<Self>, AnswerError> {
        let next = next_link(response.headers(), from).map_err(|why| malformed(row, response, why))?;
        Ok(next.map(Self))
    }
}
