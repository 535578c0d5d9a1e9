//! Access logs of gateways and proxies: when, how long, how it ended, and rarely what was said.
//!
//! Every format here turns its record into a [`call::HttpCall`], the one place that knows what
//! becomes of a request of which only the outside is known. What is easily got wrong:
//!
//! - `-` and an empty text mean unknown, in every one of these formats.
//! - Names of members are the operator's own in JSON. Those of the documentation and the usual
//!   variants are known; anything else is told by a [mapping](super::mapping), which also counts
//!   before what a format finds by itself.
//! - NGINX writes the time of the end of a request, the others that of its start.
//! - Time to the first byte is that of the headers, which says nothing of the first token.
//! - A path is a call of a model by [`crate::provider::endpoint`]; a mapping may add paths. Other
//!   lines are counted as no model traffic.
//! - Query strings can carry keys, so no column has one.

mod apigee;
mod aws_api_gateway;
mod call;
mod content;
mod google_cloud;
mod haproxy;
mod lookup;
mod mapped;
mod nginx;
mod operator;
mod purpose;

#[cfg(test)]
mod tests;

pub(super) use apigee::Apigee;
pub(super) use aws_api_gateway::AwsApiGateway;
pub(super) use google_cloud::GoogleCloud;
pub(super) use haproxy::HaProxy;
pub(super) use mapped::Mapped;
pub(super) use nginx::Nginx;

use super::reason::RejectReason;

/// A reason to set a record aside, on the way to a reading.
type Rejection = (RejectReason, String);

/// A line of text that is no access log line, such as one of an error log.
fn not_an_access_log_line() -> Rejection {
    (RejectReason::BadField, "not an access log line".to_owned())
}
