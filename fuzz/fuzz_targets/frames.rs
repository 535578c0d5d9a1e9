//! Fuzzes how files fall into units and records.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::frames(data));
