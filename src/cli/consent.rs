//! Asks before money is spent, when somebody is there to answer.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal};

use super::progress;
use crate::plan::Plan;
use crate::replay::{Consent, Intended, IntendedArm};

/// No question is asked about less than this.
const ASK_ABOVE_NANOUSD: i64 = 1_000_000_000;

/// Who is asked before anything is sent: the person at the terminal, unless `--yes` answers.
///
/// Elsewhere the budget of the plan is the consent, and without one a replay is refused.
pub(super) fn consent(plan: &Plan, yes: bool) -> Option<Consent> {
    let interactive = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let retries = plan.replay.retries;
    (interactive && !yes).then(|| Consent::new(move |intended| ask(intended, retries)))
}

fn ask(intended: &Intended, retries: u32) -> bool {
    let most = intended.most_nanousd(retries);
    if most <= ASK_ABOVE_NANOUSD {
        return true;
    }
    progress::prompt(&question(intended, most));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn question(intended: &Intended, most: i64) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    for arm in &intended.arms {
        let _ = writeln!(text, "{}", line(arm));
    }
    if intended.arms.len() > 1 {
        let _ = writeln!(text, "{}", line(&intended.total()));
    }
    let _ = write!(
        text,
        "budget {}, of which {} are spent; `rehearsal plan` says more\nspend up to {}? [y/N] ",
        usd(intended.budget_nanousd),
        usd(intended.spent_nanousd),
        usd(most)
    );
    text
}

fn line(arm: &IntendedArm) -> String {
    format!(
        "{}: {} requests, {} expected, {} at the low end, {} at most without retries",
        arm.arm,
        arm.requests,
        usd(arm.expected_nanousd),
        usd(arm.low_nanousd),
        usd(arm.high_nanousd)
    )
}

fn usd(nanousd: i64) -> String {
    format!("${:.2}", nanousd as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_each_arm_costs() {
        let arm = |name: &str, expected_nanousd| IntendedArm {
            arm: name.to_owned(),
            requests: 10,
            low_nanousd: 500_000_000,
            expected_nanousd,
            high_nanousd: 9_000_000_000,
        };
        let intended = Intended {
            arms: vec![arm("control", 1_000_000_000), arm("next", 2_000_000_000)],
            budget_nanousd: 25_000_000_000,
            spent_nanousd: 0,
        };
        let question = question(&intended, 18_000_000_000);
        assert!(question.contains("next: 10 requests, $2.00 expected"), "{question}");
        assert!(question.contains("all arms: 20 requests, $3.00 expected"), "{question}");
        assert!(question.ends_with("spend up to $18.00? [y/N] "), "{question}");
    }
}
