//! The dry run as facts and formatted tables.

use std::time::Duration;

use crate::preflight::{ArmPlan, Covers, LimitRow, MoneyForecast, Preflight};
use crate::report::format::{self, UNKNOWN};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;

/// One part of the dry run.
pub(crate) struct PreflightSection {
    /// Its title.
    pub(crate) title: &'static str,
    /// What to know before reading it; may be empty.
    pub(crate) lead: &'static str,
    /// Its table.
    pub(crate) table: Table,
}

/// What the document is.
pub(crate) fn title(preflight: &Preflight) -> String {
    let state = if preflight.is_begun { "begun already, to be resumed" } else { "not begun" };
    format!("Dry run of {} ({state}): nothing was sent", shown(&preflight.run_id))
}

/// The figures that matter most, as label and text.
pub(crate) fn facts(preflight: &Preflight) -> Vec<(&'static str, String)> {
    let requests: i64 = preflight.arms.iter().map(|arm| arm.traffic.requests).sum();
    let arms = match preflight.arms.len() {
        1 => "1 arm".to_owned(),
        count => format!("{count} arms"),
    };
    let mut facts = vec![
        ("Requests", format!("{} in {arms}, without retries", format::tokens(requests))),
        ("Sample", sample(preflight)),
        ("Pace", pace(preflight)),
        ("Cost", cost_line(&preflight.money)),
        ("Budget", budget(&preflight.money)),
        ("Wall time", preflight.wall_time_s.map_or_else(no_forecast, |time| about(Some(time)))),
    ];
    let asks: Vec<String> = preflight.limits.iter().filter_map(request_for_limit).collect();
    if !asks.is_empty() {
        facts.push(("Limits", asks.join("; ")));
    }
    for arm in &preflight.arms {
        if let Some(name) = &arm.destination.api_key_env
            && !arm.destination.api_key_is_set
        {
            facts.push(("Key", format!("{} needs {name}, which is not set", arm.traffic.arm)));
        }
    }
    for refusal in &preflight.refusals {
        facts.push(("Refused", format!("`replay` will not begin: {}", shown(refusal))));
    }
    facts
}

fn sample(preflight: &Preflight) -> String {
    let sample = &preflight.sample;
    let share = format::share(sample.share);
    match (&sample.stratify_by, sample.min_per_stratum) {
        (Some(column), Some(least)) => {
            format!("{share} of the sessions of each {column}, at least {}", format::count(least))
        }
        _ if sample.share >= 1.0 => "every session".to_owned(),
        _ => format!("{share} of all sessions"),
    }
}

