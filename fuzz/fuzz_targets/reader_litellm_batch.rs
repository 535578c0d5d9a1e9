//! Fuzzes the reader of the log format `litellm_batch`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("litellm_batch", data));
