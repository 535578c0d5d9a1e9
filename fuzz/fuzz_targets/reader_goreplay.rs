//! Fuzzes the reader of the log format `goreplay`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("goreplay", data));
