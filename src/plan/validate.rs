//! From the typed file to the validated plan, with every problem reported at once.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;

use super::arms::{validate_arm, validate_price};
use super::criteria::validate_criterion;
use super::error::{PlanError, Problem};
use super::file::{ImportFile, PlanFile, ReplayFile, TimeoutsFile};
use super::import_settings::{validate_capture, validate_redaction};
use super::pace::{Pace, PaceFile, validate_pace, validate_warm_up};
use super::sample::validate_sample;
use super::settings::{
    CostSettings, ImportSettings, Plan, ReplaySettings, ScheduleFile, Timeouts, UncertainPolicy,
};
use super::units;
use crate::pricing::NanoUsd;

/// Requests in flight per arm in a closed loop, which this figure paces.
const DEFAULT_CONCURRENCY: u64 = 16;

/// The same in an open loop, which the schedule paces: a bound on what a slow provider can pile up.
const DEFAULT_OPEN_CONCURRENCY: u64 = 1_024;

/// Retries as a share of the requests sent: enough for stray failures, too little for a storm.
const DEFAULT_RETRY_BUDGET: f64 = 0.1;

/// Reasons for which rows are not replayed, and which a plan may waive.
const INCLUDABLE: &[&str] = &["cache_hit", "superseded", "health_check", "silent_experiment"];

/// Reads and validates a plan file.
///
/// # Errors
/// [`PlanError::Read`] when the file cannot be read; [`PlanError::Invalid`] with every problem.
pub fn load(path: &Path) -> Result<Plan, PlanError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
    let mut plan = parse(path, &text)?;
    if let Some(schedule) = &mut plan.replay.schedule {
        let file = path.parent().unwrap_or(Path::new("")).join(&schedule.path);
        let bytes =
            std::fs::read(&file).map_err(|source| PlanError::Read { path: file, source })?;
        schedule.sha256 = crate::dataset::sha256_hex(bytes);
    }
    Ok(plan)
}

/// Reads what an import heeds of a plan, whose other sections may still be missing.
///
/// # Errors
/// [`PlanError::Read`] when the file cannot be read; [`PlanError::Invalid`] with every problem.
pub fn load_import(path: &Path) -> Result<ImportSettings, PlanError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
    let mut problems = Vec::new();
    match toml::from_str::<ImportFile>(&text) {
        Ok(file) => {
            let settings = ImportSettings {
                capture: validate_capture(file.capture, &mut problems),
                redaction: validate_redaction(file.redaction, &mut problems),
            };
            if problems.is_empty() {
                return Ok(settings);
            }
        }
        Err(failure) => problems.push(syntax_problem(&failure)),
    }
    Err(PlanError::Invalid { path: path.to_owned(), text, problems })
}

/// Validates the text of a plan; `path` is for messages.
///
/// # Errors
/// [`PlanError::Invalid`] with every problem.
pub fn parse(path: &Path, text: &str) -> Result<Plan, PlanError> {
    let mut problems = Vec::new();
    let plan = match toml::from_str::<PlanFile>(text) {
        Ok(file) => validate(file, &mut problems),
        Err(failure) => {
            problems.push(syntax_problem(&failure));
            None
        }
    };
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(PlanError::Invalid { path: path.to_owned(), text: text.to_owned(), problems }),
    }
}

/// Turns a parser's message into a problem, with a "did you mean" for unknown keys.
fn syntax_problem(failure: &toml::de::Error) -> Problem {
    let message = failure.message().to_owned();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let help = match names.split_first() {
        Some((unknown, known)) if message.starts_with("unknown field") => {
            closest(unknown, known).map(|name| format!("did you mean `{name}`?"))
        }
        _ => None,
    };
    Problem { message, span: failure.span(), help }
}

/// The name that is nearest to a mistyped one, if any is near.
pub(super) fn closest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    crate::similarity::closest_name(typed, known.iter().copied())
}

