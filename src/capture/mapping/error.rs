//! What can be wrong with a mapping.

/// Why a mapping cannot be used; each names the field at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The text is no TOML, or a table has a key that no mapping has.
    #[error("the mapping cannot be read: {0}")]
    Syntax(String),
    /// A name under `[fields]` that no exchange has.
    #[error("`fields.{field}` is no field of an exchange; there are {known}")]
    UnknownField {
        /// The name as written.
        field: String,
        /// Every name that is allowed.
        known: String,
    },
    /// The value of a field is neither a path nor a table with one.
    #[error("`fields.{field}` must be a path such as \"a.b\", or a table with `path`")]
    NotAPath {
        /// The field.
        field: String,
    },
    /// A path with an empty step or an open quote.
    #[error("`fields.{field}`: the path `{path}` {fault}")]
    BadPath {
        /// The field.
        field: String,
        /// The path as written.
        path: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A duration or an amount of money without a unit.
    #[error("`fields.{field}` needs a unit: {{ path = \"…\", unit = \"…\" }} with one of {units}")]
    NoUnit {
        /// The field.
        field: String,
        /// The units that it may have.
        units: &'static str,
    },
    /// A unit that the field cannot have.
    #[error("`fields.{field}`: `{unit}` is no unit for it; there are {units}")]
    UnknownUnit {
        /// The field.
        field: String,
        /// The unit as written.
        unit: String,
        /// The units that it may have, empty if none.
        units: &'static str,
    },
    /// A zone that is no offset.
    #[error("`time.zone`: `{0}` is no offset from UTC such as `+02:00` or `Z`")]
    BadZone(String),
    /// The time is that of the end, and nothing says how long the call took.
    #[error("`time.at` is \"end\", which needs `fields.latency_ms` to find the start")]
    EndWithoutLatency,
    /// Nothing says whether cached tokens are counted among the input tokens.
    #[error(
        "`usage.input_includes_cached` must be stated, because `fields.{0}` is mapped beside \
         `fields.input_tokens`"
    )]
    CachedTokensUndecided(&'static str),
    /// A word outside a closed set.
    #[error("`{key}`: `{value}` is not one of {known}")]
    UnknownWord {
        /// Where it stands.
        key: String,
        /// The word as written.
        value: String,
        /// The words that are allowed.
        known: String,
    },
    /// A path of a model's API that is none.
    #[error("`paths.\"{path}\"`: `{meaning}` is the path of no known model API")]
    UnknownApi {
        /// The path of the log.
        path: String,
        /// The path that it is said to stand for.
        meaning: String,
    },
    /// A field without which records cannot be read at all.
    #[error("`fields.{0}` is missing")]
    MissingField(&'static str),
}
