//! Keys come from the environment or a file, and are in nothing that this program writes.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use rehearsal::simulator::{FaultModel, SimulatorConfig};

use super::{Provider, candidate, instant, project, replay_with};
use crate::support::{Said, program, run, said};

/// Keys in the shapes of several providers, with characters that encodings change.
const CANARIES: [(&str, &str); 3] = [
    ("plain", "sk-canary-Zq7PXw+29/abcdefghijklmnop=="),
    ("claude", "sk-ant-api03-CanaryQQ_w8~x%y-zzzzzzzzzzzz"),
    ("filed", "AIzaSyCanary.0123456789:abcdefgh,XYZ"),
];

/// What must be nowhere: the key, its heart, and its encodings.
fn forms(key: &str) -> Vec<String> {
    let percent: String = key
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(key);
    let header = base64::engine::general_purpose::STANDARD_NO_PAD.encode(format!("Bearer {key}"));
    vec![key.to_owned(), key[10..30].to_owned(), percent, base64, header[12..40].to_owned()]
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_artefact_holds_a_key_even_when_the_provider_repeats_it() {
    let refusing = FaultModel { echo_key_rate: 0.7, ..FaultModel::default() };
    let provider = Provider::start(SimulatorConfig { faults: refusing, ..instant() });
    let url = format!("http://{}/v1", provider.address());
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path();
    let key_file = outside.path().join("key");
    fs::write(&key_file, format!("{}\n", CANARIES[2].1)).unwrap();
    let candidates = [
        candidate("plain", "openai_chat", &url, "api_key_env = \"CANARY_PLAIN\""),
        candidate("claude", "anthropic_messages", &url, "api_key_env = \"CANARY_CLAUDE\""),
        candidate("filed", "openai_chat", &url, &format!("api_key_file = {key_file:?}")),
    ];
    project(path, 20, &candidates, "");
    let variables = [
        ("CANARY_PLAIN", CANARIES[0].1),
        ("CANARY_CLAUDE", CANARIES[1].1),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
    ];
    let replayed = replay_with(path, &[], &variables);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    assert!(provider.log().iter().all(|entry| entry.auth_present));

    let mut outputs = vec![replayed];
    let commands: &[&[&str]] = &[
        &["judge"],
        &["report"],
        &["report", "--as", "json"],
        &["sql", "SELECT * FROM results", "--format", "json"],
        &["sql", "SELECT * FROM planned", "--format", "json"],
        &["sql", "SELECT * FROM capture", "--format", "json"],
    ];
    for arguments in commands {
        let mut command = program();
        command.args(*arguments).arg("-C").arg(path).envs(variables);
        outputs.push(said(&command.output().unwrap()));
    }
    let messages = &outputs[4].stdout;
    assert!(messages.contains("Incorrect API key provided: [key]"), "{messages:.2000}");
    for (arm, key) in CANARIES {
        for form in forms(key) {
            for Said { stdout, stderr, .. } in &outputs {
                assert!(!stdout.contains(&form) && !stderr.contains(&form), "{arm}: {form}");
            }
            for file in files(path) {
                let bytes = fs::read(&file).unwrap();
                let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{arm}: {form} is in {}", file.display());
            }
        }
    }
}

#[test]
fn a_key_file_must_be_there_hold_something_and_be_ones_own() {
    let provider = Provider::start(SimulatorConfig { require_auth: true, ..instant() });
    let url = format!("http://{}/v1", provider.address());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    project(path, 2, &[candidate("next", "openai_chat", &url, "api_key_file = \"key.txt\"")], "");
    let missing = replay_with(path, &[], &[]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    assert!(missing.stderr.contains("`api_key_file` names cannot be read"), "{}", missing.stderr);
    fs::write(path.join("key.txt"), " \n").unwrap();
    assert_eq!(replay_with(path, &[], &[]).code, 3);
    fs::write(path.join("key.txt"), "a-key-of-some-length\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(path.join("key.txt"), open).unwrap();
    }
    // The path is relative to the plan, wherever the command is run.
    let replayed = replay_with(path, &[], &[]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    assert!(replayed.stderr.contains("chmod 600"), "{}", replayed.stderr);
    assert!(provider.log().iter().all(|entry| entry.auth_present));
}

#[test]
fn a_plan_that_names_two_places_of_a_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let keys = "api_key_env = \"A_KEY\"\napi_key_file = \"key.txt\"";
    let plan = format!(
        "version = 1\n[incumbent]\nprovider = \"openai\"\n{}",
        candidate("next", "openai_chat", "http://127.0.0.1:1/v1", keys)
    );
    fs::write(path.join("rehearsal.toml"), plan).unwrap();
    let refused = run(path, &["replay"]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("one place only"), "{}", refused.stderr);
}
