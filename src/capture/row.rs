//! A row on its way into the capture.

use crate::dataset::CapturedExchange;

use super::dedupe::RowKey;

/// An exchange, redacted, with what it is recognised by.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    pub(super) exchange: Box<CapturedExchange>,
    pub(super) key: RowKey,
}

impl Row {
    /// A row, whose key is that of the exchange as it is now.
    pub(super) fn new(exchange: Box<CapturedExchange>) -> Self {
        let key = RowKey::of(&exchange);
        Row { exchange, key }
    }
}
