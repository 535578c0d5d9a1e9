//! Fuzzes the reader of the log format `azure_openai`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("azure_openai", data));
