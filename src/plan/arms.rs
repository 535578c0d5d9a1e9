//! Validates `[[candidate]]`, `[control]` and prices.

use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;

use super::error::Problem;
use super::file::{ArmFile, LimitsFile, PriceFile};
use super::models::ModelMap;
use super::settings::{Arm, Limits, PriceOverride};
use super::validate::closest;
use crate::provider::Protocol;

const DEFAULT_ANTHROPIC_VERSION: &str = "2023-06-01";

pub(super) fn validate_arm(
    spanned: Spanned<ArmFile>,
    is_control: bool,
    concurrency: u64,
    problems: &mut Vec<Problem>,
) -> Option<Arm> {
    let span = spanned.span();
    let file = spanned.into_inner();
    let name = arm_name(file.name.as_ref(), is_control, &span, problems)?;
    let protocol = match Protocol::from_str(file.protocol.get_ref()) {
        Ok(protocol) => protocol,
        Err(failure) => {
            let known: Vec<&str> = Protocol::ALL.iter().map(|p| p.as_str()).collect();
            let help = closest(file.protocol.get_ref(), &known).map_or_else(
                || format!("known protocols: {}", known.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            problems.push(Problem::at(file.protocol.span(), failure.to_string()).with_help(help));
            return None;
        }
    };
    check_url(&file.base_url, problems);
    if let Some(variable) = &file.api_key_env {
        check_key_variable(variable, problems);
    }
    if let (Some(file), Some(_)) = (&file.api_key_file, &file.api_key_env) {
        problems.push(
            Problem::at(file.span(), "the key can come from one place only")
                .with_help("keep either `api_key_env` or `api_key_file`"),
        );
    }
    let models = validate_models(&file, is_control, &span, problems)?;
    let price = file.prices.as_ref().and_then(|price| validate_price("*", price, problems));
    let provider = file.provider.unwrap_or_else(|| match protocol {
        Protocol::OpenAiChat => "openai".to_owned(),
        Protocol::AnthropicMessages => "anthropic".to_owned(),
    });
    Some(Arm {
        name,
        is_control,
        protocol,
        base_url: file.base_url.get_ref().trim_end_matches('/').to_owned(),
        api_key_env: file.api_key_env.map(Spanned::into_inner),
        api_key_file: file.api_key_file.map(Spanned::into_inner),
        ca_file: file.ca_file,
        anthropic_version: file
            .anthropic_version
            .unwrap_or_else(|| DEFAULT_ANTHROPIC_VERSION.to_owned()),
        provider,
        models,
        max_output_tokens: file.max_output_tokens,
        price,
        limits: validate_limits(file.limits.as_ref(), concurrency, problems),
        allow_hosted_tools: file.allow_hosted_tools,
        allow_store: file.allow_store,
    })
}

fn arm_name(
    name: Option<&Spanned<String>>,
    is_control: bool,
    span: &Range<usize>,
    problems: &mut Vec<Problem>,
) -> Option<String> {
    if is_control {
        if let Some(name) = name {
            let problem = Problem::at(name.span(), "the control has no name of its own");
            problems.push(problem.with_help("remove `name`: the arm is called `control`"));
        }
        return Some("control".to_owned());
    }
    let Some(name) = name else {
        problems.push(
            Problem::at(span.clone(), "a candidate has no name")
                .with_help("add for instance `name = \"next\"`"),
        );
        return None;
    };
    let text = name.get_ref();
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text.is_empty() || text.len() > 40 || !text.chars().all(harmless) {
        problems.push(
            Problem::at(name.span(), "a candidate's name may hold letters, digits, `-` and `_`")
                .with_help("choose a short name of at most 40 such characters"),
        );
        return None;
    }
    Some(text.clone())
}

fn check_url(url: &Spanned<String>, problems: &mut Vec<Problem>) {
    let text = url.get_ref();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let message = match rest {
        None => "`base_url` must begin with `http://` or `https://`",
        Some(rest) if rest.split('/').next().is_some_and(|host| host.contains('@')) => {
            "`base_url` must not hold credentials"
        }
        Some(rest) if rest.contains(['?', '#']) => "`base_url` must not hold a query or fragment",
        Some("") => "`base_url` names no host",
        Some(_) => return,
    };
    problems
        .push(Problem::at(url.span(), message).with_help(
            "write for instance `https://api.example.com/v1`; keys go by `api_key_env`",
        ));
}

fn check_key_variable(variable: &Spanned<String>, problems: &mut Vec<Problem>) {
    let text = variable.get_ref();
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name_like = !text.is_empty()
        && text.chars().all(harmless)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.len() <= 64;
    if !name_like {
        // The value may be a key that was pasted by mistake: it is not repeated here.
        problems.push(
            Problem::at(
                variable.span(),
                "`api_key_env` must be the name of an environment variable",
            )
            .with_help("put the key into a variable and write that variable's name here"),
        );
    }
}

fn validate_models(
    file: &ArmFile,
    is_control: bool,
    span: &Range<usize>,
    problems: &mut Vec<Problem>,
) -> Option<ModelMap> {
    if file.models.is_empty() {
        if is_control {
            return Some(ModelMap::identity());
        }
        problems
            .push(Problem::at(span.clone(), "the candidate has no `models`").with_help(
                "say which model answers, for instance `models = { \"*\" = \"next\" }`",
            ));
        return None;
    }
    let entries =
        file.models.iter().map(|(pattern, model)| (pattern.as_str(), model.get_ref().as_str()));
    match ModelMap::new(entries) {
        Ok(map) => Some(map),
        Err(failure) => {
            let at = file.models.get(&failure.0).map_or_else(|| span.clone(), Spanned::span);
            problems.push(Problem::at(at, failure.to_string()));
            None
        }
    }
}

fn validate_limits(
    limits: Option<&Spanned<LimitsFile>>,
    concurrency: u64,
    problems: &mut Vec<Problem>,
) -> Limits {
    let Some(spanned) = limits else { return Limits { concurrency, rpm: None, tpm: None } };
    let limits = spanned.get_ref();
    if [limits.concurrency, limits.rpm, limits.tpm].contains(&Some(0)) {
        problems.push(Problem::at(spanned.span(), "a limit of 0 would send nothing"));
    }
    Limits {
        concurrency: limits.concurrency.unwrap_or(concurrency),
        rpm: limits.rpm,
        tpm: limits.tpm,
    }
}

pub(super) fn validate_price(
    model: &str,
    price: &Spanned<PriceFile>,
    problems: &mut Vec<Problem>,
) -> Option<PriceOverride> {
    let file = price.get_ref();
    let price_override = PriceOverride {
        model: model.to_owned(),
        input: file.input.clone(),
        output: file.output.clone(),
        cache_read: file.cache_read.clone(),
        cache_write: file.cache_write.clone(),
    };
    if let Err(failure) = price_override.price() {
        let help = "write for instance `{ input = \"0.50 USD/1M\", output = \"1.50 USD/1M\" }`";
        problems.push(Problem::at(price.span(), failure.to_string()).with_help(help));
        return None;
    }
    Some(price_override)
}
