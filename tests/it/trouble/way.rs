//! The way to a provider: TLS, HTTP/2 and proxies.

use std::path::PathBuf;

use rehearsal::simulator::{SimulatorConfig, TlsFiles};

use super::{Provider, assert_nothing_sent_twice, candidate, instant, project, replay_with};
use crate::support::{number, repository};

fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/tls").join(name)
}

fn secure(certificate: &str) -> SimulatorConfig {
    let tls = TlsFiles { certificate: file(certificate), key: file("server.key") };
    SimulatorConfig { tls: Some(tls), ..instant() }
}

#[test]
fn a_certificate_is_trusted_by_its_authority_or_not_at_all() {
    let authority = file("ca.pem");
    let authority = authority.to_str().unwrap();
    for (certificate, hint) in [
        ("server.pem", None),
        ("expired.pem", Some("has expired")),
        ("other-host.pem", Some("one of another host")),
    ] {
        let provider = Provider::start(secure(certificate));
        let url = format!("https://{}/v1", provider.address());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let named = format!("ca_file = {authority:?}");
        project(path, 6, &[candidate("next", "openai_chat", &url, &named)], "");
        let outcome = replay_with(path, &[], &[]);
        match hint {
            None => assert_eq!(outcome.code, 0, "{}", outcome.stderr),
            Some(hint) => {
                assert_eq!(outcome.code, 3, "{certificate}: {}", outcome.stderr);
                assert!(outcome.stderr.contains(hint), "{certificate}: {}", outcome.stderr);
                assert!(provider.log().is_empty(), "{certificate}");
            }
        }
    }
}

#[test]
fn an_unknown_authority_is_refused_with_a_hint_and_the_flag_names_it() {
    let provider = Provider::start(secure("server.pem"));
    let url = format!("https://{}/v1", provider.address());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    project(path, 6, &[candidate("next", "openai_chat", &url, "")], "");
    let refused = replay_with(path, &[], &[]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("--ca-file"), "{}", refused.stderr);
    let nothing = path.join("log.jsonl");
    let unusable = replay_with(path, &["--ca-file", nothing.to_str().unwrap()], &[]);
    assert_eq!(unusable.code, 3, "{}", unusable.stderr);
    assert!(provider.log().is_empty());
    let trusted = replay_with(path, &["--ca-file", file("ca.pem").to_str().unwrap()], &[]);
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM results WHERE error_class IS NULL"), 6);
}

#[test]
fn a_server_that_says_goaway_gets_no_request_twice_and_none_is_lost() {
    let provider =
        Provider::start(SimulatorConfig { goaway_after: Some(7), ..secure("server.pem") });
    let url = format!("https://{}/v1", provider.address());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let more = format!("ca_file = {:?}\nlimits = {{ concurrency = 12 }}", file("ca.pem"));
    project(path, 300, &[candidate("next", "openai_chat", &url, &more)], "retries = 10");
    let outcome = replay_with(path, &[], &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_nothing_sent_twice(path, &provider);
    assert!(provider.log().iter().all(|entry| entry.http2), "HTTP/2 was not spoken");
    let done = "SELECT COUNT(*) FROM results WHERE final AND error_class IS NULL";
    assert_eq!(number(path, done), 300);
}

#[test]
fn a_proxy_of_the_environment_is_used_and_shown_and_no_proxy_is_heeded() {
    // The simulator answers whatever host a request names, as a proxy would for it.
    let proxy = Provider::start(instant());
    let with_credentials = format!("http://somebody:proxy-password@{}", proxy.address());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let url = "http://provider.invalid/v1";
    project(path, 4, &[candidate("next", "openai_chat", url, "")], "");
    let variables = [("HTTP_PROXY", with_credentials.as_str()), ("NO_PROXY", "elsewhere.example")];
    let proxied = replay_with(path, &[], &variables);
    assert_eq!(proxied.code, 0, "{}", proxied.stderr);
    assert_eq!(proxy.log().len(), 4);
    let shown = format!("arm `next` is reached through the proxy http://{}", proxy.address());
    assert!(proxied.stderr.contains(&shown), "{}", proxied.stderr);
    assert!(!proxied.stderr.contains("proxy-password"), "{}", proxied.stderr);

    let other = tempfile::tempdir().unwrap();
    project(other.path(), 4, &[candidate("next", "openai_chat", url, "")], "");
    let variables = [("HTTP_PROXY", with_credentials.as_str()), ("NO_PROXY", "provider.invalid")];
    let direct = replay_with(other.path(), &[], &variables);
    assert_eq!(direct.code, 75, "{}", direct.stderr);
    assert!(!direct.stderr.contains("proxy"), "{}", direct.stderr);
    assert_eq!(proxy.log().len(), 4);
}
