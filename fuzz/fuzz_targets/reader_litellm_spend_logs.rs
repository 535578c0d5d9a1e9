//! Fuzzes the reader of the log format `litellm_spend_logs`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("litellm_spend_logs", data));
