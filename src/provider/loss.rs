//! Losses: every change that a request went through on its way to the wire.

use std::fmt;

/// What was done to the part of a request that a loss is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossAction {
    /// Something was sent that the captured request does not hold.
    Added,
    /// It was sent in another form.
    Changed,
    /// It was left out because the target has no place for it.
    Dropped,
    /// It was taken out so that a replay cannot act on anything but the answer.
    Stripped,
    /// The request cannot be sent because of it.
    Refused,
}

impl LossAction {
    /// The action as it stands in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            LossAction::Added => "added",
            LossAction::Changed => "changed",
            LossAction::Dropped => "dropped",
            LossAction::Stripped => "stripped",
            LossAction::Refused => "refused",
        }
    }
}

/// How much a loss weighs, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossSeverity {
    /// A change that cannot change the answer.
    Benign,
    /// The answer, its cost or its speed may differ because of it.
    Lossy,
    /// The request has no counterpart at the target.
    Untranslatable,
}

impl LossSeverity {
    /// The severity as it stands in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            LossSeverity::Benign => "benign",
            LossSeverity::Lossy => "lossy",
            LossSeverity::Untranslatable => "untranslatable",
        }
    }
}

macro_rules! loss_features {
    ($($(#[$doc:meta])* $variant:ident => $name:literal $action:ident $severity:ident,)+) => {
        /// What a loss is about; a closed set, so that losses can be grouped across requests.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LossFeature { $($(#[$doc])* $variant,)+ }

        impl LossFeature {
            /// Every feature, in the order of declaration.
            pub const ALL: &'static [LossFeature] = &[$(LossFeature::$variant,)+];

            /// The feature as it stands in tables.
            pub fn as_str(self) -> &'static str {
                match self { $(LossFeature::$variant => $name,)+ }
            }

            /// What is done about the feature.
            pub fn action(self) -> LossAction {
                match self { $(LossFeature::$variant => LossAction::$action,)+ }
            }

            /// What the feature weighs, unless its value makes it harmless.
            pub fn severity(self) -> LossSeverity {
                match self { $(LossFeature::$variant => LossSeverity::$severity,)+ }
            }
        }
    };
}

loss_features! {
    /// The request has no output cap and the plan's or the model's was inserted.
    OutputCapAdded => "output_cap_added" Added Lossy,
    /// The target requires an output cap and none is known.
    OutputCapMissing => "output_cap_missing" Refused Untranslatable,
    /// Token counts were asked for, so that the cost of a streamed answer is known.
    IncludeUsageAdded => "include_usage_added" Added Benign,
    /// A tool that the provider itself runs.
    HostedToolStripped => "hosted_tool_stripped" Stripped Lossy,
    /// The wish to have the answer stored at the provider.
    StoreStripped => "store_stripped" Stripped Benign,
    /// State that lives at the provider (an earlier answer, a container).
    ServerStateStripped => "server_state_stripped" Stripped Lossy,
    /// The API version that some clouds carry in the body and the target carries in a header.
    ApiVersionMoved => "api_version_moved" Changed Benign,
    /// A temperature above the target's maximum.
    TemperatureClamped => "temperature_clamped" Changed Lossy,
    /// Temperature, top-p or top-k where the target takes none.
    SamplingDropped => "sampling_dropped" Dropped Lossy,
    /// Presence or frequency penalty.
    PenaltyDropped => "penalty_dropped" Dropped Lossy,
    /// Sampling seed.
    SeedDropped => "seed_dropped" Dropped Lossy,
    /// Bias of single tokens.
    LogitBiasDropped => "logit_bias_dropped" Dropped Lossy,
    /// Log probabilities in the answer.
    LogprobsDropped => "logprobs_dropped" Dropped Lossy,
    /// Several choices in one answer.
    ChoicesUnsupported => "choices_unsupported" Refused Untranslatable,
    /// A stop sequence that the target refuses or has no room for.
    StopDropped => "stop_dropped" Dropped Lossy,
    /// A speaker's name.
    NameDropped => "name_dropped" Dropped Lossy,
    /// Two messages of one role in a row became one.
    MessagesMerged => "messages_merged" Changed Lossy,
    /// A tool result was moved before the text that preceded it.
    MessagesReordered => "messages_reordered" Changed Lossy,
    /// Operator instructions in mid-conversation became a user turn in the same place.
    SystemToUser => "system_to_user" Changed Lossy,
    /// The conversation does not begin with a user turn and a placeholder was put first.
    FirstUserAdded => "first_user_added" Added Lossy,
    /// An empty text, which the target refuses.
    EmptyContentDropped => "empty_content_dropped" Dropped Lossy,
    /// White space at the end of a prefilled answer, which the target refuses.
    PrefillTrimmed => "prefill_trimmed" Changed Lossy,
    /// A prefilled answer, which the target refuses or does not continue.
    PrefillUnsupported => "prefill_unsupported" Refused Untranslatable,
    /// A member of a message that has no neutral form.
    MessageFieldDropped => "message_field_dropped" Dropped Lossy,
    /// A kind of content that the target does not take.
    ContentUnsupported => "content_unsupported" Refused Untranslatable,
    /// Audio as input or output.
    AudioUnsupported => "audio_unsupported" Refused Untranslatable,
    /// A file that only the captured provider holds.
    FileIdUnsupported => "file_id_unsupported" Refused Untranslatable,
    /// A document that the target takes in another form.
    DocumentChanged => "document_changed" Changed Lossy,
    /// How closely a picture shall be looked at.
    ImageDetailDropped => "image_detail_dropped" Dropped Lossy,
    /// A picture by address, where the target takes pictures inline alone.
    ImageUrlUnsupported => "image_url_unsupported" Refused Untranslatable,
    /// A picture in a format that the target does not read.
    ImageTypeUnsupported => "image_type_unsupported" Refused Untranslatable,
    /// A refusal of an earlier turn became plain text.
    RefusalToText => "refusal_to_text" Changed Lossy,
    /// Thinking of an earlier turn, which is bound to the provider that made it.
    ReasoningDropped => "reasoning_dropped" Dropped Lossy,
    /// How hard the model shall think, in another scale.
    ReasoningEffortChanged => "reasoning_effort_changed" Changed Lossy,
    /// How hard the model shall think, where the target cannot be told.
    ReasoningEffortDropped => "reasoning_effort_dropped" Dropped Lossy,
    /// Citations of a text or document.
    CitationsDropped => "citations_dropped" Dropped Lossy,
    /// A mark of what the provider shall cache; cost and speed may differ.
    CacheControlDropped => "cache_control_dropped" Dropped Lossy,
    /// Text and tool calls of one turn stand in another order.
    BlockOrderChanged => "block_order_changed" Changed Lossy,
    /// A prompt to be continued became a user's message.
    PromptToMessage => "prompt_to_message" Changed Lossy,
    /// `functions` and `function_call` became tools.
    LegacyFunctionsUpgraded => "legacy_functions_upgraded" Changed Benign,
    /// A tool with free-form or grammar input.
    CustomToolUnsupported => "custom_tool_unsupported" Refused Untranslatable,
    /// A tool name that the target refuses.
    ToolNameUnsupported => "tool_name_unsupported" Refused Untranslatable,
    /// A member of a tool definition that the target does not have.
    ToolFieldDropped => "tool_field_dropped" Dropped Lossy,
    /// A tool's schema in another form.
    ToolSchemaChanged => "tool_schema_changed" Changed Benign,
    /// A tool that only the history knows was declared, because the target requires it.
    ToolDefinitionAdded => "tool_definition_added" Added Lossy,
    /// Tools were left out because the request allows only some of them.
    ToolsFiltered => "tools_filtered" Changed Lossy,
    /// How the model must choose among tools, in another form.
    ToolChoiceChanged => "tool_choice_changed" Changed Lossy,
    /// A rule on parallel calls that the target cannot be given.
    ParallelToolCallsDropped => "parallel_tool_calls_dropped" Dropped Benign,
    /// A call identifier with characters that the target refuses.
    ToolIdChanged => "tool_id_changed" Changed Benign,
    /// Arguments of an earlier call that are not a JSON object were wrapped in one.
    ToolArgumentsChanged => "tool_arguments_changed" Changed Lossy,
    /// A tool result that answers no call of the turn before.
    ToolResultOrphaned => "tool_result_orphaned" Refused Untranslatable,
    /// A tool call without a result in the turn after it.
    ToolResultMissing => "tool_result_missing" Refused Untranslatable,
    /// The mark that a tool failed became text.
    ToolErrorToText => "tool_error_to_text" Changed Lossy,
    /// A picture in a tool result became a user message.
    ToolImageMoved => "tool_image_moved" Changed Lossy,
    /// JSON output without a schema.
    JsonObjectUnsupported => "json_object_unsupported" Dropped Lossy,
    /// The schema of the answer, without what the target does not know.
    ResponseSchemaChanged => "response_schema_changed" Changed Lossy,
    /// The end user's identifier.
    UserDropped => "user_dropped" Dropped Benign,
    /// A class of service under another name, or none.
    ServiceTierChanged => "service_tier_changed" Changed Lossy,
    /// A parameter without a counterpart.
    ParameterDropped => "parameter_dropped" Dropped Lossy,
}

impl fmt::Display for LossFeature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One change on the way to the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where in the captured body, for instance `messages[2].name`.
    pub path: String,
    /// What it is about.
    pub feature: LossFeature,
    /// What was done.
    pub action: LossAction,
    /// What it weighs.
    pub severity: LossSeverity,
    /// A word of explanation; parameter values at most, never content.
    pub detail: String,
}

