//! The table of shapes. Every shape needs a mark that [`super::marks`] knows.

/// A shape of secret: its name in the stand-in, its pattern, what else must hold, and the mark
/// without which it cannot be.
///
/// The pattern's group `secret` is replaced, or all of it if there is no such group.
pub(super) struct Shape(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) Check,
    pub(super) Mark,
);

#[derive(Clone, Copy)]
pub(super) enum Check {
    /// The pattern says it all.
    Pattern,
    /// It begins a word, and is random as keys are and hyphenated words are not.
    RandomWord,
    /// It looks like a password or key, not like a name in a program.
    Password,
}

/// What every secret of a shape has in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// One of these texts, in this case.
    Any(&'static [&'static str]),
    /// The name of a secret before a colon or an equals sign.
    Name,
    /// `bearer`, `basic` or `authorization: token` before a long word.
    Scheme,
    /// `://` and an at sign.
    UrlPassword,
    /// `:AA` after a digit.
    BotToken,
    /// `SK` before hex digits.
    TwilioKey,
}

/// Words before the value of a password or key.
macro_rules! secret_names {
    () => {
        r"(?:passw(?:or)?d|passwd|pwd|secret|(?:api|private|secret|account|subscription|app|application)[_-]?key|(?:secret[_-]?)?access[_-]?key|(?:access|auth|refresh)[_-]?token)"
    };
}

/// A member of a JSON object whose value is a secret if it looks like one.
pub(super) const SECRET_MEMBER: &str = concat!("(?i:^(?:.*[_-])?", secret_names!(), "$)");

/// Such a member with a text for a value, as it is written.
pub(super) const SECRET_MEMBER_WRITTEN: &str =
    concat!("(?i-u:", secret_names!(), r#")"\s*:\s*"[^"]{6}"#);

/// In this order; what an earlier shape has replaced, a later one does not see.
pub(super) const SHAPES: &[Shape] = &[
    Shape(
        "private_key",
        r#"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:[^"]*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|(?:[A-Za-z0-9+/=\s]|\\+[nrt])*)"#,
        Check::Pattern,
        Mark::Any(&["-----BEGIN "]),
    ),
    word("anthropic_key", r"sk-ant-[A-Za-z0-9_-]{10,}", &["sk-"]),
    word("openrouter_key", r"sk-or-[A-Za-z0-9_-]{16,}", &["sk-"]),
    word("langfuse_key", r"[sp]k-lf-[A-Za-z0-9-]{16,}", &["sk-", "pk-lf-"]),
    word("cerebras_key", r"csk-[A-Za-z0-9]{20,}", &["sk-"]),
    word("openai_key", r"sk-[A-Za-z0-9_-]{16,}", &["sk-"]),
    word("aws_access_key", r"A[KS]IA[A-Z0-9]{16}", &["AKIA", "ASIA"]),
    word("bedrock_key", r"ABSK[A-Za-z0-9+/]{40,}={0,2}", &["ABSK"]),
    word("bedrock_key", r"bedrock-api-key-[A-Za-z0-9+/=]{20,}", &["bedrock-api-key-"]),
    word(
        "github_token",
        r"(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
    ),
    word("gitlab_token", r"glpat-[A-Za-z0-9_-]{16,}", &["glpat-"]),
    word(
        "slack_token",
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
        &["xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-"],
    ),
    word("google_key", r"AIza[A-Za-z0-9_-]{30,}", &["AIza"]),
    word("google_token", r"ya29\.[A-Za-z0-9_-]{16,}", &["ya29."]),
    word("groq_key", r"gsk_[A-Za-z0-9]{20,}", &["gsk_"]),
    word("huggingface_token", r"hf_[A-Za-z0-9]{20,}", &["hf_"]),
    word("npm_token", r"npm_[A-Za-z0-9]{30,}", &["npm_"]),
    word("nvidia_key", r"nvapi-[A-Za-z0-9_-]{20,}", &["nvapi-"]),
    word("perplexity_key", r"pplx-[A-Za-z0-9]{20,}", &["pplx-"]),
    word("replicate_token", r"r8_[A-Za-z0-9]{20,}", &["r8_"]),
    word("sendgrid_key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}", &["SG."]),
    word("stripe_key", r"[spr]k_(?:live|test)_[A-Za-z0-9]{16,}", &["k_live_", "k_test_"]),
    Shape("telegram_token", r"[0-9]{6,12}:AA[A-Za-z0-9_-]{30,}", Check::RandomWord, Mark::BotToken),
    Shape("twilio_key", r"SK[0-9a-f]{32}", Check::RandomWord, Mark::TwilioKey),
    word("xai_key", r"xai-[A-Za-z0-9]{20,}", &["xai-"]),
    Shape(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        Check::Pattern,
        Mark::Any(&["eyJ"]),
    ),
    Shape(
        "authorization",
        r"(?i-u:bearer|basic|authorization: ?token)[ \t]+(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)",
        Check::Password,
        Mark::Scheme,
    ),
    Shape(
        "url_password",
        r#"://[^/\s:@"'\\\[]{1,64}:(?P<secret>[^/\s:@"'\\\[]{3,64})@"#,
        Check::Pattern,
        Mark::UrlPassword,
    ),
    Shape(
        "password",
        concat!(
            "(?i-u:",
            secret_names!(),
            r#")\\*["']?\s{0,3}[:=]\s{0,3}\\*["'](?P<secret>[^\s"'\\<>(){}\[\]$]{6,})"#
        ),
        Check::Password,
        Mark::Name,
    ),
    Shape(
        "password",
        concat!("(?i:", secret_names!(), r#") ?= ?(?P<secret>[^\s"'\\<>(){}\[\]$&;,`]{6,})"#),
        Check::Password,
        Mark::Name,
    ),
    // Lines of HTTP headers, as curl and traces have them.
    Shape(
        "api_key",
        r"(?i-u:api[_-]?key|(?:subscription|functions|application)-key|(?:auth|private|security)-token): ?(?P<secret>[A-Za-z0-9._~+/=-]{16,})",
        Check::Password,
        Mark::Name,
    ),
];

const fn word(kind: &'static str, pattern: &'static str, marks: &'static [&'static str]) -> Shape {
    Shape(kind, pattern, Check::RandomWord, Mark::Any(marks))
}