fn pace(preflight: &Preflight) -> String {
    let pace = match &preflight.pace {
        serde_json::Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let times = match preflight.repeats {
        1 => "each exchange once".to_owned(),
        repeats => format!("each exchange {repeats} times"),
    };
    let retries = match preflight.retries {
        0 => "no retries".to_owned(),
        1 => "up to 1 retry after a failure".to_owned(),
        retries => format!("up to {retries} retries after a failure"),
    };
    format!("{pace}; {times}; {retries}; seed {}", preflight.seed)
}

/// What a replay costs, in one line.
pub fn cost_line(money: &MoneyForecast) -> String {
    match (money.low_nanousd, money.expected_nanousd, money.high_nanousd) {
        (Some(low), Some(expected), Some(high)) => format!(
            "{} expected, {} at the low end, {} at most",
            usd(expected),
            usd(low),
            usd(high)
        ),
        _ => "unknown, because a price is".to_owned(),
    }
}

fn budget(money: &MoneyForecast) -> String {
    let Some(amount) = money.budget_nanousd else {
        return match money.high_nanousd {
            Some(high) => format!(
                "none is set: `budget = \"{} USD\"` under `[replay]` would cover the worst case",
                whole_dollars(high)
            ),
            None => "none is set".to_owned(),
        };
    };
    let text = usd(amount);
    match money.covers {
        Covers::WorstCase => format!("{text} covers every request at its worst"),
        Covers::Expected => format!(
            "{text} covers the expected cost, not the worst case; if it runs out, the replay stops \
             and can be resumed with a larger one"
        ),
        Covers::Part => format!(
            "{text} is too small: {} of the expected cost, and one request alone may reserve {}",
            format::optional(money.covered_share, format::share),
            usd(money.largest_nanousd)
        ),
        Covers::NoBudget | Covers::UnknownPrice => text,
    }
}

/// Nano-dollars rounded up to whole dollars.
fn whole_dollars(nanousd: i64) -> i64 {
    nanousd.saturating_add(999_999_999) / 1_000_000_000
}

fn usd(nanousd: i64) -> String {
    format::usd(nanousd as f64 / 1e9)
}

fn no_forecast() -> String {
    "unknown, because the log has no latencies".to_owned()
}

/// A duration to two units, such as `1h 12m`.
fn about(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else { return UNKNOWN.to_owned() };
    if seconds < 1.0 {
        return "under 1 s".to_owned();
    }
    let whole = match seconds {
        seconds if seconds >= 3_600.0 => (seconds / 60.0).round() * 60.0,
        seconds => seconds.round(),
    };
    match Duration::try_from_secs_f64(whole) {
        Ok(duration) => format!("about {}", humantime::format_duration(duration)),
        Err(_) => UNKNOWN.to_owned(),
    }
}

fn unit_of(measure: &str) -> &str {
    match measure {
        "requests_per_minute" => "rpm",
        "tokens_per_minute" => "tpm",
        _ => "in flight",
    }
}

/// What to ask of a candidate whose limits are below the capture's peak.
fn request_for_limit(row: &LimitRow) -> Option<String> {
    let is_short = matches!(row.standing.as_str(), "too_low" | "tight");
    // Requests in flight are the plan's own choice.
    (is_short && row.measure != "concurrency").then(|| {
        format!("{}: ask for {} {}", row.arm, format::tokens(row.ask), unit_of(&row.measure))
    })
}

/// Every part in reading order; empty ones say so.
pub(crate) fn sections(preflight: &Preflight) -> Vec<PreflightSection> {
    let mut sections = vec![
        requests(preflight),
        tokens_and_cost(preflight),
        time(preflight),
        limits(preflight),
        destinations(preflight),
        models(preflight),
    ];
    if !preflight.sample.strata.is_empty() {
        sections.push(strata(preflight));
    }
    sections.extend([excluded(preflight), losses(preflight), hosted_tools(preflight)]);
    sections
}

fn section(
    title: &'static str,
    lead: &'static str,
    columns: &[Column],
    rows: Vec<Vec<Cell>>,
    when_empty: &'static str,
) -> PreflightSection {
    let id = title.to_lowercase().replace(' ', "-");
    let mut table = Table::new(id, title, columns).when_empty(when_empty);
    table.rows = rows;
    PreflightSection { title, lead, table }
}

fn count(value: i64) -> Cell {
    Cell::figure(format::tokens(value), value as f64)
}

fn money(value: Option<i64>) -> Cell {
    Cell::optional(value.map(|value| value as f64 / 1e9), format::usd)
}

fn seconds(value: Option<f64>) -> Cell {
    let text = match value {
        None => UNKNOWN.to_owned(),
        Some(_) => about(value).trim_start_matches("about ").to_owned(),
    };
    Cell { sort: value, ..Cell::words(text) }
}

fn requests(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::figure("Captured"),
        Column::figure("Not sent"),
        Column::figure("Exchanges sent"),
        Column::figure("Repeats"),
        Column::figure("Requests"),
        Column::figure("With recorded usage"),
    ];
    let row = |arm: &ArmPlan| {
        let traffic = &arm.traffic;
        vec![
            Cell::name(&traffic.arm),
            count(traffic.captured),
            count(traffic.excluded),
            count(traffic.exchanges),
            count(traffic.repeats),
            count(traffic.requests),
            count(traffic.with_usage),
        ]
    };
    let rows = preflight.arms.iter().map(row).collect();
    section("Requests", "", &columns, rows, "There are no arms.")
}

