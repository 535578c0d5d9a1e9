//! An S3 server for tests: conditional writes, pages of lists, and a check of every signature.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};

pub(crate) const KEY_ID: &str = "TESTKEYID";
pub(crate) const SECRET: &str = "canary-secret-of-the-store";

/// Objects of one page of a list; small, so that pages are turned.
const PAGE: usize = 3;

/// What the server holds and what it was asked.
#[derive(Default)]
struct State {
    objects: BTreeMap<String, (Bytes, String)>,
    versions: u64,
    requests: Vec<String>,
    unsigned: Vec<String>,
    unavailable: bool,
}

/// A running server; it ends with the test process.
#[derive(Clone)]
pub(crate) struct S3 {
    state: Arc<Mutex<State>>,
    pub(crate) endpoint: String,
}

impl S3 {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(tokio_listener(listener), shared));
        });
        S3 { state, endpoint }
    }

    /// The variables with which a client reaches the server.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "test-1".to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
        ]
    }

    /// The keys of all objects, with the bucket.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().objects.keys().cloned().collect()
    }

    /// The content of an object.
    pub(crate) fn object(&self, key: &str) -> Option<Bytes> {
        self.state.lock().unwrap().objects.get(key).map(|(bytes, _)| bytes.clone())
    }

    /// Puts an object there without asking anybody.
    pub(crate) fn put(&self, key: &str, bytes: Bytes) {
        let mut state = self.state.lock().unwrap();
        state.versions += 1;
        let tag = format!("\"v{}\"", state.versions);
        state.objects.insert(key.to_owned(), (bytes, tag));
    }

    /// Lets the server refuse everything from now on, or serve again.
    pub(crate) fn set_unavailable(&self, unavailable: bool) {
        self.state.lock().unwrap().unavailable = unavailable;
    }

    /// Every request so far, as method and path; none may have come without a right signature.
    pub(crate) fn requests(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        assert!(state.unsigned.is_empty(), "{:?}", state.unsigned);
        state.requests.clone()
    }
}

fn tokio_listener(listener: std::net::TcpListener) -> impl FnOnce() -> tokio::net::TcpListener {
    move || tokio::net::TcpListener::from_std(listener).unwrap()
}

async fn serve(listener: impl FnOnce() -> tokio::net::TcpListener, state: Arc<Mutex<State>>) {
    let listener = listener();
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        let state = state.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, state.clone()));
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut state = state.lock().unwrap();
    let line = format!("{} {}", head.method, head.uri);
    if let Err(problem) = check_signature(&head, &body) {
        state.unsigned.push(format!("{line}: {problem}"));
        return Ok(status(StatusCode::FORBIDDEN));
    }
    state.requests.push(line);
    if state.unavailable {
        return Ok(status(StatusCode::SERVICE_UNAVAILABLE));
    }
    let key = decoded(head.uri.path().trim_start_matches('/'));
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let query = head.uri.query().unwrap_or_default();
    Ok(match head.method {
        Method::GET if query.contains("list-type=2") => list(&state, &key, query),
        Method::GET | Method::HEAD => match state.objects.get(&key) {
            Some((bytes, tag)) => object(bytes.clone(), tag),
            None => not_found(),
        },
        Method::PUT => {
            let current = state.objects.get(&key).map(|(_, tag)| tag.clone());
            match (header("if-none-match"), header("if-match"), current) {
                (Some("*"), _, Some(_)) => return Ok(status(StatusCode::PRECONDITION_FAILED)),
                (_, Some(_), None) => return Ok(not_found()),
                (_, Some(wanted), Some(tag)) if wanted != tag => {
                    return Ok(status(StatusCode::PRECONDITION_FAILED));
                }
                (None, None, _) => panic!("an unconditional write of {key}"),
                _ => {}
            }
            state.versions += 1;
            let tag = format!("\"v{}\"", state.versions);
            state.objects.insert(key, (body, tag.clone()));
            object(Bytes::new(), &tag)
        }
        Method::DELETE => {
            state.objects.remove(&key);
            status(StatusCode::NO_CONTENT)
        }
        _ => status(StatusCode::METHOD_NOT_ALLOWED),
    })
}

fn object(bytes: Bytes, tag: &str) -> Answer {
    Response::builder()
        .header("etag", tag)
        .header("last-modified", "Sun, 22 Nov 2026 10:00:00 GMT")
        .body(Full::new(bytes))
        .unwrap()
}

fn status(code: StatusCode) -> Answer {
    Response::builder().status(code).body(Full::default()).unwrap()
}

fn not_found() -> Answer {
    let body = "<Error><Code>NoSuchKey</Code></Error>";
    Response::builder().status(StatusCode::NOT_FOUND).body(Full::new(body.into())).unwrap()
}

fn list(state: &State, bucket: &str, query: &str) -> Answer {
    let parameters: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let bucket = bucket.trim_end_matches('/');
    let prefix = format!("{bucket}/{}", parameters.get("prefix").map_or("", String::as_str));
    let after = parameters.get("continuation-token").map(|token| format!("{bucket}/{token}"));
    let found: Vec<&String> = state
        .objects
        .keys()
        .filter(|key| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after))
        .collect();
    let mut xml = String::from("<ListBucketResult>");
    for key in found.iter().take(PAGE) {
        let (bytes, tag) = &state.objects[*key];
        let name = key.trim_start_matches(bucket).trim_start_matches('/');
        let size = bytes.len();
        write!(
            xml,
            "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>{tag}</ETag>\
             <LastModified>2026-11-22T10:00:00.000Z</LastModified></Contents>"
        )
        .unwrap();
    }
    if found.len() > PAGE {
        let last = found[PAGE - 1].trim_start_matches(bucket).trim_start_matches('/');
        write!(
            xml,
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
        )
        .unwrap();
    } else {
        xml.push_str("<IsTruncated>false</IsTruncated>");
    }
    xml.push_str("</ListBucketResult>");
    Response::new(Full::new(xml.into()))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'%').then(|| tail.get(..2)).flatten();
        let value =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// AWS Signature Version 4, computed anew from the request as it arrived.
fn check_signature(head: &hyper::http::request::Parts, body: &[u8]) -> Result<(), String> {
    let header = |name: &str| {
        let value = head.headers.get(name).ok_or_else(|| format!("no {name}"))?;
        value.to_str().map_err(|error| error.to_string())
    };
    let authorization = header("authorization")?;
    let field = |name: &str| {
        let start = authorization.find(name).ok_or_else(|| format!("no {name}"))? + name.len();
        let rest = &authorization[start..];
        Ok::<&str, String>(rest.split(',').next().unwrap_or(rest).trim())
    };
    let credential = field("Credential=")?;
    let signed = field("SignedHeaders=")?;
    let scope = credential.strip_prefix(&format!("{KEY_ID}/")).ok_or("another key")?;
    let hash = header("x-amz-content-sha256")?;
    if hash != hex(&Sha256::digest(body)) {
        return Err("the body is not what was signed".to_owned());
    }
    let mut pairs: Vec<&str> = head.uri.query().unwrap_or_default().split('&').collect();
    pairs.sort_unstable();
    let mut canonical = format!("{}\n{}\n{}\n", head.method, head.uri.path(), pairs.join("&"));
    for name in signed.split(';') {
        writeln!(canonical, "{name}:{}", header(name)?.trim()).unwrap();
    }
    write!(canonical, "\n{signed}\n{hash}").unwrap();
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        header("x-amz-date")?,
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    let expected = hex(&hmac(&key, &text));
    if field("Signature=")? == expected { Ok(()) } else { Err("a wrong signature".to_owned()) }
}
