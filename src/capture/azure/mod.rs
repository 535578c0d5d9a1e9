//! Logs of Azure Monitor: the log formats `azure_apim` (API Management's gateway in front of
//! models) and `azure_openai` (diagnostic logs of Azure OpenAI itself).
//!
//! Both come in three forms, which are read alike: rows of a Log Analytics table (as JSON, as CSV
//! with texts only, or as a query's `tables` document), and diagnostic events with `category` and
//! `properties` as they are exported to storage accounts and event hubs.

mod apim;
mod call;
mod fields;
mod openai;
mod operation;

#[cfg(test)]
mod apim_tests;
#[cfg(test)]
mod openai_tests;

pub(super) use apim::AzureApim;
pub(super) use openai::AzureOpenAi;
