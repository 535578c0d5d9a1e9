//! Whether this program was itself the bottleneck, and what of a verdict that spoils.
//!
//! Durations are the client's measurements: when it was busy or late, they say more of it than of
//! the provider. Errors, cost and answers do not depend on it.

use super::model::Reason;
use crate::compare::{ClientHealthRow, LATE_SHARE, ScheduleSlipRow};

/// Share of the median duration that the client itself may take, or its event loop be late by.
const MOST_OVERHEAD: f64 = 0.10;

/// Share of first attempts that may leave late; see [`LATE_SHARE`].
pub const MOST_LATE: f64 = 0.05;

/// What is known of the client while it replayed.
#[derive(Debug, Clone, Default)]
pub struct ClientEvidence {
    /// Whether requests left on a schedule rather than when others came back.
    pub open_loop: bool,
    /// The client's own share of what it measured, per arm.
    pub health: Vec<ClientHealthRow>,
    /// Lateness against the schedule, per arm.
    pub slip: Vec<ScheduleSlipRow>,
}

impl ClientEvidence {
    /// Why a duration measured in an arm cannot be judged, if it cannot.
    ///
    /// `metric` is the name of the metric: a time to the first token is held against its own
    /// median, every other duration against that of the latency.
    pub(super) fn spoils(&self, metric: &str, arm: &str) -> Option<String> {
        let of_first_token = metric.starts_with("ttft_ms");
        let late = self.late_by_client(arm).map(|lateness| format!("by itself {lateness}"));
        let reasons: Vec<String> = self.busy(arm, of_first_token).into_iter().chain(late).collect();
        if reasons.is_empty() {
            return None;
        }
        Some(format!("the client was the bottleneck in arm {arm}: {}", reasons.join("; ")))
    }

    /// What is said of an arm whatever its criteria: first what keeps a GO away, then statements.
    pub(super) fn reasons(&self, arm: &str) -> (Vec<Reason>, Vec<Reason>) {
        let reason = |code: &str, text: String| Reason {
            code: code.to_owned(),
            arm: Some(arm.to_owned()),
            text,
        };
        let (mut vetoes, mut statements) = (Vec::new(), Vec::new());
        let busy = [false, true].into_iter().find_map(|first| self.busy(arm, first));
        if let Some(busy) = busy {
            let text = format!("{busy}: the durations that this touches are not judged");
            statements.push(reason("client_bottleneck", text));
        }
        let Some(row) = self.slip(arm) else { return (vetoes, statements) };
        let lateness = lateness(row.late, row, [row.slip_p50_ms, row.slip_p99_ms, row.slip_max_ms]);
        if let Some(by_client) = self.late_by_client(arm) {
            let text = format!(
                "coordinated omission: {lateness}; by this program itself {by_client}: durations \
                 of this arm are not judged"
            );
            vetoes.push(reason("coordinated_omission", text));
        } else if row.late_share > MOST_LATE {
            let text = format!(
                "coordinated omission: {lateness}; limits of the plan and waits that the provider \
                 asked for held {} of them back: durations hold for the load that was let through, \
                 not for that of the schedule",
                row.held_back
            );
            vetoes.push(reason("coordinated_omission", text));
        } else {
            statements
                .push(reason("on_schedule", format!("requests left on schedule: {lateness}")));
        }
        (vetoes, statements)
    }

    /// How the client took too much of the time itself, if it did.
    fn busy(&self, arm: &str, of_first_token: bool) -> Option<String> {
        let health = self.health.iter().find(|row| row.arm == arm)?;
        let latency = ("latency", health.latency_p50_ms?, health.lag_p50_ms);
        let first_token = health
            .ttft_p50_ms
            .map(|median| ("time to first token", median, health.first_token_lag_p50_ms));
        let (name, median, lag) = first_token.filter(|_| of_first_token).unwrap_or(latency);
        let most = MOST_OVERHEAD * median;
        let percent = MOST_OVERHEAD * 100.0;
        let overhead = health.overhead_p50_ms.unwrap_or(0.0);
        // A long answer meets more of the rare hiccups than the wait for its first token did.
        let lag = lag.unwrap_or(0.0);
        // What an attempt cost the client accrues until its end, not until its first token.
        if overhead > MOST_OVERHEAD * latency.1 {
            return Some(format!(
                "this program took {overhead:.3} ms at the median itself, more than {percent:.0} % \
                 of the median latency of {:.3} ms",
                latency.1
            ));
        }
        (lag > most).then(|| {
            format!(
                "this program's event loop was late by {lag:.3} ms at the median, more than \
                 {percent:.0} % of the median {name} of {median:.3} ms"
            )
        })
    }

    /// The slip of an arm; a closed loop has no schedule to be late against.
    fn slip(&self, arm: &str) -> Option<&ScheduleSlipRow> {
        self.slip.iter().find(|row| row.arm == arm).filter(|_| self.open_loop)
    }

    /// How late this program alone made requests leave, if that was too often.
    fn late_by_client(&self, arm: &str) -> Option<String> {
        let row = self.slip(arm).filter(|row| row.client_late_share > MOST_LATE)?;
        let figures = [row.client_slip_p50_ms, row.client_slip_p99_ms, row.client_slip_max_ms];
        Some(lateness(row.client_late, row, figures))
    }
}

