//! Fuzzes the reader of the log format `openai_stored`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("openai_stored", data));
