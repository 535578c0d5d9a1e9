//! Validates `[replay] sample`.

use toml::Spanned;

use super::error::Problem;
use super::file::SampleFile;
use super::settings::{SEGMENTS, StrataSettings};
use super::units;
use super::validate::closest;

/// The share of sessions, and how it is stratified.
pub(super) fn validate_sample(
    sample: Option<&Spanned<SampleFile>>,
    problems: &mut Vec<Problem>,
) -> (f64, Option<StrataSettings>) {
    let Some(spanned) = sample else { return (1.0, None) };
    let (text, strata) = match spanned.get_ref() {
        SampleFile::Share(text) => (text, None),
        SampleFile::Stratified(file) => {
            let strata = StrataSettings {
                stratify_by: file.stratify_by.clone(),
                min_per_stratum: file.min_per_stratum,
            };
            (&file.share, Some(strata))
        }
    };
    let share = units::share(text).unwrap_or_else(|message| {
        problems.push(Problem::at(spanned.span(), message));
        1.0
    });
    if !(share > 0.0 && share <= 1.0) {
        problems.push(Problem::at(spanned.span(), "a sample is more than 0 and at most 100 %"));
    }
    if let Some(strata) = &strata
        && !SEGMENTS.contains(&strata.stratify_by.as_str())
    {
        let help = closest(&strata.stratify_by, SEGMENTS).map_or_else(
            || format!("a sample can be stratified by {}", SEGMENTS.join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("a sample cannot be stratified by `{}`", strata.stratify_by);
        problems.push(Problem::at(spanned.span(), message).with_help(help));
    }
    (share, strata)
}
