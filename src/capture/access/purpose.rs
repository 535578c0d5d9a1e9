//! What a call of an access log was for, by its path, its body or a mapping.

use serde_json::Value;

use crate::provider::{Dialect, endpoint, sniff_dialect};

use super::super::mapping::{Mapping, OPERATIONS, PathMeaning};
use super::call::HttpCall;
use super::content::Content;
use super::lookup::known_text;

/// What is known of a call's purpose.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Purpose {
    pub(super) operation: &'static str,
    pub(super) dialect: Option<Dialect>,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) stream: Option<bool>,
}

impl Purpose {
    /// The purpose of a call; `None` if it is no call of a model.
    ///
    /// A path that no one knows is one all the same if the body is a chat request, or if the
    /// mapping says that all are.
    pub(super) fn of(
        call: &HttpCall,
        mapping: Option<&Mapping>,
        request: Option<&Content>,
    ) -> Option<Self> {
        let keep_all = call.keep_all || mapping.is_some_and(|mapping| mapping.all_requests);
        let purpose = call.address.as_deref().and_then(|address| {
            let path = path_of(address);
            match mapping.and_then(|mapping| mapping.meaning(path)) {
                Some(PathMeaning::Operation(operation)) => {
                    Some(Purpose { operation, ..Purpose::default() })
                }
                Some(PathMeaning::Api(api)) => by_address(api, None),
                None => by_address(address, call.host.as_deref()),
            }
        });
        if let Some(purpose) = purpose {
            let is_row = OPERATIONS.contains(&purpose.operation);
            let is_sent = call.method.as_deref().is_none_or(|method| {
                method.eq_ignore_ascii_case("POST") || purpose.operation == "realtime"
            });
            return ((is_row && is_sent) || keep_all).then_some(purpose);
        }
        let dialect = request.and_then(Content::as_json).and_then(sniff_dialect);
        (dialect.is_some() || keep_all).then(|| Purpose {
            operation: "chat",
            dialect,
            ..Purpose::default()
        })
    }

    /// The same for the operation that the log states.
    ///
    /// A word that is not known counts as `other`, unless body or path show a chat request: logs
    /// have many names for that.
    pub(super) fn with_operation(self, stated: Option<&str>) -> Self {
        let known = |word: &str| OPERATIONS.iter().find(|known| word.eq_ignore_ascii_case(known));
        let operation = match stated {
            Some(word) => known(word).copied().or(self.dialect.map(|_| self.operation)),
            None => OPERATIONS.contains(&self.operation).then_some(self.operation),
        };
        Purpose { operation: operation.unwrap_or("other"), ..self }
    }

    /// Whether no text is generated.
    pub(super) fn is_no_chat(&self) -> bool {
        !matches!(self.operation, "chat" | "text_completion")
    }
}

/// A path alone is asked with the host first, which may show who is behind it.
fn by_address(address: &str, host: Option<&str>) -> Option<Purpose> {
    let host = host.filter(|_| address.starts_with('/'));
    let whole = host.and_then(|host| endpoint(&format!("https://{host}{address}")));
    let endpoint = whole.or_else(|| endpoint(address))?;
    Some(Purpose {
        // A call that is no row, such as a list of models, keeps its name to be told apart.
        operation: endpoint.operation,
        dialect: endpoint.dialect,
        provider: endpoint.provider.map(str::to_owned),
        model: endpoint.model,
        stream: endpoint.stream,
    })
}

/// The path of an address, without scheme, host, query and fragment.
pub(super) fn path_of(address: &str) -> &str {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    match address.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => address,
    }
}

/// Method and address of a request line such as `POST /v1/messages HTTP/1.1`.
pub(super) fn request_line(line: &str) -> Option<(String, String)> {
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let method = words.next()?;
    let is_method = method.bytes().all(|byte| byte.is_ascii_uppercase()) && method.len() >= 3;
    let address = words
        .next()
        .filter(|address| is_method && (address.starts_with('/') || address.contains("://")))?;
    Some((method.to_owned(), address.to_owned()))
}

/// Fills method and address from members of a record, or from its request line.
pub(super) fn fill_address(call: &mut HttpCall, record: &Value, names: [&[&str]; 3]) {
    let [lines, methods, addresses] = names;
    if let Some((method, address)) = known_text(record, lines).and_then(|line| request_line(&line))
    {
        call.method = Some(method);
        call.address = Some(address);
    }
    if let Some(method) = known_text(record, methods) {
        call.method = Some(method);
    }
    if let Some(address) = known_text(record, addresses) {
        call.address = Some(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reduced_to_their_path() {
        assert_eq!(path_of("https://host:1/v1/messages?key=x#y"), "/v1/messages");
        assert_eq!(path_of("/v1/messages?beta=true"), "/v1/messages");
        assert_eq!(path_of("https://host"), "/");
    }

    #[test]
    fn a_request_line_is_told_from_what_scanners_send() {
        let line = Some(("POST".to_owned(), "/v1/x".to_owned()));
        assert_eq!(request_line("POST /v1/x HTTP/1.1"), line);
        for broken in ["-", "", "<BADREQ>", "\u{16}\u{3}\u{1}", "GET", "hello /x", "OPTIONS *"] {
            assert_eq!(request_line(broken), None, "{broken}");
        }
    }
}
