//! Paths with `*`, `?` and `**` to the files that they stand for.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether a path has a wildcard in it.
pub(super) fn has_wildcard(path: &str) -> bool {
    path.contains(['*', '?'])
}

/// The files that a pattern stands for, sorted.
///
/// `*` and `?` stay within a name and do not stand for a leading dot; `**` as a whole name stands
/// for any depth of folders. What cannot be listed matches nothing.
pub(super) fn expand(pattern: &str) -> Vec<PathBuf> {
    let (base, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (PathBuf::from("/"), rest),
        None => (PathBuf::new(), pattern),
    };
    let names: Vec<&str> = rest.split('/').filter(|name| !name.is_empty()).collect();
    let mut found = Vec::new();
    walk(&base, &names, &mut found);
    found.sort();
    found.dedup();
    found
}

fn walk(folder: &Path, names: &[&str], found: &mut Vec<PathBuf>) {
    let Some((name, rest)) = names.split_first() else {
        if folder.is_file() {
            found.push(folder.to_owned());
        }
        return;
    };
    if *name == "**" {
        walk(folder, rest, found);
        for entry in entries(folder).into_iter().filter(|entry| is_real_folder(&folder.join(entry)))
        {
            walk(&folder.join(entry), names, found);
        }
    } else if has_wildcard(name) {
        for entry in entries(folder).into_iter().filter(|entry| matches(name, entry)) {
            walk(&folder.join(entry), rest, found);
        }
    } else {
        walk(&folder.join(name), rest, found);
    }
}

/// Names in a folder that are not hidden, sorted.
pub(super) fn entries(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let listed = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = listed
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// A folder that is no symbolic link, which could lead round in a circle.
pub(super) fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether a name fits a pattern of `*` and `?`.
///
/// Looks back to the last `*` only, so that the time is at most the product of both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(char) = name.get(n) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if wanted == char || *wanted == '?' => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name, fits) in [
            ("*.jsonl", "a.jsonl", true),
            ("*.jsonl", "a.json", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxa", false),
            ("**", "anything", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
        assert!(!matches(&"a*".repeat(40), &"a".repeat(39)));
    }

    #[test]
    fn patterns_reach_into_folders_and_pass_over_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["2026/a.jsonl", "2026/deep/b.jsonl", "2025/c.jsonl", "2026/.d.jsonl", "e.txt"]
        {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = |pattern: &str| {
            let root_text = root.to_str().unwrap();
            let paths = expand(&format!("{root_text}/{pattern}"));
            let relative =
                |path: &PathBuf| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            paths.iter().map(relative).collect::<Vec<_>>()
        };
        assert_eq!(found("*/*.jsonl"), ["2025/c.jsonl", "2026/a.jsonl"]);
        assert_eq!(found("2026/**/*.jsonl"), ["2026/a.jsonl", "2026/deep/b.jsonl"]);
        assert_eq!(found("202?/a.jsonl"), ["2026/a.jsonl"]);
        assert!(found("*.parquet").is_empty());
    }
}