/// The losses of one request, in the order in which they were met.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// Books a loss with its feature's own severity.
    pub fn book(
        &mut self,
        feature: LossFeature,
        path: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.book_as(feature.severity(), feature, path, detail);
    }

    /// Books a loss whose value makes it lighter or heavier than its feature.
    pub fn book_as(
        &mut self,
        severity: LossSeverity,
        feature: LossFeature,
        path: impl Into<String>,
        detail: impl Into<String>,
    ) {
        let action = match severity {
            LossSeverity::Untranslatable => LossAction::Refused,
            _ if feature.action() == LossAction::Refused => LossAction::Dropped,
            _ => feature.action(),
        };
        let (path, detail) = (path.into(), detail.into());
        self.0.push(Loss { path, feature, action, severity, detail });
    }

    /// Whether one of the losses keeps the request from being sent.
    pub fn is_untranslatable(&self) -> bool {
        self.0.iter().any(|loss| loss.severity == LossSeverity::Untranslatable)
    }

    /// The losses as a list.
    pub fn into_vec(self) -> Vec<Loss> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_has_a_name_of_its_own() {
        let mut names: Vec<&str> =
            LossFeature::ALL.iter().map(|feature| feature.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), LossFeature::ALL.len());
    }

    #[test]
    fn refused_and_untranslatable_are_the_same_set() {
        for feature in LossFeature::ALL {
            let refused = feature.action() == LossAction::Refused;
            assert_eq!(refused, feature.severity() == LossSeverity::Untranslatable, "{feature}");
        }
    }

    #[test]
    fn a_lighter_booking_of_a_refusal_is_a_drop() {
        let mut losses = Losses::default();
        losses.book_as(LossSeverity::Lossy, LossFeature::PrefillUnsupported, "messages[1]", "");
        assert!(!losses.is_untranslatable());
        assert_eq!(losses.into_vec()[0].action, LossAction::Dropped);
    }
}
