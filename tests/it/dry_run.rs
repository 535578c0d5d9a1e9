//! `rehearsal plan`: what a replay would send, cost and lose, found out without a connection.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{program, run, said};

/// One exchange of a log in the plain form; `extra` is laid over the request.
pub(crate) fn exchange(index: usize, extra: &Value) -> Value {
    let mut request = json!({
        "model": "gpt-4o-2024-05-13",
        "messages": [{ "role": "user", "content": format!("Question number {index}?") }],
        "max_tokens": 40,
    });
    for (name, value) in extra.as_object().into_iter().flatten() {
        match value {
            Value::Null => request.as_object_mut().unwrap().remove(name),
            value => request.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    json!({
        "timestamp": format!("2026-11-02T08:{:02}:{:02}Z", index / 60 % 60, index % 60),
        "request_id": format!("r-{index}"),
        "request": request,
        "response": {
            "model": "gpt-4o-2024-05-13",
            "choices": [{ "index": 0, "finish_reason": "stop",
                          "message": { "role": "assistant", "content": "Yes." } }],
            "usage": { "prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70 },
        },
        "status": 200,
        "latency_ms": 2000.0,
    })
}

/// A project with a plan and an imported log.
pub(crate) fn project(plan: &str, log: &[Value]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("rehearsal.toml"), plan).unwrap();
    let lines: Vec<String> = log.iter().map(Value::to_string).collect();
    fs::write(path.join("log.jsonl"), lines.join("\n") + "\n").unwrap();
    let imported = run(path, &["import", path.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    folder
}

/// A plan whose candidate is `next` at an address; `more` is put into the candidate.
pub(crate) fn plan(base_url: &str, more: &str, replay: &str) -> String {
    format!(
        "version = 1\n[incumbent]\nprovider = \"openai\"\n[[candidate]]\nname = \"next\"\n\
         protocol = \"openai_chat\"\nbase_url = \"{base_url}\"\nmodels = {{ \"*\" = \"next\" }}\n\
         {more}\n[replay]\n{replay}\n[[criterion]]\nmetric = \"error_rate\"\nmax = \"50%\"\n"
    )
}

const NOWHERE: &str = "http://127.0.0.1:9/v1";
const PRICES: &str =
    "prices = { input = \"1 USD/1M\", output = \"2 USD/1M\", cache_read = \"0.10 USD/1M\" }";

pub(crate) fn dry_run(folder: &Path) -> Value {
    let answer = run(folder, &["plan", "--format", "json"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap()
}

#[test]
fn every_figure_of_a_small_plan_follows_by_hand_and_no_address_is_contacted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let log: Vec<Value> = (0..60).map(|index| exchange(index, &json!({}))).collect();
    let more = format!("{PRICES}\nlimits = {{ concurrency = 4, rpm = 30, tpm = 10_000 }}");
    let folder = project(&plan(&address, &more, "budget = \"1 USD\"\nrepeats = 2"), &log);
    let found = dry_run(folder.path());

    let traffic = &found["arms"][0]["traffic"];
    assert_eq!(traffic["captured"], 60);
    assert_eq!(traffic["requests"], 120);
    assert_eq!(traffic["with_usage"], 60);
    // 120 requests of 50 tokens in and 20 out, by the log.
    assert_eq!(traffic["input_tokens"], 6_000);
    assert_eq!(traffic["output_tokens"], 2_400);
    assert_eq!(traffic["output_tokens_low"], 1_200);
    assert_eq!(traffic["output_tokens_high"], 120 * 40);
    // 6,000 * 1 + 2,400 * 2 micro-dollars; low: 6,000 * 0.1 + 1,200 * 2.
    assert_eq!(traffic["cost_nanousd"], 10_800_000);
    assert_eq!(traffic["cost_low_nanousd"], 3_000_000);
    // At most: one token a byte of the body, and the cap.
    let high = traffic["input_tokens_high"].as_i64().unwrap();
    assert_eq!(traffic["cost_high_nanousd"].as_i64().unwrap(), high * 1_000 + 4_800 * 2_000);
    assert!(high > 6_000, "{high}");

    // 119 gaps at 30 a minute; 8,400 tokens at 10,000 a minute; 120 * 2 s over 4 at once.
    let time = &found["arms"][0]["wall_time"];
    assert_eq!(time["by_rpm_s"], 238.0);
    assert!((time["by_tpm_s"].as_f64().unwrap() - 50.4).abs() < 1e-9);
    assert_eq!(time["by_concurrency_s"], 60.0);
    assert_eq!(found["wall_time_s"], 238.0);

    // The whole capture lies in one minute: 60 requests and 4,200 tokens.
    let limits = found["limits"].as_array().unwrap();
    let limit = |measure: &str| limits.iter().find(|row| row["measure"] == measure).unwrap();
    let requests = limit("requests_per_minute");
    assert_eq!((&requests["peak"], &requests["ask"]), (&json!(60), &json!(72)));
    assert_eq!((&requests["stated"], &requests["standing"]), (&json!(30), &json!("too_low")));
    let tokens = limit("tokens_per_minute");
    assert_eq!((&tokens["ask"], &tokens["standing"]), (&json!(5_040), &json!("enough")));
    assert_eq!(found["money"]["covers"], "worst_case");

    // The limits to ask for are those of the audit.
    let audited = run(folder.path(), &["sql", "--query", "audit/peaks", "--format", "csv"]);
    assert!(audited.stdout.contains(",72\n"), "{}", audited.stdout);

    let text = run(folder.path(), &["plan"]).stdout;
    for words in ["ask for 72 rpm", "0.0108 USD expected", &address, "covers every request"] {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 116, "a line has {widest} characters:\n{text}");
    assert!(listener.accept().is_err(), "an address was contacted");
    assert!(!folder.path().join("runs").exists(), "a run was begun");
}

#[test]
fn what_is_not_sent_is_counted_by_reason_and_everything_adds_up() {
    let mut log: Vec<Value> = (0..10).map(|index| exchange(index, &json!({}))).collect();
    // No cap of its own, none in the plan, none in the catalogue.
    log.push(exchange(10, &json!({ "max_tokens": null })));
    log[0]["cache_hit"] = json!(true);
    let folder = project(&plan(NOWHERE, PRICES, "budget = \"1 USD\""), &log);
    let found = dry_run(folder.path());
    let traffic = &found["arms"][0]["traffic"];
    let excluded = found["excluded"].as_array().unwrap();
    let total: i64 = excluded.iter().map(|row| row["exchanges"].as_i64().unwrap()).sum();
    assert_eq!(traffic["excluded"], total);
    assert_eq!(
        traffic["captured"].as_i64().unwrap(),
        traffic["exchanges"].as_i64().unwrap() + total
    );
    let count = |reason: &str| {
        let row = excluded.iter().find(|row| row["excluded_reason"] == reason);
        row.map_or(0, |row| row["exchanges"].as_i64().unwrap())
    };
    assert_eq!(count("no_output_cap"), 1, "{excluded:?}");
    assert_eq!(count("cache_hit"), 1, "{excluded:?}");
    // The very same rows, as anybody can ask for them, before there is a run.
    let rows = run(folder.path(), &["sql", "--query", "plan/excluded", "--format", "json"]);
    let rows: Value = serde_json::from_str(&rows.stdout).unwrap();
    assert_eq!(rows.as_array().unwrap(), excluded);
}

#[test]
fn a_cap_of_the_plan_is_inserted_and_booked_and_tools_that_fire_are_named() {
    let tools = json!([
        { "type": "web_search_preview" },
        { "type": "code_interpreter" },
        { "type": "function", "function": { "name": "add", "parameters": { "type": "object" } } },
    ]);
    let log: Vec<Value> = (0..4)
        .map(|index| match index {
            0 => exchange(index, &json!({ "max_tokens": null })),
            1 => exchange(index, &json!({ "tools": tools, "store": true })),
            _ => exchange(index, &json!({})),
        })
        .collect();
    let more =
        format!("{PRICES}\nmax_output_tokens = 64\nallow_hosted_tools = [\"web_search_preview\"]");
    let folder = project(&plan(NOWHERE, &more, "budget = \"1 USD\""), &log);
    let found = dry_run(folder.path());
    let losses = found["losses"].as_array().unwrap();
    let added = losses.iter().find(|row| row["feature"] == "output_cap_added").unwrap();
    assert_eq!(added["requests"], 1);
    assert_eq!(found["arms"][0]["traffic"]["output_tokens_high"], 64 + 3 * 40);
    let tools = found["hosted_tools"].as_array().unwrap();
    let fate = |tool: &str| {
        let row = tools.iter().find(|row| row["tool"] == tool);
        row.map(|row| row["fate"].as_str().unwrap().to_owned())
    };
    assert_eq!(fate("web_search_preview").as_deref(), Some("fires"), "{tools:?}");
    assert_eq!(fate("code_interpreter").as_deref(), Some("stripped"), "{tools:?}");
    assert_eq!(fate("store").as_deref(), Some("stripped"), "{tools:?}");
    let text = run(folder.path(), &["plan"]).stdout;
    assert!(text.contains("fires: the plan allows it"), "{text}");
}

#[test]
fn an_unknown_price_leaves_the_cost_unknown_and_says_that_a_replay_is_refused() {
    let log = [exchange(0, &json!({}))];
    let folder = project(&plan(NOWHERE, "", "budget = \"1 USD\""), &log);
    let answer = run(folder.path(), &["plan", "--format", "json"]);
    assert_eq!(answer.code, 3, "{}", answer.stderr);
    assert!(answer.stderr.contains("prices ="), "{}", answer.stderr);
    let found: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(found["money"]["covers"], "unknown_price");
    assert_eq!(found["arms"][0]["traffic"]["cost_high_nanousd"], Value::Null);
    assert_eq!(found["arms"][0]["traffic"]["requests"], 1);
    assert_eq!(run(folder.path(), &["replay"]).code, 3);
}

#[test]
fn a_plan_without_a_budget_says_which_one_would_do_and_a_replay_is_refused() {
    let log = [exchange(0, &json!({}))];
    let folder = project(&plan(NOWHERE, PRICES, ""), &log);
    let text = run(folder.path(), &["plan"]);
    assert_eq!(text.code, 0, "{}", text.stderr);
    assert!(text.stdout.contains("`budget = \"1 USD\"` under `[replay]`"), "{}", text.stdout);
    for arguments in [&["replay"][..], &["replay", "--yes"], &["run", "--yes"]] {
        let refused = run(folder.path(), arguments);
        assert_eq!(refused.code, 3, "{}", refused.stderr);
        assert!(refused.stderr.contains("the plan sets no budget"), "{}", refused.stderr);
    }
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn a_budget_that_will_not_do_is_called_too_small() {
    let log: Vec<Value> = (0..50).map(|index| exchange(index, &json!({}))).collect();
    let folder = project(&plan(NOWHERE, PRICES, "budget = \"0.00225 USD\""), &log);
    let found = dry_run(folder.path());
    // 50 * (50 * 1 + 20 * 2) micro-dollars are expected.
    assert_eq!(found["money"]["expected_nanousd"], 4_500_000);
    assert_eq!(found["money"]["covers"], "part");
    assert_eq!(found["money"]["covered_share"], 0.5);
    let text = run(folder.path(), &["plan"]).stdout;
    assert!(text.contains("is too small: 50.0% of the expected cost"), "{text}");
}

#[test]
fn the_dry_run_is_written_in_every_form_and_to_a_file() {
    let log: Vec<Value> = (0..5).map(|index| exchange(index, &json!({}))).collect();
    let folder = project(&plan(NOWHERE, PRICES, "budget = \"1 USD\""), &log);
    let path = folder.path();
    let csv = run(path, &["plan", "--format", "csv"]);
    assert_eq!(csv.stdout.lines().count(), 2, "{}", csv.stdout);
    assert!(csv.stdout.starts_with("arm,is_control,captured,"), "{}", csv.stdout);
    let markdown = run(path, &["plan", "--format", "markdown"]);
    assert!(markdown.stdout.contains("| --- |"), "{}", markdown.stdout);
    let file = path.join("plan.md");
    let written = run(path, &["plan", "--format", "markdown", "-o", file.to_str().unwrap()]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    assert_eq!(fs::read_to_string(file).unwrap(), markdown.stdout);
    let schema: Value = serde_json::from_str(&run(path, &["schema", "dry-run"]).stdout).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&dry_run(path))
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn an_open_loop_takes_as_long_as_its_schedule_and_flags_change_the_plan() {
    let log: Vec<Value> = (0..31).map(|index| exchange(index, &json!({}))).collect();
    let replay = "budget = \"1 USD\"\npace = { open = { speed = 2.0 } }";
    let folder = project(&plan(NOWHERE, PRICES, replay), &log);
    let found = dry_run(folder.path());
    assert_eq!(found["arms"][0]["wall_time"]["by_schedule_s"], 15.0);
    let seeded = run(folder.path(), &["plan", "--format", "json", "--seed", "9"]);
    let seeded: Value = serde_json::from_str(&seeded.stdout).unwrap();
    assert_eq!(seeded["seed"], 9);
    assert_ne!(seeded["run_id"], found["run_id"]);
}

#[test]
fn the_proxy_on_the_way_and_a_missing_key_are_shown_and_no_secret_is() {
    let log = [exchange(0, &json!({}))];
    let more = format!("{PRICES}\napi_key_env = \"DRY_RUN_TEST_KEY\"");
    let plan = plan("https://api.example.com/v1", &more, "budget = \"1 USD\"");
    let folder = project(&plan, &log);
    let mut command = program();
    command
        .env("NO_PROXY", "")
        .env("HTTPS_PROXY", "http://somebody:canary-password@proxy.corp:3128")
        .args(["plan", "-C"])
        .arg(folder.path());
    let answer = said(&command.output().unwrap());
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("http://proxy.corp:3128"), "{}", answer.stdout);
    assert!(answer.stdout.contains("DRY_RUN_TEST_KEY, not set"), "{}", answer.stdout);
    assert!(!answer.stdout.contains("canary-password"), "{}", answer.stdout);
    command.env("DRY_RUN_TEST_KEY", "canary-key");
    let answer = said(&command.output().unwrap());
    assert!(answer.stdout.contains("DRY_RUN_TEST_KEY, set"), "{}", answer.stdout);
    assert!(!answer.stdout.contains("canary-key"), "{}", answer.stdout);
}
