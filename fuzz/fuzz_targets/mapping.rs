//! Fuzzes mappings of own logs.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::mapping(data));
