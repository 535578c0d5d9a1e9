//! Tokens, cost and prices.

use super::{Chart, Section};
use crate::report::Report;
use crate::report::format::{self, usd};
use crate::report::svg::{ArmStyles, cost_bars};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{model_name, shown};

const MONTHLY: &str = "Monthly bill at the captured volume";

/// The table of tokens.
pub(super) fn tokens(report: &Report) -> Section {
    let mut section = Section::new(
        "tokens",
        "Tokens",
        "As the providers billed them: input includes cached tokens, output includes reasoning.",
    );
    let mut table = Table::new(
        "tokens-table",
        "Tokens per arm and model",
        &[
            Column::text("Arm"),
            Column::text("Model"),
            Column::figure("Exchanges with usage"),
            Column::figure("Input tokens"),
            Column::figure("of which cached"),
            Column::figure("Output tokens"),
            Column::figure("of which reasoning"),
        ],
    );
    let tokens = |value: i64| Cell::figure(format::tokens(value), value as f64);
    table.rows = report
        .tokens
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::words(model_name(&row.model)),
                Cell::count(row.exchanges),
                tokens(row.input_tokens),
                tokens(row.cache_read_input_tokens),
                tokens(row.output_tokens),
                tokens(row.reasoning_output_tokens),
            ]
        })
        .collect();
    section.tables = vec![table];
    section
}

/// Bills and the prices behind them.
pub(super) fn cost(report: &Report, styles: &ArmStyles) -> Section {
    let mut section = Section::new(
        "cost",
        "Cost",
        "Every attempt is counted, retries included. The monthly bill projects the mean cost per \
         exchange to the captured volume; its lower and upper bounds are one-sided.",
    );
    let table = bills(report);
    section.charts = vec![Chart {
        title: "Monthly bill per arm",
        explanation: "Bar: projected bill. Line: from the lower to the upper one-sided bound.",
        legend: Vec::new(),
        panels: vec![cost_bars("cost-0", &report.cost, styles)],
        data: monthly(report),
    }];
    section.tables = vec![table, prices(report)];
    section
}

fn monthly(report: &Report) -> Table {
    let mut table = Table::new(
        "monthly-bill-data",
        "Monthly bill per arm",
        &[
            Column::text("Arm"),
            Column::figure("Bill"),
            Column::figure("lower bound"),
            Column::figure("upper bound"),
        ],
    );
    table.rows = report
        .cost
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::optional(row.monthly_usd, usd),
                Cell::optional(row.monthly_low_usd, usd),
                Cell::optional(row.monthly_high_usd, usd),
            ]
        })
        .collect();
    table
}

fn bills(report: &Report) -> Table {
    let mut table = Table::new(
        "cost-table",
        "Cost per arm",
        &[
            Column::text("Arm"),
            Column::figure("Exchanges with cost"),
            Column::figure("Cost of the replay"),
            Column::figure("of which estimated"),
            Column::figure("Mean per exchange"),
            Column::figure("value").under(MONTHLY),
            Column::figure("lower bound").under(MONTHLY),
            Column::figure("upper bound").under(MONTHLY),
        ],
    );
    table.rows = report
        .cost
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::count(row.exchanges),
                Cell::figure(usd(row.cost_usd), row.cost_usd),
                Cell::figure(usd(row.estimated_usd), row.estimated_usd)
                    .alert_if(row.estimated_usd > 0.0),
                Cell::optional(row.mean_usd, usd),
                Cell::optional(row.monthly_usd, usd),
                Cell::optional(row.monthly_low_usd, usd),
                Cell::optional(row.monthly_high_usd, usd),
            ]
        })
        .collect();
    table
}

fn prices(report: &Report) -> Table {
    let mut table = Table::new(
        "prices-table",
        "Prices",
        &[
            Column::text("Arm"),
            Column::text("Model"),
            Column::figure("Input, USD per million tokens"),
            Column::figure("Output, USD per million tokens"),
            Column::text("Source"),
        ],
    );
    let price = |text: &str| {
        let cell = Cell::words(shown(text));
        Cell { sort: text.parse().ok(), ..cell }
    };
    table.rows = report
        .prices
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.model),
                price(&row.input_usd_per_million),
                price(&row.output_usd_per_million),
                Cell::sentence(&row.source),
            ]
        })
        .collect();
    table
}
