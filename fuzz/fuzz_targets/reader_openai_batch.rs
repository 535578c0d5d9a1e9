//! Fuzzes the reader of the log format `openai_batch`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("openai_batch", data));
