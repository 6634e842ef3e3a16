//! Mutations of texts in parts: libFuzzer's own change bytes; these exchange whole answers, requests and files.

use crate::CURRENT;

/// The line that parts an input.
const LINE: &[u8] = b"\n==\n";

/// Changes the first `size` bytes of `data`, keeps at most `max_size` of them, and says how many there are then. `bytes` is
/// libFuzzer's own mutation. The same seed makes the same change.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    bytes: impl Fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let is_script = CURRENT.get().is_some_and(|target| target.is_script);
    // Every third time whole parts are moved; libFuzzer's own mutations find the rest.
    if !is_script || !seed.is_multiple_of(3) {
        return bytes(data, size, max_size);
    }
    match spliced(&data[..size], seed / 3).filter(|spliced| spliced.len() <= max_size) {
        Some(spliced) => {
            data[..spliced.len()].copy_from_slice(&spliced);
            spliced.len()
        }
        None => bytes(data, size, max_size),
    }
}

/// The input with one part more, one less, or two in each other's place.
fn spliced(input: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut parts = parts(input);
    let (kind, rest) = (seed % 4, seed as usize / 4);
    let count = parts.len();
    // The first part says what is done, and stays the first.
    if count < 3 {
        return None;
    }
    let (one, other) = (1 + rest % (count - 1), 1 + rest / count % (count - 1));
    match kind {
        0 => parts.swap(one, other),
        1 => parts.insert(other, parts[one]),
        2 => {
            parts.remove(one);
        }
        _ => parts.extend_from_within(one..),
    }
    Some(parts.join(LINE))
}

/// Writes the first parts of one input and the last ones of another into `out`, and says how many bytes that makes; none where
/// the inputs are no texts in parts, or too long together, and libFuzzer changes bytes instead. The same seed makes the same.
pub fn cross_over(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let is_script = CURRENT.get().is_some_and(|target| target.is_script);
    // libFuzzer asks for it half the time.
    if !is_script || !seed.is_multiple_of(3) {
        return 0;
    }
    let joined = joined(one, other, seed / 3);
    match joined.filter(|joined| joined.len() <= out.len()) {
        Some(joined) => {
            out[..joined.len()].copy_from_slice(&joined);
            joined.len()
        }
        None => 0,
    }
}

/// The beginning of one input, which says what is done, and the end of another.
fn joined(one: &[u8], other: &[u8], seed: u32) -> Option<Vec<u8>> {
    let (mut parts_of_one, parts_of_other) = (parts(one), parts(other));
    let (len, other_len) = (parts_of_one.len(), parts_of_other.len());
    if len < 2 || other_len < 2 {
        return None;
    }
    let seed = seed as usize;
    parts_of_one.truncate(1 + seed % len);
    parts_of_one.extend(&parts_of_other[1 + seed / len % (other_len - 1)..]);
    Some(parts_of_one.join(LINE))
}

fn parts(input: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), input);
    while let Some(at) = rest.windows(LINE.len()).position(|window| window == LINE) {
        parts.push(&rest[..at]);
        rest = &rest[at + LINE.len()..];
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &[u8] = b"push\n==\n202\nlocation: /u\n==\n201\n==\n503 slow";

    #[test]
    fn parts_are_exchanged_doubled_and_left_out_and_the_first_stays() {
        for seed in 0..64 {
            let spliced = spliced(SCRIPT, seed).unwrap();
            assert!(spliced.starts_with(b"push\n==\n"));
            assert!(parts(&spliced).iter().all(|part| parts(SCRIPT).contains(part)));
        }
        let lens: std::collections::BTreeSet<usize> =
            (0..64).map(|seed| parts(&spliced(SCRIPT, seed).unwrap()).len()).collect();
        assert!(lens.contains(&3) && lens.contains(&5) && lens.contains(&4));
        assert_eq!(spliced(b"push\n==\n201", 0), None);
    }

    #[test]
    fn the_beginning_of_one_input_and_the_end_of_another_are_joined_at_their_lines() {
        let other: &[u8] = b"pull\n==\n401\n==\n404";
        let (mut ends, mut lens) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for seed in 0..64 {
            let joined = joined(SCRIPT, other, seed).unwrap();
            let parts = parts(&joined);
            assert_eq!(parts[0], b"push");
            assert!(
                parts.iter().all(|part| self::parts(SCRIPT).contains(part) || self::parts(other)[1..].contains(part))
            );
            ends.insert(parts[parts.len() - 1].to_owned());
            lens.insert(parts.len());
        }
        assert_eq!(ends.into_iter().collect::<Vec<_>>(), [b"404"]);
        assert_eq!(lens.into_iter().collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert_eq!(joined(SCRIPT, b"pull", 0), None);
    }
}
