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
}
