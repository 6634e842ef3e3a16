//! The inputs for the core that a source gives.

use longshore_core::driver::{Body, Input, NoAnswer, OperationId};

use super::{Ended, ReadAhead, Source, SourceError, Sources, lock};

impl Source {
    /// Answers the core's [`Output::Read`](longshore_core::driver::Output::Read): what is in hand, the end, or why there is
    /// nothing. The operation is remembered for [`Source::rest_ended`].
    pub fn answer_read<K>(&self, operation: OperationId, blob: K, from: u64, up_to: u64) -> Input<K> {
        *lock(&self.operation) = Some(operation);
        match self.read_ahead(from, up_to) {
            Ok(ReadAhead::Filled { len }) => Input::Filled { operation, blob, len },
            Ok(ReadAhead::Ended(Ended { len, digest })) => Input::Ended { operation, blob, len, digest },
            Err(error) => Input::Unreadable { blob, why: error.to_string() },
        }
    }

    /// The input for the core when a body that is [the rest](Body::Rest) of this blob was read to its end. Give it to the core
    /// before the answer. `None` if bytes are left, or if the blob was never [read ahead](Self::answer_read), which the core
    /// always requests.
    #[must_use]
    pub fn rest_ended<K>(&self, blob: K) -> Option<Input<K>> {
        let operation = (*lock(&self.operation))?;
        let Ended { len, digest } = self.ended()?;
        Some(Input::Ended { operation, blob, len, digest })
    }
}

impl<K: Ord> Sources<K> {
    /// Answers the core's [`Output::Read`](longshore_core::driver::Output::Read): see [`Source::answer_read`]. A blob without
    /// a source is unreadable.
    pub fn answer_read(&self, operation: OperationId, blob: K, from: u64, up_to: u64) -> Input<K> {
        match self.source(&blob) {
            Ok(source) => source.answer_read(operation, blob, from, up_to),
            Err(error) => Input::Unreadable { blob, why: error.to_string() },
        }
    }

    /// The input for the core when this body was read to its end: see [`Source::rest_ended`]. `None` if the body is not the rest
    /// of a blob.
    #[must_use]
    pub fn rest_ended(&self, body: &Body<K>) -> Option<Input<K>>
    where
        K: Clone,
    {
        match body {
            Body::Rest { key, .. } => self.source(key).ok()?.rest_ended(key.clone()),
            Body::Empty | Body::Bytes(_) | Body::Blob { .. } => None,
        }
    }
}

impl From<SourceError> for NoAnswer {
    fn from(error: SourceError) -> Self {
        Self::Source(error.to_string())
    }
}