fn validate(file: PlanFile, problems: &mut Vec<Problem>) -> Option<Plan> {
    if *file.version.get_ref() != 1 {
        let message = format!("version {} of the plan is not known", file.version.get_ref());
        problems.push(Problem::at(file.version.span(), message).with_help("write `version = 1`"));
    }
    if file.candidate.is_empty() {
        problems.push(
            Problem::overall("the plan names no candidate").with_help(
                "add a `[[candidate]]` with `name`, `protocol`, `base_url` and `models`",
            ),
        );
    }
    let concurrency = concurrency(&file.replay);
    let mut candidates = Vec::new();
    let mut names = vec!["control".to_owned(), "incumbent".to_owned()];
    for candidate in file.candidate {
        let span = candidate.span();
        let arm = validate_arm(candidate, false, concurrency, problems);
        if let Some(arm) = arm {
            if names.contains(&arm.name) {
                let message = format!("the name `{}` is taken or reserved", arm.name);
                problems.push(Problem::at(span, message).with_help("give each candidate its own"));
            }
            names.push(arm.name.clone());
            candidates.push(arm);
        }
    }
    let control = file.control.and_then(|arm| validate_arm(arm, true, concurrency, problems));
    let capture = validate_capture(file.capture, problems);
    let redaction = validate_redaction(file.redaction, problems);
    let incumbent_prices = file
        .incumbent
        .prices
        .iter()
        .filter_map(|(model, price)| validate_price(model, price, problems))
        .collect();
    let replay = validate_replay(&file.replay, problems)?;
    let criteria = file.criterion.iter().filter_map(|c| validate_criterion(c, problems)).collect();
    Some(Plan {
        title: file.title.unwrap_or_else(|| "Migration rehearsal".to_owned()),
        incumbent_provider: file.incumbent.provider,
        incumbent_prices,
        candidates,
        control,
        capture,
        redaction,
        replay,
        criteria,
        price_file: file.pricing.file,
        cost: CostSettings { monthly_requests: file.cost.monthly_requests },
    })
}

/// Requests in flight per arm, unless its own limits say otherwise.
fn concurrency(file: &ReplayFile) -> u64 {
    let closed = match file.pace.as_ref().map(Spanned::get_ref) {
        None => file.schedule_from.is_none(),
        Some(pace) => matches!(pace, PaceFile::Word(_)),
    };
    let default = if closed { DEFAULT_CONCURRENCY } else { DEFAULT_OPEN_CONCURRENCY };
    file.concurrency.as_ref().map_or(default, |value| *value.get_ref())
}

fn validate_replay(file: &ReplayFile, problems: &mut Vec<Problem>) -> Option<ReplaySettings> {
    let pace = validate_pace(file.pace.as_ref(), problems);
    let budget = file.budget.as_ref().and_then(|text| match NanoUsd::from_str(text.get_ref()) {
        Ok(amount) if amount.0 >= 0 => Some(amount),
        Ok(_) => {
            problems.push(Problem::at(text.span(), "a budget cannot be negative"));
            None
        }
        Err(failure) => {
            problems.push(
                Problem::at(text.span(), failure.to_string())
                    .with_help("write for instance `budget = \"25 USD\"`"),
            );
            None
        }
    });
    let (sample, strata) = validate_sample(file.sample.as_ref(), problems);
    let retry_budget = check_counts(file, problems);
    if let Some(schedule) = &file.schedule_from
        && !matches!(file.pace.as_ref().map(Spanned::get_ref), None | Some(PaceFile::Open { .. }))
    {
        problems.push(
            Problem::at(schedule.span(), "a schedule sets the pace, but `pace` says otherwise")
                .with_help("leave `pace` out, or write `pace = { open = { speed = 1.0 } }`"),
        );
    }
    let schedule = file
        .schedule_from
        .as_ref()
        .map(|path| ScheduleFile { path: path.get_ref().clone(), sha256: String::new() });
    let pace = match (file.pace.is_none(), &schedule) {
        (true, Some(_)) => Some(Pace::Open { speed: 1.0 }),
        _ => pace,
    };
    Some(ReplaySettings {
        pace: pace?,
        schedule,
        sample,
        strata,
        budget,
        retries: file.retries.unwrap_or(2),
        retry_budget,
        stop_after: validate_stop_after(file.stop_after.as_ref(), problems),
        max_requests: file.max_requests.as_ref().map(|most| *most.get_ref()),
        warm_up: validate_warm_up(file.warm_up.as_ref(), problems),
        session_order: file.session_order.unwrap_or(true),
        repeats: file.repeats.as_ref().map_or(1, |repeats| *repeats.get_ref()),
        seed: file.seed.unwrap_or(1),
        timeouts: validate_timeouts(&file.timeouts, problems),
        include: file.include.iter().map(|reason| reason.get_ref().clone()).collect(),
        keep_event_offsets: file.keep_event_offsets,
        on_uncertain: validate_uncertain(file.on_uncertain.as_ref(), problems),
        drain: optional_duration(file.drain.as_ref(), 25, problems),
        give_up_after: optional_duration(file.give_up_after.as_ref(), 600, problems),
        circuit_breaker: file.circuit_breaker.unwrap_or(true),
    })
}

