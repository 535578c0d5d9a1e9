//! The rows of the tables without the tables, which need Arrow and Parquet.

#[path = "../../src/dataset/captured_exchange.rs"]
mod captured_exchange;
#[path = "../../src/dataset/reject_row.rs"]
mod reject_row;

use sha2::{Digest, Sha256};

pub use captured_exchange::{CapturedExchange, ContentState, UsageSource};
pub use reject_row::RejectRow;

/// SHA-256 as lower-case hex digits; the project's own stands in a file that needs its errors.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
