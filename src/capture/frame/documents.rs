//! JSON documents that are no lines: records over several lines, and the elements of long lists.

use memchr::{memchr_iter, memchr2};

use super::scan::{Mark, Scanner};

/// Members whose list of objects holds the records of a document, by the software that writes it.
///
/// Lists of OpenAI and Langfuse (`data`), Azure (`records`, `value`), Cloudflare (`result`),
/// CloudWatch (`logEvents`), OTLP (`resource…`), LangSmith (`runs`).
pub(super) const LISTS: &[&str] = &[
    "data",
    "records",
    "result",
    "results",
    "value",
    "items",
    "rows",
    "logEvents",
    "resourceSpans",
    "resourceLogs",
    "resourceMetrics",
    "observations",
    "runs",
];

/// The longest name of a member that is told from others.
const MAX_NAME_BYTES: usize = 32;

#[expect(clippy::struct_excessive_bools, reason = "each is one bit of a state machine")]
/// Finds the records of JSON documents, one after the other, without holding a document.
///
/// The elements of a list at the top are records; so are those of a list of objects in one of the
/// [`LISTS`] of an object at the top, and those of HAR's `log.entries`. Any other object at the top
/// is a record itself. Only brackets and quotes are looked at: what is no JSON becomes a record
/// that cannot be read.
#[derive(Debug)]
pub(super) struct DocumentScanner {
    line: u64,
    depth: u64,
    in_text: bool,
    escaped: bool,
    /// Whether a record was begun and not ended.
    open: bool,
    state: State,
    /// The name that is being read, if it may matter.
    name: Option<Vec<u8>>,
    /// The last name at the depth of interest.
    last_name: Vec<u8>,
    /// Whether a value, not a name, comes next there.
    expects_value: bool,
    /// Whether the object of interest is the `log` of the object at the top.
    in_log: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of everything.
    Top,
    /// In an object at the top, which is a record unless a list of records is found in it.
    Object,
    /// Behind the bracket of what may be a list of records: an object must follow.
    ListBegins,
    /// In an object at the top whose records are in a list.
    Envelope,
    /// In a list of records, whose elements are at this depth.
    List(u64),
}

impl Default for DocumentScanner {
    fn default() -> Self {
        DocumentScanner {
            line: 1,
            depth: 0,
            in_text: false,
            escaped: false,
            open: false,
            state: State::Top,
            name: None,
            last_name: Vec::new(),
            expects_value: false,
            in_log: false,
        }
    }
}

impl Scanner for DocumentScanner {
    fn scan(&mut self, bytes: &[u8], marks: &mut Vec<Mark>) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if self.in_text {
                at = self.pass_text(bytes, at);
                continue;
            }
            self.take(byte, at, marks);
            at += 1;
        }
    }
}

impl DocumentScanner {
    fn take(&mut self, byte: u8, at: usize, marks: &mut Vec<Mark>) {
        if self.state == State::ListBegins && !byte.is_ascii_whitespace() {
            self.settle_list(byte, marks);
        }
        match byte {
            b'{' | b'[' => self.descend(byte, at, marks),
            b'}' | b']' => self.ascend(at, marks),
            b'\n' => {
                self.line += 1;
                if self.state == State::Top {
                    self.end(at, marks);
                }
            }
            b',' if self.at_record_level() => self.end(at, marks),
            b':' | b',' if self.of_interest() => self.expects_value = byte == b':',
            b':' | b',' | b' ' | b'\t' | b'\r' => {}
            _ => {
                if self.at_record_level() {
                    self.begin(at, marks);
                }
                if byte == b'"' {
                    self.in_text = true;
                    let is_name = self.of_interest() && !self.expects_value;
                    self.name = is_name.then(Vec::new);
                }
            }
        }
    }

    /// Whether what begins here is a record.
    fn at_record_level(&self) -> bool {
        match self.state {
            State::Top => true,
            State::List(depth) => self.depth == depth,
            State::Object | State::ListBegins | State::Envelope => false,
        }
    }

