//! Rows that repeat an earlier one, as when a log was shipped twice.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest, Sha256};

use crate::dataset::CapturedExchange;

/// What a row is recognised by: the first 16 bytes of SHA-256 over all its columns but its place.
///
/// The log's identifier is one of the columns: the same identifier with other content is another
/// attempt, not a duplicate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RowKey(u128);

impl std::hash::Hash for RowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0 as u64);
    }
}

/// Takes the key as it is: it is a cryptographic hash already, which no log can steer.
#[derive(Debug, Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

impl RowKey {
    /// The key of a row, before anything is derived from its neighbours.
    pub(super) fn of(row: &CapturedExchange) -> Self {
        let mut fields = Fields::default();
        fields.row(row);
        let mut key = [0; 16];
        key.iter_mut().zip(fields.finish()).for_each(|(to, from)| *to = from);
        RowKey(u128::from_be_bytes(key))
    }

    /// The key's bytes.
    pub(super) fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// Fields one after the other, each with its length or its presence, so that no two rows give the
/// same bytes.
#[derive(Default)]
struct Fields {
    /// Short fields that were not hashed yet.
    short: Vec<u8>,
    hash: Sha256,
}

impl Fields {
    #[expect(clippy::too_many_lines, reason = "it is a list of the row's fields")]
    fn row(&mut self, row: &CapturedExchange) {
        // Every field is named, so that a new one cannot be forgotten.
        let CapturedExchange {
            ordinal: _,
            request_id,
            session_id,
            user_id,
            captured_at,
            source_format,
            source_file: _,
            source_line: _,
            provider,
            operation,
            route,
            tenant,
            tags,
            request_model,
            response_model,
            dialect,
            request_body,
            stream,
            temperature,
            top_p,
            max_output_tokens,
            n,
            seed,
            stop_count,
            tool_count,
            message_count,
            image_count,
            response_format,
            response_text,
            tool_calls,
            finish_reason,
            refusal,
            status_code,
            error_class,
            error_message,
            latency_ms,
            ttft_ms,
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_creation_input_tokens,
            reasoning_output_tokens,
            usage_source,
            cost_nanousd,
            cache_hit,
            attempt,
            prompt_fingerprint,
            turn_index,
            replayable,
            not_replayable_reason,
            latency_baseline_ok,
            latency_baseline_reason,
            content_state,
            ttfb_ms,
            latency_scope,
            time_basis,
            time_resolution_ms,
            sampled,
            features,
            flaws,
        } = row;
        for text in [request_id, source_format, operation, request_model, content_state] {
            self.text(text);
        }
        for text in [
            session_id,
            user_id,
            provider,
            route,
            tenant,
            tags,
            response_model,
            dialect,
            request_body,
            response_format,
            response_text,
            tool_calls,
            finish_reason,
            refusal,
            error_class,
            error_message,
            usage_source,
            prompt_fingerprint,
            not_replayable_reason,
            latency_baseline_reason,
            latency_scope,
            time_basis,
        ] {
            self.optional(text.as_ref(), |fields, text| fields.text(text));
        }
        for number in [temperature, top_p, latency_ms, ttft_ms, ttfb_ms, time_resolution_ms] {
            self.optional(number.as_ref(), |fields, number| {
                fields.put(&number.to_bits().to_le_bytes());
            });
        }
        for number in [
            max_output_tokens,
            n,
            seed,
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_creation_input_tokens,
            reasoning_output_tokens,
            cost_nanousd,
        ] {
            self.optional(number.as_ref(), |fields, number| fields.put(&number.to_le_bytes()));
        }
        for number in [status_code, turn_index] {
            self.optional(number.as_ref(), |fields, number| fields.put(&number.to_le_bytes()));
        }
        for flag in [stream, cache_hit, sampled] {
            self.optional(flag.as_ref(), |fields, flag| fields.put(&[u8::from(*flag)]));
        }
        for number in [stop_count, tool_count, message_count, image_count, attempt] {
            self.put(&number.to_le_bytes());
        }
        self.put(&captured_at.to_le_bytes());
        self.put(&[u8::from(*replayable), u8::from(*latency_baseline_ok)]);
        for list in [features, flaws] {
            self.put(&(list.len() as u64).to_le_bytes());
            for text in list {
                self.text(text);
            }
        }
    }

    fn optional<T>(&mut self, value: Option<&T>, put: impl FnOnce(&mut Self, &T)) {
        self.put(&[u8::from(value.is_some())]);
        if let Some(value) = value {
            put(self, value);
        }
    }

    fn text(&mut self, text: &str) {
        self.put(&(text.len() as u64).to_le_bytes());
        self.put(text.as_bytes());
    }

    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() < 256 {
            self.short.extend_from_slice(bytes);
            return;
        }
        self.hash.update(&self.short);
        self.short.clear();
        self.hash.update(bytes);
    }

    fn finish(mut self) -> impl IntoIterator<Item = u8> {
        self.hash.update(&self.short);
        self.hash.finalize()
    }
}

/// The keys of all rows so far: 16 bytes each, 19 to 37 with the free places of the hash table.
///
/// This is the only part of an import that grows with the log.
#[derive(Debug, Default)]
pub(super) struct Seen {
    keys: HashSet<RowKey, BuildHasherDefault<Identity>>,
}

impl Seen {
    /// Whether the row is new; from now on it is not.
    pub(super) fn is_new(&mut self, key: RowKey) -> bool {
        self.keys.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_row_does_not_make_it_another_but_its_content_does() {
        let mut seen = Seen::default();
        let mut row = CapturedExchange { request_id: "a".into(), ..CapturedExchange::default() };
        assert!(seen.is_new(RowKey::of(&row)));
        row.source_file = "other".into();
        row.source_line = 9;
        assert!(!seen.is_new(RowKey::of(&row)));
        row.response_text = Some("x".into());
        assert!(seen.is_new(RowKey::of(&row)));
        row.response_text = Some("x".repeat(1_000));
        assert!(seen.is_new(RowKey::of(&row)));
        row.response_text = None;
        row.refusal = Some("x".repeat(1_000));
        assert!(seen.is_new(RowKey::of(&row)), "another column");
        row.flaws = vec!["a".into(), "b".into()];
        assert!(seen.is_new(RowKey::of(&row)));
        row.flaws = vec!["ab".into()];
        assert!(seen.is_new(RowKey::of(&row)));
    }
}
