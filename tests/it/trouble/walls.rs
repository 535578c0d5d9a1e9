//! Where requests may not go, and what they may not hold.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Provider, candidate, instant, project, project_of, replay_with};
use crate::support::{number, rows, said};

/// Answers every request with `answer(turn)` and keeps what it was sent.
fn fixed_server(
    answer: impl Fn(usize) -> String + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = received.clone();
    std::thread::spawn(move || {
        let mut turn = 0;
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let mut request = Vec::new();
            let mut buffer = vec![0; 65_536];
            while let Ok(count) = connection.read(&mut buffer) {
                request.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&request);
                let length =
                    text.to_lowercase().split_once("content-length: ").and_then(|(_, rest)| {
                        rest.split("\r\n").next().and_then(|n| n.parse::<usize>().ok())
                    });
                let head = text.find("\r\n\r\n").map(|at| at + 4);
                let whole = head.is_some_and(|head| request.len() >= head + length.unwrap_or(0));
                if count == 0 || whole {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            if text.starts_with("POST") {
                kept.lock().unwrap().push(text);
                let _ = connection.write_all(answer(turn).as_bytes());
                turn += 1;
            } else {
                let nothing =
                    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = connection.write_all(nothing.as_bytes());
            }
        }
    });
    (address, received)
}

#[test]
fn no_redirect_is_followed_whatever_its_status_and_wherever_the_key_travels() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = elsewhere.local_addr().unwrap();
    let statuses = [301, 302, 303, 307, 308];
    let redirect = move |turn: usize| {
        format!(
            "HTTP/1.1 {} Moved\r\nlocation: http://{target}/v1/chat/completions\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n",
            statuses[turn % statuses.len()]
        )
    };
    let (address, received) = fixed_server(redirect);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{address}/v1");
    let limits = "limits = { concurrency = 1 }\napi_key_env = \"WALL_KEY\"";
    let candidates = [
        candidate("bearer", "openai_chat", &url, limits),
        candidate("header", "anthropic_messages", &url, limits),
    ];
    project(folder.path(), 10, &candidates, "");
    let outcome = replay_with(folder.path(), &[], &[("WALL_KEY", "a-key-that-must-not-travel")]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(received.lock().unwrap().len(), 20, "a redirect is not tried again");
    let seen =
        rows(folder.path(), "SELECT DISTINCT status_code, error_class FROM results ORDER BY 1");
    let expected: Vec<Value> = statuses
        .iter()
        .map(|status| json!({ "status_code": status, "error_class": "protocol" }))
        .collect();
    assert_eq!(seen, expected);
    assert!(elsewhere.accept().is_err(), "a redirect was followed");
}

#[test]
fn a_metadata_service_is_refused_before_anything_is_sent() {
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "metadata.google.internal",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://{host}/v1");
        project(folder.path(), 1, &[candidate("next", "openai_chat", &url, "")], "");
        let refused = replay_with(folder.path(), &[], &[]);
        assert_eq!(refused.code, 3, "{host}: {}", refused.stderr);
        assert!(refused.stderr.contains("to which nothing is ever sent"), "{}", refused.stderr);
        assert!(!folder.path().join("runs").exists(), "{host}");
    }
}

#[test]
fn addresses_in_a_log_lead_nowhere() {
    let decoy = TcpListener::bind("127.0.0.1:0").unwrap();
    decoy.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/v1", decoy.local_addr().unwrap());
    let provider = Provider::start(instant());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/v1", provider.address());
    let bodies = (0..4).map(|n| {
        json!({
            "model": "gpt-4o", "max_tokens": 8, "api_base": elsewhere, "base_url": elsewhere,
            "messages": [{ "role": "user", "content": format!("{elsewhere} {n}") }],
        })
    });
    project_of(folder.path(), bodies, &[candidate("next", "openai_chat", &url, "")], "");
    assert_eq!(replay_with(folder.path(), &[], &[]).code, 0);
    assert_eq!(provider.log().len(), 4);
    assert!(decoy.accept().is_err(), "an address of the log was called");
}

#[test]
fn what_acts_on_the_providers_side_is_taken_out_unless_the_plan_names_it() {
    let body = json!({
        "model": "gpt-4o", "max_tokens": 8, "messages": [{ "role": "user", "content": "hi" }],
        "store": true, "previous_response_id": "resp_1", "conversation": "conv_1",
        "background": true, "webhook_url": "https://hook.example/", "container": "c_1",
        "web_search_options": {},
        "mcp_servers": [{ "type": "url", "url": "https://mcp.example/" }],
        "tools": [
            { "type": "mcp", "server_url": "https://mcp.example/" },
            { "type": "web_search" },
            { "type": "function", "function": { "name": "own", "parameters": {} } },
        ],
    });
    let ok = |_| {
        let body = json!({
            "id": "x", "model": "next", "object": "chat.completion",
            "choices": [{ "index": 0, "finish_reason": "stop",
                          "message": { "role": "assistant", "content": "Yes." } }],
            "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
        })
        .to_string();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let hosted = [
        "store",
        "previous_response_id",
        "conversation",
        "background",
        "webhook_url",
        "container",
        "web_search",
        "mcp",
    ];
    let sent = |more: &str| -> Vec<bool> {
        let (address, received) = fixed_server(ok);
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://{address}/v1");
        let candidates = [candidate("next", "openai_chat", &url, more)];
        project_of(folder.path(), [body.clone()].into_iter(), &candidates, "");
        let outcome = replay_with(folder.path(), &[], &[]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let received = received.lock().unwrap();
        let (_, body) = received[0].split_once("\r\n\r\n").unwrap();
        assert!(body.contains("\"own\""), "{body}");
        hosted.iter().map(|name| body.contains(name)).collect()
    };
    assert_eq!(sent(""), [false; 8]);
    // Named one by one, they stay.
    let allowed = "allow_store = true\nallow_hosted_tools = [\"previous_response_id\", \
                   \"conversation\", \"background\", \"webhook_url\", \"container\", \
                   \"web_search\", \"web_search_options\", \"mcp\", \"mcp_servers\"]";
    assert_eq!(sent(allowed), [true; 8]);
}

#[cfg(unix)]
#[test]
fn too_few_open_files_are_refused_with_advice_and_a_soft_limit_is_raised() {
    let provider = Provider::start(instant());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let url = format!("http://{}/v1", provider.address());
    let limits = "limits = { concurrency = 400 }";
    project(path, 30, &[candidate("next", "openai_chat", &url, limits)], "");
    let under = |limit: &str| {
        let command = format!(
            "{limit} && exec '{}' replay --yes --progress none -C '{}'",
            env!("CARGO_BIN_EXE_rehearsal"),
            path.display()
        );
        said(&Command::new("sh").args(["-c", &command]).env("NO_PROXY", "*").output().unwrap())
    };
    let refused = under("ulimit -n 200");
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("464 open files are needed"), "{}", refused.stderr);
    assert!(refused.stderr.contains("ulimit -n 464"), "{}", refused.stderr);
    assert!(provider.log().is_empty());
    let raised = under("ulimit -Sn 200");
    assert_eq!(raised.code, 0, "{}", raised.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM results"), 30);
}
