//! The fields of a record under one set of names, whichever way Azure Monitor exported it.

use serde_json::{Map, Value};

use super::super::value::{as_text, count, decoded, flag, is_blank, number, path};

/// Endings that the table `AzureDiagnostics` gives to columns by their type.
const TYPE_ENDINGS: &[&str] = &["_s", "_d", "_b", "_g", "_t"];

/// Fields by name in lower case; blank ones are left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a row or event; those in `properties` win, because the event's own
    /// `operationName` names the category, not the call.
    pub(super) fn of(record: &Value) -> Self {
        let mut fields = Map::new();
        insert_all(&mut fields, record);
        if let Some(properties) = fields.remove("properties") {
            insert_all(&mut fields, &decoded(&properties));
        }
        Fields(fields)
    }

    /// Some of the fields, as a record that [`Fields::of`] reads again.
    pub(super) fn only(&self, names: &[&str]) -> Value {
        let kept = names.iter().filter_map(|name| Some((*name, self.0.get(*name)?)));
        Value::Object(kept.map(|(name, value)| (name.to_owned(), value.clone())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The first of several names that is a text.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| as_text(self.get(name)?))
    }

    pub(super) fn count(&self, name: &str) -> Option<i64> {
        count(self.get(name)?)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        number(self.get(name)?)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        flag(self.get(name)?)
    }

    /// The point in time of the row.
    pub(super) fn time(&self) -> Option<&Value> {
        ["timegenerated", "time", "timestamp"].iter().find_map(|name| self.get(name))
    }

    /// The table or category that the record says it belongs to, in lower case.
    pub(super) fn table(&self) -> Option<String> {
        let named = |name: &str| self.text(&[name]).map(|name| name.to_ascii_lowercase());
        // Rows of `AzureDiagnostics` name the category beside the table.
        named("type").filter(|table| table != "azurediagnostics").or_else(|| named("category"))
    }
}

fn insert_all(fields: &mut Map<String, Value>, record: &Value) {
    for (name, value) in record.as_object().into_iter().flatten() {
        if !is_blank(value) {
            fields.insert(plain_name(name), value.clone());
        }
    }
}

/// `TimeGenerated [UTC]`, `DurationMs_d` and `durationMs` are one field each.
fn plain_name(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(" [utc]").unwrap_or(&name);
    let ending = TYPE_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    ending.unwrap_or(name).to_owned()
}

/// The rows of a record: itself, or those of the tables that a query answered.
pub(super) fn rows(record: &Value) -> Vec<Value> {
    let Some(tables) = record.get("tables").and_then(Value::as_array) else {
        return vec![record.clone()];
    };
    let mut rows = Vec::new();
    for table in tables {
        let list = |name: &str| table.get(name).and_then(Value::as_array);
        let columns: Vec<&str> = list("columns")
            .into_iter()
            .flatten()
            .map(|column| path(column, &["name"]).and_then(Value::as_str).unwrap_or_default())
            .collect();
        for cells in list("rows").into_iter().flatten().filter_map(Value::as_array) {
            let members = columns.iter().zip(cells);
            let members = members.map(|(name, cell)| ((*name).to_owned(), cell.clone()));
            rows.push(Value::Object(members.collect()));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_and_events_have_the_same_fields() {
        let event = json!({"time": "t", "category": "RequestResponse", "operationName": "Event",
            "properties": "{\"operationName\":\"Call\",\"modelName\":\"m\",\"empty\":\"\"}"});
        let fields = Fields::of(&event);
        assert_eq!(fields.text(&["operationname"]).as_deref(), Some("Call"));
        assert_eq!(fields.text(&["modelname"]).as_deref(), Some("m"));
        assert!(!fields.has("empty"));
        let row = Fields::of(&json!({"TimeGenerated [UTC]": "t", "DurationMs_d": "5",
            "Type": "AzureDiagnostics", "Category": "Audit"}));
        assert_eq!((row.number("durationms"), row.time()), (Some(5.0), Some(&json!("t"))));
        assert_eq!(row.table().as_deref(), Some("audit"));
    }

    #[test]
    fn the_tables_of_a_query_are_opened_to_rows() {
        let answer = json!({"tables": [{"name": "PrimaryResult",
            "columns": [{"name": "A"}, {"name": "B"}], "rows": [[1, "x"], [2, null], 5]}]});
        assert_eq!(rows(&answer), [json!({"A": 1, "B": "x"}), json!({"A": 2, "B": null})]);
        assert_eq!(rows(&json!({"a": 1})), [json!({"a": 1})]);
    }
}
