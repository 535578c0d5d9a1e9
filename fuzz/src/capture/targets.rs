//! Targets below the readers: framings, secrets, personal data and mappings.

mod frames;
mod redaction;

use super::Mapping;

pub use frames::frames;
pub(super) use redaction::all_personal_data;
pub use redaction::{personal, secrets};

/// Reads the bytes as a mapping, which is sound or refused with a reason.
pub fn mapping(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Mapping::parse(text) {
        Ok(mapping) => {
            let _ = mapping.check_complete();
            assert_eq!(Mapping::parse(text).ok(), Some(mapping));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
