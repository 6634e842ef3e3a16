//! The sources of a push, by the caller's key of each blob.

use std::collections::BTreeMap;
use std::ops::Range;

use longshore_core::driver::Body;

use super::{BodyReader, Ended, ReadAhead, Source, SourceError};

/// All sources that a driver may need, by key.
///
/// It has handles only. To read in another thread, clone the [`Source`] into it.
#[derive(Debug, Clone)]
pub struct Sources<K> {
    sources: BTreeMap<K, Source>,
}

impl<K> Default for Sources<K> {
    fn default() -> Self {
        Self { sources: BTreeMap::new() }
    }
}

impl<K: Ord> Sources<K> {
    /// Makes an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the source of the blob `key`. Returns the previous source of that key, if there was one.
    pub fn insert(&mut self, key: K, source: Source) -> Option<Source> {
        self.sources.insert(key, source)
    }

    /// Removes and returns the source of a blob.
    pub fn remove(&mut self, key: &K) -> Option<Source> {
        self.sources.remove(key)
    }

    /// The source of a blob.
    ///
    /// # Errors
    /// [`SourceError::NoSource`] if there is none.
    pub fn source(&self, key: &K) -> Result<&Source, SourceError> {
        self.sources.get(key).ok_or(SourceError::NoSource)
    }

    /// Every key and its source, in order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Source)> {
        self.sources.iter()
    }

    /// How many sources there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no source.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Opens the body `Body::Blob { key, range }`: see [`Source::open`].
    ///
    /// # Errors
    /// Those of [`Source::open`], and if the key has no source.
    pub fn open(&self, key: &K, range: Range<u64>) -> Result<BodyReader, SourceError> {
        self.source(key)?.open(range)
    }

    /// Opens the body `Body::Rest { key, from }`: see [`Source::rest`].
    ///
    /// # Errors
    /// Those of [`Source::rest`], and if the key has no source.
    pub fn rest(&self, key: &K, from: u64) -> Result<BodyReader, SourceError> {
        self.source(key)?.rest(from)
    }

    /// Opens the body of any request: empty, bytes, a part of a blob, or the rest of one.
    ///
    /// [`Body::len`] returns its length. It is not known for the rest of a blob.
    ///
    /// # Errors
    /// Those of [`Source::open`] and [`Source::rest`], and if the key has no source.
    pub fn body(&self, body: &Body<K>) -> Result<BodyReader, SourceError> {
        match body {
            Body::Empty => Source::bytes("").open(0..0),
            Body::Bytes(bytes) => Source::bytes(bytes.clone()).open(0..bytes.len() as u64),
            Body::Blob { key, range } => self.open(key, range.clone()),
            Body::Rest { key, from } => self.rest(key, *from),
        }
    }

    /// Reads ahead: see [`Source::read_ahead`].
    ///
    /// # Errors
    /// Those of [`Source::read_ahead`], and if the key has no source.
    pub fn read_ahead(&self, key: &K, from: u64, up_to: u64) -> Result<ReadAhead, SourceError> {
        self.source(key)?.read_ahead(from, up_to)
    }

    /// The blob's size and digest, once all of its bytes were read.
    #[must_use]
    pub fn ended(&self, key: &K) -> Option<Ended> {
        self.sources.get(key).and_then(Source::ended)
    }
}

impl<K: Ord> FromIterator<(K, Source)> for Sources<K> {
    fn from_iter<I: IntoIterator<Item = (K, Source)>>(sources: I) -> Self {
        Self { sources: sources.into_iter().collect() }
    }
}

impl<K: Ord> Extend<(K, Source)> for Sources<K> {
    fn extend<I: IntoIterator<Item = (K, Source)>>(&mut self, sources: I) {
        self.sources.extend(sources);
    }
}
