//! The log and the simulator's own pages.

use super::client::{ask, open, send};
use super::*;

fn lines(entries: &[LogEntry]) -> String {
    entries.iter().fold(String::new(), |text, entry| text + &json!(entry).to_string() + "\n")
}

#[tokio::test]
async fn a_key_is_noticed_and_never_kept() {
    let simulator = start(SimulatorConfig { require_auth: true, ..instant() }).await;
    let body = openai("hi", &json!({})).to_string();
    let without = send(simulator.addr(), "POST /v1/chat/completions", &[], &body).await;
    assert_eq!(without.status, Some(401));
    let headers = [("authorization", "Bearer sk-secret"), ("x-request-id", "attempt-7")];
    let with = send(simulator.addr(), "POST /v1/chat/completions", &headers, &body).await;
    assert_eq!(with.status, Some(200));
    let log = send(simulator.addr(), "GET /__sim/log", &[], "").await.body;
    assert!(!log.contains("sk-secret"));
    let entries = simulator.log();
    assert_eq!(log, lines(&entries));
    assert_eq!((entries[0].auth_present, entries[1].auth_present), (false, true));
    assert_eq!(entries[1].x_request_id.as_deref(), Some("attempt-7"));
}

#[tokio::test]
async fn a_client_that_dies_before_its_answer_is_in_the_log_and_its_file() {
    let folder = tempfile::tempdir().expect("must be made");
    let path = folder.path().join("requests.jsonl");
    // An hour to the first token: nothing is sent in this test but what leaves at once.
    let latency = LatencyModel { ttft: Delay::Constant { value_ms: 3.6e6 }, ..Default::default() };
    let log_path = Some(path.clone());
    let config = SimulatorConfig { latency, log_path, ..SimulatorConfig::default() };
    let simulator = start(config).await;
    let body = openai("hi", &json!({})).to_string();
    drop(open(simulator.addr(), "POST /chat/completions", &[], &body).await);
    while simulator.stats().requests == 0 || simulator.stats().in_flight > 0 {
        tokio::task::yield_now().await;
    }
    let text = std::fs::read_to_string(&path).expect("must be there");
    assert_eq!(text, lines(&simulator.log()));
    let entry: LogEntry = serde_json::from_str(&text).expect("must be one entry");
    assert_eq!(entry.planned_ttft_ms, Some(3.6e6));
}

#[tokio::test]
async fn stats_count_and_reset_forgets() {
    let simulator = start(instant()).await;
    for prompt in ["a", "b"] {
        ask(simulator.addr(), &openai(prompt, &json!({})), "1").await;
    }
    ask(simulator.addr(), &json!({}), "1").await;
    let stats: Stats =
        serde_json::from_value(send(simulator.addr(), "GET /__sim/stats", &[], "").await.json())
            .expect("must be counts");
    assert_eq!((stats.requests, stats.peak_in_flight), (3, 1));
    assert_eq!(stats.outcomes, [("invalid".to_owned(), 1), ("ok".to_owned(), 2)].into());
    assert_eq!(stats.models.get("m"), Some(&2));
    send(simulator.addr(), "POST /__sim/reset", &[], "").await;
    assert_eq!((simulator.stats().requests, simulator.log().len()), (0, 0));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let simulator = start(instant()).await;
    assert_eq!(send(simulator.addr(), "POST /v1/embeddings", &[], "{}").await.status, Some(404));
    assert_eq!(send(simulator.addr(), "GET /v1/messages", &[], "").await.status, Some(405));
    assert_eq!(send(simulator.addr(), "GET /__sim/other", &[], "").await.status, Some(404));
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port_and_a_taken_one_is_an_error() {
    let simulator = start(instant()).await;
    let addr = simulator.addr();
    let taken = Simulator::start(instant(), addr).await;
    assert!(matches!(taken, Err(SimulatorError::Listen { .. })));
    simulator.stop().await;
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_missing_answers_file_is_named() {
    let file = Some(PathBuf::from("/nonexistent/answers.jsonl"));
    let answers = Answers::Recorded(RecordedAnswers { file, ..RecordedAnswers::default() });
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let error = Simulator::start(SimulatorConfig { answers, ..instant() }, addr)
        .await
        .expect_err("must fail");
    assert!(error.to_string().contains("/nonexistent/answers.jsonl"), "{error}");
}
