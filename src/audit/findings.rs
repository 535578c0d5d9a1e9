//! Findings: what of the tables a migration must heed, in plain sentences.

use std::collections::BTreeMap;

use super::rows::{Clock, Overview, Replayability, Source, Sufficiency, UsedModel, rows};
use super::{AuditTable, Finding, FindingCode, Severity};
use crate::query::QueryError;

/// Retirements nearer than this are named: about what an evaluation and a gradual shift take.
const DEPRECATION_DAYS: i64 = 180;

/// With less of the capture replayable, the rest decides what a replay says.
const REPLAYABLE_BLOCKER: f64 = 0.5;
const REPLAYABLE_WARNING: f64 = 0.9;

/// With fewer token counts, volumes and costs are those of a part.
const TOKENS_WARNING: f64 = 0.9;

/// The share of lines that an import sets aside without a word.
const REJECTED_WARNING: f64 = 0.01;

/// A step back within a file that no concurrency explains: one hour, as of a changed clock.
const STEP_BACK_MS: f64 = 3_600_000.0;

/// How many names stand in a sentence.
const NAMES: usize = 10;

type Tables = BTreeMap<String, AuditTable>;

/// All findings, the gravest first.
pub(super) fn findings(tables: &Tables, has_plan: bool) -> Result<Vec<Finding>, QueryError> {
    let mut found = Vec::new();
    let Some(overview) = rows::<Overview>(tables, "audit/overview")?.pop() else {
        return Ok(found);
    };
    let models: Vec<UsedModel> = rows(tables, "audit/models")?;
    found.extend(period(rows::<Sufficiency>(tables, "audit/sufficiency")?.pop().as_ref()));
    found.extend(custom_models(&models, has_plan));
    found.extend(unmapped_models(&models));
    found.extend(deprecated_models(&models));
    found.extend(replayability(&overview, &rows(tables, "audit/replayability")?));
    found.extend(measurements(&overview));
    found.extend(clock(&rows::<Clock>(tables, "audit/clock")?));
    found.extend(sources(&rows::<Source>(tables, "audit/sources")?));
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

fn finding(severity: Severity, code: FindingCode, query: &str, text: String) -> Finding {
    Finding { severity, code, text, query: query.to_owned(), subjects: Vec::new() }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A share in percent that never rounds to all or nothing what is not.
fn percent(part: u64, whole: u64) -> String {
    let percent = share(part, whole) * 100.0;
    match percent {
        _ if part == 0 || part == whole => format!("{percent:.0}%"),
        _ if percent < 0.1 => "less than 0.1%".to_owned(),
        _ if percent > 99.9 => "more than 99.9%".to_owned(),
        _ => format!("{percent:.1}%"),
    }
}

fn named(names: &[String]) -> String {
    let listed: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    match names.len().checked_sub(NAMES) {
        None | Some(0) => listed.join(", "),
        Some(more) => format!("{} and {more} more", listed.join(", ")),
    }
}

fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn period(sufficiency: Option<&Sufficiency>) -> Vec<Finding> {
    const QUERY: &str = "audit/sufficiency";
    let Some(period) = sufficiency else {
        let text = "No exchange has a usable time, so nothing can be said of volume, peaks or \
                    trends."
            .to_owned();
        return vec![finding(Severity::Warning, FindingCode::NotTwoWeeks, QUERY, text)];
    };
    let covered = format!(
        "{:.1} days are covered, {} of them with traffic",
        period.days_covered, period.days_with_traffic
    );
    let mut found = vec![if period.two_weeks {
        let text = format!("At least two weeks of production traffic: yes. {covered}.");
        finding(Severity::Info, FindingCode::TwoWeeks, QUERY, text)
    } else {
        let text = format!(
            "At least two weeks of production traffic: no. {covered}. Rare requests, weekly jobs \
             and peaks may be missing."
        );
        finding(Severity::Warning, FindingCode::NotTwoWeeks, QUERY, text)
    }];
    if period.weekdays_present < 7 {
        let text = format!(
            "Traffic is on {} of the 7 days of the week only: the mix of a whole week is not in \
             the capture.",
            period.weekdays_present
        );
        found.push(finding(Severity::Warning, FindingCode::WeekdayMix, QUERY, text));
    }
    found
}

/// Requested models for which `applies`, in order of names, with their exchanges.
fn select(models: &[UsedModel], applies: impl Fn(&UsedModel) -> bool) -> BTreeMap<String, u64> {
    let mut chosen = BTreeMap::new();
    for model in models.iter().filter(|model| applies(model)) {
        *chosen.entry(model.request_model.clone()).or_insert(0) += model.exchanges;
    }
    chosen
}

fn is_custom(model: &UsedModel) -> bool {
    matches!(model.kind.as_str(), "fine_tuned" | "custom" | "unlisted")
}

fn custom_models(models: &[UsedModel], has_plan: bool) -> Option<Finding> {
    let chosen = select(models, |model| is_custom(model) && model.mapped != Some(true));
    if chosen.is_empty() {
        return None;
    }
    let exchanges: u64 = chosen.values().sum();
    let subjects: Vec<String> = chosen.into_keys().collect();
    let what = counted(
        subjects.len(),
        "fine-tuned, custom or unlisted model",
        "fine-tuned, custom or unlisted models",
    );
    let (severity, ending) = if has_plan {
        (
            Severity::Blocker,
            "the plan does not map them for every candidate, so they are not replayed",
        )
    } else {
        (
            Severity::Warning,
            "no other provider has them by these names, so each needs a counterpart",
        )
    };
    let text = format!("{what} ({}) with {exchanges} exchanges: {ending}.", named(&subjects));
    Some(Finding { subjects, ..finding(severity, FindingCode::CustomModels, "audit/models", text) })
}

fn unmapped_models(models: &[UsedModel]) -> Option<Finding> {
    let chosen = select(models, |model| !is_custom(model) && model.mapped == Some(false));
    if chosen.is_empty() {
        return None;
    }
    let exchanges: u64 = chosen.values().sum();
    let subjects: Vec<String> = chosen.into_keys().collect();
    let text = format!(
        "The plan does not map {} ({}) for every candidate: {exchanges} exchanges would not be \
         replayed.",
        counted(subjects.len(), "model", "models"),
        named(&subjects)
    );
    let base = finding(Severity::Warning, FindingCode::UnmappedModels, "audit/model_maps", text);
    Some(Finding { subjects, ..base })
}

fn deprecated_models(models: &[UsedModel]) -> Option<Finding> {
    let mut dates: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for model in models {
        let (Some(left), Some(date)) = (model.days_left, &model.deprecation_date) else { continue };
        if left <= DEPRECATION_DAYS {
            let name = match &model.response_model {
                Some(served) if model.kind == "deployment" => {
                    format!("{} (served by {served})", model.request_model)
                }
                _ => model.request_model.clone(),
            };
            dates.insert(name, (left, date.clone()));
        }
    }
    if dates.is_empty() {
        return None;
    }
    let told: Vec<String> = dates
        .iter()
        .map(|(name, (left, date))| match left {
            ..0 => format!("{name} on {date} ({} days before it)", left.unsigned_abs()),
            _ => format!("{name} on {date} ({left} days after it)"),
        })
        .collect();
    let text = format!(
        "By the price catalogue {} retired by the provider before, or within {DEPRECATION_DAYS} \
         days of, the end of the capture: {}.",
        counted(dates.len(), "model is", "models are"),
        named(&told)
    );
    let base = finding(Severity::Warning, FindingCode::DeprecatedModels, "audit/models", text);
    Some(Finding { subjects: dates.into_keys().collect(), ..base })
}

fn replayability(overview: &Overview, states: &[Replayability]) -> Option<Finding> {
    let share = share(overview.replayable, overview.exchanges);
    if share >= REPLAYABLE_WARNING {
        return None;
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for row in states {
        if let Some(reason) = &row.not_replayable_reason {
            *reasons.entry(reason).or_insert(0) += row.exchanges;
        }
    }
    let told: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    let text = format!(
        "Only {} of the exchanges ({} of {}) can be sent again. Not replayable: {}.",
        percent(overview.replayable, overview.exchanges),
        overview.replayable,
        overview.exchanges,
        named(&told)
    );
    let severity = if share < REPLAYABLE_BLOCKER { Severity::Blocker } else { Severity::Warning };
    Some(finding(severity, FindingCode::LowReplayable, "audit/replayability", text))
}

fn measurements(overview: &Overview) -> Vec<Finding> {
    let Overview { exchanges, streamed, .. } = *overview;
    let mut found = Vec::new();
    let mut warn = |code, query, text| found.push(finding(Severity::Warning, code, query, text));
    if overview.sampled > 0 {
        let text = format!(
            "{} exchanges ({}) come from logs that may hold a sample of the traffic only: volume, \
             peaks and cost cannot be projected from them.",
            overview.sampled,
            percent(overview.sampled, exchanges)
        );
        warn(FindingCode::Sampled, "audit/time_quality", text);
    }
    if overview.with_latency == 0 {
        let text = "The log states no latency: a candidate can be compared with a control only."
            .to_owned();
        warn(FindingCode::NoLatency, "audit/latency_left_out", text);
    }
    if streamed > 0 && overview.with_ttft == 0 {
        let text = format!(
            "None of the {streamed} streamed exchanges has a time to first token: criteria on it \
             need a control."
        );
        warn(FindingCode::NoTtft, "audit/latency_left_out", text);
    }
    if share(overview.with_tokens, exchanges) < TOKENS_WARNING {
        let text = format!(
            "{} of {exchanges} exchanges have token counts: token volumes and costs are those of \
             this part.",
            percent(overview.with_tokens, exchanges)
        );
        warn(FindingCode::NoTokens, "audit/lengths", text);
    }
    if overview.sessions == 0 {
        let text = "The log names no conversations: dependent requests cannot be told from \
                    independent ones, and intervals may be too narrow."
            .to_owned();
        warn(FindingCode::NoSessions, "audit/sessions", text);
    }
    found
}

fn clock(files: &[Clock]) -> Option<Finding> {
    // A file sorted newest first steps back all the time, which is no fault of a clock.
    let jumps = |file: &Clock| {
        file.back_share.is_some_and(|share| share < 0.5)
            && file.largest_back_ms.is_some_and(|ms| ms >= STEP_BACK_MS)
    };
    let before: u64 = files.iter().map(|file| file.before_2015).sum();
    let beyond: u64 = files.iter().map(|file| file.beyond_import).sum();
    let back: u64 = files.iter().filter(|file| jumps(file)).map(|file| file.steps_back).sum();
    let subjects: Vec<String> = files
        .iter()
        .filter(|file| file.before_2015 > 0 || file.beyond_import > 0 || jumps(file))
        .map(|file| file.source_file.clone())
        .collect();
    if subjects.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if before > 0 {
        parts.push(format!("{before} exchanges are dated before 2015"));
    }
    if beyond > 0 {
        parts.push(format!("{beyond} are dated after the last time that the import noted"));
    }
    if back > 0 {
        parts.push(format!("{back} lines step back, at least one of them by an hour or more"));
    }
    let text = format!("Times cannot be right in {}: {}.", named(&subjects), parts.join("; "));
    Some(Finding {
        subjects,
        ..finding(Severity::Warning, FindingCode::Clock, "audit/clock", text)
    })
}

fn sources(sources: &[Source]) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines: u64 = sources.iter().map(|source| source.lines).sum();
    let rejected: u64 = sources.iter().map(|source| source.rejected).sum();
    if share(rejected, lines) > REJECTED_WARNING {
        let text = format!(
            "{} of the lines ({rejected} of {lines}) were set aside as unusable.",
            percent(rejected, lines)
        );
        let base = finding(Severity::Warning, FindingCode::Rejected, "audit/source_reasons", text);
        let subjects = sources.iter().filter(|s| s.rejected > 0).map(|s| s.file.clone());
        found.push(Finding { subjects: subjects.collect(), ..base });
    }
    let subjects: Vec<String> =
        sources.iter().filter(|s| s.incomplete.is_some()).map(|s| s.file.clone()).collect();
    if !subjects.is_empty() {
        let text = format!("Read in part only: {}.", named(&subjects));
        let base = finding(Severity::Warning, FindingCode::Incomplete, "audit/sources", text);
        found.push(Finding { subjects, ..base });
    }
    found
}
