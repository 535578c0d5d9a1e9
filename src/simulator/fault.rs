//! Which requests go wrong, and how.

use serde::{Deserialize, Serialize};

use super::config::{ConfigError, check_non_negative, check_rates};
use super::draw::Draws;
use super::hint::RetryAfterHint;

/// Shares of requests that fail, each from 0 to 1.
///
/// At most one fault strikes a request: one uniform draw is cut into consecutive intervals of the
/// given widths, so that each share is met exactly in expectation and the shares may add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultModel {
    /// Share answered 429 with `Retry-After`.
    pub rate_limit_rate: f64,
    /// The wait that a 429 names, before `time_scale`, in milliseconds.
    pub retry_after_ms: f64,
    /// In which headers a 429 names its wait.
    pub retry_after_hint: RetryAfterHint,
    /// Share answered 500, after the time to first token.
    pub server_error_rate: f64,
    /// Share answered 503 (OpenAI) or 529 (Anthropic).
    pub overloaded_rate: f64,
    /// Share whose connection is closed before any byte.
    pub drop_rate: f64,
    /// Share whose stream ends after `after_chunks` pieces without its terminator. An answer that
    /// is not streamed loses its connection halfway through the body.
    pub cut_rate: f64,
    /// Whether a cut stream loses its connection; otherwise its HTTP body ends in good order.
    pub cut_resets_connection: bool,
    /// Share that stands still for `stall_ms` after `after_chunks` pieces and then goes on.
    pub stall_rate: f64,
    /// How long a stalled stream stands still, before `time_scale`, in milliseconds.
    pub stall_ms: f64,
    /// Share whose stream reports an error after `after_chunks` pieces and ends. An answer that is
    /// not streamed becomes a 500.
    pub stream_error_rate: f64,
    /// How many pieces of output a cut, stall or stream error lets through.
    pub after_chunks: u32,
    /// Share whose connection is accepted and never answered.
    pub black_hole_rate: f64,
    /// Share whose answer leaves one byte at a time, every `trickle_ms`.
    pub trickle_rate: f64,
    /// The time between two bytes of a trickle, before `time_scale`, in milliseconds.
    pub trickle_ms: f64,
    /// Share that gets nothing but pings (comments at OpenAI, blanks where nothing is streamed)
    /// after `after_chunks` pieces, every `ping_ms`, 3,600 times.
    pub ping_rate: f64,
    /// The time between two pings, before `time_scale`, in milliseconds.
    pub ping_ms: f64,
    /// Share whose answer goes on in one line that never ends, up to 40 MiB.
    pub endless_line_rate: f64,
    /// Share whose stream sends 300,000 events of `flood_text_bytes` after `after_chunks` pieces.
    pub flood_rate: f64,
    /// Bytes of text in each event of a flood.
    pub flood_text_bytes: u32,
    /// Share whose connection is reset (RST) after `break_after_bytes` of the body.
    pub reset_rate: f64,
    /// Share whose connection is closed (FIN) after `break_after_bytes` of the body.
    pub close_rate: f64,
    /// How many bytes of the body a reset or close lets through; absent: drawn from its length.
    pub break_after_bytes: Option<u64>,
    /// Share answered 200 with a body that states an error.
    pub error_body_rate: f64,
    /// Share answered with an HTML page.
    pub html_rate: f64,
    /// The status of an HTML page.
    pub html_status: u16,
    /// Share whose answer is sound but called `text/plain`.
    pub wrong_type_rate: f64,
    /// Share answered 401 with a message that repeats the caller's key, plain, in base64 and
    /// percent-encoded.
    pub echo_key_rate: f64,
    /// Share whose connection is closed unanswered if it has carried a request before: the race
    /// between a request and a server that gives up an idle connection.
    pub stale_connection_rate: f64,
    /// Share of bodies that are refused with 503 on every attempt; 1 is an outage of everything.
    pub outage_rate: f64,
    /// Whether attempts after the first are spared every fault except the outage. The attempt is
    /// the number at the end of the header `x-rehearsal-draw`.
    pub retry_heals: bool,
}

