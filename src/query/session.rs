//! A DataFusion session over one project and run, with every table and view in place.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::MemTable;
use datafusion::common::ParamValues;
use datafusion::datasource::view::ViewTable;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::catalogue::{NamedQuery, QUERIES, named};
use super::clusters::{ClusterKey, clusters};
use super::functions::{aggregates, counts, scalars};
use super::output::{OutputFormat, write_rows};
use super::parameters::{Parameters, bind};
use super::{QueryError, QueryHeader};
use crate::chat::Usage;
use crate::dataset::{Project, RunFolder, Table, sha256_hex};
use crate::plan::{Plan, PriceBook};

/// Views over the tables, by name and query; a later one may use an earlier one.
pub(super) const VIEWS: &[(&str, &str)] = &[
    ("losses", "views/losses"),
    ("pairs", "views/pairs"),
    ("peaks", "audit/peaks"),
    ("first_attempts", "views/first_attempts"),
    ("load_steps", "views/load_steps"),
];

/// Answers questions about one capture and, if there is one, one run.
pub struct Session {
    context: SessionContext,
}

/// What a session looks at.
#[derive(Clone, Copy, Default)]
pub struct Scope<'a> {
    /// The run, if there is one.
    pub run: Option<&'a RunFolder>,
    /// The plan and its prices, for the incumbent's cost.
    pub plan: Option<(&'a Plan, &'a PriceBook)>,
    /// Threads of the engine; absent: all cores.
    pub threads: Option<usize>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Session")
    }
}

impl Session {
    /// Opens a session over a project; tables without files are there and empty.
    ///
    /// # Errors
    /// Files that are no tables of ours.
    pub async fn open(project: &Project, scope: Scope<'_>) -> Result<Self, QueryError> {
        let mut config = SessionConfig::new().with_information_schema(true);
        if let Some(threads) = scope.threads {
            config = config.with_target_partitions(threads);
        }
        let context = SessionContext::new_with_config(config);
        for function in scalars().into_iter().chain(counts()) {
            context.register_udf(function);
        }
        for function in aggregates() {
            context.register_udaf(function);
        }
        let session = Session { context };
        session.register_files(Table::Capture, Some(&project.capture_folder())).await?;
        session.register_files(Table::Rejects, Some(&project.rejects_folder())).await?;
        let results = scope.run.map(RunFolder::results_folder);
        session.register_files(Table::Results, results.as_deref()).await?;
        let planned = scope.run.map(RunFolder::planned_file).filter(|file| file.is_file());
        session.register_files(Table::Planned, planned.as_deref()).await?;
        session.register_arms(scope.run)?;
        session.register_limits(scope.plan.map(|(plan, _)| plan))?;
        session.register_clusters().await?;
        session.register_costs(scope.plan).await?;
        session.register_prices(scope.plan).await?;
        session.register_criteria(scope.run)?;
        session.register_inventory(project, scope.plan).await?;
        session.register_empty(
            "scores",
            &[
                ("arm", DataType::Utf8),
                ("ordinal", DataType::Int32),
                ("measure", DataType::Utf8),
                ("score", DataType::Float64),
            ],
        )?;
        for (view, query) in VIEWS {
            session.register_view(view, query).await?;
        }
        Ok(session)
    }

