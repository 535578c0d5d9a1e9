//! Messages of HTTP/1.x out of their bytes.

use serde_json::Value;

use super::super::wire::Headers;

/// The most headers of a message; more than any client or proxy sends.
const MAX_HEADERS: usize = 256;

/// A message: its first line, the headers that are kept, and its body without chunks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) start: Start,
    pub(super) headers: Headers,
    /// The body as far as it was captured.
    pub(super) body: Vec<u8>,
}

/// The first line of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Request { method: String, target: String },
    Response { status: u16 },
}

impl Message {
    /// Reads a request; the error says what is wrong, without content.
    pub(super) fn request(bytes: &[u8]) -> Result<Self, String> {
        let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut slots);
        let head = head(request.parse(bytes))?;
        let method = request.method.unwrap_or_default().to_owned();
        let target = request.path.unwrap_or_default().to_owned();
        let headers = kept(request.headers);
        let body = body(bytes.get(head..).unwrap_or_default(), request.headers, &headers);
        Ok(Message { start: Start::Request { method, target }, headers, body })
    }

    /// Reads a response, passing over the interim ones (`100 Continue`) before it.
    pub(super) fn response(mut bytes: &[u8]) -> Result<Self, String> {
        loop {
            let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut response = httparse::Response::new(&mut slots);
            let head = head(response.parse(bytes))?;
            let status = response.code.unwrap_or_default();
            let rest = bytes.get(head..).unwrap_or_default();
            if (100..200).contains(&status) && status != 101 && !rest.is_empty() {
                bytes = rest;
                continue;
            }
            let headers = kept(response.headers);
            let body = body(rest, response.headers, &headers);
            return Ok(Message { start: Start::Response { status }, headers, body });
        }
    }

    /// The kept headers as JSON.
    pub(super) fn header_pairs(&self) -> Value {
        self.headers.iter().map(|(name, value)| Value::from(vec![name, value])).collect()
    }
}

fn head(parsed: httparse::Result<usize>) -> Result<usize, String> {
    match parsed {
        Ok(httparse::Status::Complete(length)) => Ok(length),
        Ok(httparse::Status::Partial) => Err("`message` ends within its headers".to_owned()),
        Err(error) => Err(format!("`message` is no HTTP/1.x: {error}")),
    }
}

fn kept(headers: &[httparse::Header<'_>]) -> Headers {
    let text = |value| std::str::from_utf8(value).unwrap_or_default();
    Headers::of(headers.iter().map(|header| (header.name, text(header.value))))
}

/// The body without chunks and without what follows its stated length.
fn body(bytes: &[u8], all: &[httparse::Header<'_>], headers: &Headers) -> Vec<u8> {
    if headers.is_chunked() {
        return unchunked(bytes).unwrap_or_else(|| bytes.to_vec());
    }
    let length = all.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length =
        length.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
    let length = length.unwrap_or(bytes.len()).min(bytes.len());
    bytes.get(..length).unwrap_or_default().to_vec()
}

/// Puts the chunks together as far as they go; `None` if the body does not begin with one, as
/// where the writer has undone them already.
fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut is_first = true;
    while !bytes.is_empty() {
        let (start, length) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(chunk)) => chunk,
            _ if is_first => return None,
            _ => break,
        };
        is_first = false;
        let rest = bytes.get(start..).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        if length == 0 {
            break;
        }
        let (chunk, rest) = rest.split_at(length);
        body.extend_from_slice(chunk);
        bytes = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(bytes: &[u8]) -> Message {
        Message::response(bytes).unwrap()
    }

    #[test]
    fn chunks_are_put_together_and_a_cut_one_is_kept_as_far_as_it_goes() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (chunks, body) in [
            ("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", "hello world"),
            ("5\r\nhello\r\nA\r\n wor", "hello wor"),
            ("5\r\nhello\r\nzz", "hello"),
            ("FFFFFFFFFFFFFFF\r\nhello", "hello"),
            ("0\r\n\r\n", ""),
            ("", ""),
            ("data: undone already\n\n", "data: undone already\n\n"),
        ] {
            let message = response(format!("{head}{chunks}").as_bytes());
            assert_eq!(message.body, body.as_bytes(), "{chunks:?}");
        }
    }

    #[test]
    fn a_stated_length_bounds_the_body_and_interim_responses_are_passed_over() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\
X-Request-Id: r-1\r\nSet-Cookie: a=b\r\n\r\nhi and more";
        let message = response(bytes);
        assert_eq!(message.start, Start::Response { status: 429 });
        assert_eq!(message.body, b"hi");
        assert_eq!(message.headers.get("x-request-id"), Some("r-1"));
        assert_eq!(message.headers.get("set-cookie"), None, "what is not needed is not kept");
        assert_eq!(
            response(b"HTTP/1.1 100 Continue\r\n\r\n").start,
            Start::Response { status: 100 }
        );
    }

    #[test]
    fn what_is_no_message_says_so() {
        assert!(Message::request(b"GET / HTTP/1.1\r\nHost").unwrap_err().contains("ends within"));
        assert!(Message::request(b"\x16\x03\x01").unwrap_err().contains("no HTTP/1.x"));
        assert!(Message::response(b"hello world\r\n\r\n").unwrap_err().contains("no HTTP/1.x"));
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
        assert!(Message::request(many.as_bytes()).unwrap_err().contains("too many headers"));
    }
}
