//! Which tables stand in which part of an audit, and in which order.

/// Identifier, title, lead and tables of a section.
pub(super) type SectionPlan = (&'static str, &'static str, &'static str, &'static [TablePlan]);

/// Query, caption, and the columns that are shown; none named: all.
pub(super) type TablePlan = (&'static str, &'static str, &'static [&'static str]);

/// Queries of one row, which reads better from top to bottom.
pub(super) const RECORDS: [&str; 3] = ["audit/overview", "audit/sufficiency", "audit/sessions"];

const MODEL_VOLUME: &[&str] = &[
    "provider",
    "request_model",
    "response_model",
    "operation",
    "kind",
    "exchanges",
    "share",
    "sessions",
    "input_tokens",
    "output_tokens",
];
const MODEL_COST: &[&str] = &[
    "request_model",
    "response_model",
    "exchanges",
    "recorded",
    "recorded_nanousd",
    "priced",
    "catalogue_nanousd",
    "catalogue_model",
    "deprecation_date",
    "days_left",
    "mapped",
];

/// Every part of an audit in reading order.
pub(super) const SECTIONS: &[SectionPlan] = &[
    (
        "capture",
        "The capture",
        "How much there is to go by. All times are UTC.",
        &[("audit/sufficiency", "Period", &[]), ("audit/overview", "Overview", &[])],
    ),
    (
        "endpoints",
        "Endpoints and operations",
        "Error rates count every failed exchange. In brackets: one-sided bounds at 95% each, \
         widened for conversations and repeated prompts.",
        &[("audit/endpoints", "What is called", &[])],
    ),
    (
        "models",
        "Models",
        "Requested and served. Cost by catalogue is the list price; days left count from the last \
         captured exchange.",
        &[
            ("audit/models", "Models in use", MODEL_VOLUME),
            ("audit/models", "Cost, retirement and mapping", MODEL_COST),
            ("audit/model_maps", "Models of the candidates, by the plan", &[]),
        ],
    ),
    (
        "month",
        "Monthly volume and cost",
        "A month has 30.4375 days. The projection goes by cells of weekday and hour once seven \
         days are covered, else plainly by time. Its band comes from the variation of whole days; \
         growth and seasons are not in it.",
        &[("audit/projection", "Projection", &[])],
    ),
    (
        "peaks",
        "Peaks and limits",
        "The limits to ask of a candidate are the peak times 1.2, rounded up. Hours are UTC.",
        &[
            ("audit/peaks", "Load at peak, and limits to ask for", &[]),
            ("audit/hours", "Traffic by weekday (1 is Monday) and hour", &[]),
        ],
    ),
    (
        "features",
        "Parameters and features",
        "What a candidate must offer too.",
        &[("audit/features", "In use", &[])],
    ),
    (
        "lengths",
        "Prompt and answer lengths",
        "In tokens as the log counts them; tokens of two providers are different units.",
        &[("audit/lengths", "Distribution of tokens", &[])],
    ),
    (
        "latency",
        "Latency",
        "Successful exchanges that may stand for the provider. In brackets: one-sided bounds at \
         95% each, rows taken as independent; a dash where there are too few rows for a bound.",
        &[
            ("audit/latency", "Percentiles", &[]),
            ("audit/latency_left_out", "What is used and what is left out", &[]),
        ],
    ),
    (
        "errors",
        "Errors",
        "In brackets: one-sided bounds at 95% each, widened for conversations and repeated \
         prompts.",
        &[("audit/errors", "By class", &[]), ("audit/errors_by_day", "By day", &[])],
    ),
    (
        "cache",
        "Caches",
        "A candidate starts with cold caches.",
        &[("audit/cache", "Gateway and prompt cache", &[])],
    ),
    (
        "sessions",
        "Conversations",
        "Percentiles count exchanges per conversation.",
        &[("audit/sessions", "Sessions and turns", &[])],
    ),
    ("tenants", "Tenants", "", &[("audit/tenants", "Traffic and cost by tenant", &[])]),
    (
        "replayability",
        "Replayability",
        "What a replay of this capture would rest on.",
        &[("audit/replayability", "By reason and content", &[])],
    ),
    (
        "quality",
        "Data quality",
        "What the log is like, and what became of its lines.",
        &[
            ("audit/sources", "Source files", &[]),
            ("audit/source_reasons", "Why lines became no exchanges", &[]),
            ("audit/flaws", "Flaws of records, mended or tolerated", &[]),
            ("audit/time_quality", "Statement of time", &[]),
            ("audit/clock", "Clock", &[]),
            ("audit/gaps", "Longest silences", &[]),
        ],
    ),
];