/// Lateness in figures: how many of the attempts, and the slip at p50, p99 and most.
fn lateness(late: i64, row: &ScheduleSlipRow, slip: [Option<f64>; 3]) -> String {
    let [p50, p99, most] = slip.map(|value| value.unwrap_or(0.0));
    format!(
        "{late} of {} first attempts ({:.2} %) left later than scheduled by more than {:.0} % of \
         the median latency (slip p50 {p50:.3} ms, p99 {p99:.3} ms, at most {most:.3} ms)",
        row.attempts,
        late as f64 / row.attempts.max(1) as f64 * 100.0,
        LATE_SHARE * 100.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(overhead_ms: f64, lag_ms: f64) -> ClientHealthRow {
        ClientHealthRow {
            arm: "next".to_owned(),
            attempts: 200,
            latency_p50_ms: Some(100.0),
            ttft_p50_ms: Some(20.0),
            overhead_p50_ms: Some(overhead_ms),
            overhead_p99_ms: None,
            overhead_max_ms: None,
            lag_p50_ms: Some(lag_ms),
            lag_p99_ms: None,
            lag_max_ms: None,
            first_token_lag_p50_ms: Some(lag_ms),
            connections: 0,
            connect_p50_ms: None,
            connect_p99_ms: None,
        }
    }

    fn slip(late: i64, client_late: i64) -> ScheduleSlipRow {
        ScheduleSlipRow {
            arm: "next".to_owned(),
            attempts: 200,
            late,
            late_share: late as f64 / 200.0,
            slip_p50_ms: Some(0.2),
            slip_p99_ms: Some(7.5),
            slip_max_ms: Some(9.0),
            client_late,
            client_late_share: client_late as f64 / 200.0,
            client_slip_p50_ms: Some(0.1),
            client_slip_p99_ms: Some(6.5),
            client_slip_max_ms: Some(8.0),
            held_back: late - client_late,
            held_back_p99_ms: Some(1.0),
            latency_p50_ms: Some(100.0),
            from_sent_p99_ms: Some(180.0),
            from_schedule_p99_ms: Some(186.0),
        }
    }

    fn open_loop(late: i64, client_late: i64) -> ClientEvidence {
        ClientEvidence {
            open_loop: true,
            health: vec![health(1.0, 0.0)],
            slip: vec![slip(late, client_late)],
        }
    }

    fn closed_loop(overhead_ms: f64, lag_ms: f64) -> ClientEvidence {
        let health = vec![health(overhead_ms, lag_ms)];
        ClientEvidence { open_loop: false, health, slip: vec![slip(200, 200)] }
    }

    fn codes(reasons: &[Reason]) -> Vec<&str> {
        reasons.iter().map(|reason| reason.code.as_str()).collect()
    }

    #[test]
    fn a_client_that_is_fast_and_on_time_spoils_nothing_and_an_open_loop_says_how_punctual() {
        let client = open_loop(10, 10);
        assert_eq!(client.spoils("latency_ms.p99", "next"), None);
        let (vetoes, statements) = client.reasons("next");
        assert_eq!((codes(&vetoes), codes(&statements)), (vec![], vec!["on_schedule"]));
        let text = &statements[0].text;
        assert!(text.contains("10 of 200 first attempts (5.00 %)"), "{text}");
        assert!(text.contains("p50 0.200 ms, p99 7.500 ms, at most 9.000 ms"), "{text}");
    }

    #[test]
    fn what_the_client_sends_late_is_coordinated_omission_and_spoils_durations() {
        let client = open_loop(11, 11);
        let why = client.spoils("ttft_ms.p50", "next").unwrap();
        assert!(why.contains("arm next") && why.contains("11 of 200"), "{why}");
        let (vetoes, statements) = client.reasons("next");
        assert_eq!((codes(&vetoes), codes(&statements)), (vec!["coordinated_omission"], vec![]));
    }

    #[test]
    fn what_limits_hold_back_is_coordinated_omission_but_no_bottleneck_of_the_client() {
        let client = open_loop(100, 2);
        assert_eq!(client.spoils("latency_ms.p99", "next"), None);
        let (vetoes, _) = client.reasons("next");
        assert_eq!(codes(&vetoes), ["coordinated_omission"]);
        assert!(vetoes[0].text.contains("held 98 of them back"), "{}", vetoes[0].text);
    }

    #[test]
    fn a_busy_client_spoils_durations_and_keeps_no_go_away_by_itself() {
        let busy = closed_loop(10.1, 0.0);
        assert!(busy.spoils("tpot_ms.p50", "next").unwrap().contains("10.100 ms at the median"));
        let (vetoes, statements) = busy.reasons("next");
        assert_eq!((codes(&vetoes), codes(&statements)), (vec![], vec!["client_bottleneck"]));
        assert_eq!(closed_loop(10.0, 0.0).spoils("tpot_ms.p50", "next"), None);
    }

    #[test]
    fn the_lag_of_the_event_loop_is_held_against_the_duration_that_it_touches() {
        let lagging = closed_loop(0.0, 3.0);
        assert_eq!(lagging.spoils("latency_ms.p99", "next"), None);
        assert!(lagging.spoils("ttft_ms.p99", "next").unwrap().contains("time to first token"));
        assert_eq!(codes(&lagging.reasons("next").1), ["client_bottleneck"]);
        assert!(closed_loop(0.0, 11.0).spoils("latency_ms.p99", "next").is_some());
        // What comes late after the first token does not touch it.
        let mut later = closed_loop(0.0, 11.0);
        later.health[0].first_token_lag_p50_ms = Some(0.5);
        assert_eq!(later.spoils("ttft_ms.p99", "next"), None);
        assert!(later.spoils("latency_ms.p99", "next").is_some());
    }

    #[test]
    fn a_closed_loop_has_no_schedule_and_an_unknown_arm_no_reason() {
        let client = closed_loop(1.0, 0.0);
        assert_eq!(client.spoils("latency_ms.p99", "next"), None);
        assert_eq!(client.reasons("next"), (vec![], vec![]));
        assert_eq!(open_loop(200, 200).spoils("latency_ms.p99", "other"), None);
    }
}
