//! Fuzzes the reader of the log format `helicone`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("helicone", data));
