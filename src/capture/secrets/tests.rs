//! Tests of the search for secrets. Keys are put together when the tests run, so that no text of
//! this file looks like one.

use proptest::prelude::*;

use super::*;

/// Shapes put together when the test runs, so that no text of this file looks like a key.
fn canaries() -> Vec<(&'static str, String)> {
    let run = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
    let upper = "ABCD1234EFGH5678";
    let join = |parts: &[&str]| parts.concat();
    let pem = ["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIB", run, "\n", run, "\n"].concat();
    let pem = join(&[&pem, "-----END RSA ", "PRIVATE KEY-----"]);
    vec![
        ("openai_key", join(&["sk", "-", run])),
        ("openai_key", join(&["sk", "-proj-", run, "_x-", run])),
        ("anthropic_key", join(&["sk", "-ant-", "api03-", run])),
        ("openrouter_key", join(&["sk", "-or-v1-", run])),
        ("aws_access_key", join(&["AK", "IA", upper])),
        ("aws_access_key", join(&["AS", "IA", upper])),
        ("github_token", join(&["gh", "p_", run])),
        ("github_token", join(&["github", "_pat_", run])),
        ("gitlab_token", join(&["gl", "pat-", run])),
        ("slack_token", join(&["xo", "xb-123456789012-", run])),
        ("slack_token", join(&["xo", "xp-123456789012-", run])),
        ("google_key", join(&["AI", "za", run])),
        ("groq_key", join(&["gs", "k_", run])),
        ("huggingface_token", join(&["h", "f_", run])),
        ("stripe_key", join(&["sk", "_live_", run])),
        ("jwt", join(&["ey", "J", run, ".", "eyJ", run, ".", run])),
        ("private_key", pem),
        ("langfuse_key", join(&["sk", "-lf-", "a1b2c3d4-e5f6-a7b8-c9d0-a1b2c3d4e5f6"])),
        ("langfuse_key", join(&["pk", "-lf-", "a1b2c3d4-e5f6-a7b8-c9d0-a1b2c3d4e5f6"])),
        ("cerebras_key", join(&["cs", "k-", run])),
        ("bedrock_key", join(&["AB", "SK", run, run])),
        ("bedrock_key", join(&["bedrock", "-api-key-", run])),
        ("google_token", join(&["ya", "29.", run])),
        ("huggingface_token", join(&["h", "f_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"])),
        ("npm_token", join(&["np", "m_", run])),
        ("nvidia_key", join(&["nv", "api-", run])),
        ("perplexity_key", join(&["pp", "lx-", run])),
        ("replicate_token", join(&["r", "8_", run])),
        ("sendgrid_key", join(&["S", "G.", "a1B2c3D4e5F6g7H8i9J0k1", ".", run])),
        ("telegram_token", join(&["123456789", ":A", "A", run])),
        ("twilio_key", join(&["S", "K", "0123456789abcdef0123456789abcdef"])),
        ("xai_key", join(&["xa", "i-", run])),
    ]
}

#[test]
fn every_shape_is_replaced_alone_in_a_sentence_and_behind_an_escape() {
    assert!(RULES.is_some());
    for (kind, secret) in canaries() {
        let stand_in = stand_in(kind);
        assert_eq!(scrub_text(&secret), stand_in, "{kind}");
        let sentence = format!("Use \"{secret}\", please: {secret}.");
        assert_eq!(
            scrub_text(&sentence),
            format!("Use \"{stand_in}\", please: {stand_in}."),
            "{kind}"
        );
        let json = serde_json::to_string(&format!("a\n{secret}\nb")).unwrap();
        let scrubbed = scrub_json(&json);
        assert_eq!(*scrubbed, format!("\"a\\n{stand_in}\\nb\""), "{kind}");
        let twice = serde_json::to_string(&json).unwrap();
        let scrubbed = scrub_json(&twice);
        let inner: String = serde_json::from_str(&scrubbed).unwrap();
        assert_eq!(inner, format!("\"a\\n{stand_in}\\nb\""), "{kind}, JSON in JSON");
    }
}

#[test]
fn values_behind_names_of_secrets_are_replaced() {
    let value = ["hunter", "2-X9"].concat();
    for (text, expected) in [
        (format!("password={value}&x=1"), "password=[secret:password]&x=1"),
        (format!("DB_PASSWORD = {value}\n"), "DB_PASSWORD = [secret:password]\n"),
        (format!("{{\"api_key\":\"{value}\"}}"), "{\"api_key\":\"[secret:password]\"}"),
        (
            format!("{{\\\"api_key\\\": \\\"{value}\\\"}}"),
            "{\\\"api_key\\\": \\\"[secret:password]\\\"}",
        ),
        (format!("postgres://app:{value}@db/x"), "postgres://app:[secret:url_password]@db/x"),
        (
            format!("Authorization: Bearer {value}{value}"),
            "Authorization: Bearer [secret:authorization]",
        ),
    ] {
        assert_eq!(scrub_text(&text), expected, "{expected}");
    }
    let hex = "0123456789abcdef".repeat(2);
    let forty = ["wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYAB12CD34ef"].concat();
    for (text, expected) in [
        (format!("api-key: {hex}\nAccept: */*"), "api-key: [secret:api_key]\nAccept: */*"),
        (format!("-H 'X-Api-Key: {hex}'"), "-H 'X-Api-Key: [secret:api_key]'"),
        (format!("DD-API-KEY:{hex}"), "DD-API-KEY:[secret:api_key]"),
        (format!("DD_APP_KEY={hex}"), "DD_APP_KEY=[secret:password]"),
        (format!("AWS_SECRET_ACCESS_KEY={forty}"), "AWS_SECRET_ACCESS_KEY=[secret:password]"),
        (format!("\"SecretAccessKey\": \"{forty}\""), "\"SecretAccessKey\": \"[secret:password]\""),
    ] {
        assert_eq!(scrub_text(&text), expected, "{expected}");
    }
    let odd = format!("{{\"password\":\"p$({value})\"}}");
    assert_eq!(scrub_json(&odd), "{\"password\":\"[secret:password]\"}");
    let json = format!("{{\"a\":{{\"client_secret\":\"{value}\",\"secret\":\"the word\"}}}}");
    let expected = r#"{"a":{"client_secret":"[secret:password]","secret":"the word"}}"#;
    assert_eq!(scrub_json(&json), expected);
}

