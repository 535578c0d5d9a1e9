//! What Azure's names of operations ask for.

/// The column `operation` of an operation's name such as `ChatCompletions_Create`.
pub(super) fn operation(name: &str) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("chatcompletion", "chat"),
        ("chat/completions", "chat"),
        ("response", "chat"),
        ("messages", "chat"),
        ("completion", "text_completion"),
        ("embedding", "embeddings"),
        ("image", "image"),
        ("transcription", "audio"),
        ("translation", "audio"),
        ("speech", "audio"),
        ("audio", "audio"),
        ("realtime", "realtime"),
        ("moderation", "moderation"),
        ("rerank", "rerank"),
    ];
    let name = name.to_ascii_lowercase();
    NAMES.iter().find(|(part, _)| name.contains(part)).map(|(_, operation)| *operation)
}

#[cfg(test)]
mod tests {
    use super::operation;

    #[test]
    fn chat_is_told_from_completions_and_management_from_both() {
        for (name, expected) in [
            ("ChatCompletions_Create", Some("chat")),
            ("ExtensionsChatCompletions_Create", Some("chat")),
            ("Completions_Create", Some("text_completion")),
            ("Responses_Create", Some("chat")),
            ("Embeddings_Create", Some("embeddings")),
            ("ImageGenerations_Submit", Some("image")),
            ("ListKey", None),
        ] {
            assert_eq!(operation(name), expected, "{name}");
        }
    }
}
