//! The manifests that refer to one piece of content.

use super::ContentId;

/// The manifests that refer to a piece of content. Most content has only one, which needs no allocation.
#[derive(Debug, Default)]
pub(super) enum NeededBy {
    #[default]
    Nothing,
    One(ContentId),
    Many(Vec<ContentId>),
}

impl NeededBy {
    pub(super) fn push(&mut self, manifest: ContentId) {
        match self {
            Self::Nothing => *self = Self::One(manifest),
            Self::One(first) => *self = Self::Many(vec![*first, manifest]),
            Self::Many(all) => all.push(manifest),
        }
    }

    pub(super) fn as_slice(&self) -> &[ContentId] {
        match self {
            Self::Nothing => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(all) => all,
        }
    }
}
