//! All targets in one program: `fuzz TARGET [libFuzzer's arguments]`, and what `fuzz` alone says.
#![no_main]

use longshore_fuzz::{command, cross_over, judge, mutate};

libfuzzer_sys::fuzz_target!(init: command::begin(), |bytes: &[u8]| judge(bytes));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
});

libfuzzer_sys::fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
    cross_over(one, other, out, seed)
});
