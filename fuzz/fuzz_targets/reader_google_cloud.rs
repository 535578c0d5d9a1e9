//! Fuzzes the reader of the log format `google_cloud`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("google_cloud", data));