    /// Plans a named query with its parameters bound.
    ///
    /// # Errors
    /// Parameters that do not fit the header, or SQL that does not fit the tables.
    pub async fn query(
        &self,
        query: &NamedQuery,
        parameters: &Parameters,
    ) -> Result<DataFrame, QueryError> {
        let header = query
            .header()
            .map_err(|source| QueryError::Header { name: query.name.to_owned(), source })?;
        let bound = bind(&header, parameters)?;
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine(format!("the query `{}`", query.name), &failure.strip_backtrace())
        };
        let frame = self.context.sql(query.sql).await.map_err(failed)?;
        if bound.is_empty() {
            return Ok(frame);
        }
        frame.with_param_values(ParamValues::from(bound)).map_err(failed)
    }

    /// The rows of a named query.
    ///
    /// # Errors
    /// As [`Session::query`], or rows that do not fit the type.
    pub async fn rows<T: DeserializeOwned>(
        &self,
        name: &str,
        parameters: &Parameters,
    ) -> Result<Vec<T>, QueryError> {
        let query = find(name)?;
        let batches = self.collect(self.query(query, parameters).await?, name).await?;
        let mut rows = Vec::new();
        for batch in &batches {
            let read: Vec<T> = serde_arrow::from_record_batch(batch).map_err(|failure| {
                QueryError::Rows { query: name.to_owned(), message: failure.to_string() }
            })?;
            rows.extend(read);
        }
        Ok(rows)
    }

    /// Runs a plan; `what` names it in errors.
    ///
    /// # Errors
    /// The engine's.
    pub async fn collect(
        &self,
        frame: DataFrame,
        what: &str,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine(format!("the query `{what}`"), &failure.strip_backtrace())
        };
        let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.collect().await.map_err(failed)?;
        // Nothing found still has columns, which every printed form shows.
        if batches.is_empty() {
            return Ok(vec![RecordBatch::new_empty(schema)]);
        }
        Ok(batches)
    }

    /// The number of rows of a plan; `what` names it in errors.
    ///
    /// # Errors
    /// The engine's.
    pub async fn count(&self, frame: DataFrame, what: &str) -> Result<usize, QueryError> {
        Ok(self.collect(frame, what).await?.iter().map(RecordBatch::num_rows).sum())
    }

    /// Plans SQL of a user; statements that change or write anything are refused.
    ///
    /// A header in the text declares parameters; without one there are none.
    ///
    /// # Errors
    /// The engine's, or parameters that do not fit.
    pub async fn sql(&self, sql: &str, parameters: &Parameters) -> Result<DataFrame, QueryError> {
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine("the SQL was refused", &failure.strip_backtrace())
        };
        let frame = self.context.sql_with_options(sql, options).await.map_err(failed)?;
        let bound = match QueryHeader::parse(sql) {
            Ok(header) => bind(&header, parameters)?,
            Err(_) => match parameters.keys().next() {
                Some(name) => return Err(QueryError::UnknownParameter(name.clone())),
                None => Vec::new(),
            },
        };
        if bound.is_empty() {
            return Ok(frame);
        }
        frame.with_param_values(ParamValues::from(bound)).map_err(failed)
    }

    /// SHA-256 over the attempts as JSON lines, ordered by arm, exchange, repeat and attempt, so
    /// that neither segments nor the run's name matter.
    ///
    /// # Errors
    /// The engine's.
    pub async fn results_sha256(&self) -> Result<String, QueryError> {
        let columns: Vec<String> = Table::Results
            .schema()
            .fields()
            .iter()
            .filter(|field| field.name() != "run_id")
            .map(|field| format!("\"{}\"", field.name()))
            .collect();
        let sql = format!(
            "SELECT {} FROM results ORDER BY arm, request_id, ordinal, repeat, attempt",
            columns.join(", ")
        );
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine("hashing the results", &failure)
        };
        let frame = self.context.sql(&sql).await.map_err(failed)?;
        let batches = self.collect(frame, "canonical results").await?;
        let mut text = Vec::new();
        write_rows(&batches, OutputFormat::JsonLines, &mut text)?;
        Ok(sha256_hex(text))
    }

    /// SHA-256 over the prices as JSON lines.
    ///
    /// # Errors
    /// The engine's.
    pub async fn prices_sha256(&self) -> Result<String, QueryError> {
        let query = find("report/prices")?;
        let frame = self.query(query, &Parameters::new()).await?;
        let mut text = Vec::new();
        write_rows(&self.collect(frame, query.name).await?, OutputFormat::JsonLines, &mut text)?;
        Ok(sha256_hex(text))
    }

    /// The engine's session, for tests that look at plans.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    async fn register_files(&self, table: Table, path: Option<&Path>) -> Result<(), QueryError> {
        let Some(path) = path.filter(|path| has_parquet(path)) else {
            let schema = plain(&table.schema());
            return self.register(
                table.name(),
                vec![RecordBatch::new_empty(schema.clone())],
                schema,
            );
        };
        let schema = table.schema();
        let options = ParquetReadOptions::default().schema(&schema);
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine(format!("opening the table `{}`", table.name()), &failure)
        };
        let path = path.to_string_lossy();
        self.context.register_parquet(table.name(), path.as_ref(), options).await.map_err(failed)
    }

    fn register(
        &self,
        name: &str,
        batches: Vec<RecordBatch>,
        schema: SchemaRef,
    ) -> Result<(), QueryError> {
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine(format!("making the table `{name}`"), &failure)
        };
        let table = MemTable::try_new(schema, vec![batches]).map_err(failed)?;
        self.context.register_table(name, Arc::new(table)).map_err(failed)?;
        Ok(())
    }

    pub(super) fn register_batch(&self, name: &str, batch: RecordBatch) -> Result<(), QueryError> {
        let schema = batch.schema();
        self.register(name, vec![batch], schema)
    }

    fn register_empty(&self, name: &str, columns: &[(&str, DataType)]) -> Result<(), QueryError> {
        let fields: Vec<Field> =
            columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        self.register(name, vec![RecordBatch::new_empty(schema.clone())], schema)
    }

    /// One row per arm and repeat of the run.
    fn register_arms(&self, run: Option<&RunFolder>) -> Result<(), QueryError> {
        let Some(manifest) = run.map(RunFolder::manifest).transpose()? else {
            return self.register_arm_rows(&[], 0);
        };
        let arms: Vec<(&str, bool)> =
            manifest.arms.iter().map(|arm| (arm.name.as_str(), arm.is_control)).collect();
        self.register_arm_rows(&arms, manifest.repeats)
    }

    pub(super) fn register_arm_rows(
        &self,
        arms: &[(&str, bool)],
        repeats_of_each: u32,
    ) -> Result<(), QueryError> {
        let (mut names, mut controls, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
        for (name, is_control) in arms {
            for repeat in 1..=repeats_of_each {
                names.push((*name).to_owned());
                controls.push(*is_control);
                repeats.push(i32::try_from(repeat).unwrap_or(i32::MAX));
            }
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("arm", Arc::new(StringArray::from(names))),
            ("is_control", Arc::new(BooleanArray::from(controls))),
            ("repeat", Arc::new(Int32Array::from(repeats))),
        ];
        self.register_batch("arms", to_batch("arms", columns)?)
    }

    async fn register_clusters(&self) -> Result<(), QueryError> {
        let sql = "SELECT ordinal, session_id, prompt_fingerprint FROM capture ORDER BY ordinal";
        let keys: Vec<ClusterKey> = self.own_rows(sql).await?;
        self.register_batch("clusters", clusters(&keys)?)
    }

    /// What the incumbent was charged for each captured exchange: by the same prices as the arms
    /// where they are known, else as the log says.
    async fn register_costs(&self, plan: Option<(&Plan, &PriceBook)>) -> Result<(), QueryError> {
        let sql = "SELECT ordinal, request_model, response_model, input_tokens, output_tokens, \
                   cache_read_input_tokens, cache_creation_input_tokens, reasoning_output_tokens, \
                   cost_nanousd FROM capture \
                   WHERE latency_baseline_reason IS NULL OR latency_baseline_reason <> 'cache_hit' \
                   ORDER BY ordinal";
        let rows: Vec<CapturedUsage> = self.own_rows(sql).await?;
        let prices = plan.map(|(_, prices)| prices);
        let cost = |row: &CapturedUsage| row.cost(prices);
        let columns: [(&str, ArrayRef); 2] = [
            ("ordinal", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.ordinal)))),
            ("cost_nanousd", Arc::new(rows.iter().map(cost).collect::<Int64Array>())),
        ];
        self.register_batch("incumbent_costs", to_batch("incumbent_costs", columns)?)
    }

    /// The prices behind every cost: one row per arm and model.
    async fn register_prices(&self, plan: Option<(&Plan, &PriceBook)>) -> Result<(), QueryError> {
        let mut rows: Vec<[String; 5]> = Vec::new();
        if let Some((plan, prices)) = plan {
            let sql = "SELECT DISTINCT request_model FROM capture ORDER BY request_model";
            let models: Vec<RequestModel> = self.own_rows(sql).await?;
            for model in &models {
                if let Ok(price) = prices.incumbent(&model.request_model) {
                    rows.push(price_row("incumbent", &model.request_model, price));
                }
                for arm in plan.arms() {
                    let Some(target) = arm.models.target(&model.request_model) else { continue };
                    if let Ok(price) = prices.arm(&arm.name, target) {
                        rows.push(price_row(&arm.name, target, price));
                    }
                }
            }
        }
        rows.sort();
        rows.dedup();
        let names = ["arm", "model", "input_usd_per_million", "output_usd_per_million", "source"];
        let columns = names.iter().enumerate().map(|(index, name)| {
            let values: Vec<String> = rows.iter().map(|row| row[index].clone()).collect();
            (*name, Arc::new(StringArray::from(values)) as ArrayRef)
        });
        self.register_batch("prices", to_batch("prices", columns)?)
    }

    /// The criteria of the run's verdict, once it has been judged.
    fn register_criteria(&self, run: Option<&RunFolder>) -> Result<(), QueryError> {
        let verdict: Option<JudgedCriteria> = run
            .map(RunFolder::verdict_file)
            .filter(|file| file.is_file())
            .map(|file| crate::dataset::read_json(&file, "verdict"))
            .transpose()?;
        let criteria = verdict.map(|verdict| verdict.criteria).unwrap_or_default();
        let text = |field: &str| -> ArrayRef {
            let value = |row: &serde_json::Value| Some(row.get(field)?.as_str()?.to_owned());
            Arc::new(StringArray::from(criteria.iter().map(value).collect::<Vec<_>>()))
        };
        let float = |field: &str| -> ArrayRef {
            let value = |row: &serde_json::Value| match row.get(field)? {
                serde_json::Value::String(text) => text.parse().ok(),
                other => other.as_f64(),
            };
            let values: Vec<Option<f64>> = criteria.iter().map(value).collect();
            Arc::new(arrow::array::Float64Array::from(values))
        };
        let long = |field: &str| -> ArrayRef {
            let values: Vec<Option<i64>> =
                criteria.iter().map(|row| row.get(field)?.as_i64()).collect();
            Arc::new(Int64Array::from(values))
        };
        let gate: Vec<Option<bool>> =
            criteria.iter().map(|row| row.get("gate")?.as_bool()).collect();
        let columns: [(&str, ArrayRef); 15] = [
            ("metric", text("metric")),
            ("comparison", text("comparison")),
            ("unit", text("unit")),
            ("segment", text("segment")),
            ("segment_value", text("segment_value")),
            ("arm", text("arm")),
            ("gate", Arc::new(BooleanArray::from(gate))),
            ("outcome", text("outcome")),
            ("estimate", float("estimate")),
            ("low", float("low")),
            ("high", float("high")),
            ("bound", float("bound")),
            ("n", long("n")),
            ("p_holm", float("p_holm")),
            ("reason", text("reason")),
        ];
        self.register_batch("criteria", to_batch("criteria", columns)?)
    }

    pub(super) async fn register_view(&self, view: &str, query: &str) -> Result<(), QueryError> {
        let query = find(query)?;
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine(format!("making the view `{view}`"), &failure)
        };
        let frame = self.context.sql(query.sql).await.map_err(failed)?;
        let plan = frame.into_unoptimized_plan();
        let table = ViewTable::new(plan, Some(query.sql.to_owned()));
        self.context.register_table(view, Arc::new(table)).map_err(failed)?;
        Ok(())
    }

    pub(super) async fn own_rows<T: DeserializeOwned>(
        &self,
        sql: &str,
    ) -> Result<Vec<T>, QueryError> {
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine("reading the capture", &failure)
        };
        let frame = self.context.sql(sql).await.map_err(failed)?;
        let batches = frame.collect().await.map_err(failed)?;
        let mut rows = Vec::new();
        for batch in &batches {
            let read: Vec<T> = serde_arrow::from_record_batch(batch).map_err(|failure| {
                QueryError::Rows { query: "capture".to_owned(), message: failure.to_string() }
            })?;
            rows.extend(read);
        }
        Ok(rows)
    }
}

