//! Fuzzes the reader of the log format `mitmproxy`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("mitmproxy", data));
