//! Fuzzes the redaction of personal data.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::personal(data));
