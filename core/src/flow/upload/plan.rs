//! The steps that are tried in turn until the blob is in the repository: continue an old upload, mount, ask, send.
//!
//! If a step has no success, the next one follows. A recovery is a shorter plan.

use std::collections::VecDeque;

use super::Content;
use crate::Repository;
use crate::config::{Learned, Options};
use crate::endpoint::OpenUpload;

/// The steps that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan(VecDeque<Step>);

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Continue an upload that another process left open, in which this many bytes were acknowledged.
    Resume(OpenUpload, u64),
    /// Mount the blob from this repository.
    Mount(Repository),
    /// Ask whether the target repository has the blob.
    Ask(Question),
    /// Send the blob.
    Send,
}

/// Whether and how the registry is asked for a blob before its bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// Ask if the blob is so large that the question costs less than its bytes.
    IfLarge,
    /// Ask if that costs no request: the POST that opens the upload mounts the blob from the target repository itself.
    InPassing,
    /// Ask by HEAD, whatever the size, after the repositories to mount from were tried.
    First,
    /// Do not ask and do not mount: the registry is known, or says, not to have the blob.
    Nothing,
}

/// The request that asks whether the target repository has a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// HEAD.
    Head,
    /// POST: a mount from the target repository itself, which opens an upload if it does not have the blob.
    SelfMount,
}

/// Blobs of fewer bytes are sent without a question, if one POST sends them.
const SMALL: u64 = 16 * 1024;

impl Plan {
    /// Mount from each of these repositories, then ask, then send.
    pub(super) fn new(mounts: Vec<Repository>) -> Self {
        let mounts = mounts.into_iter().map(Step::Mount);
        Self(mounts.chain([Step::Ask(Question::IfLarge), Step::Send]).collect())
    }

    /// Sets the question. [`Question::Nothing`] removes the mounts too: one without success is not repeated.
    pub(super) fn asking(&mut self, question: Question) {
        self.0.retain(|step| !(question == Question::Nothing && matches!(step, Step::Mount(_))));
        for step in &mut self.0 {
            if let Step::Ask(asked) = step {
                *asked = question;
            }
        }
    }

    /// Tries to continue this upload before everything else.
    pub(super) fn resuming(&mut self, open: OpenUpload, acknowledged: u64) {
        self.0.push_front(Step::Resume(open, acknowledged));
    }

    /// Takes the next step. After the last one it is always [`Step::Send`].
    pub(super) fn next(&mut self) -> Step {
        self.0.pop_front().unwrap_or(Step::Send)
    }
}

impl Question {
    /// The request for this question, or `None` if it is not worth asking. `has_upload` states whether a mount without
    /// success opened an upload for the blob, `one_post` whether the blob would be sent in one POST.
    pub(super) fn how(
        self,
        content: &Content,
        has_upload: bool,
        one_post: bool,
        learned: &Learned,
        options: &Options,
    ) -> Option<How> {
        let is_small = content.size.is_some_and(|size| size < SMALL);
        match self {
            Self::First => Some(How::Head),
            Self::Nothing => None,
            // A second open upload is not needed.
            _ if has_upload => content.is_worth_asking(options).then_some(How::Head),
            Self::IfLarge if !content.is_worth_asking(options) => None,
            Self::IfLarge if learned.self_mount == Some(true) => Some(How::SelfMount),
            Self::IfLarge => Some(How::Head),
            Self::InPassing if is_small && one_post => None,
            // If one POST is known to send the blob, a POST that opens an upload would be an extra request. Every
            // registry answers HEAD correctly.
            Self::InPassing if one_post && learned.single_post == Some(true) => Some(How::Head),
            Self::InPassing if learned.self_mount == Some(false) => Some(How::Head),
            Self::InPassing => Some(How::SelfMount),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, Digest};

    fn content(size: u64) -> Content {
        Content::new(Algorithm::Sha256, Some((Digest::of(Algorithm::Sha256, b"blob"), size)), false)
    }

    #[test]
    fn every_repository_is_mounted_from_before_the_target_is_asked_and_bytes_are_sent() {
        let [one, two]: [Repository; 2] = ["team/one", "team/two"].map(|name| name.parse().unwrap());
        let mut plan = Plan::new(vec![one.clone(), two.clone()]);
        let steps: Vec<Step> = std::iter::repeat_with(|| plan.next()).take(5).collect();
        let ask = Step::Ask(Question::IfLarge);
        assert_eq!(steps, [Step::Mount(one), Step::Mount(two), ask, Step::Send, Step::Send]);
    }

    #[test]
    fn a_recovery_does_not_mount() {
        let mut plan = Plan::new(vec!["team/one".parse().unwrap()]);
        plan.asking(Question::Nothing);
        assert_eq!([plan.next(), plan.next()], [Step::Ask(Question::Nothing), Step::Send]);
    }

    #[test]
    fn how_the_target_is_asked() {
        use Question::{First, IfLarge, InPassing, Nothing};
        const LARGE: u64 = 1 << 30;
        let (head, mount) = (Some(How::Head), Some(How::SelfMount));
        let table = [
            // question, size, an upload is open, one POST sends it, self_mount was learned, how
            (IfLarge, 1000, false, true, None, None),
            (IfLarge, LARGE, false, false, None, head),
            (IfLarge, LARGE, false, false, Some(true), mount),
            (IfLarge, LARGE, false, false, Some(false), head),
            (IfLarge, LARGE, true, false, Some(true), head),
            (InPassing, 1000, false, true, None, None),
            (InPassing, 1000, false, false, None, mount),
            (InPassing, 100_000, false, true, None, mount),
            (InPassing, 100_000, false, false, Some(false), head),
            (InPassing, 100_000, true, false, None, None),
            (InPassing, LARGE, true, false, None, head),
            (First, 1, false, true, Some(true), head),
            (Nothing, LARGE, false, false, Some(true), None),
        ];
        for (question, size, has_upload, one_post, self_mount, how) in table {
            let mut learned = Learned::default();
            learned.self_mount = self_mount;
            let asked = question.how(&content(size), has_upload, one_post, &learned, &Options::default());
            assert_eq!(asked, how, "{question:?} of {size} bytes, {has_upload}, {one_post}, {self_mount:?}");
        }
    }
}
