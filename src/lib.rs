//! Rehearsal replays captured production LLM traffic against a candidate provider and says, with
//! evidence, whether a team may migrate, before one live request shifts.
//!
//! ```text
//! logs of gateways      import      capture/*.parquet    replay     results/*.parquet    judge     verdict.json
//! and tracing tools  ───────────▶  one row per exchange ────────▶  one row per attempt ────────▶  GO / NO-GO / INCONCLUSIVE
//!                       capture        dataset           replay         dataset        query, stats      │
//!                                                        provider       pricing        compare, verdict  └─▶ report
//! ```
//!
//! Every stage reads files and writes files and can be run again alone. Modules are layers: a
//! module imports only from layers below its own. A test reads this table and checks every
//! import against it.
//!
//! | layer | module | one line |
//! |---|---|---|
//! | 0 | `chat` | provider-neutral request, response, tool call, usage, finish reason, error class |
//! | 0 | `stats` | estimates, intervals and tests on slices and counts; no I/O, no Arrow, no clock |
//! | 0 | `similarity` | how alike two texts, JSON values or tool calls are; pure |
//! | 1 | `provider` | one wire protocol a folder, sans-IO: neutral request to bytes, events to response |
//! | 1 | `pricing` | price catalogue with units, tiers, dates, sources; cost in integer nano-dollars |
//! | 1 | `dataset` | Arrow schemas, Parquet segments, manifests, where everything lies, object stores |
//! | 2 | `plan` | the migration plan `rehearsal.toml`: file form to validated form, and its prices |
//! | 3 | `capture` | one log format a file: bytes to captured exchanges; redaction, rejects |
//! | 3 | `replay` | the only module with a client socket: schedule, limits, budget, journal, resume |
//! | 3 | `query` | DataFusion session, the catalogue of `queries/*.sql`, SQL functions |
//! | 3 | `simulator` | the embedded simulated provider, and the traffic of the demo |
//! | 4 | `audit` | what is in use today: rows of named queries over a capture to typed findings |
//! | 4 | `preflight` | the dry run: what a replay will send, at what cost, and what it cannot send |
//! | 4 | `compare` | rows of named queries to typed findings |
//! | 5 | `verdict` | criteria and findings to outcomes and a decision; pure; the table of metrics |
//! | 6 | `report` | one serialisable report; HTML, Markdown and JSON are views of it |
//! | 7 | `cli` | one subcommand a file: arguments, progress, printing, exit code |

pub mod audit;
pub mod capture;
pub mod chat;
pub mod cli;
pub mod compare;
pub mod dataset;
pub mod plan;
pub mod preflight;
pub mod pricing;
pub mod provider;
pub mod query;
pub mod replay;
pub mod report;
pub mod similarity;
pub mod simulator;
pub mod stats;
pub mod verdict;
