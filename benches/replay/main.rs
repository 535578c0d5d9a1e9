//! What a replay costs beside a bare HTTP client, and how true its times are.
//!
//! `cargo bench --bench replay` prints one row per case and client; `benches/README.md` says how to
//! read them. Server, bare client and replay are three processes, so that each one's CPU time is
//! its own. Clients take turns, so that what else the machine does hits them alike.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nobody to tell")]
#![expect(clippy::print_stdout, reason = "its figures are its output")]

mod bare;
mod product;
mod server;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use server::{Shape, Truth};

/// What one client is asked to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Work {
    port: u16,
    requests: usize,
    stream: bool,
    pace: Pace,
}

/// When requests leave.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Pace {
    /// So many at once.
    Closed(usize),
    /// So many a second.
    Open(usize),
}

/// What a client says of one request, in milliseconds from its own moment of sending.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Timed {
    id: String,
    first_ms: Option<f64>,
    end_ms: f64,
}

/// What a client did and what that took.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    cpu_s: f64,
    wall_s: f64,
    failed: usize,
    timed: Vec<Timed>,
}

const CLIENTS: [&str; 3] = ["bare reqwest", "rehearsal", "rehearsal, watched"];

/// Rounds of every case; the table shows the median.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--client") {
        let work = serde_json::from_str(&arguments[place + 2]).expect("work");
        let report = match arguments[place + 1].as_str() {
            "0" => bare::run(&work),
            name => product::run(&work, name == "2"),
        };
        println!("{}", serde_json::to_string(&report).expect("a report"));
        return;
    }
    costs();
    truth();
}

/// CPU time and pace of a closed loop against a server that answers at once.
fn costs() {
    println!("CPU time of the client, median of {ROUNDS} rounds (closed loop, 64 at once)\n");
    println!("| case | client | answers/s | CPU per answer, us | CPU per chunk, us | to bare |");
    println!("|---|---|---|---|---|---|");
    for (name, shape, requests) in [
        ("100 chunks, each written alone", Shape::stream(100, true), 4_000),
        ("100 chunks, written together", Shape::stream(100, false), 20_000),
        ("1 KB in one piece", Shape::whole(1_024), 40_000),
    ] {
        let chunks = shape.chunks();
        let mut cost = [const { Vec::new() }; 2];
        let mut pace = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for client in 0..2 {
                let server = server::start(shape);
                let work = Work {
                    port: server.port(),
                    requests,
                    stream: chunks > 0,
                    pace: Pace::Closed(64),
                };
                let report = ask(client, &work);
                assert_eq!(report.failed, 0, "{name}: every answer is complete");
                let window = window_s(&server.truths());
                cost[client].push(report.cpu_s / requests as f64 * 1e6);
                pace[client].push(requests as f64 / window);
            }
        }
        let bare = median(&mut cost[0]);
        for client in 0..2 {
            let per_answer = median(&mut cost[client]);
            let per_chunk = match chunks {
                0 => "-".to_owned(),
                chunks => format!("{:.2}", per_answer / chunks as f64),
            };
            println!(
                "| {name} | {} | {:.0} | {per_answer:.1} | {per_chunk} | {:.2} |",
                CLIENTS[client],
                median(&mut pace[client]),
                per_answer / bare,
            );
        }
    }
}

/// What is reported of a server that takes its time, against what the server did.
fn truth() {
    println!(
        "\nError of the reported times against the server's own (median of {ROUNDS} rounds)\n"
    );
    println!("| case | client | TTFT p50, us | p99, us | end p50, us | p99, us | mean end, us |");
    println!("|---|---|---|---|---|---|---|");
    let slow = Shape::stream(20, true).slow(50_000, 5_000);
    for (name, requests, pace) in
        [("200/s", 800, Pace::Open(200)), ("64 at once", 1_600, Pace::Closed(64))]
    {
        let mut figures: [[Vec<f64>; 5]; 3] = Default::default();
        let mut p99_ttft = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            for client in 0..CLIENTS.len() {
                let server = server::start(slow);
                let work = Work { port: server.port(), requests, stream: true, pace };
                let report = ask(client, &work);
                assert_eq!(report.failed, 0, "{name}: every answer is complete");
                let errors = errors_us(&report, &server.truths());
                for (all, new) in figures[client].iter_mut().zip(errors) {
                    all.push(new);
                }
                let first = report.timed.iter().filter_map(|timed| timed.first_ms).collect();
                p99_ttft[client].push(quantile(first, 0.99));
            }
        }
        for (client, figures) in figures.iter_mut().enumerate() {
            let cells: Vec<String> =
                figures.iter_mut().map(|all| format!("{:.0}", median(all))).collect();
            println!("| {name} | {} | {} |", CLIENTS[client], cells.join(" | "));
        }
        let (unwatched, watched) = (median(&mut p99_ttft[1]), median(&mut p99_ttft[2]));
        println!(
            "\n{name}: p99 TTFT {unwatched:.3} ms, with somebody watching the progress \
             {watched:.3} ms ({:+.2} %)\n",
            (watched / unwatched - 1.0) * 100.0
        );
    }
}

/// Errors of time to first token (p50, p99) and end (p50, p99, mean).
fn errors_us(report: &Report, truths: &[Truth]) -> [f64; 5] {
    let (mut first, mut end) = (Vec::new(), Vec::new());
    for timed in &report.timed {
        let Some(truth) = truths.iter().find(|truth| truth.id == timed.id) else { continue };
        if let Some(first_ms) = timed.first_ms {
            first.push(first_ms * 1e3 - truth.first.as_secs_f64() * 1e6);
        }
        end.push(timed.end_ms * 1e3 - truth.end.as_secs_f64() * 1e6);
    }
    assert_eq!(end.len(), truths.len(), "every request is known to both sides");
    let mean = end.iter().sum::<f64>() / end.len() as f64;
    let (first_p99, end_p99) = (quantile(first.clone(), 0.99), quantile(end.clone(), 0.99));
    [quantile(first, 0.5), first_p99, quantile(end, 0.5), end_p99, mean]
}

/// From the first request that the server read to the last answer that it wrote.
fn window_s(truths: &[Truth]) -> f64 {
    let began = truths.iter().map(|truth| truth.read).min().expect("answers");
    let ended = truths.iter().map(|truth| truth.read + truth.end).max().expect("answers");
    (ended - began).as_secs_f64()
}

/// Runs a client in a process of its own.
fn ask(client: usize, work: &Work) -> Report {
    let work = serde_json::to_string(work).expect("work");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--client", &client.to_string(), &work])
        .env("NO_PROXY", "*")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut line = String::new();
    let output = child.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut line).expect("its report");
    assert!(child.wait().expect("its end").success(), "the client fails");
    serde_json::from_str(&line).expect("its report")
}

/// CPU time of this process so far, in seconds.
fn cpu_s() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * p) as usize;
    values[place.min(values.len() - 1)]
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
