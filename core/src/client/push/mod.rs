//! One push: its graph of blobs, manifests and tags, what of it may start, and what follows from what has ended.
//!
//! | file | what it holds |
//! |---|---|
//! | `job` | the push under way, and what the client calls |
//! | `graph` | what waits for what, by digest; what is there, and why that is believed |
//! | `intake` | what is given: held against what was given before |
//! | `standing` | what stands in the repository already |
//! | `sending`, `blobs` | which blobs go now, what each is asked before it is sent, and what one tells about the others |
//! | `manifests`, `tags`, `lists` | when manifests, tags and lists of referrers are written |
//! | `checks`, `recovery` | what is asked about, and what is sent again |
//! | `keys` | the keys of blobs that can be read only once |
//! | `report`, `progress` | what the push did, and how far it is |

mod blobs;
mod checks;
mod graph;
mod intake;
mod job;
mod keys;
mod lists;
mod manifests;
mod progress;
mod recovery;
mod report;
mod sending;
mod standing;
mod tags;

#[cfg(test)]
mod tests;

pub(super) use job::{Node, PushContext, PushJob};
pub(super) use keys::OneShotKeys;
