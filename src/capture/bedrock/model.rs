//! What an identifier of a model on Bedrock says.

/// Groups of regions that a cross-region inference profile begins with.
const REGION_GROUPS: &[&str] = &["us", "us-gov", "eu", "apac", "jp", "au", "ca", "sa", "global"];

/// A model's identifier, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelId {
    /// The model without ARN and region group; of an own profile or deployment, its opaque name.
    pub(super) name: String,
    /// The same with the region group, by which it is charged.
    profile: String,
}

impl ModelId {
    /// Takes an identifier apart: `anthropic.claude-…`, `us.anthropic.claude-…`, or an ARN of a
    /// foundation model, an inference profile, or a deployment.
    pub(super) fn of(id: &str) -> Self {
        let is_arn = id.starts_with("arn:");
        let profile = if is_arn { id.rsplit('/').next().unwrap_or(id) } else { id };
        let name = match profile.split_once('.') {
            Some((group, rest)) if REGION_GROUPS.contains(&group) && rest.contains('.') => rest,
            _ => profile,
        };
        ModelId { name: name.to_owned(), profile: profile.to_owned() }
    }

    /// The vendor; none of an opaque name.
    pub(super) fn vendor(&self) -> Option<&str> {
        self.name.split_once('.').map(|(vendor, _)| vendor)
    }

    /// The identifier that price lists have, if this is one.
    pub(super) fn billed(&self) -> Option<String> {
        self.vendor().map(|_| self.profile.clone())
    }

    /// What such a model does.
    pub(super) fn operation(&self) -> &'static str {
        let is = |parts: &[&str]| parts.iter().any(|part| self.name.contains(part));
        if is(&["embed"]) {
            "embeddings"
        } else if is(&["rerank"]) {
            "rerank"
        } else if is(&["stability.", "titan-image", "nova-canvas", "nova-reel", "luma."]) {
            "image"
        } else {
            "chat"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_and_region_groups_are_cut_off_and_the_charged_name_keeps_its_group() {
        let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        let profile = format!("us.{sonnet}");
        for (id, name, billed) in [
            (sonnet.to_owned(), sonnet, Some(sonnet)),
            (profile.clone(), sonnet, Some(profile.as_str())),
            (format!("arn:aws:bedrock:us-east-1::foundation-model/{sonnet}"), sonnet, Some(sonnet)),
            (
                format!("arn:aws:bedrock:us-east-1:111122223333:inference-profile/{profile}"),
                sonnet,
                Some(profile.as_str()),
            ),
            (
                "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2".into(),
                "a1b2",
                None,
            ),
            ("us.gov".into(), "us.gov", Some("us.gov")),
            (String::new(), "", None),
        ] {
            let model = ModelId::of(&id);
            assert_eq!((model.name.as_str(), model.billed().as_deref()), (name, billed), "{id}");
        }
    }

    #[test]
    fn models_that_generate_no_text_are_told_by_their_name() {
        for (id, operation) in [
            ("amazon.titan-embed-text-v2:0", "embeddings"),
            ("cohere.rerank-v3-5:0", "rerank"),
            ("amazon.nova-canvas-v1:0", "image"),
            ("meta.llama3-70b-instruct-v1:0", "chat"),
        ] {
            assert_eq!(ModelId::of(id).operation(), operation, "{id}");
        }
    }
}