    /// Whether names here can be those of lists of records.
    fn of_interest(&self) -> bool {
        let depth = if self.in_log { 2 } else { 1 };
        matches!(self.state, State::Object | State::Envelope) && self.depth == depth
    }

    fn begin(&mut self, at: usize, marks: &mut Vec<Mark>) {
        if !self.open {
            marks.push(Mark::Begin { at, line: self.line });
            self.open = true;
        }
    }

    fn end(&mut self, at: usize, marks: &mut Vec<Mark>) {
        if std::mem::take(&mut self.open) {
            marks.push(Mark::End { at });
        }
    }

    fn descend(&mut self, byte: u8, at: usize, marks: &mut Vec<Mark>) {
        let of_interest = self.of_interest() && self.expects_value;
        if self.at_record_level() {
            // What stands before it without a separator is no part of it.
            self.end(at, marks);
            if self.state == State::Top && byte == b'[' {
                self.state = State::List(1);
            } else {
                self.begin(at, marks);
                if self.state == State::Top {
                    self.state = State::Object;
                    self.expects_value = false;
                }
            }
        } else if of_interest && byte == b'[' && self.names_a_list() {
            self.state = State::ListBegins;
        } else if of_interest && byte == b'{' && !self.in_log && self.last_name == b"log" {
            self.in_log = true;
            self.expects_value = false;
        }
        self.depth += 1;
    }

    fn names_a_list(&self) -> bool {
        if self.in_log {
            return self.last_name == b"entries";
        }
        LISTS.iter().any(|list| list.as_bytes() == self.last_name)
    }

    /// Decides by its first element whether a list is one of records.
    fn settle_list(&mut self, byte: u8, marks: &mut Vec<Mark>) {
        if byte == b'{' {
            if std::mem::take(&mut self.open) {
                marks.push(Mark::Cancel);
            }
            self.state = State::List(self.depth);
        } else {
            self.state = if self.open { State::Object } else { State::Envelope };
        }
    }

    fn ascend(&mut self, at: usize, marks: &mut Vec<Mark>) {
        if self.at_record_level() {
            self.end(at, marks);
            if let State::List(depth) = self.state {
                self.depth = depth.saturating_sub(1);
                self.state = if self.depth == 0 { State::Top } else { State::Envelope };
            }
            return;
        }
        self.depth = self.depth.saturating_sub(1);
        if self.in_log && self.depth < 2 {
            self.in_log = false;
        }
        let ends = match self.state {
            State::List(depth) => self.depth == depth,
            _ => self.depth == 0,
        };
        if ends {
            self.end(at + 1, marks);
            if self.depth == 0 {
                self.state = State::Top;
            }
        }
    }

    /// Passes over a text, or to behind the next escape in it; where it goes on.
    fn pass_text(&mut self, bytes: &[u8], from: usize) -> usize {
        if std::mem::take(&mut self.escaped) {
            self.line += u64::from(bytes.get(from) == Some(&b'\n'));
            return from + 1;
        }
        let rest = bytes.get(from..).unwrap_or_default();
        let length = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        let passed = rest.get(..length).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count() as u64;
        if let Some(name) = &mut self.name {
            let room = MAX_NAME_BYTES.saturating_sub(name.len());
            name.extend_from_slice(passed.get(..room).unwrap_or(passed));
        }
        match rest.get(length) {
            Some(b'"') => {
                self.in_text = false;
                if let Some(name) = self.name.take() {
                    self.last_name = name;
                }
            }
            Some(_) => self.escaped = true,
            None => {}
        }
        from + length + 1
    }
}

/// What a piece of JSON came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many brackets are open at its end, a text that is open counted as one.
    pub(super) depth: u64,
    /// How many records were whole.
    pub(super) records: usize,
    /// Whether it ends in a list of records.
    pub(super) in_list: bool,
}

