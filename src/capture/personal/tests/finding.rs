//! Values with check digits that are published, and what must be left alone.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

#[test]
fn published_examples_of_each_kind_are_found() {
    for (text, expected) in [
        ("Write to Alice.Smith+news@Example.com.", "Write to [email]."),
        ("mailto:o'brien@example.co.uk?subject=x", "mailto:[email]?subject=x"),
        ("?mail=alice%40example.com&x=1", "?mail=[email]&x=1"),
        ("联系alice@example.com谢谢", "联系[email]谢谢"),
        ("\\nbob@example.com\\n", "\\n[email]\\n"),
        ("<bob@example.com>,bob@example.com.", "<[email]>,[email]."),
        ("call +44 (0)20 7946 0958!", "call [phone]!"),
        ("(415) 555-0123 or 415-555-0123 x12", "[phone] or [phone] x12"),
        ("+49 (0)30/1234567, 0171 2345678", "[phone], [phone]"),
        ("Tél. 06.12.34.56.78", "Tél. [phone]"),
        ("電話は03-1234-5678です", "電話は[phone]です"),
        ("Telefon: 0612345678", "Telefon: [phone]"),
        // ISO 13616 and the SWIFT registry
        ("GB29 NWBK 6016 1331 9268 19 and more", "[iban] and more"),
        ("DE89370400440532013000,", "[iban],"),
        ("MT84MALT011000012345MTLCAST001S", "[iban]"),
        // Test numbers of the schemes
        ("4111 1111 1111 1111 12/28 123", "[card] 12/28 123"),
        ("378282246310005; 3056-930902-5904", "[card]; [card]"),
        ("2223003122003222", "[card]"),
        ("from 203.0.113.7:443 to 10.0.0.0/8", "from [ip]:443 to [ip]/8"),
        ("http://[2001:db8::1]:80/ fe80::1%eth0", "http://[[ip]]:80/ [ip]%eth0"),
        ("2001:db8:85a3:0:0:8a2e:370:7334", "[ip]"),
        ("SSN 536-90-4399; ssn: 536904399", "SSN [national_id]; ssn: [national_id]"),
        ("NI AB 12 34 56 C and AB123456C", "NI [national_id] and [national_id]"),
        // INSEE, the Spanish interior ministry, DM 23/12/1976, BZSt, the Dutch tax office, RFB, UIDAI
        ("255081416802538, 2 55 08 14 168 025 38", "[national_id], [national_id]"),
        (
            "12345678Z, 12345678-Z, 12.345.678-Z, X1234567L",
            "[national_id], [national_id], [national_id], [national_id]",
        ),
        ("RSSMRA85T10A562S rssmra85t10a562s", "[national_id] [national_id]"),
        ("86095742719 / 86 095 742 719", "[national_id] / [national_id]"),
        ("BSN 111222333", "BSN [national_id]"),
        ("529.982.247-25", "[national_id]"),
        ("2341 2341 2346", "[national_id]"),
    ] {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn what_only_looks_like_personal_data_is_left_alone() {
    for text in [
        "v1.2.3.4, version 10.0.19045.1, \"version\": \"1.2.3.4\", Chrome/120.0.0.0, x>=1.2.3.4",
        "127.0.0.1 0.0.0.0 255.255.255.0 ::1 1.3.6.1.4.1.311.2",
        "12:34:56 00:1a:2b:3c:4d:5e std::vec::Vec dead::beef 00:11:22:33:44:55:66:77",
        "2026-11-22T10:15:30.123456Z 22.11.2026 10:15 01/02/2026 - 03/04/2026",
        "order 415-555-0123, invoice no. 030-1234567, ticket #0123-456789",
        "612 345 678 and 333 1234567 and 98765 43210 and 4155550123",
        "550e8400-e29b-41d4-a716-446655440000 1795341600123 0.4111111111111111",
        "4111 1111 1111 1112; DE88 3704 0044 0532 0130 00; 111222333",
        "12345678A, AB123456E, 529.982.247-26, 2341 2341 2345, 86095742718",
        "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000",
        "logo@2x.png react@18.2.0 @app.route git@github.com:a/b.git a @ b.com",
        "978-3-16-148410-0 1,234,567,890 +12.5% 1e+10000000 000000000000",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn two_spellings_of_a_value_have_one_stand_in_and_two_values_have_two() {
    let redactor = redactor(&RedactionPolicy::all());
    let same = |left: &str, right: &str| redactor.redact_text(left) == redactor.redact_text(right);
    assert!(same("Alice@Example.com", "alice@example.com"));
    assert!(same("+49 30 1234567", "0049 (30) 1234567"));
    assert!(same("(415) 555-0123", "+1 415.555.0123"));
    assert!(same("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"));
    assert!(same("4111-1111-1111-1111", "4111111111111111"));
    assert!(same("2001:DB8::1", "2001:db8:0:0::1"));
    assert!(!same("alice@example.com", "bob@example.com"));
    let other = PersonalData::new(&RedactionPolicy::all(), &[8; 32]).unwrap();
    assert_ne!(other.redact_text("a@example.com"), redactor.redact_text("a@example.com"));
}

#[test]
fn the_stand_in_is_the_hmac_of_kind_and_value() {
    // printf 'email\x1falice@example.com' | openssl dgst -sha256 -mac HMAC \
    //     -macopt hexkey:0707…07 (32 bytes)
    let redactor = redactor(&RedactionPolicy::all());
    assert_eq!(redactor.redact_text("alice@example.com"), "[email:ae22a92224a9]");
}

#[test]
fn blocks_of_encoded_bytes_are_not_looked_into() {
    let block = format!("{}+4930123456789/4111111111111111/", "QUJD".repeat(80));
    let url = format!("data:image/png;base64,{block}");
    assert_eq!(shown(&block), block);
    assert_eq!(shown(&url), url);
    assert!(shown("data:text/plain;base64, 4111111111111111").ends_with("[card]"));
}

fn pieces() -> Vec<&'static str> {
    vec![
        "alice@example.com",
        "@",
        "%40",
        "bob",
        ".com",
        "+49 30 1234567",
        "+",
        "0",
        "030",
        "1234567",
        "/",
        "(415) 555-0123",
        "-",
        " ",
        "  ",
        ".",
        ":",
        "::",
        "4111 1111 1111 1111",
        "4111",
        "12",
        "2026",
        "DE89",
        " 3704 0044 0532 0130 00",
        "10.0.0.1",
        "fe80::1",
        "536-90-4399",
        "AB123456C",
        "12345678Z",
        "BSN ",
        "111222333",
        "Tel. ",
        "order ",
        "Anna Schmidt",
        "anna",
        "E-123456",
        "[email:0123456789ab]",
        "[secret:jwt]",
        "[",
        "]",
        "\"",
        "\\",
        "\n",
        "{\"a\":\"",
        "\"}",
        "[1,",
        "é",
        "日",
        "\u{a0}",
        "x",
    ]
}

/// A redactor with rules of all sorts.
static EVERYTHING: LazyLock<PersonalData> = LazyLock::new(|| {
    redactor(&RedactionPolicy {
        names: vec!["Anna Schmidt".into(), "Bob".into()],
        patterns: vec![("employee".into(), "E-[0-9]{6}".into())],
        ..RedactionPolicy::all()
    })
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacting_twice_changes_nothing(
        text in prop::collection::vec(prop::sample::select(pieces()), 0..16),
    ) {
        let redactor = &*EVERYTHING;
        let once = redactor.redact_text(&text.concat()).into_owned();
        prop_assert_eq!(redactor.redact_text(&once).into_owned(), once.clone());
        let json = serde_json::json!({"a": [text.concat()], text.concat(): 1}).to_string();
        let once = redactor.redact_json(&json).into_owned();
        prop_assert!(serde_json::from_str::<serde_json::Value>(&once).is_ok(), "{once}");
        prop_assert_eq!(redactor.redact_json(&once).into_owned(), once.clone());
    }

    #[test]
    fn the_fast_pass_clears_no_text_that_the_detectors_find_something_in(
        text in prop::collection::vec(prop::sample::select(pieces()), 0..16),
        filler in 0_usize..200,
    ) {
        let text = format!("{}{}", "x ".repeat(filler), text.concat());
        let finds = EVERYTHING.detectors.find_unfiltered(&text);
        prop_assert!(finds.is_empty() || EVERYTHING.detectors.may_find(&text), "{finds:?}");
    }
}
