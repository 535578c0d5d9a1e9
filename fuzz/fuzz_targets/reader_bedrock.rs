//! Fuzzes the reader of the log format `bedrock`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("bedrock", data));
