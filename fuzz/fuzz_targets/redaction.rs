#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| longshore_conformance::fuzz::redaction(bytes));
