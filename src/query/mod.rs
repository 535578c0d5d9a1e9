//! SQL on the evidence: the session, the catalogue of `queries/*.sql`, and our functions.
//!
//! A figure that decides is one file in `queries/`; the very same text runs in `rehearsal sql`.

mod catalogue;
mod clusters;
mod error;
mod functions;
mod header;
mod inventory;
mod list_price;
mod output;
mod parameters;
mod preview;
mod session;

pub use catalogue::{NamedQuery, QUERIES, named};
pub use error::QueryError;
pub use functions::functions;
pub use header::{HeaderError, QueryField, QueryHeader};
pub use output::{OutputFormat, write_rows};
pub use parameters::Parameters;
pub use session::{Scope, Session, find};
