#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| longshore_conformance::fuzz::push_vs_mock(bytes));
