//! Operations and options that a caller gives to a client, and what a client has learned about a registry.

mod checkpoint;
mod learned;
mod limits;
mod operation;
mod options;
mod push;
mod repository_ref;

pub(crate) use checkpoint::LeftOpen;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use learned::Learned;
pub use limits::Limits;
pub use operation::{Deletion, ManifestReference, Operation, OperationId};
pub use options::{Options, Referrers};
pub use push::{Blob, Push, Supply};
pub(crate) use repository_ref::RepositoryRef;
