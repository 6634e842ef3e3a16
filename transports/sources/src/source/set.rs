//! The sources of a push, by the caller's own key for a blob.

use std::collections::BTreeMap;
use std::ops::Range;

use longshore_core::driver::Body;

use super::{BodyReader, Ended, ReadAhead, Source, SourceError};

/// All sources that a driver may be asked for, by key.
///
/// It holds handles only. To read in another thread, clone the [`Source`] into it.
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
    /// No sources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where the bytes of the blob `key` come from. An earlier source of that key is given back.
    pub fn insert(&mut self, key: K, source: Source) -> Option<Source> {
        self.sources.insert(key, source)
    }

    /// Forgets the source of a blob.
    pub fn remove(&mut self, key: &K) -> Option<Source> {
        self.sources.remove(key)
    }

    /// The source of a blob.
    ///
    /// # Errors
    /// [`SourceError::NoSource`] where there is none.
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

    /// Opens the body that the core calls `Body::Blob { key, range }`: see [`Source::open`].
    ///
    /// # Errors
    /// As [`Source::open`], and where the key has no source.
    pub fn open(&self, key: &K, range: Range<u64>) -> Result<BodyReader, SourceError> {
        self.source(key)?.open(range)
    }

    /// Opens the body that the core calls `Body::Rest { key, from }`: see [`Source::rest`].
    ///
    /// # Errors
    /// As [`Source::rest`], and where the key has no source.
    pub fn rest(&self, key: &K, from: u64) -> Result<BodyReader, SourceError> {
        self.source(key)?.rest(from)
    }

    /// Opens a request's body, whatever it is: nothing, bytes, a part of a blob, or the rest of one.
    ///
    /// What the length of it is, [`Body::len`] says; the rest of a blob has none.
    ///
    /// # Errors
    /// As [`Source::open`] and [`Source::rest`], and where the key has no source.
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
    /// As [`Source::read_ahead`], and where the key has no source.
    pub fn read_ahead(&self, key: &K, from: u64, up_to: u64) -> Result<ReadAhead, SourceError> {
        self.source(key)?.read_ahead(from, up_to)
    }

    /// The blob's length and digest, once all of its bytes have passed.
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
