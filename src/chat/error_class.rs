//! One closed set of failure classes, so that SQL can group failures across providers.

use std::fmt;
use std::str::FromStr;

macro_rules! error_classes {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)+) => {
        /// How an attempt failed.
        ///
        /// The classes follow what a caller can do about a failure, not which status code a
        /// provider happens to send for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorClass { $($(#[$doc])* $variant,)+ }

        impl ErrorClass {
            /// Every class, in the order of declaration.
            pub const ALL: &'static [ErrorClass] = &[$(ErrorClass::$variant,)+];

            /// The class as it stands in tables.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorClass::$variant => $name,)+ }
            }
        }

        impl FromStr for ErrorClass {
            type Err = UnknownErrorClass;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(ErrorClass::$variant),)+
                    _ => Err(UnknownErrorClass(text.to_owned())),
                }
            }
        }
    };
}

error_classes! {
    /// 401: the key is missing or wrong.
    Auth => "auth",
    /// 403: the key may not do this.
    Permission => "permission",
    /// 404: no such model or address.
    NotFound => "not_found",
    /// 400, 409, 422: the request was refused as malformed or unsupported.
    InvalidRequest => "invalid_request",
    /// The prompt is longer than the model's context.
    ContextLength => "context_length",
    /// A content policy refused the request before any answer.
    ContentBlocked => "content_blocked",
    /// 413: the body is too large.
    PayloadTooLarge => "payload_too_large",
    /// 402: payment or spend limit.
    Billing => "billing",
    /// 429 over requests per time.
    RateLimitRequests => "rate_limit_requests",
    /// 429 over tokens per time.
    RateLimitTokens => "rate_limit_tokens",
    /// 429 without a stated reason.
    RateLimitOther => "rate_limit_other",
    /// 429 that waiting does not cure: the quota is used up.
    QuotaExhausted => "quota_exhausted",
    /// 503, 529: the provider has too much to do.
    Overloaded => "overloaded",
    /// Any other 5xx, and 408 sent by the server.
    ServerError => "server_error",
    /// No connection within the limit.
    TimeoutConnect => "timeout_connect",
    /// No first output within the limit.
    TimeoutFirstToken => "timeout_first_token",
    /// The stream stood still longer than the limit.
    TimeoutIdle => "timeout_idle",
    /// The attempt as a whole took longer than the limit.
    TimeoutTotal => "timeout_total",
    /// The stream ended before the protocol's terminator.
    StreamTruncated => "stream_truncated",
    /// The provider reported an error after the answer had begun.
    StreamError => "stream_error",
    /// The bytes did not follow the protocol, redirects included.
    Protocol => "protocol",
    /// The TLS handshake failed.
    Tls => "tls",
    /// The name could not be resolved.
    Dns => "dns",
    /// The connection was refused or reset.
    Refused => "refused",
    /// The budget ended while the attempt was under way.
    CancelledBudget => "cancelled_budget",
    /// The attempt was sent and its outcome is unknown, because this program was stopped.
    Uncertain => "uncertain",
    /// A failure that the captured log reports without saying which.
    Unknown => "unknown",
}

impl ErrorClass {
    /// Whether the failure is a 429 of our own quota, which has a criterion of its own.
    pub fn is_rate_limit(self) -> bool {
        matches!(
            self,
            ErrorClass::RateLimitRequests
                | ErrorClass::RateLimitTokens
                | ErrorClass::RateLimitOther
                | ErrorClass::QuotaExhausted
        )
    }

    /// Whether the failure is of our own making (a wrong key, model or request), so that it says
    /// nothing about the provider's reliability but keeps a GO away.
    pub fn is_config_fault(self) -> bool {
        matches!(
            self,
            ErrorClass::Auth
                | ErrorClass::Permission
                | ErrorClass::NotFound
                | ErrorClass::InvalidRequest
                | ErrorClass::ContextLength
                | ErrorClass::PayloadTooLarge
                | ErrorClass::Billing
        )
    }

    /// Whether the failure is one of an outage: nobody there, nobody answering, or a 5xx. Many of
    /// them at once say that sending more is of no use now.
    pub fn is_outage(self) -> bool {
        matches!(
            self,
            ErrorClass::Overloaded
                | ErrorClass::ServerError
                | ErrorClass::TimeoutConnect
                | ErrorClass::TimeoutFirstToken
                | ErrorClass::TimeoutIdle
                | ErrorClass::TimeoutTotal
                | ErrorClass::Tls
                | ErrorClass::Dns
                | ErrorClass::Refused
        )
    }

    /// Whether sending the same request again may succeed.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            ErrorClass::RateLimitRequests
                | ErrorClass::RateLimitTokens
                | ErrorClass::RateLimitOther
                | ErrorClass::Overloaded
                | ErrorClass::ServerError
                | ErrorClass::TimeoutConnect
                | ErrorClass::TimeoutFirstToken
                | ErrorClass::TimeoutIdle
                | ErrorClass::TimeoutTotal
                | ErrorClass::StreamTruncated
                | ErrorClass::StreamError
                | ErrorClass::Refused
        )
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no [`ErrorClass`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an error class")]
pub struct UnknownErrorClass(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_read_back_from_its_name() {
        for class in ErrorClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
        }
    }

    #[test]
    fn our_quota_and_our_faults_are_different_things() {
        for class in ErrorClass::ALL {
            assert!(!(class.is_rate_limit() && class.is_config_fault()), "{class}");
            let ours = class.is_rate_limit() || class.is_config_fault();
            assert!(!(class.is_outage() && ours), "{class}");
        }
    }
}
