//! The migration plan `rehearsal.toml`: everything that can change a verdict, in one file.
//!
//! There are two types: `file` holds what the user typed, with the places kept for messages, and
//! [`Plan`] holds what it means. Every problem of a plan is reported at once, with its place.

mod arms;
mod criteria;
mod error;
mod file;
mod import_settings;
mod models;
mod pace;
mod price_book;
mod sample;
mod settings;
mod units;
mod validate;

pub use error::{PlanError, Problem};
pub use file::PlanFile;
pub use models::ModelMap;
pub use pace::{Pace, Ramp, WarmUp};
pub use price_book::{PriceBook, PriceBookError};
pub use settings::{
    Arm, Bound, BoundKind, BoundUnit, CaptureSettings, CostSettings, Criterion, ImportSettings,
    Limits, Plan, PriceOverride, REDACTION_KINDS, RedactionSettings, ReplaySettings, SEGMENTS,
    ScheduleFile, StrataSettings, Timeouts, UncertainPolicy,
};
pub use units::utc_offset;
pub use validate::{load, load_import, parse};
