//! The next page of a list.

use bytes::Bytes;
use http::Response;

use super::wire::malformed;
use super::{AnswerError, Row};
use crate::Target;
use crate::header::next_link;

/// The next page of a list, at the origin of the page before. Only an answer makes one.
///
/// A registry may link pages in a circle, or link from a complete list to itself (quirk `tags-link-forms`): a
/// caller must stop at a page that adds nothing, and after a number of pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage(Target);

impl NextPage {
    /// Where it is.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.0
    }

    pub(super) fn read(row: Row, from: &Target, response: &Response<Bytes>) -> Result<Option<Self>, AnswerError> {
        let next = next_link(response.headers(), from).map_err(|why| malformed(row, response, why))?;
        Ok(next.map(Self))
    }
}