impl Default for FaultModel {
    fn default() -> Self {
        FaultModel {
            rate_limit_rate: 0.0,
            retry_after_ms: 1000.0,
            retry_after_hint: RetryAfterHint::default(),
            server_error_rate: 0.0,
            overloaded_rate: 0.0,
            drop_rate: 0.0,
            cut_rate: 0.0,
            cut_resets_connection: false,
            stall_rate: 0.0,
            stall_ms: 60_000.0,
            stream_error_rate: 0.0,
            after_chunks: 3,
            black_hole_rate: 0.0,
            trickle_rate: 0.0,
            trickle_ms: 5000.0,
            ping_rate: 0.0,
            ping_ms: 1000.0,
            endless_line_rate: 0.0,
            flood_rate: 0.0,
            flood_text_bytes: 1,
            reset_rate: 0.0,
            close_rate: 0.0,
            break_after_bytes: None,
            error_body_rate: 0.0,
            html_rate: 0.0,
            html_status: 502,
            wrong_type_rate: 0.0,
            echo_key_rate: 0.0,
            stale_connection_rate: 0.0,
            outage_rate: 0.0,
            retry_heals: false,
        }
    }
}

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)+) => {
        /// A fault that strikes one request.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Fault { $($(#[$doc])* $variant,)+ }

        impl Fault {
            /// Every fault, in the order of declaration.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)+];

            /// The fault as it stands in the log; its setting is this name with `_rate`.
            pub fn as_str(self) -> &'static str {
                match self { $(Fault::$variant => $name,)+ }
            }
        }
    };
}

faults! {
    /// 429 with a wait.
    RateLimit => "rate_limit",
    /// 500.
    ServerError => "server_error",
    /// 503 or 529.
    Overloaded => "overloaded",
    /// The connection is closed before any byte.
    Drop => "drop",
    /// The answer ends early.
    Cut => "cut",
    /// The answer stands still for a while.
    Stall => "stall",
    /// The stream reports an error.
    StreamError => "stream_error",
    /// Accepted, never answered.
    BlackHole => "black_hole",
    /// One byte at a time.
    Trickle => "trickle",
    /// Signs of life without content.
    Ping => "ping",
    /// A line that never ends.
    EndlessLine => "endless_line",
    /// Far too many events.
    Flood => "flood",
    /// The connection is reset within the body.
    Reset => "reset",
    /// The connection is closed within the body.
    Close => "close",
    /// 200 with an error in its body.
    ErrorBody => "error_body",
    /// A page for people.
    Html => "html",
    /// A sound answer under a wrong content type.
    WrongType => "wrong_type",
    /// 401 that repeats the key.
    EchoKey => "echo_key",
    /// A connection that had been used is closed as the request arrives.
    StaleConnection => "stale_connection",
    /// Refused on every attempt, or within the window of an outage.
    Outage => "outage",
}

impl FaultModel {
    fn shares(&self) -> [(Fault, f64); 19] {
        [
            (Fault::RateLimit, self.rate_limit_rate),
            (Fault::ServerError, self.server_error_rate),
            (Fault::Overloaded, self.overloaded_rate),
            (Fault::Drop, self.drop_rate),
            (Fault::Cut, self.cut_rate),
            (Fault::Stall, self.stall_rate),
            (Fault::StreamError, self.stream_error_rate),
            (Fault::BlackHole, self.black_hole_rate),
            (Fault::Trickle, self.trickle_rate),
            (Fault::Ping, self.ping_rate),
            (Fault::EndlessLine, self.endless_line_rate),
            (Fault::Flood, self.flood_rate),
            (Fault::Reset, self.reset_rate),
            (Fault::Close, self.close_rate),
            (Fault::ErrorBody, self.error_body_rate),
            (Fault::Html, self.html_rate),
            (Fault::WrongType, self.wrong_type_rate),
            (Fault::EchoKey, self.echo_key_rate),
            (Fault::StaleConnection, self.stale_connection_rate),
        ]
    }

    /// Whether the body belongs to those that are refused on every attempt.
    pub(super) fn is_out(&self, seed: u64, draws: &Draws) -> bool {
        draws.of_every_attempt(seed).uniform("outage") < self.outage_rate
    }

