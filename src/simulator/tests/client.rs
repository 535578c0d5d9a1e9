//! A bare HTTP/1.1 client that keeps what a comfortable one would hide.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back over one connection.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Absent if the connection was closed without a byte.
    pub(super) status: Option<u16>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    /// Whether the HTTP body came to its proper end.
    pub(super) complete: bool,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("must be JSON")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The stream's events: name (empty at OpenAI) and data.
    pub(super) fn events(&self) -> Vec<(String, String)> {
        let event = |block: &str| {
            let field = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").to_owned()
            };
            (field("event: "), field("data: "))
        };
        self.body.split_terminator("\n\n").map(event).collect()
    }

    /// The data of those events that are JSON.
    pub(super) fn data(&self) -> Vec<Value> {
        let events = self.events();
        events.iter().filter_map(|(_, data)| serde_json::from_str(data).ok()).collect()
    }
}

/// Asks an OpenAI endpoint, as the attempt that `draw` names.
pub(super) async fn ask(addr: SocketAddr, body: &Value, draw: &str) -> Answer {
    let headers = [("x-rehearsal-draw", draw)];
    send(addr, "POST /v1/chat/completions", &headers, &body.to_string()).await
}

/// Asks an Anthropic endpoint under the API version `2023-06-01`.
pub(super) async fn ask_anthropic(addr: SocketAddr, body: &Value) -> Answer {
    let headers = [("anthropic-version", "2023-06-01")];
    send(addr, "POST /v1/messages", &headers, &body.to_string()).await
}

/// Sends one request (`METHOD /path`) and reads until the server closes.
pub(super) async fn send(
    addr: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = open(addr, line, headers, body).await;
    let mut bytes = Vec::new();
    // A reset connection is an answer as well: what came before it counts.
    let _ = stream.read_to_end(&mut bytes).await;
    parse(&bytes)
}

/// Sends one request and leaves the connection to the caller.
pub(super) async fn open(
    addr: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.expect("must connect");
    let headers = headers
        .iter()
        .fold(String::new(), |text, (name, value)| text + name + ": " + value + "\r\n");
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("must be sent");
    stream
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let Some((head, rest)) = text.split_once("\r\n\r\n") else { return Answer::default() };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|s| s.parse().ok());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (body, complete) = match headers.get("content-length") {
        Some(length) => (rest.to_owned(), length.parse() == Ok(rest.len())),
        None => unchunk(rest),
    };
    Answer { status, headers, body, complete }
}

fn unchunk(text: &str) -> (String, bool) {
    let (mut body, mut rest) = (String::new(), text);
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("must be a chunk size");
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = tail.get(..size) else { break };
        body.push_str(chunk);
        rest = tail.get(size + 2..).unwrap_or("");
    }
    (body, false)
}
