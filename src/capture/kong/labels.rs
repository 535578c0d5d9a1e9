//! Who and what a call was for, from the free key-value metadata that callers give to a gateway.

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::super::value::as_text;

const USER: &[&str] = &["_user", "user", "user_id", "userId", "end_user"];
const SESSION: &[&str] =
    &["session_id", "sessionId", "session", "conversation_id", "conversationId", "thread_id"];
const TENANT: &[&str] = &["tenant", "tenant_id", "team", "team_id", "customer"];
const ROUTE: &[&str] = &["route", "feature", "application", "app"];

/// Fills user, session, tenant and route where the row has none yet; what is left becomes tags of
/// the form `name:value`.
///
/// There is no standard for the names; those here are the ones in common use.
pub(in crate::capture) fn fill_labels<'v>(
    row: &mut CapturedExchange,
    labels: impl IntoIterator<Item = (&'v str, &'v Value)>,
) {
    let mut tags: Vec<String> = Vec::new();
    for (name, value) in labels {
        let value = match value {
            Value::Bool(flag) => flag.to_string(),
            value => match as_text(value) {
                Some(text) => text,
                None => continue,
            },
        };
        let columns = [
            (USER, &mut row.user_id),
            (SESSION, &mut row.session_id),
            (TENANT, &mut row.tenant),
            (ROUTE, &mut row.route),
        ];
        let column = columns.into_iter().find(|(names, _)| names.contains(&name));
        match column {
            Some((_, column)) if column.is_none() => *column = Some(value),
            _ => tags.push(format!("{name}:{value}")),
        }
    }
    add_tags(row, tags);
}

/// Adds tags after those that the row has.
pub(in crate::capture) fn add_tags(row: &mut CapturedExchange, more: Vec<String>) {
    let own = row.tags.as_deref().and_then(|tags| serde_json::from_str::<Vec<String>>(tags).ok());
    let mut tags = own.unwrap_or_default();
    tags.extend(more);
    if !tags.is_empty() {
        row.tags = serde_json::to_string(&tags).ok();
    }
}

/// The tags of a row.
pub(in crate::capture) fn tags_of(row: &CapturedExchange) -> Vec<String> {
    row.tags.as_deref().and_then(|tags| serde_json::from_str(tags).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn common_names_fill_their_columns_once_and_the_rest_become_tags() {
        let mut row = CapturedExchange { tenant: Some("acme".into()), ..Default::default() };
        let labels = json!({"user": "u-1", "session_id": 7, "team": "support", "beta": true,
            "nothing": null, "deep": {"a": 1}});
        fill_labels(&mut row, labels.as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v)));
        assert_eq!(row.user_id.as_deref(), Some("u-1"));
        assert_eq!(row.session_id.as_deref(), Some("7"));
        assert_eq!(row.tenant.as_deref(), Some("acme"));
        assert_eq!(tags_of(&row), ["team:support", "beta:true"]);
    }
}
