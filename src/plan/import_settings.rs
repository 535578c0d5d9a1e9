//! The sections `[capture]` and `[redaction]`: how a log is read and what is made harmless in it.

use toml::Spanned;

use super::error::Problem;
use super::file::{CaptureFile, RedactionFile};
use super::settings::{CaptureSettings, REDACTION_KINDS, RedactionSettings};
use super::units;
use super::validate::{closest, optional_share};

pub(super) fn validate_capture(file: CaptureFile, problems: &mut Vec<Problem>) -> CaptureSettings {
    let max_reject_rate = optional_share(file.max_reject_rate.as_ref(), 0.01, problems);
    let latency_unit_ms = file.latency_unit.and_then(|unit| match unit.get_ref().as_str() {
        "ms" => Some(1.0),
        "s" => Some(1_000.0),
        other => {
            let message = format!("`{other}` is not a unit of latency");
            problems.push(Problem::at(unit.span(), message).with_help("write `ms` or `s`"));
            None
        }
    });
    let utc_offset_s = file.time_zone.and_then(|zone| {
        let offset = units::utc_offset(zone.get_ref());
        if offset.is_none() {
            let message = format!("`{}` is not a zone", zone.get_ref());
            problems.push(
                Problem::at(zone.span(), message).with_help("write for instance `+02:00` or `UTC`"),
            );
        }
        offset
    });
    CaptureSettings {
        inputs: file.inputs,
        from: file.from.map(Spanned::into_inner),
        max_reject_rate,
        latency_unit_ms,
        utc_offset_s,
        mapping: file.mapping,
    }
}

pub(super) fn validate_redaction(
    file: RedactionFile,
    problems: &mut Vec<Problem>,
) -> RedactionSettings {
    let mut kinds: Vec<String> = Vec::new();
    if file.personal_data {
        kinds.extend(REDACTION_KINDS.iter().map(|kind| (*kind).to_owned()));
    }
    for kind in file.kinds.unwrap_or_default() {
        let name = kind.get_ref();
        if REDACTION_KINDS.contains(&name.as_str()) {
            kinds.push(name.clone());
            continue;
        }
        let help = match closest(name, REDACTION_KINDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("these are known: {}", REDACTION_KINDS.join(", ")),
        };
        let message = format!("`{name}` is not a kind of personal data");
        problems.push(Problem::at(kind.span(), message).with_help(help));
    }
    kinds.sort();
    kinds.dedup();
    RedactionSettings {
        kinds,
        names: file.names,
        names_file: file.names_file,
        paths: file.paths.into_iter().map(Spanned::into_inner).collect(),
        patterns: file.patterns.into_iter().map(|(name, text)| (name, text.into_inner())).collect(),
        ids: file.ids,
        key_env: file.key_env,
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{PlanError, REDACTION_KINDS, load_import};

    fn load(text: &str) -> Result<crate::plan::ImportSettings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rehearsal.toml");
        std::fs::write(&path, text).unwrap();
        load_import(&path).map_err(|error: PlanError| error.to_string())
    }

    #[test]
    fn an_import_heeds_its_sections_of_a_plan_that_is_not_finished() {
        let text = "version = 1\n[redaction]\npersonal_data = true\nkinds = [\"email\"]\n\
                    [capture]\ntime_zone = \"+02:00\"\nlatency_unit = \"s\"\n";
        let settings = load(text).unwrap();
        assert_eq!(settings.redaction.kinds.len(), REDACTION_KINDS.len());
        assert_eq!(settings.capture.utc_offset_s, Some(7_200));
        assert_eq!(settings.capture.latency_unit_ms, Some(1_000.0));
        assert!(load("version = 1\n").unwrap().redaction.is_off());
    }

    #[test]
    fn a_mistyped_section_or_kind_is_refused_as_it_would_leave_data_in_the_clear() {
        let section = load("[redactions]\npersonal_data = true\n").unwrap_err();
        assert!(section.contains("did you mean `redaction`"), "{section}");
        let kind = load("[redaction]\nkinds = [\"emails\"]\n").unwrap_err();
        assert!(kind.contains("did you mean `email`"), "{kind}");
        let zone = load("[capture]\ntime_zone = \"CET\"\n").unwrap_err();
        assert!(zone.contains("+02:00"), "{zone}");
    }
}
