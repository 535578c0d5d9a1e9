//! Every command in the documents works as it is written.

use std::fs;
use std::path::Path;

use crate::machine;
use crate::support::{program, repository, said};

fn commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(repository(document)).unwrap();
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line.trim() == "```console" && !inside;
            continue;
        }
        if let Some(command) = line.strip_prefix("$ rehearsal ").filter(|_| inside) {
            commands.push(command.to_owned());
        }
    }
    commands
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn every_command_of_the_documents_runs() {
    let _machine = machine();
    let folder = tempfile::tempdir().unwrap();
    copy(&repository("sample-data"), &folder.path().join("sample-data"));
    let demo = said(&program().arg("demo").current_dir(folder.path()).output().unwrap());
    assert_eq!(demo.code, 0, "{}{}", demo.stdout, demo.stderr);
    let binary = Path::new(env!("CARGO_BIN_EXE_rehearsal"));
    let folder_of_binary = binary.parent().unwrap().display();
    let mut ran = 0;
    for document in [
        "README.md",
        "queries/README.md",
        "sample-data/README.md",
        "sample-data/captures/README.md",
        "docs/formats.md",
    ] {
        for command in commands(document) {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("PATH='{folder_of_binary}':$PATH; rehearsal {command}")])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let outcome = said(&output);
            assert_eq!(
                outcome.code, 0,
                "{document}: {command}: {}{}",
                outcome.stdout, outcome.stderr
            );
            ran += 1;
        }
    }
    assert!(ran >= 10, "only {ran} commands were found");
}

#[test]
fn the_help_of_every_verb_names_its_purpose() {
    for verb in [
        "demo",
        "import",
        "audit",
        "plan",
        "replay",
        "merge",
        "top",
        "judge",
        "report",
        "run",
        "sql",
        "simulator",
        "schema",
    ] {
        let help = said(&program().args([verb, "--help"]).output().unwrap());
        assert_eq!(help.code, 0);
        assert!(help.stdout.contains("Examples:"), "{verb} shows no example");
    }
}
