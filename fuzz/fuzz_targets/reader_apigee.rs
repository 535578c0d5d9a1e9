//! Fuzzes the reader of the log format `apigee`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("apigee", data));
