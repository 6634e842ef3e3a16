//! `Range` in an answer about an upload: how many bytes the registry says it has.

use http::HeaderMap;
use http::header::RANGE;

/// How many bytes of an upload the registry says it has. This is only a hint.
///
/// The spec writes `0-<end>`, with the position of the last byte. Registries also send `bytes=0-<end>`, `0--1` for
/// nothing, `0-0` for nothing *or* one byte, an end one too high, the end of the last chunk alone, or the end of the
/// first chunk for ever; many send nothing ([quirks](crate::quirks) `status-range-exclusive-with-prefix`,
/// `status-zero-bytes-ambiguous`, `patch-range-off-by-one-streamed`, `patch-range-relative-to-chunk`,
/// `patch-range-header-stale`, `patch-range-0--1-breaks-docker`). So do not set an upload's offset from it alone: count
/// the bytes that were sent, and use [`RangeHint::offset_within`] after an answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RangeHint {
    /// It is absent or cannot be read.
    #[default]
    Unknown,
    /// `0--1`: no bytes.
    Empty,
    /// `0-<end>`: all bytes up to this position, inclusive, as the spec defines it.
    Through(u64),
}

impl RangeHint {
    /// Reads the `Range` of an answer to a POST, PATCH or GET of an upload.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(RANGE).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().map_or(Self::Unknown, Self::parse),
            _ => Self::Unknown,
        }
    }

    fn parse(text: &str) -> Self {
        let text = text.trim_matches([' ', '\t']);
        let text = text.strip_prefix("bytes=").unwrap_or(text);
        match text.split_once('-') {
            Some(("0", "-1")) => Self::Empty,
            // `parse` alone would accept a sign.
            Some(("0", end)) if end.bytes().all(|b| b.is_ascii_digit()) => {
                end.parse().map_or(Self::Unknown, Self::Through)
            }
            _ => Self::Unknown,
        }
    }

    /// The offset at which the upload continues, checked against what the client knows: the registry has acknowledged
    /// the first `acknowledged` bytes, and no more than `sent` bytes were ever sent.
    ///
    /// The end is read as inclusive, as the spec defines it, or as exclusive if only that is possible. `0-0` is ignored
    /// while no byte is acknowledged. `None` means that the hint is of no use: rely on your own count, or start the
    /// upload again.
    #[must_use]
    pub fn offset_within(self, acknowledged: u64, sent: u64) -> Option<u64> {
        let fits = |offset: &u64| (acknowledged..=sent).contains(offset);
        match self {
            Self::Unknown => None,
            Self::Empty => Some(0).filter(fits),
            Self::Through(0) if acknowledged == 0 && sent > 0 => None,
            Self::Through(end) => end.checked_add(1).filter(fits).or(Some(end).filter(fits)),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_six_meanings() {
        use RangeHint as R;
        let table: [(&[&[u8]], R); 22] = [
            (&[], R::Unknown),
            (&[b"0-41"], R::Through(41)),
            (&[b"bytes=0-41"], R::Through(41)),
            (&[b" 0-41 "], R::Through(41)),
            (&[b"0-0"], R::Through(0)),
            (&[b"bytes=0-0"], R::Through(0)),
            (&[b"0--1"], R::Empty),
            (&[b"bytes=0--1"], R::Empty),
            (&[b"0-18446744073709551615"], R::Through(u64::MAX)),
            (&[b"0-18446744073709551616"], R::Unknown),
            (&[b"1-41"], R::Unknown),
            (&[b"0-"], R::Unknown),
            (&[b"0"], R::Unknown),
            (&[b"-"], R::Unknown),
            (&[b""], R::Unknown),
            (&[b"0-+1"], R::Unknown),
            (&[b"0--2"], R::Unknown),
            (&[b"0-41/42"], R::Unknown),
            (&[b"bytes 0-41"], R::Unknown),
            (&[b"0-1,3-4"], R::Unknown),
            (&[b"0-\xff"], R::Unknown),
            (&[b"0-41", b"0-42"], R::Unknown),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(RANGE, HeaderValue::from_bytes(value).unwrap());
            }
            assert_eq!(RangeHint::read(&headers), expected, "{values:?}");
        }
    }

    #[test]
    fn a_hint_is_used_only_where_it_fits() {
        use RangeHint as R;
        // (hint, acknowledged, sent, offset)
        let table = [
            (R::Unknown, 0, 100, None),
            (R::Empty, 0, 100, Some(0)),
            (R::Empty, 10, 100, None),
            (R::Through(49), 0, 100, Some(50)),
            (R::Through(99), 0, 100, Some(100)),
            // One too high: `patch-range-off-by-one-streamed`.
            (R::Through(100), 0, 100, Some(100)),
            (R::Through(101), 0, 100, None),
            // Behind what is acknowledged: `patch-range-header-stale`, `patch-range-relative-to-chunk`.
            (R::Through(9), 50, 100, None),
            (R::Through(48), 50, 100, None),
            (R::Through(49), 50, 100, Some(50)),
            // `status-zero-bytes-ambiguous`.
            (R::Through(0), 0, 100, None),
            (R::Through(0), 0, 0, Some(0)),
            (R::Through(0), 1, 100, Some(1)),
            (R::Through(u64::MAX), 0, u64::MAX, Some(u64::MAX)),
        ];
        for (hint, acknowledged, sent, offset) in table {
            assert_eq!(hint.offset_within(acknowledged, sent), offset, "{hint:?} in {acknowledged}..={sent}");
        }
    }
}
