//! What a plan intends, as tables, before there is a run.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use super::QueryError;
use super::session::{Session, VIEWS, to_batch};
use crate::dataset::{PlannedRow, planned_batch};
use crate::plan::Plan;

impl Session {
    /// Puts what a plan intends in the place of what a run intended: the tables `planned` and
    /// `arms`, and every view over them.
    ///
    /// # Errors
    /// The engine's.
    pub async fn preview(&self, plan: &Plan, planned: &[PlannedRow]) -> Result<(), QueryError> {
        self.forget("planned")?;
        self.register_batch("planned", planned_batch(planned)?)?;
        self.forget("arms")?;
        let arms: Vec<(&str, bool)> =
            plan.arms().map(|arm| (arm.name.as_str(), arm.is_control)).collect();
        self.register_arm_rows(&arms, plan.replay.repeats)?;
        // A view holds the tables that it was made over.
        for (view, query) in VIEWS {
            self.forget(view)?;
            self.register_view(view, query).await?;
        }
        Ok(())
    }

    fn forget(&self, table: &str) -> Result<(), QueryError> {
        let failed = |failure: datafusion::error::DataFusionError| {
            QueryError::engine(format!("replacing the table `{table}`"), &failure)
        };
        self.context().deregister_table(table).map_err(failed)?;
        Ok(())
    }

    /// The table `limits`: what the plan states of how much each arm may be asked.
    pub(super) fn register_limits(&self, plan: Option<&Plan>) -> Result<(), QueryError> {
        let mut rows: Vec<(&str, &str, Option<u64>)> = Vec::new();
        for arm in plan.into_iter().flat_map(Plan::arms) {
            rows.push((&arm.name, "concurrency", Some(arm.limits.concurrency)));
            rows.push((&arm.name, "requests_per_minute", arm.limits.rpm));
            rows.push((&arm.name, "tokens_per_minute", arm.limits.tpm));
        }
        let stated = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok());
        let columns: [(&str, ArrayRef); 3] = [
            ("arm", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
            ("measure", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1)))),
            ("stated", Arc::new(rows.iter().map(|row| stated(row.2)).collect::<Int64Array>())),
        ];
        self.register_batch("limits", to_batch("limits", columns)?)
    }
}
