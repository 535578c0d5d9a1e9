//! Fuzzes the reader of the log format `langsmith`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("langsmith", data));
