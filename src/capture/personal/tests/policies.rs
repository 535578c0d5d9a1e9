//! Names, patterns and paths, and what can be wrong with a policy.

use super::*;

fn named(names: &[&str]) -> RedactionPolicy {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    RedactionPolicy { names, ..RedactionPolicy::none() }
}

#[test]
fn names_are_found_as_whole_words_in_any_case() {
    let redactor = redactor(&named(&["Anna Schmidt", "Anna", "Müller", "Özgür", "田中", "O'Neil"]));
    for (text, expected) in [
        ("Anna Schmidt's ANNA  SCHMIDT anna\nschmidt", "[name]'s [name] [name]"),
        ("Anna Schmidtke, Annabel, Joanna, anna_b", "[name] Schmidtke, Annabel, Joanna, anna_b"),
        ("Frau MÜLLER, müller; Müllerin", "Frau [name], [name]; Müllerin"),
        ("özgür ÖZGÜR Özgür", "[name] [name] [name]"),
        ("田中さんと", "[name]さんと"),
        ("o'neil.", "[name]."),
    ] {
        assert_eq!(without_digits(&redactor.redact_text(text)), expected);
    }
    let same = [redactor.redact_text("Anna Schmidt"), redactor.redact_text("ANNA\u{a0}schmidt")];
    assert_eq!(same[0], same[1]);
}

#[test]
fn a_pattern_finds_its_own_kind_and_does_not_stop_at_a_stand_in() {
    let policy = RedactionPolicy {
        patterns: vec![("employee".into(), r"E-\d{6}|[0-9a-f]{12}\]? E-1\d{5}".into())],
        ..RedactionPolicy::all()
    };
    let redactor = redactor(&policy);
    let once = redactor.redact_text("E-123456, a@example.com").into_owned();
    assert_eq!(without_digits(&once), "[employee], [email]");
    let mixed = redactor.redact_text("[email:0123456789ab] E-123456").into_owned();
    assert_eq!(without_digits(&mixed), "[email] [employee]");
    assert_eq!(redactor.counts().get("employee"), Some(&2));
    assert_eq!(redactor.counts().get("email"), Some(&1));
}

#[test]
fn faults_are_named_with_their_place() {
    let problem = |path: &str| path.parse::<JsonPath>().unwrap_err().to_string();
    assert_eq!(problem(""), "path ``, character 1: the path is empty");
    assert_eq!(problem("a..b"), "path `a..b`, character 2: a member's name is missing");
    assert_eq!(
        problem("a[x]"),
        "path `a[x]`, character 2: in brackets stands `*`, a number or a name in double quotes"
    );
    assert_eq!(problem("a[0"), "path `a[0`, character 2: the `[` is not closed");
    assert_eq!(problem("a[0]b"), "path `a[0]b`, character 5: a `.` or `[` must follow a `]`");
    assert!(problem("a.b*").contains("stands alone"));
    assert_eq!(
        r#"a["b.c"][*].*[2]"#.parse::<JsonPath>().unwrap().to_string(),
        r#"a["b.c"][*].*[2]"#
    );
    let built =
        |policy: RedactionPolicy| PersonalData::new(&policy, &[0; 32]).err().unwrap().to_string();
    let pattern = |name: &str, regex: &str| RedactionPolicy {
        patterns: vec![("ok".into(), "x".into()), (name.into(), regex.into())],
        ..RedactionPolicy::none()
    };
    assert!(built(pattern("employee", "E-(")).starts_with("pattern 2 (`employee`): "));
    assert!(built(pattern("employee", "x*")).contains("matches the empty text"));
    assert!(built(pattern("email", "x")).starts_with("pattern 2: `email` cannot name a kind"));
    assert!(built(pattern("Employee", "x")).starts_with("pattern 2: `Employee`"));
    assert_eq!(built(named(&["Anna", " "])), "name 2 of the list has no letter or digit");
    assert!("mail".parse::<Kind>().unwrap_err().to_string().contains("known: email, phone"));
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok::<_, RedactionPolicyError>(kind));
    }
}

#[test]
fn the_hash_of_a_policy_is_that_of_what_it_replaces() {
    let one = RedactionPolicy { names: vec!["A b".into(), "C".into()], ..RedactionPolicy::all() };
    let same = RedactionPolicy { names: vec!["c".into(), "a B".into()], ..RedactionPolicy::all() };
    assert_eq!(one.sha256(), same.sha256());
    assert_eq!(one.sha256().len(), 64);
    assert_ne!(one.sha256(), RedactionPolicy::all().sha256());
    assert_ne!(RedactionPolicy::all().sha256(), RedactionPolicy::none().sha256());
    let lines = one.describe();
    assert_eq!(lines[0], "personal data (email, phone, iban, card, ip, national_id)");
    assert_eq!(lines[1], "listed names (2)");
    assert!(RedactionPolicy::none().describe().is_empty());
    assert!(RedactionPolicy::none().is_none());
}
