//! Which captured exchanges depend on each other.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use serde::Deserialize;

use super::QueryError;

/// What of an exchange says that it belongs to others.
#[derive(Debug, Deserialize)]
pub(super) struct ClusterKey {
    pub(super) ordinal: i32,
    pub(super) session_id: Option<String>,
    pub(super) prompt_fingerprint: Option<String>,
}

/// The table `clusters`: connected components of "same session or same prompt", each named by its
/// smallest ordinal.
pub(super) fn clusters(keys: &[ClusterKey]) -> Result<RecordBatch, QueryError> {
    let mut parent: Vec<usize> = (0..keys.len()).collect();
    let mut first: HashMap<(u8, &str), usize> = HashMap::new();
    for (index, key) in keys.iter().enumerate() {
        let session = key.session_id.as_deref().map(|session| (0, session));
        let prompt = key.prompt_fingerprint.as_deref().map(|prompt| (1, prompt));
        for name in session.into_iter().chain(prompt) {
            let other = *first.entry(name).or_insert(index);
            join(&mut parent, index, other);
        }
    }
    let ordinals: ArrayRef = Arc::new(Int32Array::from_iter_values(keys.iter().map(|k| k.ordinal)));
    let names: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0..keys.len()).map(|index| i64::from(keys[root(&mut parent, index)].ordinal)),
    ));
    RecordBatch::try_from_iter([("ordinal", ordinals), ("cluster_id", names)])
        .map_err(|failure| QueryError::engine("making the table `clusters`", &failure))
}

fn root(parent: &mut [usize], mut index: usize) -> usize {
    while parent[index] != index {
        parent[index] = parent[parent[index]];
        index = parent[index];
    }
    index
}

/// Joins two components under the earlier one, so that names do not depend on the order of joins.
fn join(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parent, a), root(parent, b));
    let (earlier, later) = (a.min(b), a.max(b));
    parent[later] = earlier;
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn sessions_and_repeated_prompts_join_exchanges() {
        let key = |ordinal, session: &str, prompt: &str| ClusterKey {
            ordinal,
            session_id: (!session.is_empty()).then(|| session.to_owned()),
            prompt_fingerprint: (!prompt.is_empty()).then(|| prompt.to_owned()),
        };
        let keys = [
            key(0, "s1", "a"),
            key(1, "", "b"),
            key(2, "s1", "c"),
            key(3, "s2", "b"),
            key(4, "s2", "d"),
            key(5, "", ""),
        ];
        let batch = clusters(&keys).unwrap();
        let names: Vec<i64> = batch.column(1).as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(names, [0, 1, 0, 1, 1, 5]);
    }
}
