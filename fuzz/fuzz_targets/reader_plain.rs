//! Fuzzes the reader of the log format `plain`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("plain", data));
