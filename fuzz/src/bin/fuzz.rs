//! All targets in one program: `fuzz TARGET [libFuzzer's arguments]`, and what `fuzz` alone says.
#![no_main]

use longshore_fuzz::{command, judge, mutate};

libfuzzer_sys::fuzz_target!(init: command::begin(), |bytes: &[u8]| judge(bytes));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
});