/// The shape of the beginning of a file.
pub(super) fn shape(head: &[u8]) -> Shape {
    let mut scanner = DocumentScanner::default();
    let mut marks = Vec::new();
    scanner.scan(head, &mut marks);
    Shape {
        depth: scanner.depth + u64::from(scanner.in_text),
        records: marks.iter().filter(|mark| matches!(mark, Mark::End { .. })).count(),
        in_list: matches!(scanner.state, State::List(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::units::testing::read_all;
    use super::*;

    fn records(text: &str) -> Vec<String> {
        let mut all: Option<Vec<(String, u64, u64)>> = None;
        for block in [1, 2, 7, 1_000] {
            let scanner = Box::new(DocumentScanner::default());
            let found = read_all(scanner, text.as_bytes(), 10_000, block);
            assert!(all.as_ref().is_none_or(|all| *all == found), "in blocks of {block}: {text}");
            for (record, line, offset) in &found {
                let before = &text[..*offset as usize];
                assert_eq!(*line, 1 + before.matches('\n').count() as u64, "{text}");
                assert!(text[*offset as usize..].starts_with(record), "{record} in {text}");
            }
            all = Some(found);
        }
        all.unwrap_or_default().into_iter().map(|(record, _, _)| record).collect()
    }

    #[test]
    fn objects_over_several_lines_are_one_record_each() {
        assert_eq!(
            records("{\n \"a\": \"}\\\"{\\n\"\n}\n{\"b\":[{}]}"),
            ["{\n \"a\": \"}\\\"{\\n\"\n}", "{\"b\":[{}]}"]
        );
        assert_eq!(records("{}{}\n\n"), ["{}", "{}"]);
    }

    #[test]
    fn elements_of_a_list_are_records() {
        assert_eq!(records("[\n {\"a\":[1]},\n {\"b\":2}\n]\n"), ["{\"a\":[1]}", "{\"b\":2}"]);
        assert_eq!(
            records("[1, \"x,\\\"]\" , [2], null]{\"a\":1}"),
            ["1", "\"x,\\\"]\" ", "[2]", "null", "{\"a\":1}"]
        );
        assert!(records("[]").is_empty());
    }

    #[test]
    fn elements_of_the_list_in_an_envelope_are_records_and_the_rest_of_it_is_not() {
        let page =
            r#"{"object":"list","n":{"data":[{"x":1}]},"data":[{"a":1},{"b":"data"}],"more":[{}]}"#;
        assert_eq!(records(page), [r#"{"a":1}"#, r#"{"b":"data"}"#]);
        let har = r#"{"log":{"version":"1.2","creator":{"entries":[{}]},"entries":[{"t":1},{"t":2}],"pages":[]},"x":1}"#;
        assert_eq!(records(har), [r#"{"t":1}"#, r#"{"t":2}"#]);
        let two = r#"{"resourceSpans":[{"a":1}],"resourceLogs":[{"b":1}]} {"c":1}"#;
        assert_eq!(records(two), [r#"{"a":1}"#, r#"{"b":1}"#, r#"{"c":1}"#]);
    }

    #[test]
    fn a_list_of_other_things_leaves_the_object_a_record() {
        for record in [
            r#"{"data":[1,2],"x":{"data":[{}]}}"#,
            r#"{"data":[],"x":1}"#,
            r#"{"x":"data","y":[{"z":1}]}"#,
            r#"{"log":"text","entries":[{"z":1}]}"#,
        ] {
            assert_eq!(records(record), [record]);
        }
    }

    #[test]
    fn what_is_no_json_has_a_place_too_and_ends_at_its_line() {
        assert_eq!(
            records("{\"a\":1}\noops, \"x\"\n{\"b\":1}"),
            ["{\"a\":1}", "oops", "\"x\"", "{\"b\":1}"]
        );
        assert_eq!(records("]}{\"a\":1}"), ["{\"a\":1}"]);
        assert_eq!(records("[{\"a\":1} junk {\"b\":1}]"), ["{\"a\":1}", "junk ", "{\"b\":1}"]);
        assert_eq!(records("{\"a\":[1"), ["{\"a\":[1"]);
        let deep = "[".repeat(10_000);
        assert_eq!(records(&deep).len(), 1);
    }
}
