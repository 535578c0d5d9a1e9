//! The report as one HTML file: no network, no script needed, light, dark and print.

use askama::Template;
use askama::filters::HtmlSafe;
use sha2::{Digest, Sha256};

use super::escape::escape_script_json;
use super::text::shown;
use super::view::{
    Coverage, CriterionView, Headline, Section, coverage, criteria, headline, sections,
};
use super::{Report, ReportError};

/// Optional comfort: sorting and filtering of tables. The page is complete without it.
const SCRIPT: &str = include_str!("templates/report.js");
pub(super) const STYLE: &str = include_str!("templates/report.css");

/// Text that the page takes as it is, because it is our own or escaped already.
pub(super) struct Verbatim<T>(pub(super) T);

impl<T: std::fmt::Display> std::fmt::Display for Verbatim<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

impl<T: std::fmt::Display> HtmlSafe for Verbatim<T> {}

#[derive(Template)]
#[template(path = "report.html", config = "src/report/askama.toml")]
struct Page {
    title: String,
    generated_at: String,
    run_id: String,
    tool_version: String,
    plan_sha256: String,
    results_sha256: String,
    headline: Headline,
    gates: Vec<CriterionView>,
    advisory: Vec<CriterionView>,
    coverage: Coverage,
    sections: Vec<Section>,
    script_hash: String,
    script: Verbatim<&'static str>,
    style: Verbatim<&'static str>,
    data: Verbatim<String>,
}

/// The report as a self-contained HTML page.
///
/// Every text from data is escaped; a content security policy allows no script but the page's
/// own, by its hash, and no request at all. The report as JSON is embedded in the element
/// `report-data`.
///
/// # Errors
/// When the template cannot be filled or the embedded JSON cannot be written.
pub fn html(report: &Report) -> Result<String, ReportError> {
    let (gates, advisory) =
        criteria(&report.verdict.criteria).into_iter().partition(|criterion| criterion.gate);
    let page = Page {
        title: shown(&report.title),
        generated_at: shown(&report.generated_at),
        run_id: shown(&report.verdict.run_id),
        tool_version: shown(&report.verdict.tool_version),
        plan_sha256: shown(&report.verdict.inputs.plan_sha256),
        results_sha256: shown(&report.verdict.inputs.results_sha256),
        headline: headline(report),
        gates,
        advisory,
        coverage: coverage(&report.verdict),
        sections: sections(report),
        script_hash: base64(&Sha256::digest(SCRIPT.as_bytes())),
        script: Verbatim(SCRIPT),
        style: Verbatim(STYLE),
        data: Verbatim(escape_script_json(&serde_json::to_string(report)?)),
    };
    Ok(page.render()?)
}

/// Standard base64 with padding (RFC 4648, section 4), the form of hashes in a policy.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = (group >> (18 - 6 * position)) as usize % 64;
            let is_padding = position > chunk.len();
            text.push(if is_padding { '=' } else { char::from(ALPHABET[index]) });
        }
    }
    text
}

/// Our own sentences, cut at backticks: every second piece is code.
fn code_pieces(sentence: &'static str) -> impl Iterator<Item = (bool, &'static str)> {
    sentence.split('`').enumerate().map(|(position, piece)| (position % 2 == 1, piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_gives_the_values_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (given, wanted) in vectors {
            assert_eq!(base64(given.as_bytes()), wanted);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn the_script_is_small_and_cannot_end_its_element() {
        assert!(SCRIPT.len() < 10_000, "{}", SCRIPT.len());
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("</") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn every_second_piece_of_a_sentence_is_code() {
        let pieces: Vec<(bool, &str)> = code_pieces("run `x y` now").collect();
        assert_eq!(pieces, [(false, "run "), (true, "x y"), (false, " now")]);
    }
}