fn tokens_and_cost(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("What"),
        Column::figure("Low"),
        Column::figure("Expected"),
        Column::figure("High"),
    ];
    let mut rows = Vec::new();
    for arm in &preflight.arms {
        let traffic = &arm.traffic;
        rows.push(vec![
            Cell::name(&traffic.arm),
            Cell::words("input tokens"),
            count(traffic.input_tokens_low),
            count(traffic.input_tokens),
            count(traffic.input_tokens_high),
        ]);
        rows.push(vec![
            Cell::name(&traffic.arm).repeated_if(true),
            Cell::words("output tokens"),
            count(traffic.output_tokens_low),
            count(traffic.output_tokens),
            count(traffic.output_tokens_high),
        ]);
        rows.push(vec![
            Cell::name(&traffic.arm).repeated_if(true),
            Cell::words("cost"),
            money(traffic.cost_low_nanousd),
            money(traffic.cost_nanousd),
            money(traffic.cost_high_nanousd),
        ]);
    }
    let all = &preflight.money;
    rows.push(vec![
        Cell::words("all arms"),
        Cell::words("cost"),
        money(all.low_nanousd),
        money(all.expected_nanousd),
        money(all.high_nanousd),
    ]);
    section(
        "Tokens and cost",
        "Expected: the recorded usage at the arm's price; where the log has none, by the length of \
         the request and the mean answer of the model. Low: the whole input read from the prompt \
         cache, and answers half as long. High: what is reserved, input by its bytes and output by \
         its cap. Tokens are counted as the incumbent counted them. Retries come on top, within \
         the budget.",
        &columns,
        rows,
        "There are no arms.",
    )
}

fn time(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::figure("By schedule"),
        Column::figure("By requests/min"),
        Column::figure("By tokens/min"),
        Column::figure("By concurrency"),
        Column::figure("Expected"),
    ];
    let row = |arm: &ArmPlan| {
        let time = &arm.wall_time;
        vec![
            Cell::name(&arm.traffic.arm),
            seconds(time.by_schedule_s),
            seconds(time.by_rpm_s),
            seconds(time.by_tpm_s),
            seconds(time.by_concurrency_s),
            seconds(time.expected_s),
        ]
    };
    let rows = preflight.arms.iter().map(row).collect();
    section(
        "Wall time",
        "The longest of the four. By concurrency: the recorded latencies over the requests in \
         flight, so a faster candidate takes less. Arms are replayed side by side.",
        &columns,
        rows,
        "There are no arms.",
    )
}

fn limits(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("Limit"),
        Column::figure("Peak of the capture"),
        Column::text("First reached (UTC)"),
        Column::figure("In the plan"),
        Column::text("Advice"),
    ];
    let row = |row: &LimitRow| {
        let unit = unit_of(&row.measure);
        let ask = format!("ask for {} {unit}", format::tokens(row.ask));
        let advice = match row.standing.as_str() {
            "enough" => "enough for the peak".to_owned(),
            "tight" => format!("little above the peak: {ask}"),
            "too_low" => format!("below the peak: {ask}"),
            _ => ask,
        };
        vec![
            Cell::name(&row.arm),
            Cell::words(unit),
            count(row.peak),
            Cell::words(row.peak_at.clone().unwrap_or_else(|| UNKNOWN.to_owned())),
            row.stated.map_or_else(|| Cell::words("not stated"), count),
            Cell::words(advice).alert_if(row.standing == "too_low"),
        ]
    };
    let rows = preflight.limits.iter().map(row).collect();
    section(
        "Limits for production",
        "What production asks of a provider at its busiest, against the limits of the plan; to ask \
         for: the peak times 1.2, rounded up. A replay itself keeps within the limits of the plan.",
        &columns,
        rows,
        "The log has no times.",
    )
}

fn destinations(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("Protocol"),
        Column::text("Address"),
        Column::text("Through proxy"),
        Column::text("Key"),
    ];
    let row = |arm: &ArmPlan| {
        let to = &arm.destination;
        let key = match (&to.api_key_env, to.api_key_is_set) {
            (None, _) => "none is sent".to_owned(),
            (Some(name), true) => format!("{name}, set"),
            (Some(name), false) => format!("{name}, not set"),
        };
        vec![
            Cell::name(&arm.traffic.arm),
            Cell::words(to.protocol.clone()),
            Cell::name(&to.base_url),
            to.proxy.as_ref().map_or_else(|| Cell::words("none"), |proxy| Cell::name(proxy)),
            Cell::words(key).alert_if(to.api_key_env.is_some() && !to.api_key_is_set),
        ]
    };
    let rows = preflight.arms.iter().map(row).collect();
    section("Where it goes", "", &columns, rows, "There are no arms.")
}

