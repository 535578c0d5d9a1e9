//! Recall and precision on a labelled set of made-up texts.

use std::collections::BTreeMap;

use super::scenes::{ordinary, scene};
use super::values::{Dice, value};
use super::*;

/// Planted texts of each kind.
const PLANTED: usize = 500;

/// Texts with nothing to find.
const ORDINARY: usize = 1_500;

#[derive(Default)]
struct Score {
    planted: usize,
    found: usize,
    false_alarms: usize,
    faults: Vec<String>,
}

/// How many stand-ins of each kind a text has.
fn stand_ins(redacted: &str) -> BTreeMap<&'static str, usize> {
    let count = |kind: &Kind| redacted.matches(&format!("[{kind}:")).count();
    Kind::ALL.iter().map(|kind| (kind.as_str(), count(kind))).collect()
}

#[test]
fn of_each_kind_99_percent_are_found_and_95_percent_of_the_finds_are_right() {
    let redactor = redactor(&RedactionPolicy::all());
    let mut dice = Dice(20_261_122);
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let redact = |text: &str| redactor.redact_text(text).into_owned();
    for kind in Kind::ALL {
        for _ in 0..PLANTED {
            let (value, cue) = value(kind, &mut dice);
            let text = scene(&value, cue, &mut dice);
            let redacted = redact(&text);
            let is_found = !redacted.contains(&value) && stand_ins(&redacted)[kind.as_str()] > 0;
            for (name, count) in stand_ins(&redacted) {
                let right = usize::from(is_found && name == kind.as_str());
                scores.entry(name).or_default().false_alarms += count - right;
                if count > right {
                    scores.entry(name).or_default().faults.push(format!("+ {text} -> {redacted}"));
                }
            }
            let score = scores.entry(kind.as_str()).or_default();
            score.planted += 1;
            score.found += usize::from(is_found);
            if !is_found {
                score.faults.push(format!("- {value} in {text} -> {redacted}"));
            }
        }
    }
    for _ in 0..ORDINARY {
        let text = scene(&ordinary(&mut dice), None, &mut dice);
        let redacted = redact(&text);
        for (name, count) in stand_ins(&redacted) {
            let score = scores.entry(name).or_default();
            score.false_alarms += count;
            if count > 0 {
                score.faults.push(format!("+ {text} -> {redacted}"));
            }
        }
    }
    let mut problems = Vec::new();
    for (name, score) in &scores {
        let recall = score.found as f64 / score.planted as f64;
        let precision = score.found as f64 / (score.found + score.false_alarms) as f64;
        println!("{name}: recall {recall:.4}, precision {precision:.4}");
        if recall < 0.99 || precision < 0.95 {
            let shown = score.faults.iter().take(20).map(String::as_str).collect::<Vec<_>>();
            problems.push(format!("{name} {recall:.4} {precision:.4}\n{}", shown.join("\n")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
