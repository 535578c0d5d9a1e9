//! The peer: the same HTTP client in a bare loop that looks into every chunk and keeps nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::task::JoinSet;

use crate::{Pace, Report, Timed, Work, cpu_s};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    content: Option<&'a str>,
}

pub(crate) fn run(work: &Work) -> Report {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (cpu, began) = (cpu_s(), Instant::now());
    let timed = runtime.block_on(send_all(*work));
    let failed = timed.iter().filter(|timed| timed.is_none()).count();
    Report {
        cpu_s: cpu_s() - cpu,
        wall_s: began.elapsed().as_secs_f64(),
        failed,
        timed: timed.into_iter().flatten().collect(),
    }
}

async fn send_all(work: Work) -> Vec<Option<Timed>> {
    let http = reqwest::Client::builder()
        .pool_max_idle_per_host(usize::MAX)
        .tcp_nodelay(true)
        .no_proxy()
        .build()
        .expect("a client");
    let mut tasks = JoinSet::new();
    let next = Arc::new(AtomicUsize::new(0));
    match work.pace {
        Pace::Closed(at_once) => {
            for _ in 0..at_once {
                let (http, next) = (http.clone(), next.clone());
                tasks.spawn(async move {
                    let mut timed = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= work.requests {
                            return timed;
                        }
                        timed.push(send(&http, work, number).await);
                    }
                });
            }
        }
        Pace::Open(rate) => {
            let began = tokio::time::Instant::now();
            for number in 0..work.requests {
                let due = began + Duration::from_secs_f64(number as f64 / rate as f64);
                tokio::time::sleep_until(due).await;
                let http = http.clone();
                tasks.spawn(async move { vec![send(&http, work, number).await] });
            }
        }
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

async fn send(http: &reqwest::Client, work: Work, number: usize) -> Option<Timed> {
    let id = format!("bare-{number}");
    let body = format!(
        r#"{{"model":"m","stream":{},"messages":[{{"role":"user","content":"{}"}}]}}"#,
        work.stream,
        "x".repeat(900)
    );
    let sent = Instant::now();
    let ms = |moment: Instant| (moment - sent).as_secs_f64() * 1e3;
    let mut response = http
        .post(format!("http://127.0.0.1:{}/v1/chat/completions", work.port))
        .header("content-type", "application/json")
        .header("x-request-id", &id)
        .body(body)
        .send()
        .await
        .ok()?;
    let (mut pending, mut first_ms, mut done) = (Vec::new(), None, !work.stream);
    let mut end_ms = 0.0;
    while let Some(bytes) = response.chunk().await.ok()? {
        let arrived = Instant::now();
        end_ms = ms(arrived);
        if !work.stream {
            continue;
        }
        pending.extend_from_slice(&bytes);
        let mut read = 0;
        while let Some(end) = memchr::memmem::find(&pending[read..], b"\n\n") {
            let event = &pending[read..read + end];
            read += end + 2;
            let data = event.strip_prefix(b"data: ").unwrap_or(event);
            if data == b"[DONE]" {
                done = true;
                continue;
            }
            let chunk: Chunk<'_> = serde_json::from_slice(data).ok()?;
            let text = chunk.choices.first().and_then(|choice| choice.delta.content);
            if text.is_some_and(|text| !text.is_empty()) {
                first_ms.get_or_insert(ms(arrived));
            }
        }
        pending.drain(..read);
    }
    done.then_some(Timed { id, first_ms, end_ms })
}