fn models(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("Asked for"),
        Column::text("Answers"),
        Column::figure("Requests"),
        Column::figure("Tokens in"),
        Column::figure("Out"),
        Column::figure("Cost"),
        Column::figure("At most"),
    ];
    let rows = preflight
        .models
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.request_model),
                row.target_model.as_deref().map_or_else(|| Cell::words(UNKNOWN), Cell::name),
                count(row.requests),
                row.input_tokens.map_or_else(|| Cell::words(UNKNOWN), count),
                row.output_tokens.map_or_else(|| Cell::words(UNKNOWN), count),
                money(row.cost_nanousd),
                money(row.cost_high_nanousd),
            ]
        })
        .collect();
    section("Models", "", &columns, rows, "Nothing is sent.")
}

fn strata(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Stratum"),
        Column::figure("Sessions"),
        Column::figure("Taken"),
        Column::figure("Exchanges"),
        Column::figure("Taken"),
        Column::figure("Weight"),
    ];
    let rows = preflight
        .sample
        .strata
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.stratum),
                count(row.sessions),
                count(row.sessions_taken),
                count(row.exchanges),
                count(row.exchanges_taken),
                Cell::optional(row.sample_weight, |weight| format::significant(weight, 3)),
            ]
        })
        .collect();
    section(
        "Strata of the sample",
        "A session belongs to the stratum of its rarest value. Its weight is sessions over \
         sessions taken. Where weights differ, figures over several strata are of the sample, and \
         `judge` leaves criteria on them inconclusive.",
        &columns,
        rows,
        "The sample is not stratified.",
    )
}

fn excluded(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("Reason"),
        Column::figure("Exchanges"),
        Column::figure("Share"),
    ];
    let rows = preflight
        .excluded
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.excluded_reason),
                count(row.exchanges),
                Cell::figure(format::share(row.share), row.share),
            ]
        })
        .collect();
    section("What is not sent, and why", "", &columns, rows, "Every captured exchange is sent.")
}

fn losses(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("Loss"),
        Column::text("What is done"),
        Column::text("Severity"),
        Column::figure("Exchanges"),
        Column::figure("Of"),
    ];
    let rows = preflight
        .losses
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.feature),
                Cell::words(row.action.clone()),
                Cell::words(row.severity.clone()).alert_if(row.severity == "untranslatable"),
                count(row.requests),
                count(row.prepared),
            ]
        })
        .collect();
    section(
        "What translations change",
        "",
        &columns,
        rows,
        "Nothing: every request is sent as it was captured, but for the model's name.",
    )
}

fn hosted_tools(preflight: &Preflight) -> PreflightSection {
    let columns = [
        Column::text("Arm"),
        Column::text("Tool or member"),
        Column::text("Fate"),
        Column::figure("Exchanges"),
    ];
    let rows = preflight
        .hosted_tools
        .iter()
        .map(|row| {
            let fires = row.fate == "fires";
            let fate = if fires { "fires: the plan allows it" } else { "stripped" };
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.tool),
                Cell::words(fate).alert_if(fires),
                count(row.exchanges),
            ]
        })
        .collect();
    section("Hosted tools and server-side state", "", &columns, rows, "No request asks for any.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_to_what_a_reader_needs() {
        assert_eq!(about(Some(0.2)), "under 1 s");
        assert_eq!(about(Some(75.4)), "about 1m 15s");
        assert_eq!(about(Some(7_290.0)), "about 2h 2m");
        assert_eq!(about(Some(f64::INFINITY)), UNKNOWN);
    }

    #[test]
    fn a_budget_is_proposed_in_whole_dollars() {
        assert_eq!(whole_dollars(14_000_000_001), 15);
        assert_eq!(whole_dollars(14_000_000_000), 14);
    }

    #[test]
    fn only_limits_of_the_provider_are_asked_for() {
        let row = |measure: &str, standing: &str| LimitRow {
            arm: "next".to_owned(),
            measure: measure.to_owned(),
            peak: 2_667,
            peak_at: None,
            ask: 3_201,
            stated: Some(600),
            standing: standing.to_owned(),
        };
        let asked = request_for_limit(&row("requests_per_minute", "too_low"));
        assert_eq!(asked.as_deref(), Some("next: ask for 3,201 rpm"));
        assert_eq!(request_for_limit(&row("concurrency", "too_low")), None);
        assert_eq!(request_for_limit(&row("requests_per_minute", "enough")), None);
    }
}