/// Checks counts and reasons; gives the retry budget.
fn check_counts(file: &ReplayFile, problems: &mut Vec<Problem>) -> f64 {
    if let Some(repeats) = &file.repeats
        && !(1..=100).contains(repeats.get_ref())
    {
        problems.push(Problem::at(repeats.span(), "`repeats` must be between 1 and 100"));
    }
    if let Some(concurrency) = &file.concurrency
        && *concurrency.get_ref() == 0
    {
        problems.push(Problem::at(concurrency.span(), "a concurrency of 0 would send nothing"));
    }
    if let Some(most) = &file.max_requests
        && *most.get_ref() == 0
    {
        problems.push(Problem::at(most.span(), "a maximum of 0 requests would send nothing"));
    }
    let retry_budget = optional_share(file.retry_budget.as_ref(), DEFAULT_RETRY_BUDGET, problems);
    if let Some(text) = &file.retry_budget
        && !(0.0..=10.0).contains(&retry_budget)
    {
        problems.push(Problem::at(text.span(), "a retry budget is between 0 and 1,000 %"));
    }
    for reason in &file.include {
        if !INCLUDABLE.contains(&reason.get_ref().as_str()) {
            let message = format!("`{}` is not a reason that can be waived", reason.get_ref());
            let help = format!("these can: {}", INCLUDABLE.join(", "));
            problems.push(Problem::at(reason.span(), message).with_help(help));
        }
    }
    retry_budget
}

fn validate_stop_after(
    text: Option<&Spanned<String>>,
    problems: &mut Vec<Problem>,
) -> Option<Duration> {
    let text = text?;
    let after = optional_duration(Some(text), 0, problems);
    if after.is_zero() && units::duration(text.get_ref()).is_ok() {
        problems.push(Problem::at(text.span(), "a replay that stops at once would send nothing"));
    }
    Some(after)
}

fn validate_uncertain(
    policy: Option<&Spanned<String>>,
    problems: &mut Vec<Problem>,
) -> UncertainPolicy {
    match policy.map(|word| (word.get_ref().as_str(), word.span())) {
        None | Some(("resend", _)) => UncertainPolicy::Resend,
        Some(("keep", _)) => UncertainPolicy::Keep,
        Some((word, span)) => {
            problems.push(
                Problem::at(span, format!("`{word}` is not known"))
                    .with_help("write `resend` or `keep`"),
            );
            UncertainPolicy::Keep
        }
    }
}

fn validate_timeouts(file: &TimeoutsFile, problems: &mut Vec<Problem>) -> Timeouts {
    Timeouts {
        connect: optional_duration(file.connect.as_ref(), 10, problems),
        first_token: optional_duration(file.first_token.as_ref(), 120, problems),
        idle: optional_duration(file.idle.as_ref(), 60, problems),
        total: optional_duration(file.total.as_ref(), 900, problems),
    }
}

pub(super) fn optional_share(
    text: Option<&Spanned<String>>,
    default: f64,
    problems: &mut Vec<Problem>,
) -> f64 {
    let Some(text) = text else { return default };
    units::share(text.get_ref()).unwrap_or_else(|message| {
        problems.push(Problem::at(text.span(), message));
        default
    })
}

fn optional_duration(
    text: Option<&Spanned<String>>,
    default_s: u64,
    problems: &mut Vec<Problem>,
) -> Duration {
    let Some(text) = text else { return Duration::from_secs(default_s) };
    units::duration(text.get_ref()).unwrap_or_else(|message| {
        problems.push(Problem::at(text.span(), message));
        Duration::from_secs(default_s)
    })
}
