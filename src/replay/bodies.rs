//! Request bodies of the capture, read block by block while the replay needs them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::dataset::{BlockId, CaptureStore, DatasetError, ReplayInput};

/// Blocks that are kept; an open loop over overlapping segments needs more than one.
const KEPT_BLOCKS: usize = 8;

/// A window on the capture that holds a few blocks at a time.
#[derive(Debug)]
pub(super) struct Bodies {
    capture: Arc<CaptureStore>,
    kept: VecDeque<(BlockId, Arc<Vec<ReplayInput>>)>,
}

impl Bodies {
    /// A window on a capture.
    pub(super) fn new(capture: Arc<CaptureStore>) -> Self {
        Bodies { capture, kept: VecDeque::new() }
    }

    /// The exchange with an ordinal, read from disk if its block is not at hand.
    ///
    /// # Errors
    /// A capture that cannot be read.
    pub(super) async fn get(&mut self, ordinal: i32) -> Result<Option<ReplayInput>, DatasetError> {
        let Some(block) = self.capture.block_of(ordinal) else { return Ok(None) };
        let rows = match self.kept.iter().find(|(kept, _)| *kept == block) {
            Some((_, rows)) => rows.clone(),
            None => self.load(block).await?,
        };
        let found = rows.binary_search_by_key(&ordinal, |row| row.ordinal);
        Ok(found.ok().and_then(|index| rows.get(index)).cloned())
    }

    async fn load(&mut self, block: BlockId) -> Result<Arc<Vec<ReplayInput>>, DatasetError> {
        let capture = self.capture.clone();
        // Decoding takes tens of milliseconds, which no timer of the replay may wait for.
        let read = tokio::task::spawn_blocking(move || capture.read(block)).await;
        let rows = Arc::new(read.unwrap_or_else(|failure| {
            Err(DatasetError::Convert { table: "capture", message: failure.to_string() })
        })?);
        if self.kept.len() >= KEPT_BLOCKS {
            self.kept.pop_front();
        }
        self.kept.push_back((block, rows.clone()));
        Ok(rows)
    }
}
