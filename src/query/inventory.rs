//! Tables that say what a capture was made of: its sources, its models, their prices.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use serde::Deserialize;

use super::QueryError;
use super::functions::catalogue_cost;
use super::list_price::{ModelKind, list_price};
use super::session::{Session, to_batch};
use crate::dataset::{CaptureManifest, Project, read_json};
use crate::plan::{Plan, PriceBook};
use crate::pricing::{Catalogue, UsdPerToken};

/// The kind of a model; a failed request, which no model answered, is of the kind of the others.
fn kinds(
    catalogue: &Catalogue,
    provider: Option<&str>,
    row: &CapturedModel,
    models: &[CapturedModel],
) -> ModelKind {
    let of = |row: &CapturedModel| {
        let (request, response) = (&row.request_model, row.response_model.as_deref());
        ModelKind::of(catalogue, &row.operation, provider, request, response)
    };
    let own = of(row);
    let is_same = |other: &&CapturedModel| {
        other.operation == row.operation
            && other.provider == row.provider
            && other.request_model == row.request_model
    };
    if own == ModelKind::Unlisted
        && row.response_model.is_none()
        && models.iter().filter(is_same).any(|other| of(other) == ModelKind::Deployment)
    {
        return ModelKind::Deployment;
    }
    own
}

/// One combination of names in the capture.
#[derive(Debug, Deserialize)]
struct CapturedModel {
    operation: String,
    provider: Option<String>,
    request_model: String,
    response_model: Option<String>,
}

impl Session {
    /// The tables `sources`, `source_reasons`, `capture_range`, `catalogue`, `capture_models` and
    /// `model_maps`, and the function `catalogue_cost`.
    pub(super) async fn register_inventory(
        &self,
        project: &Project,
        plan: Option<(&Plan, &PriceBook)>,
    ) -> Result<(), QueryError> {
        let file = project.capture_folder().join("manifest.json");
        let manifest: Option<CaptureManifest> =
            file.is_file().then(|| read_json(&file, "capture manifest")).transpose()?;
        self.register_sources(&manifest.unwrap_or_default())?;
        let catalogue = match plan {
            Some((_, prices)) => Ok(prices.catalogue().clone()),
            None => Catalogue::embedded(),
        };
        let catalogue =
            Arc::new(catalogue.map_err(|e| QueryError::engine("reading the price catalogue", &e))?);
        self.context().register_udf(catalogue_cost(catalogue.clone()));
        self.register_catalogue(&catalogue)?;
        let sql = "SELECT DISTINCT operation, provider, request_model, response_model \
                   FROM capture ORDER BY operation, provider, request_model, response_model";
        let models: Vec<CapturedModel> = self.own_rows(sql).await?;
        let provider = plan.map(|(plan, _)| plan.incumbent_provider.as_str());
        self.register_models(&catalogue, provider, &models)?;
        self.register_model_maps(plan.map(|(plan, _)| plan), &models)
    }

    fn register_sources(&self, manifest: &CaptureManifest) -> Result<(), QueryError> {
        let sources = &manifest.sources;
        let text = |read: fn(&crate::dataset::SourceRecord) -> Option<&str>| -> ArrayRef {
            Arc::new(sources.iter().map(read).collect::<StringArray>())
        };
        let count = |read: fn(&crate::dataset::SourceRecord) -> Option<u64>| -> ArrayRef {
            let value = |source| read(source).and_then(|count| i64::try_from(count).ok());
            Arc::new(sources.iter().map(value).collect::<Int64Array>())
        };
        let columns: [(&str, ArrayRef); 11] = [
            ("file", text(|source| Some(&source.file))),
            ("format", text(|source| Some(&source.format))),
            ("confidence", count(|source| source.confidence.map(u64::from))),
            ("lines", count(|source| Some(source.lines))),
            ("accepted", count(|source| Some(source.accepted))),
            ("rejected", count(|source| Some(source.rejected_total()))),
            ("filtered", count(|source| Some(source.filtered.values().sum()))),
            ("duplicates", count(|source| Some(source.duplicates))),
            ("joined", count(|source| Some(source.joined))),
            ("bytes", count(|source| Some(source.bytes))),
            ("incomplete", text(|source| source.incomplete.as_deref())),
        ];
        self.register_batch("sources", to_batch("sources", columns)?)?;

        let mut reasons: Vec<(&str, &str, &str, i64)> = Vec::new();
        for source in sources {
            for (outcome, lines) in [("rejected", &source.rejected), ("filtered", &source.filtered)]
            {
                reasons.extend(lines.iter().map(|(reason, lines)| {
                    let lines = i64::try_from(*lines).unwrap_or(i64::MAX);
                    (source.file.as_str(), outcome, reason.as_str(), lines)
                }));
            }
        }
        let columns: [(&str, ArrayRef); 4] = [
            ("file", Arc::new(StringArray::from_iter_values(reasons.iter().map(|row| row.0)))),
            ("outcome", Arc::new(StringArray::from_iter_values(reasons.iter().map(|row| row.1)))),
            ("reason", Arc::new(StringArray::from_iter_values(reasons.iter().map(|row| row.2)))),
            ("lines", Arc::new(Int64Array::from_iter_values(reasons.iter().map(|row| row.3)))),
        ];
        self.register_batch("source_reasons", to_batch("source_reasons", columns)?)?;

        let range: [(&str, ArrayRef); 2] = [
            ("from_us", Arc::new(Int64Array::from(vec![manifest.from_us]))),
            ("to_us", Arc::new(Int64Array::from(vec![manifest.to_us]))),
        ];
        self.register_batch("capture_range", to_batch("capture_range", range)?)
    }

