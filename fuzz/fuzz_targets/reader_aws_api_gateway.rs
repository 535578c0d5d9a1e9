//! Fuzzes the reader of the log format `aws_api_gateway`.

#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| rehearsal_fuzz::reader("aws_api_gateway", data));
