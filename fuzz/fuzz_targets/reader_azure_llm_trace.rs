//! Fuzzes the reader of the log format `azure_llm_trace`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("azure_llm_trace", data));
