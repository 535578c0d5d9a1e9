//! An arm's key: it lives in memory, goes into one header, and is taken out of everything that a
//! provider sends back.

use std::borrow::Cow;
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::exchange::Exchange;

/// What stands in the place of a key.
const IN_ITS_PLACE: &str = "[key]";

/// Shorter keys are placeholders of local servers (`EMPTY`, `dummy`); taking them out of answers
/// would damage these.
const MIN_SECRET_BYTES: usize = 12;

/// A beginning of the key of this length, at the end of a message, is what a cut left of it.
const MIN_TAIL_BYTES: usize = 6;

/// A key. It can be sent; it cannot be printed.
pub(super) struct Secret {
    key: String,
    forms: Option<AhoCorasick>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// Takes a key; blanks and line ends around it are no part of it.
    pub(super) fn new(key: &str) -> Self {
        let key = key.trim().to_owned();
        let forms = if key.len() >= MIN_SECRET_BYTES {
            // Fails only for sets of patterns far larger than these.
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(forms(&key)).ok()
        } else {
            None
        };
        Secret { key, forms }
    }

    /// The key itself, for the one header that carries it.
    pub(super) fn expose(&self) -> &str {
        &self.key
    }

    /// Takes the key out of everything that a provider sent back.
    pub(super) fn scrub_exchange(&self, exchange: &mut Exchange) {
        if self.forms.is_none() {
            return;
        }
        if let Some((_, message)) = &mut exchange.error {
            self.scrub(message);
            self.cut_tail(message);
        }
        let response = &mut exchange.response;
        self.scrub(&mut response.text);
        for call in &mut response.tool_calls {
            self.scrub(&mut call.id);
            self.scrub(&mut call.name);
            self.scrub(&mut call.arguments);
        }
        let texts = [
            &mut response.model,
            &mut response.refusal,
            &mut response.raw_finish_reason,
            &mut exchange.provider_request_id,
        ];
        for text in texts.into_iter().flatten() {
            self.scrub(text);
        }
    }

    fn scrub(&self, text: &mut String) {
        let Some(forms) = &self.forms else { return };
        if forms.is_match(text.as_str()) {
            let replacements = vec![IN_ITS_PLACE; forms.patterns_len()];
            *text = forms.replace_all(text, &replacements);
        }
    }

    /// Takes away a beginning of the key that was left when a message was cut to its length.
    fn cut_tail(&self, message: &mut String) {
        let longest = (MIN_TAIL_BYTES..self.key.len())
            .rev()
            .filter_map(|length| self.key.get(..length))
            .find(|start| message.ends_with(start));
        if let Some(start) = longest {
            message.truncate(message.len() - start.len());
            message.push_str(IN_ITS_PLACE);
        }
    }
}

/// The key in every form in which it may come back: plain, percent-encoded, escaped for JSON, and
/// in base64 at each of the three places at which it can begin within a longer text.
fn forms(key: &str) -> Vec<String> {
    let mut forms = vec![key.to_owned()];
    let percent = |upper: bool, keep: &dyn Fn(u8) -> bool| {
        key.bytes().fold(String::new(), |mut text, byte| {
            if keep(byte) {
                text.push(char::from(byte));
            } else {
                let hex = if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
                text.push_str(&hex);
            }
            text
        })
    };
    let unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    for upper in [true, false] {
        forms.push(percent(upper, &unreserved));
        forms.push(percent(upper, &|byte| byte.is_ascii_alphanumeric()));
    }
    if let Ok(quoted) = serde_json::to_string(key) {
        forms.push(quoted.trim_matches('"').to_owned());
    }
    for before in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(b' ', before).chain(key.bytes()).collect();
        // Characters at the edges share bits with what stands before and after the key.
        let skip = [0, 2, 3][before];
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let whole = padded.len() * 8 / 6;
            forms.extend(encoded.get(skip..whole).map(str::to_owned));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// A text without the credentials that an address may hold.
pub(super) fn without_credentials(address: &str) -> Cow<'_, str> {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => Cow::Owned(format!("{scheme}://{host}")),
        _ => Cow::Borrowed(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ErrorClass;

    const KEY: &str = "sk-proj-A+b/c=d_e~f%g.1234567890";

    fn scrubbed(text: &str) -> String {
        let mut exchange =
            Exchange { error: Some((ErrorClass::Auth, text.to_owned())), ..Exchange::default() };
        exchange.response.text = text.to_owned();
        Secret::new(&format!(" {KEY}\n")).scrub_exchange(&mut exchange);
        assert!(!exchange.response.text.contains(KEY));
        exchange.error.map(|(_, message)| message).unwrap_or_default()
    }

    #[test]
    fn the_key_is_found_in_every_form_in_which_it_may_come_back() {
        assert_eq!(scrubbed(&format!("no such key: {KEY}.")), "no such key: [key].");
        for prefix in ["", "B", "Bearer ", "user:", "x:"] {
            let encoded = base64::engine::general_purpose::STANDARD
                .encode(format!("{prefix}{KEY}; and more"));
            let middle = &base64::engine::general_purpose::STANDARD_NO_PAD.encode(KEY)[4..30];
            let text = scrubbed(&format!("header {encoded} end"));
            assert!(text.contains("[key]") && !text.contains(middle), "{prefix}: {text}");
        }
        let percent = "sk-proj-A%2Bb%2Fc%3Dd_e~f%25g.1234567890";
        assert_eq!(scrubbed(&format!("?key={percent}&x")), "?key=[key]&x");
        let lower = "sk-proj-A%2bb%2fc%3dd_e~f%25g.1234567890";
        assert_eq!(scrubbed(&format!("?key={lower}&x")), "?key=[key]&x");
    }

    #[test]
    fn what_a_cut_left_of_the_key_goes_too() {
        assert_eq!(scrubbed(&format!("wrong key {}", &KEY[..20])), "wrong key [key]");
        assert_eq!(scrubbed("the task"), "the task");
    }

    #[test]
    fn a_placeholder_is_no_secret_and_nothing_prints_a_key() {
        let mut exchange = Exchange::default();
        exchange.response.text = "The list is EMPTY".to_owned();
        Secret::new("EMPTY").scrub_exchange(&mut exchange);
        assert_eq!(exchange.response.text, "The list is EMPTY");
        assert_eq!(format!("{:?}", Secret::new(KEY)), "Secret");
    }

    #[test]
    fn an_address_is_shown_without_its_credentials() {
        assert_eq!(without_credentials("http://u:p@proxy:3128/"), "http://proxy:3128/");
        assert_eq!(without_credentials("http://proxy:3128/"), "http://proxy:3128/");
    }
}
