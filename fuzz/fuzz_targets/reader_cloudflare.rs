//! Fuzzes the reader of the log format `cloudflare`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("cloudflare", data));
