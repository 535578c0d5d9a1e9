//! What can go wrong with a question.

use super::header::HeaderError;
use crate::dataset::DatasetError;

/// A query could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A file or table.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The engine refused or failed.
    #[error("{what}: {message}")]
    Engine {
        /// What was attempted.
        what: String,
        /// The engine's message.
        message: String,
    },
    /// A query of the catalogue has a bad header.
    #[error("the query `{name}` has a bad header: {source}")]
    Header {
        /// The query.
        name: String,
        /// What is wrong.
        source: HeaderError,
    },
    /// There is no such query.
    #[error("there is no query `{name}`{}", suggestion.as_ref().map_or(String::new(), |s| format!(": did you mean `{s}`?")))]
    UnknownQuery {
        /// The name that was asked for.
        name: String,
        /// The nearest known name.
        suggestion: Option<String>,
    },
    /// A parameter that the query needs was not given.
    #[error("the query needs the parameter `{name}` ({data_type}): {meaning}")]
    MissingParameter {
        /// Its name.
        name: String,
        /// Its type.
        data_type: String,
        /// What it means.
        meaning: String,
    },
    /// A parameter that the query does not have.
    #[error("the query has no parameter `{0}`")]
    UnknownParameter(String),
    /// A parameter whose text is not of its type.
    #[error("the parameter `{name}` is not of type {data_type}: `{value}`")]
    BadParameter {
        /// Its name.
        name: String,
        /// Its type.
        data_type: String,
        /// The text that was given.
        value: String,
    },
    /// Rows that do not have the shape that was asked for.
    #[error("the rows of `{query}` cannot be read: {message}")]
    Rows {
        /// The query.
        query: String,
        /// The library's message.
        message: String,
    },
}

impl QueryError {
    pub(crate) fn engine(what: impl Into<String>, failure: &dyn std::fmt::Display) -> Self {
        QueryError::Engine { what: what.into(), message: failure.to_string() }
    }
}
