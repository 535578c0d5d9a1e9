//! Words for made-up text, in several scripts so that cuts and counts meet more than ASCII.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A language's words and how they are put together.
#[derive(Debug)]
pub(super) struct Language {
    words: &'static [&'static str],
    separator: &'static str,
    full_stop: &'static str,
}

const LANGUAGES: &[Language] = &[
    Language {
        words: &[
            "the", "order", "was", "sent", "with", "a", "small", "delay", "and", "arrives",
            "before", "noon", "on", "any", "working", "day", "please", "keep", "your", "receipt",
            "because", "returns", "need", "it", "within", "thirty", "days", "of", "purchase",
        ],
        separator: " ",
        full_stop: ". ",
    },
    Language {
        words: &[
            "die",
            "Lieferung",
            "kommt",
            "spätestens",
            "übermorgen",
            "mit",
            "einer",
            "Rechnung",
            "für",
            "größere",
            "Mengen",
            "gilt",
            "ein",
            "eigener",
            "Preis",
            "wir",
            "prüfen",
            "das",
        ],
        separator: " ",
        full_stop: ". ",
    },
    Language {
        words: &[
            "la",
            "réponse",
            "dépend",
            "du",
            "modèle",
            "choisi",
            "et",
            "reste",
            "très",
            "brève",
            "après",
            "chaque",
            "étape",
            "nous",
            "vérifions",
            "le",
            "résultat",
            "où",
            "ça",
            "passe",
        ],
        separator: " ",
        full_stop: ". ",
    },
    Language {
        words: &[
            "el",
            "año",
            "pasado",
            "la",
            "mañana",
            "siguiente",
            "llegó",
            "un",
            "paquete",
            "más",
            "pequeño",
            "sin",
            "dirección",
            "pero",
            "con",
            "número",
            "válido",
            "ya",
            "está",
        ],
        separator: " ",
        full_stop: ". ",
    },
    Language {
        words: &[
            "注文は",
            "明日",
            "届きます",
            "在庫を",
            "確認して",
            "ください",
            "返品には",
            "領収書が",
            "必要です",
            "平日の",
            "午前中に",
            "お届け",
            "いたします",
            "料金は",
            "無料です",
        ],
        separator: "",
        full_stop: "。",
    },
];

/// What a refusing model says.
pub(super) const REFUSALS: &[&str] = &[
    "I'm sorry, but I can't help with that.",
    "I cannot assist with this request.",
    "I'm unable to provide that information.",
];

/// A language, drawn.
pub(super) fn any_language(rng: &mut ChaCha8Rng) -> &'static Language {
    &LANGUAGES[rng.random_range(0..LANGUAGES.len())]
}

/// An English word, drawn.
pub(super) fn any_word(rng: &mut ChaCha8Rng) -> &'static str {
    LANGUAGES[0].word(rng)
}

impl Language {
    fn word(&self, rng: &mut ChaCha8Rng) -> &'static str {
        self.words[rng.random_range(0..self.words.len())]
    }

    /// Sentences of at least `min_bytes` bytes, ending in the middle of one.
    pub(super) fn text(&self, min_bytes: usize, rng: &mut ChaCha8Rng) -> String {
        let mut text = String::with_capacity(min_bytes + 32);
        while text.len() < min_bytes {
            for index in 0..rng.random_range(5..14) {
                if index > 0 {
                    text.push_str(self.separator);
                }
                text.push_str(self.word(rng));
            }
            text.push_str(self.full_stop);
        }
        text
    }

    /// A few words, for a field of JSON.
    pub(super) fn phrase(&self, words: usize, rng: &mut ChaCha8Rng) -> String {
        let words: Vec<_> = (0..words).map(|_| self.word(rng)).collect();
        words.join(self.separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn made_up_text_is_as_long_as_asked_in_every_language() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for language in LANGUAGES {
            assert!(language.text(300, &mut rng).len() >= 300);
            assert!(!language.phrase(2, &mut rng).is_empty());
        }
    }
}
