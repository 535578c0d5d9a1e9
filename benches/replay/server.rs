//! A server that does nothing but answer, and remembers when.
//!
//! Threads and blocking sockets: what it costs must not depend on the code under measurement.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How answers look.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Chunks of a stream.
    Stream { chunks: usize, alone: bool, first: Duration, gap: Duration },
    /// So many bytes of text in one piece.
    Whole(usize),
}

/// What the server did for one request.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) id: String,
    /// When it had read the request.
    pub(crate) read: Instant,
    /// From there until it had written the first chunk with text.
    pub(crate) first: Duration,
    /// From there until it had written the end.
    pub(crate) end: Duration,
}

/// A server, for as long as the program runs.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    truths: Arc<Mutex<Vec<Truth>>>,
}

impl Shape {
    pub(crate) fn stream(chunks: usize, alone: bool) -> Self {
        Shape::Stream { chunks, alone, first: Duration::ZERO, gap: Duration::ZERO }
    }

    pub(crate) fn whole(bytes: usize) -> Self {
        Shape::Whole(bytes)
    }

    /// The same with so many microseconds before the first chunk and between two.
    pub(crate) fn slow(self, first_us: u64, gap_us: u64) -> Self {
        match self {
            Shape::Stream { chunks, alone, .. } => Shape::Stream {
                chunks,
                alone,
                first: Duration::from_micros(first_us),
                gap: Duration::from_micros(gap_us),
            },
            whole @ Shape::Whole(_) => whole,
        }
    }

    pub(crate) fn chunks(self) -> usize {
        match self {
            Shape::Stream { chunks, .. } => chunks,
            Shape::Whole(_) => 0,
        }
    }
}

impl Server {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn truths(&self) -> Vec<Truth> {
        self.truths.lock().expect("truths").clone()
    }
}

/// Starts a server on a port of its own.
pub(crate) fn start(shape: Shape) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let truths: Arc<Mutex<Vec<Truth>>> = Arc::default();
    let noted = truths.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let noted = noted.clone();
            std::thread::spawn(move || serve(connection, shape, &noted));
        }
    });
    Server { port, truths }
}

fn serve(connection: TcpStream, shape: Shape, noted: &Mutex<Vec<Truth>>) {
    connection.set_nodelay(true).expect("no delay");
    let mut writer = connection.try_clone().expect("the other half");
    let mut reader = BufReader::new(connection);
    // A client that goes away ends its connection, which is no failure.
    while let Some((is_post, id)) = read_request(&mut reader) {
        let read = Instant::now();
        let answered = match (is_post, shape) {
            (false, _) => writer.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
            (true, shape) => answer(&mut writer, shape, read).map(|(first, end)| {
                noted.lock().expect("truths").push(Truth { id, read, first, end });
            }),
        };
        if answered.is_err() {
            return;
        }
    }
}

/// Whether it is a request for an answer, and its identifier.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(bool, String)> {
    let (mut line, mut length, mut id) = (String::new(), 0, String::new());
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let is_post = line.starts_with("POST");
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("x-request-id", value)) => value.clone_into(&mut id),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((is_post, id))
}

fn answer(
    writer: &mut TcpStream,
    shape: Shape,
    read: Instant,
) -> std::io::Result<(Duration, Duration)> {
    match shape {
        Shape::Whole(bytes) => {
            let text = "x".repeat(bytes);
            let body = format!(
                r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":100,"total_tokens":109}}}}"#
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            writer.write_all((head + &body).as_bytes())?;
            Ok((Duration::ZERO, read.elapsed()))
        }
        Shape::Stream { chunks, alone, first, gap } => {
            let (delta, end) = (framed(&delta("word ")), framed(END) + "0\r\n\r\n");
            writer.write_all((HEAD.to_owned() + &framed(&delta_of_role())).as_bytes())?;
            if !alone {
                writer.write_all((delta.repeat(chunks) + &end).as_bytes())?;
                return Ok((Duration::ZERO, read.elapsed()));
            }
            let mut first_at = Duration::ZERO;
            for chunk in 0..chunks {
                let due = first + gap * chunk as u32;
                std::thread::sleep(due.saturating_sub(read.elapsed()));
                writer.write_all(delta.as_bytes())?;
                if chunk == 0 {
                    first_at = read.elapsed();
                }
            }
            writer.write_all(end.as_bytes())?;
            Ok((first_at, read.elapsed()))
        }
    }
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

const END: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
                   data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":100,\"total_tokens\":109}}\n\n\
                   data: [DONE]\n\n";

fn delta_of_role() -> String {
    delta("").replace("\"delta\":{", "\"delta\":{\"role\":\"assistant\",")
}

fn delta(text: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

/// As one chunk of the body.
fn framed(event: &str) -> String {
    format!("{:x}\r\n{event}\r\n", event.len())
}
