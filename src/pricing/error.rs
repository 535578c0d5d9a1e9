//! Why a cost cannot be told.

/// A missing or unusable price, or usage that has no cost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// No entry for this model; the request must not be sent unless the plan names a price.
    #[error(
        "no price is known for model {model:?} of provider {provider:?}{}",
        suggestion(closest)
    )]
    UnknownModel {
        /// The provider asked for.
        provider: String,
        /// The model asked for.
        model: String,
        /// Keys of the catalogue with similar names, the most similar first.
        closest: Vec<String>,
    },
    /// The catalogue has an entry, but without a usable token price.
    #[error("the catalogue entry {key:?} has no usable {field}")]
    UnusableEntry {
        /// The entry's key.
        key: String,
        /// The field that is missing or unreadable.
        field: &'static str,
    },
    /// The catalogue is not a JSON object of the LiteLLM form.
    #[error("the price catalogue cannot be read: line {line}, column {column}")]
    UnreadableCatalogue {
        /// Line of the first fault, from 1.
        line: usize,
        /// Column of the first fault.
        column: usize,
    },
    /// A token count that decides the cost was not reported.
    #[error("the cost is unknown because {0} is not reported")]
    UnknownUsage(&'static str),
    /// Parts of the usage exceed their whole.
    #[error("the usage contradicts itself: {part} exceeds {whole}")]
    InconsistentUsage {
        /// The part, as a column name.
        part: &'static str,
        /// The whole, as a column name.
        whole: &'static str,
    },
    /// An amount beyond about nine billion dollars.
    #[error("the amount is too large")]
    Overflow,
    /// Text that is not an amount or a price of the expected form.
    #[error("{text:?} is not {expected}")]
    Malformed {
        /// The text given.
        text: String,
        /// The form expected, with an example.
        expected: &'static str,
    },
}

fn suggestion(closest: &[String]) -> String {
    if closest.is_empty() {
        String::new()
    } else {
        format!("; similar names: {}", closest.join(", "))
    }
}