    /// The fault that strikes this attempt, if any; an outage is asked for separately.
    pub(super) fn strike(&self, draws: &Draws) -> Option<Fault> {
        if self.retry_heals && draws.attempt() > 1 {
            return None;
        }
        let mut left = draws.uniform("fault");
        for (fault, share) in self.shares() {
            if left < share {
                return Some(fault);
            }
            left -= share;
        }
        None
    }

    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        check_rates(prefix, &self.shares().map(|(_, share)| share))?;
        check_rates(&format!("{prefix}.outage_rate"), &[self.outage_rate])?;
        check_non_negative(&format!("{prefix}.retry_after_ms"), self.retry_after_ms)?;
        check_non_negative(&format!("{prefix}.stall_ms"), self.stall_ms)?;
        check_non_negative(&format!("{prefix}.trickle_ms"), self.trickle_ms)?;
        check_non_negative(&format!("{prefix}.ping_ms"), self.ping_ms)?;
        if (100..600).contains(&self.html_status) {
            return Ok(());
        }
        let name = format!("{prefix}.html_status");
        Err(ConfigError { name, problem: "must be an HTTP status" })
    }

    /// The same with one more share, `NAME=SHARE` as a command line has it.
    ///
    /// # Errors
    /// A text of another shape, or a name that no fault has.
    pub fn with_share(self, text: &str) -> Result<Self, String> {
        let known = || Fault::ALL.iter().map(|fault| fault.as_str()).collect::<Vec<_>>().join(", ");
        let (name, share) = text.split_once('=').ok_or("write for instance `reset=0.05`")?;
        let fault = Fault::ALL
            .iter()
            .find(|fault| fault.as_str() == name)
            .ok_or_else(|| format!("no fault is called `{name}`; known are {}", known()))?;
        let share: f64 =
            share.parse().map_err(|_| format!("`{share}` is not a share such as 0.05"))?;
        let mut fields = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(fields) = fields.as_object_mut() {
            fields.insert(format!("{}_rate", fault.as_str()), share.into());
        }
        serde_json::from_value(fields).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(model: &FaultModel, draw: &str) -> Vec<Option<Fault>> {
        (0..4000_u32)
            .map(|index| model.strike(&Draws::new(5, &index.to_le_bytes(), Some(draw))))
            .collect()
    }

    #[test]
    fn each_fault_strikes_the_share_that_was_asked_for() {
        let model = FaultModel { rate_limit_rate: 0.1, cut_rate: 0.3, ..FaultModel::default() };
        let struck = count(&model, "1");
        let limited = struck.iter().filter(|fault| **fault == Some(Fault::RateLimit)).count();
        let cut = struck.iter().filter(|fault| **fault == Some(Fault::Cut)).count();
        // Five binomial standard deviations: 19 around 400, 29 around 1200.
        assert!((305..=495).contains(&limited), "{limited}");
        assert!((1055..=1345).contains(&cut), "{cut}");
        assert!(struck.iter().flatten().all(|f| matches!(f, Fault::RateLimit | Fault::Cut)));
    }

    #[test]
    fn a_retry_is_spared_only_where_retries_heal() {
        let sick = FaultModel { server_error_rate: 1.0, ..FaultModel::default() };
        assert!(count(&sick, "2").iter().all(Option::is_some));
        let healing = FaultModel { retry_heals: true, ..sick };
        assert!(count(&healing, "1").iter().all(Option::is_some));
        assert!(count(&healing, "2").iter().all(Option::is_none));
    }

    #[test]
    fn an_outage_is_the_same_on_every_attempt() {
        let model = FaultModel { outage_rate: 0.5, retry_heals: true, ..FaultModel::default() };
        let mut out = 0;
        for index in 0..200_u32 {
            let body = index.to_le_bytes();
            let first = model.is_out(5, &Draws::new(5, &body, Some("1")));
            assert_eq!(first, model.is_out(5, &Draws::new(5, &body, Some("2"))));
            out += u32::from(first);
        }
        assert!((60..=140).contains(&out), "{out}");
    }

    #[test]
    fn every_fault_can_be_asked_for_by_its_name() {
        for fault in Fault::ALL {
            let asked = format!("{}=1", fault.as_str());
            let model = FaultModel::default().with_share(&asked).expect("is known");
            let draws = Draws::new(5, b"body", Some("1"));
            let struck =
                if model.is_out(5, &draws) { Some(Fault::Outage) } else { model.strike(&draws) };
            assert_eq!(struck, Some(*fault));
        }
        for refused in ["reset", "reset=much", "resett=1"] {
            assert!(FaultModel::default().with_share(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn shares_that_add_up_to_more_than_one_are_refused() {
        let model = FaultModel { drop_rate: 0.6, cut_rate: 0.6, ..FaultModel::default() };
        assert!(model.check("faults").is_err());
    }
}