/// The query of the catalogue with a name, or an error that suggests one.
///
/// # Errors
/// [`QueryError::UnknownQuery`].
pub fn find(name: &str) -> Result<&'static NamedQuery, QueryError> {
    named(name).ok_or_else(|| QueryError::UnknownQuery {
        name: name.to_owned(),
        suggestion: crate::similarity::closest_name(name, QUERIES.iter().map(|query| query.name))
            .map(str::to_owned),
    })
}

#[derive(Debug, Deserialize)]
struct RequestModel {
    request_model: String,
}

#[derive(Debug, Deserialize)]
struct JudgedCriteria {
    criteria: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct CapturedUsage {
    ordinal: i32,
    request_model: String,
    response_model: Option<String>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_input_tokens: Option<i64>,
    cache_creation_input_tokens: Option<i64>,
    reasoning_output_tokens: Option<i64>,
    cost_nanousd: Option<i64>,
}

impl CapturedUsage {
    fn cost(&self, prices: Option<&PriceBook>) -> Option<i64> {
        let count = |tokens: Option<i64>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
        let usage = Usage {
            input_tokens: count(self.input_tokens),
            output_tokens: count(self.output_tokens),
            cache_read_input_tokens: count(self.cache_read_input_tokens),
            cache_creation_input_tokens: count(self.cache_creation_input_tokens),
            reasoning_output_tokens: count(self.reasoning_output_tokens),
        };
        let by_price = prices.and_then(|prices| {
            let price = prices.incumbent(&self.request_model).ok().or_else(|| {
                self.response_model.as_deref().and_then(|model| prices.incumbent(model).ok())
            })?;
            price.cost(&usage).ok().map(|amount| amount.0)
        });
        by_price.or(self.cost_nanousd)
    }
}

fn price_row(arm: &str, model: &str, price: &crate::pricing::Price) -> [String; 5] {
    let source = match (price.as_of.as_str(), price.key.as_str()) {
        ("", _) => price.source.clone(),
        (as_of, key) => format!("{}, {as_of}, as `{key}`", price.source),
    };
    [arm.to_owned(), model.to_owned(), price.input.to_string(), price.output.to_string(), source]
}

pub(super) fn to_batch<'a>(
    table: &str,
    columns: impl IntoIterator<Item = (&'a str, ArrayRef)>,
) -> Result<RecordBatch, QueryError> {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, c)| (name, c, true)))
        .map_err(|failure| QueryError::engine(format!("making the table `{table}`"), &failure))
}

fn has_parquet(path: &Path) -> bool {
    if path.is_file() {
        return true;
    }
    std::fs::read_dir(path).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.path().extension().is_some_and(|ending| ending == "parquet"))
    })
}

/// The schema without column comments, as the engine's own tables have it.
fn plain(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
    Arc::new(Schema::new(fields))
}
