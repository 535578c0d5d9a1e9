//! Fuzzes the reader of the log format `openrouter`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("openrouter", data));
