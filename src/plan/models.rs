//! Which model of an arm answers for which model of the incumbent.

use std::collections::BTreeMap;

use serde::Serialize;

/// A map from model patterns to model names.
///
/// An exact name wins; else the pattern with the longest literal prefix before its `*`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ModelMap {
    exact: BTreeMap<String, String>,
    /// Prefix and model, the longest prefix first.
    prefixes: Vec<(String, String)>,
    /// Whether a model without a pattern keeps its name (the control).
    identity: bool,
}

impl ModelMap {
    /// A map in which every model keeps its name.
    pub fn identity() -> Self {
        ModelMap { identity: true, ..ModelMap::default() }
    }

    /// Builds the map; a `*` may stand only at the end of a pattern.
    pub fn new<'a>(
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, BadPattern> {
        let mut map = ModelMap::default();
        for (pattern, model) in entries {
            match pattern.split_once('*') {
                None => {
                    map.exact.insert(pattern.to_owned(), model.to_owned());
                }
                Some((prefix, "")) => map.prefixes.push((prefix.to_owned(), model.to_owned())),
                Some(_) => return Err(BadPattern(pattern.to_owned())),
            }
        }
        map.prefixes.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        Ok(map)
    }

    /// The model that answers for `requested`, if the map knows one.
    pub fn target<'a>(&'a self, requested: &'a str) -> Option<&'a str> {
        if let Some(model) = self.exact.get(requested) {
            return Some(model);
        }
        let by_prefix = self.prefixes.iter().find(|(prefix, _)| requested.starts_with(prefix));
        match by_prefix {
            Some((_, model)) => Some(model),
            None if self.identity => Some(requested),
            None => None,
        }
    }

    /// The entries as `(pattern, model)`, exact names first.
    pub fn entries(&self) -> Vec<(String, String)> {
        let exact = self.exact.iter().map(|(name, model)| (name.clone(), model.clone()));
        let prefixes = self.prefixes.iter().map(|(p, model)| (format!("{p}*"), model.clone()));
        let mut entries: Vec<_> = exact.chain(prefixes).collect();
        if self.identity {
            entries.push(("*".to_owned(), "(same)".to_owned()));
        }
        entries
    }
}

/// A model pattern with a `*` that is not at its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`: a `*` may stand only at the end of a model pattern")]
pub struct BadPattern(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_name_wins_then_the_longest_prefix() {
        let map = ModelMap::new([("gpt-4o", "a"), ("gpt-4*", "b"), ("gpt-4o*", "c"), ("*", "d")])
            .unwrap();
        assert_eq!(map.target("gpt-4o"), Some("a"));
        assert_eq!(map.target("gpt-4o-mini"), Some("c"));
        assert_eq!(map.target("gpt-4-turbo"), Some("b"));
        assert_eq!(map.target("o3"), Some("d"));
    }

    #[test]
    fn a_model_without_a_pattern_has_no_target() {
        let map = ModelMap::new([("gpt-4*", "b")]).unwrap();
        assert_eq!(map.target("o3"), None);
        assert_eq!(ModelMap::identity().target("o3"), Some("o3"));
    }

    #[test]
    fn a_star_in_the_middle_is_refused() {
        assert!(ModelMap::new([("gpt-*-mini", "x")]).is_err());
    }
}
