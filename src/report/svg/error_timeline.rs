//! Failures over the time of the replay, for one arm.

use super::arm_style::ArmStyles;
use super::axis::{AxisUnit, horizontal, vertical};
use super::element::{Element, label, line, rectangle};
use super::scale::Scale;
use super::{WIDTH, chart};
use crate::report::format::{count, elapsed_s, share};
use crate::report::text::{shortened, shown};
use crate::report::{ErrorBucket, Outage};

const LEFT: f64 = 40.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 150.0;
const VOLUME_TOP: f64 = 178.0;
const VOLUME_BOTTOM: f64 = 210.0;
const HEIGHT: f64 = VOLUME_BOTTOM + 42.0;
const HEADING_CHARACTERS: usize = 54;

/// The share of failed attempts per slice of time above, the number of attempts below.
///
/// `all` are the buckets of every arm, so that the panels share their scales; outages of the arm
/// are shaded.
pub(crate) fn error_timeline(
    id: &str,
    arm: &str,
    all: &[ErrorBucket],
    outages: &[Outage],
    styles: &ArmStyles,
) -> Element {
    let end = all.iter().map(|bucket| bucket.start_s + bucket.width_s).fold(0.0, f64::max);
    let worst = all.iter().filter_map(failed_share).fold(0.0, f64::max);
    let busiest = all.iter().map(|bucket| bucket.attempts).max().unwrap_or(0);
    let (unit, unit_s) = AxisUnit::for_elapsed(end);
    let x = TimeAxis { scale: Scale::over((0.0, end / unit_s), (LEFT, RIGHT)), unit_s };
    let y = Scale::from_zero(if worst > 0.0 { worst } else { 0.01 }, (BOTTOM, TOP));
    let volume = Scale::over((0.0, busiest as f64), (VOLUME_BOTTOM, VOLUME_TOP));
    let own: Vec<&ErrorBucket> = all.iter().filter(|bucket| bucket.arm == arm).collect();
    let out: Vec<&Outage> = outages.iter().filter(|outage| outage.arm == arm).collect();
    let errors: u128 = own.iter().map(|bucket| u128::from(bucket.errors)).sum();
    let attempts: u128 = own.iter().map(|bucket| u128::from(bucket.attempts)).sum();
    let description = format!(
        "{} slices of time, {} failures in {} attempts. Upper bars: share of attempts that failed, \
         429 included. Lower bars: attempts. Shaded: {} outages.",
        own.len(),
        count(errors),
        count(attempts),
        out.len()
    );
    let heading = shortened(&shown(arm), HEADING_CHARACTERS);
    chart(id, "error-chart", HEIGHT, &format!("Failures over time: {heading}"), &description)
        .child(label("panel-title", (0.0, 14.0), "start", &heading))
        .child(vertical(&y, AxisUnit::PERCENT, "Failed attempts", (LEFT, RIGHT)))
        .child(line("base", (LEFT, BOTTOM), (RIGHT, BOTTOM)))
        .child(label("axis-title", (0.0, VOLUME_TOP - 6.0), "start", "Attempts (count)"))
        .child(label(
            "tick",
            (LEFT - 6.0, VOLUME_TOP + 8.0),
            "end",
            &AxisUnit::COUNT.print(busiest as f64),
        ))
        .child(horizontal(
            &x.scale,
            unit,
            "Time since the first attempt of the replay",
            (VOLUME_TOP, VOLUME_BOTTOM),
        ))
        .child(
            Element::new("g")
                .class(styles.of(arm).class())
                .children(out.iter().map(|outage| outage_band(outage, &x)))
                .children(own.iter().map(|bucket| volume_bar(bucket, &x, &volume)))
                .children(own.iter().map(|bucket| error_bar(bucket, &x, &y))),
        )
}

/// The axis of elapsed time, and the seconds in its unit.
struct TimeAxis {
    scale: Scale,
    unit_s: f64,
}

/// `None` when nothing was sent.
fn failed_share(bucket: &ErrorBucket) -> Option<f64> {
    (bucket.attempts > 0).then(|| bucket.errors as f64 / bucket.attempts as f64)
}

/// Left edge and width of a slice, a hair apart from its neighbour where there is room.
fn span(bucket: &ErrorBucket, x: &TimeAxis) -> (f64, f64) {
    let at = |elapsed_s: f64| x.scale.position(elapsed_s / x.unit_s);
    let left = at(bucket.start_s);
    let width = at(bucket.start_s + bucket.width_s) - left;
    (left, if width > 3.0 { width - 1.0 } else { width })
}