#[test]
fn ordinary_words_are_left_alone() {
    for text in [
        "a task-management-software-for-2026-and-beyond",
        "sk-learn-1-2-compat-notes-and-more",
        "password = input(\"Password: \")",
        "password=get_password2(user)",
        "Password: required, 8 characters",
        "the bearer of this letter",
        "Bearer tokens are described in the specification",
        "{\"properties\":{\"password\":{\"type\":\"string\"}}}",
        "https://example.org:8080/a@b",
        "eyJ is how they begin",
        "api_key: see the section on authentication",
        "npm_config_registry=https://example.org/",
        "basic internationalization is easy",
        "{\"secret\":\"[email:0123456789ab]\"}",
        "{\"max_tokens\":1024,\"token\":\"12345678\"}",
    ] {
        assert!(matches!(scrub_text(text), Cow::Borrowed(_)), "{text}");
        assert!(matches!(scrub_json(text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn a_cut_private_key_and_a_key_as_member_name_are_replaced() {
    let cut = ["-----BEGIN ", "PRIVATE KEY-----\\nMIIB1234\\nabcd"].concat();
    assert_eq!(scrub_text(&cut), "[secret:private_key]");
    let key = ["gs", "k_", "a1B2c3D4e5F6g7H8i9J0k1"].concat();
    assert_eq!(scrub_json(&format!("{{\"{key}\":1}}")), "{\"[secret:groq_key]\":1}");
}

#[test]
fn a_scheme_is_found_wherever_it_stands() {
    let value = ["hunter2", "hunter2", "hunter2"].concat();
    for before in 0..100 {
        for scheme in ["Bearer", "bASIC"] {
            let text = format!("{}{scheme} {value}{}", "-".repeat(before), " x".repeat(before / 3));
            assert!(scrub_text(&text).contains("[secret:authorization]"), "{text}");
        }
    }
}

/// Pieces of which texts with marks, without, and almost with them are made.
fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> = canaries().into_iter().map(|(_, secret)| secret).collect();
    let words = [
        "password",
        "PassWord",
        "passwd",
        "PWD",
        "secret",
        "api_key",
        "Api-Key",
        "apikey",
        "key",
        "token",
        "auth_token",
        "REFRESH-TOKEN",
        "x-api-key",
        "secretAccessKey",
        "private_key",
        "basic",
        "Bearer",
        "BEARER",
        "authorization",
        "Authorization: token",
        "SK",
        "sk-",
        "s",
        "k",
        "_live_",
        "://",
        "@",
        ":AA",
        "eyJ",
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "xoxb-",
        "hunter2x9",
        "a1B2c3D4e5F6g7H8i9J0k1",
        "0123456789abcdef",
        " ",
        "  ",
        "\t",
        "\n",
        "\u{a0}",
        ":",
        "=",
        "\"",
        "'",
        "\\",
        "\\\\",
        ".",
        "-",
        "_",
        "/",
        "\u{17f}",
        "\u{212a}",
        "ey",
        "é",
        "日本",
        "x",
        "{",
        "}",
        ",",
    ];
    pieces.extend(words.into_iter().map(str::to_owned));
    pieces
}

/// What is found if no shape is ruled out beforehand.
fn scrub_without_marks(text: &str, rules: &Rules) -> String {
    let mut scrubbed = text.to_owned();
    loop {
        let before = scrubbed.clone();
        for (shape, regex) in SHAPES.iter().zip(&rules.shapes) {
            scrubbed = replace_all(&scrubbed, regex, shape).unwrap_or(scrubbed);
        }
        if scrubbed == before {
            return scrubbed;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_shape_is_ruled_out_that_a_full_search_finds(
        text in prop::collection::vec(prop::sample::select(pieces()), 0..12),
    ) {
        let text = text.concat();
        let rules = RULES.as_ref().unwrap();
        let found = rules.marks.of(&text);
        for (index, regex) in rules.shapes.iter().enumerate() {
            prop_assert!(found.has(index) || !regex.is_match(&text), "{} in {text:?}", SHAPES[index].0);
        }
        prop_assert_eq!(scrub_text(&text), scrub_without_marks(&text, rules));
    }

    #[test]
    fn texts_that_are_searched_together_hide_nothing_from_each_other(
        texts in prop::collection::vec(
            prop::collection::vec(prop::sample::select(pieces()), 0..3).prop_map(|text| text.concat()),
            0..6,
        ),
    ) {
        let rules = RULES.as_ref().unwrap();
        let alone = texts.iter().any(|text| !rules.marks.of(text).is_empty());
        prop_assert!(may_hold(texts.iter().map(String::as_str)) || !alone, "{texts:?}");
    }

    #[test]
    fn scrubbing_twice_changes_nothing(
        text in prop::collection::vec(prop::sample::select(pieces()), 0..12),
    ) {
        let once = scrub_text(&text.concat()).into_owned();
        prop_assert_eq!(scrub_text(&once), once.clone());
    }
}
