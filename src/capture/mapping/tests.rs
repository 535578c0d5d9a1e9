//! What a mapping may say, and what is refused with the name of the field.

use serde_json::json;

use super::*;

fn error(text: &str) -> MappingError {
    Mapping::parse(text).unwrap_err()
}

#[test]
fn a_whole_mapping_is_read() {
    let mapping = Mapping::parse(
        r#"
        all_requests = true
        [fields]
        captured_at = "ts"
        latency_ms = { path = "timing.total", unit = "s" }
        cost = { path = "price", unit = "cents" }
        input_tokens = "in"
        cache_read_input_tokens = "cached"
        session_id = '"x.session".id'
        [time]
        zone = "-05:30"
        at = "end"
        [usage]
        input_includes_cached = false
        [constants]
        provider = "openai"
        operation = "chat"
        [paths]
        "/prod/chat" = "/v1/chat/completions"
        "/prod/*" = "other"
        "#,
    )
    .unwrap();
    assert_eq!(mapping.check_complete(), Ok(()));
    let record = json!({"timing": {"total": 2.5}, "x.session": {"id": "s-1"}});
    assert_eq!(mapping.value("latency_ms", &record).as_deref(), Some(&json!(2.5)));
    assert_eq!(mapping.value("session_id", &record).as_deref(), Some(&json!("s-1")));
    assert!((mapping.factor("latency_ms") - 1e3).abs() < 1e-9);
    assert!((mapping.factor("cost") - 1e7).abs() < 1e-9);
    assert_eq!(mapping.zone_or(None), Some(-19_800));
    assert_eq!(mapping.zone_or(Some(3_600)), Some(3_600), "the command line counts first");
    assert!(mapping.at_end && mapping.all_requests && !mapping.input_includes_cached);
    let api = PathMeaning::Api("/v1/chat/completions".to_owned());
    assert_eq!(mapping.meaning("/prod/chat"), Some(&api), "the longer pattern counts");
    assert_eq!(mapping.meaning("/prod/else"), Some(&PathMeaning::Operation("other")));
    assert_eq!(mapping.meaning("/staging"), None);
}

#[test]
fn a_duration_or_an_amount_of_money_without_a_unit_is_refused() {
    assert_eq!(
        error("[fields]\nlatency_ms = \"dur\""),
        MappingError::NoUnit { field: "latency_ms".into(), units: "`ns`, `us`, `ms`, `s`" }
    );
    let unit = error("[fields]\ncost = { path = \"price\", unit = \"ms\" }");
    assert_eq!(
        unit.to_string(),
        "`fields.cost`: `ms` is no unit for it; there are `usd`, `cents`, `nanousd`"
    );
    let unit = error("[fields]\nsession_id = { path = \"s\", unit = \"s\" }");
    assert!(matches!(unit, MappingError::UnknownUnit { units: "none", .. }), "{unit:?}");
}

#[test]
fn what_is_wrong_is_named() {
    let unknown = error("[fields]\nlatency = \"dur\"").to_string();
    assert!(unknown.starts_with("`fields.latency` is no field") && unknown.contains("latency_ms"));
    for (text, start) in [
        ("[fields]\nroute = 5", "`fields.route` must be a path"),
        ("[fields]\nroute = { path = \"a\", extra = 1 }", "`fields.route` must be a path"),
        ("[fields]\nroute = \"a..b\"", "`fields.route`: the path `a..b` has an empty step"),
        ("[time]\nzone = \"Europe/Berlin\"", "`time.zone`: `Europe/Berlin`"),
        ("[time]\nat = \"end\"\n[fields]\ncaptured_at = \"t\"", "`time.at` is \"end\""),
        ("[constants]\noperation = \"talk\"", "`constants.operation`: `talk`"),
        ("[constants]\nlatency_scope = \"moon\"", "`constants.latency_scope`: `moon`"),
        ("[paths]\n\"/x\" = \"talk\"", "`paths.\"/x\"`: `talk` is not one of"),
        ("[paths]\n\"/x\" = \"/no/api\"", "`paths.\"/x\"`: `/no/api` is the path of no"),
        (
            "[fields]\ninput_tokens = \"i\"\ncache_read_input_tokens = \"c\"",
            "`usage.input_includes_cached` must be stated, because `fields.cache_read_input_tokens`",
        ),
        ("[times]", "the mapping cannot be read"),
        ("fields = 3", "the mapping cannot be read"),
        ("[time]\nat = \"middle\"", "the mapping cannot be read"),
    ] {
        let message = error(text).to_string();
        assert!(message.starts_with(start), "{text}: {message}");
    }
}

#[test]
fn a_mapping_without_a_time_is_not_complete() {
    let empty = Mapping::parse("").unwrap();
    assert_eq!(empty, Mapping { input_includes_cached: true, ..Mapping::default() });
    assert_eq!(empty.check_complete(), Err(MappingError::MissingField("captured_at")));
}