    /// Prices in nano-dollars per million tokens; an entry without a usable price has none.
    fn register_catalogue(&self, catalogue: &Catalogue) -> Result<(), QueryError> {
        let entries: Vec<_> = catalogue.entries().collect();
        let rate = |read: fn(&crate::pricing::Price) -> Option<UsdPerToken>| -> ArrayRef {
            let value = |price: &Result<&crate::pricing::Price, _>| {
                read(price.as_ref().ok()?)?.as_nanousd_per_million()
            };
            Arc::new(entries.iter().map(|(.., price)| value(price)).collect::<Int64Array>())
        };
        let most: Int64Array = entries
            .iter()
            .map(|(.., price)| i64::try_from(price.as_ref().ok()?.max_output_tokens?).ok())
            .collect();
        let retired: StringArray = entries
            .iter()
            .map(|(.., price)| price.as_ref().ok()?.deprecation_date.as_deref())
            .collect();
        let columns: [(&str, ArrayRef); 10] = [
            ("provider", Arc::new(StringArray::from_iter_values(entries.iter().map(|e| e.1)))),
            ("model", Arc::new(StringArray::from_iter_values(entries.iter().map(|e| e.0)))),
            ("mode", Arc::new(StringArray::from_iter_values(entries.iter().map(|e| e.2)))),
            ("input_nanousd_per_million", rate(|price| Some(price.input))),
            ("output_nanousd_per_million", rate(|price| Some(price.output))),
            ("cache_read_nanousd_per_million", rate(|price| price.cache_read)),
            ("cache_write_nanousd_per_million", rate(|price| price.cache_write)),
            ("reasoning_nanousd_per_million", rate(|price| price.reasoning)),
            ("max_output_tokens", Arc::new(most)),
            ("deprecation_date", Arc::new(retired)),
        ];
        self.register_batch("catalogue", to_batch("catalogue", columns)?)
    }

    fn register_models(
        &self,
        catalogue: &Catalogue,
        incumbent: Option<&str>,
        models: &[CapturedModel],
    ) -> Result<(), QueryError> {
        let priced: Vec<_> = models
            .iter()
            .map(|row| {
                let provider = row.provider.as_deref().or(incumbent);
                let (request, response) = (&row.request_model, row.response_model.as_deref());
                let kind = kinds(catalogue, provider, row, models);
                (kind.as_str(), list_price(catalogue, provider, request, response))
            })
            .collect();
        let key = |row: &CapturedModel| row.request_model.clone();
        let columns: [(&str, ArrayRef); 7] = [
            (
                "operation",
                Arc::new(StringArray::from_iter_values(models.iter().map(|row| &row.operation))),
            ),
            (
                "provider",
                Arc::new(models.iter().map(|row| row.provider.as_deref()).collect::<StringArray>()),
            ),
            ("request_model", Arc::new(StringArray::from_iter_values(models.iter().map(key)))),
            (
                "response_model",
                Arc::new(
                    models.iter().map(|row| row.response_model.as_deref()).collect::<StringArray>(),
                ),
            ),
            ("kind", Arc::new(StringArray::from_iter_values(priced.iter().map(|row| row.0)))),
            (
                "catalogue_model",
                Arc::new(
                    priced.iter().map(|row| Some(row.1?.key.as_str())).collect::<StringArray>(),
                ),
            ),
            (
                "deprecation_date",
                Arc::new(
                    priced
                        .iter()
                        .map(|row| row.1?.deprecation_date.as_deref())
                        .collect::<StringArray>(),
                ),
            ),
        ];
        self.register_batch("capture_models", to_batch("capture_models", columns)?)
    }

    /// One row per candidate of the plan and model of the capture; no target where the plan maps
    /// none.
    fn register_model_maps(
        &self,
        plan: Option<&Plan>,
        models: &[CapturedModel],
    ) -> Result<(), QueryError> {
        let mut names: Vec<&str> = models.iter().map(|row| row.request_model.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut rows: Vec<(&str, &str, Option<&str>)> = Vec::new();
        for arm in plan.map(|plan| plan.candidates.as_slice()).unwrap_or_default() {
            rows.extend(
                names.iter().map(|name| (arm.name.as_str(), *name, arm.models.target(name))),
            );
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("arm", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
            (
                "request_model",
                Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
            ),
            ("target_model", Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>())),
        ];
        self.register_batch("model_maps", to_batch("model_maps", columns)?)
    }
}
