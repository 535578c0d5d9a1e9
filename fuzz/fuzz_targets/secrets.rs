//! Fuzzes the scrubbing of keys, tokens and passwords.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::secrets(data));
