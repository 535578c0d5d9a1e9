//! Own phrases in seven languages, of which the demo's conversations are assembled.

mod asian;
mod english;
mod european;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The phrases of one language. Templates hold `{order}`, `{product}`, `{city}`, `{days}`,
/// `{amount}` and `{date}`.
#[derive(Debug)]
pub(super) struct Language {
    /// ISO 639-1.
    pub(super) code: &'static str,
    /// What stands between two sentences.
    separator: &'static str,
    /// First sentences of a customer; each names the order.
    openers: &'static [&'static str],
    /// What a customer adds.
    details: &'static [&'static str],
    /// What a customer says in a later turn.
    followups: &'static [&'static str],
    /// First sentences of an answer.
    openings: &'static [&'static str],
    /// The body of an answer.
    explanations: &'static [&'static str],
    /// Last sentences of an answer.
    closings: &'static [&'static str],
    products: &'static [&'static str],
    cities: &'static [&'static str],
}

pub(super) use asian::{ARABIC, CHINESE, HINDI, JAPANESE};
pub(super) use english::ENGLISH;
pub(super) use european::{GERMAN, SPANISH};

/// What one conversation is about.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    /// Different in every conversation, so that no two of them share a prompt.
    pub(super) order: String,
    pub(super) product: &'static str,
    pub(super) city: &'static str,
}

/// One of the items; the empty text if there is none.
pub(super) fn pick(items: &[&'static str], rng: &mut ChaCha8Rng) -> &'static str {
    items.get(rng.random_range(0..items.len().max(1))).copied().unwrap_or_default()
}

impl Language {
    /// What a conversation about `order` is about.
    pub(super) fn topic(&self, order: String, rng: &mut ChaCha8Rng) -> Topic {
        Topic { order, product: pick(self.products, rng), city: pick(self.cities, rng) }
    }

    /// A customer's first message; it names the order.
    pub(super) fn question(&self, topic: &Topic, rng: &mut ChaCha8Rng) -> String {
        let details = rng.random_range(0..=3_usize);
        let mut sentences = vec![fill(pick(self.openers, rng), topic, rng)];
        sentences.extend(distinct(self.details, details, topic, rng));
        sentences.join(self.separator)
    }

    /// A customer's later message.
    pub(super) fn followup(&self, topic: &Topic, rng: &mut ChaCha8Rng) -> String {
        let mut sentences = vec![fill(pick(self.followups, rng), topic, rng)];
        if rng.random_bool(0.4) {
            sentences.extend(distinct(self.details, 1, topic, rng));
        }
        sentences.join(self.separator)
    }

    /// An assistant's answer with `body` sentences between its opening and its closing.
    pub(super) fn answer(&self, topic: &Topic, body: usize, rng: &mut ChaCha8Rng) -> String {
        let mut sentences = vec![fill(pick(self.openings, rng), topic, rng)];
        sentences.extend(distinct(self.explanations, body, topic, rng));
        sentences.push(fill(pick(self.closings, rng), topic, rng));
        sentences.join(self.separator)
    }
}

/// Up to `count` different templates, filled, in the order in which they are drawn.
fn distinct(
    templates: &[&'static str],
    count: usize,
    topic: &Topic,
    rng: &mut ChaCha8Rng,
) -> Vec<String> {
    let mut left = templates.to_vec();
    let mut sentences = Vec::with_capacity(count);
    while sentences.len() < count && !left.is_empty() {
        let template = left.swap_remove(rng.random_range(0..left.len()));
        sentences.push(fill(template, topic, rng));
    }
    sentences
}

/// The template with every placeholder replaced; numbers are drawn anew at each place.
fn fill(template: &str, topic: &Topic, rng: &mut ChaCha8Rng) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        let (name, after) = tail.split_once('}').unwrap_or((tail, ""));
        text.push_str(before);
        match name {
            "order" => text.push_str(&topic.order),
            "product" => text.push_str(topic.product),
            "city" => text.push_str(topic.city),
            "days" => text.push_str(&rng.random_range(2..=14_u32).to_string()),
            "amount" => text.push_str(&amount(rng)),
            "date" => text.push_str(&date(rng)),
            _ => {}
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// An amount of money with two decimals.
pub(super) fn amount(rng: &mut ChaCha8Rng) -> String {
    format!("{}.{:02}", rng.random_range(5..400_u32), rng.random_range(0..100_u32))
}

/// An ISO 8601 date of the last weeks of 2026.
pub(super) fn date(rng: &mut ChaCha8Rng) -> String {
    format!("2026-{:02}-{:02}", rng.random_range(10..=12_u32), rng.random_range(1..=28_u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const ALL: [&Language; 7] = [&ENGLISH, &GERMAN, &SPANISH, &JAPANESE, &ARABIC, &CHINESE, &HINDI];

    #[test]
    fn every_placeholder_of_every_language_is_known() {
        for language in ALL {
            let tables = [
                language.openers,
                language.details,
                language.followups,
                language.openings,
                language.explanations,
                language.closings,
            ];
            for template in tables.into_iter().flatten() {
                for name in template.split('{').skip(1).filter_map(|tail| tail.split('}').next()) {
                    let known = ["order", "product", "city", "days", "amount", "date"];
                    assert!(known.contains(&name), "{}: {template}", language.code);
                }
                assert_eq!(template.matches('{').count(), template.matches('}').count());
            }
        }
    }

    #[test]
    fn every_first_message_names_its_order() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for language in ALL {
            for _ in 0..50 {
                let topic = language.topic("R-123456".into(), &mut rng);
                assert!(language.question(&topic, &mut rng).contains("R-123456"));
            }
        }
    }

    #[test]
    fn no_sentence_comes_twice_in_one_answer() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let topic = ENGLISH.topic("R-1".into(), &mut rng);
        let templates = ["a", "b", "c"];
        let mut drawn = distinct(&templates, 9, &topic, &mut rng);
        drawn.sort();
        assert_eq!(drawn, templates);
    }
}
