//! Fuzzes streams of server-sent events in every dialect.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::sse(data));
