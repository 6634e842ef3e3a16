//! `explain TARGET FILE`: an input as a person reads it, and what does not hold of it.
#![no_main]

// The program ends before libFuzzer asks for anything.
libfuzzer_sys::fuzz_target!(init: longshore_fuzz::command::explain(), |bytes: &[u8]| longshore_fuzz::judge(bytes));
