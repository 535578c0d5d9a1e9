//! Validates `[[criterion]]`; whether a metric exists is known one layer up, by its span.

use std::ops::Range;

use toml::Spanned;

use super::error::Problem;
use super::file::{CriterionFile, ValueFile};
use super::settings::{Bound, BoundKind, BoundUnit, Criterion, SEGMENTS};
use super::units;
use super::validate::closest;

pub(super) fn validate_criterion(
    spanned: &Spanned<CriterionFile>,
    problems: &mut Vec<Problem>,
) -> Option<Criterion> {
    let file = spanned.get_ref();
    let confidence = file.confidence.as_ref().map_or(0.95, |level| *level.get_ref());
    if let Some(level) = &file.confidence
        && !(0.5..1.0).contains(&confidence)
    {
        problems.push(Problem::at(level.span(), "`confidence` must be at least 0.5 and below 1"));
    }
    if let Some(segment) = &file.segment
        && !SEGMENTS.contains(&segment.get_ref().as_str())
    {
        let help = closest(segment.get_ref(), SEGMENTS).map_or_else(
            || format!("traffic can be split by {}", SEGMENTS.join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("traffic cannot be split by `{}`", segment.get_ref());
        problems.push(Problem::at(segment.span(), message).with_help(help));
    }
    Some(Criterion {
        metric: file.metric.get_ref().clone(),
        bound: validate_bound(file, &spanned.span(), problems)?,
        segment: file.segment.as_ref().map(|segment| segment.get_ref().clone()),
        confidence,
        gate: file.gate,
        span: file.metric.span(),
    })
}

fn validate_bound(
    file: &CriterionFile,
    span: &Range<usize>,
    problems: &mut Vec<Problem>,
) -> Option<Bound> {
    let ratio =
        file.max_ratio.as_ref().map(|ratio| (ratio.span(), ValueFile::Number(*ratio.get_ref())));
    let value = |field: &Option<Spanned<ValueFile>>| {
        field.as_ref().map(|value| (value.span(), value.get_ref().clone()))
    };
    let given: Vec<(BoundKind, Range<usize>, ValueFile)> = [
        (BoundKind::Max, value(&file.max)),
        (BoundKind::Min, value(&file.min)),
        (BoundKind::MaxRatio, ratio),
        (BoundKind::MaxIncrease, value(&file.max_increase)),
        (BoundKind::MaxExcess, value(&file.max_excess)),
    ]
    .into_iter()
    .filter_map(|(kind, value)| value.map(|(span, value)| (kind, span, value)))
    .collect();
    let [(kind, at, value)] = given.as_slice() else {
        problems.push(
            Problem::at(span.clone(), "a criterion needs exactly one bound")
                .with_help("give one of `max`, `min`, `max_ratio`, `max_increase`, `max_excess`"),
        );
        return None;
    };
    let parsed = match value {
        ValueFile::Number(number) if number.is_finite() => Ok((*number, BoundUnit::None)),
        ValueFile::Number(_) => Err("a bound must be a finite number".to_owned()),
        ValueFile::Text(text) => units::bound(text),
    };
    match parsed {
        Ok((value, unit)) => Some(Bound { kind: *kind, value, unit }),
        Err(message) => {
            problems.push(Problem::at(at.clone(), message));
            None
        }
    }
}
