//! How arms are told apart in charts: colour, line pattern and marker shape together.

use super::element::{Element, coordinate};
use crate::report::ArmSummary;

/// Looks for candidates; a further candidate begins again with the first.
const CANDIDATE_LOOKS: usize = 6;

/// The looks of one arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArmStyle {
    /// 0 for the incumbent, 1 for the control, 2 and up for candidates.
    look: usize,
}

/// The looks of all arms of a report, by name.
#[derive(Debug, Clone)]
pub(crate) struct ArmStyles {
    styles: Vec<(String, ArmStyle)>,
}

impl ArmStyles {
    /// Gives the incumbent and the control fixed looks, and each candidate its own.
    pub(crate) fn new(arms: &[ArmSummary]) -> Self {
        let mut candidates = 0;
        let mut styles = Vec::new();
        for arm in arms {
            let look = match arm.role.as_str() {
                "incumbent" => 0,
                "control" => 1,
                _ => {
                    candidates += 1;
                    2 + (candidates - 1) % CANDIDATE_LOOKS
                }
            };
            styles.push((arm.name.clone(), ArmStyle { look }));
        }
        ArmStyles { styles }
    }

    /// The look of an arm; an arm that the report does not list looks like the first candidate.
    pub(crate) fn of(&self, arm: &str) -> ArmStyle {
        let known = self.styles.iter().find(|(name, _)| name == arm);
        known.map_or(ArmStyle { look: 2 }, |(_, style)| style.clone())
    }
}

impl ArmStyle {
    /// The class that sets the colour and the line pattern.
    pub(crate) fn class(&self) -> String {
        format!("arm arm-{}", self.look)
    }

    /// A marker of this arm's shape around a point.
    pub(crate) fn marker(&self, (x, y): (f64, f64)) -> Element {
        let corner = |dx: f64, dy: f64| format!("{} {}", coordinate(x + dx), coordinate(y + dy));
        let polygon = |corners: &[(f64, f64)]| {
            let points: Vec<String> = corners.iter().map(|(dx, dy)| corner(*dx, *dy)).collect();
            Element::new("polygon").class("point").attribute("points", points.join(" "))
        };
        match self.look {
            0 => polygon(&[(-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)]),
            1 => polygon(&[(0.0, -4.6), (4.6, 0.0), (0.0, 4.6), (-4.6, 0.0)]),
            2 => Element::new("circle").class("point").at("cx", x).at("cy", y).at("r", 3.8),
            3 => polygon(&[(0.0, -4.6), (4.4, 3.4), (-4.4, 3.4)]),
            4 => polygon(&[(0.0, 4.6), (4.4, -3.4), (-4.4, -3.4)]),
            5 => polygon(&[(-4.6, 0.0), (3.4, -4.4), (3.4, 4.4)]),
            6 => polygon(&[(4.6, 0.0), (-3.4, -4.4), (-3.4, 4.4)]),
            _ => polygon(&[(-4.4, -2.0), (4.4, -2.0), (4.4, 2.0), (-4.4, 2.0)]),
        }
    }

    /// A short line with a marker, for a legend.
    pub(crate) fn sample(&self) -> Element {
        Element::new("svg")
            .class(format!("sample {}", self.class()))
            .attribute("viewBox", "0 0 34 12")
            .attribute("width", "34")
            .attribute("height", "12")
            .attribute("aria-hidden", "true")
            .child(Element::new("path").class("step").attribute("d", "M0 6H34"))
            .child(self.marker((17.0, 6.0)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn arm(name: &str, role: &str) -> ArmSummary {
        ArmSummary {
            name: name.to_owned(),
            role: role.to_owned(),
            protocol: None,
            base_url: None,
            models: BTreeMap::new(),
        }
    }

    #[test]
    fn arms_of_one_report_look_different() {
        let arms = [arm("incumbent", "incumbent"), arm("a", "candidate"), arm("b", "candidate")];
        let styles = ArmStyles::new(&arms);
        let looks = ["incumbent", "a", "b"].map(|name| styles.of(name).class());
        assert_eq!(looks, ["arm arm-0", "arm arm-2", "arm arm-3"]);
        assert_ne!(
            styles.of("a").marker((0.0, 0.0)).to_string(),
            styles.of("b").marker((0.0, 0.0)).to_string()
        );
        assert_eq!(styles.of("unlisted").class(), "arm arm-2");
    }
}