/// A shade over the time in which every attempt failed; a short one is still seen.
fn outage_band(outage: &Outage, x: &TimeAxis) -> Element {
    let at = |elapsed_s: f64| x.scale.position(elapsed_s / x.unit_s).clamp(LEFT, RIGHT);
    let left = at(outage.start_s);
    let width = (at(outage.start_s + outage.length_s) - left).max(1.5);
    let end = if outage.ended { "" } else { ", not over at the end" };
    rectangle("mark outage", (left, TOP), (width, BOTTOM - TOP)).titled(format!(
        "Outage from {} for {}{end}: {} attempts",
        elapsed_s(outage.start_s),
        elapsed_s(outage.length_s),
        count(outage.attempts),
    ))
}

fn volume_bar(bucket: &ErrorBucket, x: &TimeAxis, volume: &Scale) -> Element {
    let (left, width) = span(bucket, x);
    let top = volume.position(bucket.attempts as f64);
    rectangle("volume", (left, top), (width, VOLUME_BOTTOM - top))
}

fn error_bar(bucket: &ErrorBucket, x: &TimeAxis, y: &Scale) -> Element {
    let (left, width) = span(bucket, x);
    let failed = failed_share(bucket).unwrap_or(0.0);
    // A failure among many thousand attempts must still be seen.
    let height = if bucket.errors > 0 { (BOTTOM - y.position(failed)).max(1.5) } else { 0.0 };
    rectangle("mark error-bar", (left, BOTTOM - height), (width, height))
        .attribute("data-arm", bucket.arm.as_str())
        .attribute("data-errors", bucket.errors.to_string())
        .titled(format!(
            "{} to {}: {} of {} attempts failed ({})",
            elapsed_s(bucket.start_s),
            elapsed_s(bucket.start_s + bucket.width_s),
            count(bucket.errors),
            count(bucket.attempts),
            failed_share(bucket).map_or_else(|| "nothing sent".to_owned(), share),
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(arm: &str, start_s: f64, attempts: u64, errors: u64) -> ErrorBucket {
        ErrorBucket { arm: arm.to_owned(), start_s, width_s: 10.0, attempts, errors }
    }

    #[test]
    fn every_slice_of_the_arm_has_a_bar_and_few_failures_are_still_seen() {
        let all = [
            bucket("a", 0.0, 100, 0),
            bucket("a", 10.0, 100_000, 1),
            bucket("a", 20.0, 0, 0),
            bucket("b", 0.0, 10, 10),
        ];
        let drawn = error_timeline("x", "a", &all, &[], &ArmStyles::new(&[])).to_string();
        assert_eq!(drawn.matches("mark error-bar").count(), 3);
        assert_eq!(drawn.matches("height=\"1.5\"").count(), 1);
        assert_eq!(drawn.matches("nothing sent").count(), 1);
        assert!(drawn.contains("1 failures in 100,100 attempts"), "{drawn}");
    }

    #[test]
    fn outages_of_the_arm_are_shaded_and_never_leave_the_chart() {
        let all = [bucket("a", 0.0, 10, 10), bucket("a", 10.0, 10, 0)];
        let outage = |arm: &str, length_s| Outage {
            arm: arm.to_owned(),
            start_s: 5.0,
            length_s,
            ended: length_s < 60.0,
            attempts: 12,
            cost_usd: 0.0,
        };
        let outages = [outage("a", 0.001), outage("a", 600.0), outage("b", 5.0)];
        let drawn = error_timeline("x", "a", &all, &outages, &ArmStyles::new(&[])).to_string();
        assert_eq!(drawn.matches("mark outage").count(), 2);
        assert_eq!(drawn.matches("not over at the end: 12 attempts").count(), 1);
        assert!(drawn.contains("Shaded: 2 outages"), "{drawn}");
        // From a quarter of the time to its end.
        let widest = (RIGHT - LEFT) * 0.75;
        assert!(drawn.contains(&format!("width=\"{widest}\"")), "{drawn}");
    }

    #[test]
    fn an_arm_without_slices_has_an_empty_panel() {
        let drawn = error_timeline("x", "a", &[], &[], &ArmStyles::new(&[])).to_string();
        assert!(drawn.contains("0 slices of time"), "{drawn}");
    }
}
