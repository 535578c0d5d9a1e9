//! The closed sets of reasons by which a line or a row is set apart.

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The reason as it stands in tables.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }
    };
}

reasons! {
    /// Why a line could not be used.
    RejectReason {
        /// It is not JSON, even after the usual faults of log writers are mended.
        InvalidJson => "invalid_json",
        /// It is JSON, but no object.
        NotAnObject => "not_an_object",
        /// It is a row of delimited text that does not fit its header.
        BadRow => "bad_row",
        /// The bytes of a binary log are damaged.
        BadFrame => "bad_frame",
        /// It is nested more than 128 levels deep.
        TooDeep => "too_deep",
        /// It is longer than the cap.
        LineTooLong => "line_too_long",
        /// A field that the format requires is not there.
        MissingField => "missing_field",
        /// A field has a value that the format does not allow.
        BadField => "bad_field",
        /// A duration whose unit neither its name nor an option states.
        AmbiguousUnit => "ambiguous_unit",
    }
}

reasons! {
    /// Why a readable line is no captured exchange.
    FilterReason {
        /// It is no call of a model: an audit row, a list of models, another part of a trace.
        NotLlm => "not_llm",
        /// It repeats a call that another record tells in more detail, as an outer span does.
        Wrapper => "wrapper",
        /// It is an older state of a record that the log holds again.
        Outdated => "outdated",
        /// It sums several calls up.
        Aggregate => "aggregate",
    }
}

reasons! {
    /// Why a captured request cannot be sent again.
    NotReplayable {
        /// The writer of the log removed content.
        Redacted => "redacted",
        /// The writer of the log cut content.
        Truncated => "truncated",
        /// The log has no request content.
        NoRequestContent => "no_request_content",
        /// The body is in a dialect that no protocol adapter reads.
        UnsupportedDialect => "unsupported_dialect",
        /// It is no text generation: embeddings, images, audio, moderation and the like.
        NotChat => "not_chat",
        /// Pictures, sound or files were taken out of the log.
        MediaElided => "media_elided",
        /// The content is encrypted.
        Encrypted => "encrypted",
        /// The body does not follow the dialect that it claims.
        UnreadableRequest => "unreadable_request",
    }
}

reasons! {
    /// Why a row may not stand for the incumbent's latency and cost.
    BaselineReason {
        /// The gateway answered from its own cache.
        CacheHit => "cache_hit",
        /// Shadow traffic of the gateway itself.
        SilentExperiment => "silent_experiment",
        /// A synthetic probe.
        HealthCheck => "health_check",
        /// It was answered within a batch job, at nobody's request in that moment.
        Batch => "batch",
        /// The gateway itself answered: a limit, a guardrail, a failure of its own.
        GatewayAnswer => "gateway_answer",
        /// It is no text generation.
        NotChat => "not_chat",
        /// The log states the latency of something else than the whole call.
        OtherScope => "other_scope",
        /// A failed attempt that a retry or fallback followed.
        Superseded => "superseded",
        /// The row's time includes retries.
        Retried => "retried",
        /// Times that cannot be: negative, first token after the end, no end.
        BadTiming => "bad_timing",
        /// No latency was logged.
        NoLatency => "no_latency",
    }
}
