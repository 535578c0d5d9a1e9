//! The words beside a number, which say what it is where its digits cannot.

/// How far before a number its name is looked for, in bytes.
const BEFORE: usize = 48;

/// How far after it, in bytes.
const AFTER: usize = 24;

/// A text, and the name of the JSON member that it is the value of.
#[derive(Clone, Copy)]
pub(super) struct Text<'t> {
    pub(super) text: &'t str,
    pub(super) name: &'t str,
}

/// What the nearest telling word before a number says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    Phone,
    /// The number of a thing: an order, a book, a version.
    Thing,
}

/// Beginnings of words for telephones, in the languages of the forms that are recognised.
const PHONE: &[&str] = &[
    "phone",
    "telef",
    "télé",
    "teléf",
    "telèf",
    "teleph",
    "mobil",
    "móvil",
    "cellul",
    "cellph",
    "fax",
    "whatsapp",
    "handy",
    "anruf",
    "rückruf",
    "durchwahl",
    "appel",
    "joign",
    "llam",
    "contact",
    "kontakt",
    "chiam",
    "hotline",
    "landline",
    "bellen",
];
const PHONE_WORDS: &[&str] = &[
    "tel", "cell", "call", "ring", "dial", "ph", "mob", "sms", "gsm", "ruf", "rufen", "bel",
    "text", "portable",
];
const PHONE_SIGNS: &[&str] =
    &["電話", "电话", "携帯", "手机", "फ़ोन", "फोन", "मोबाइल", "☎", "📞", "📱"];

/// Beginnings of words for numbered things.
const THING: &[&str] = &[
    "order",
    "invoice",
    "ticket",
    "ref",
    "case",
    "sku",
    "part",
    "item",
    "serial",
    "tracking",
    "isbn",
    "issn",
    "ean",
    "upc",
    "gtin",
    "doi",
    "version",
    "batch",
    "lot",
    "article",
    "artikel",
    "bestell",
    "auftrag",
    "rechnung",
    "pedido",
    "factura",
    "commande",
    "facture",
    "ordine",
    "fattura",
    "factuur",
    "shipment",
    "parcel",
    "product",
    "model",
    "transaction",
    "policy",
    "contract",
    "vertrag",
    "claim",
    "patent",
    "job",
    "build",
    "timestamp",
    "epoch",
    "hash",
    "uuid",
];
const THING_WORDS: &[&str] = &["id", "ids", "po", "rma", "asin", "commit", "rev", "pid", "lote"];

impl<'t> Text<'t> {
    /// The part of the line before `start`, at most [`BEFORE`] bytes, back to the number before:
    /// what announces that one does not announce this one.
    fn line_before(self, start: usize) -> &'t str {
        let before = self.text.get(..start).unwrap_or_default();
        let near = tail(before, BEFORE);
        let near = near.rsplit('\n').next().unwrap_or(near);
        let mut digits = 0;
        let number_start = near.char_indices().rev().find_map(|(at, char)| {
            digits = match char {
                _ if char.is_ascii_digit() => digits + 1,
                ' ' | '-' | '.' | '/' | '(' | ')' => digits,
                _ => 0,
            };
            (digits > 3 || ends_stand_in(near, at)).then_some(at)
        });
        let from = number_start.map_or(0, |at| at + 1);
        near.get(from..).unwrap_or(near)
    }

    /// What the nearest telling word before `start` says; the member's name is the farthest.
    pub(super) fn cue(self, start: usize) -> Option<Cue> {
        let near = self.line_before(start);
        let reaches_start = start <= BEFORE;
        let name = if reaches_start { self.name } else { "" };
        let words = words(near).rev().chain(words(name).rev());
        let word = words.map(str::to_lowercase).find_map(|word| cue_of(&word));
        word.or_else(|| PHONE_SIGNS.iter().any(|sign| near.contains(sign)).then_some(Cue::Phone))
    }

    /// Whether one of `names` (lower case) stands near, before or after.
    pub(super) fn is_near(self, start: usize, end: usize, names: &[&str]) -> bool {
        let after = head(self.text.get(end..).unwrap_or_default(), AFTER);
        let after = after.split('\n').next().unwrap_or(after);
        [self.line_before(start), self.name, after].into_iter().any(|part| {
            let part = part.to_lowercase();
            names.iter().any(|name| part.contains(name))
        })
    }

    /// Whether a version is announced right before `start`: `v`, `version =`, `>=`, `Chrome/`.
    pub(super) fn is_version(self, start: usize) -> bool {
        const WORDS: &[&str] = &[
            "v", "ver", "version", "release", "rev", "revision", "build", "firmware", "driver",
            "sdk", "oid", "section", "chapter", "clause", "figure", "§",
        ];
        let before = self.line_before(start);
        let word = before.trim_end_matches([' ', ':', '=', '"', '\'', '(', '[', '`', '.']);
        let operator = before.trim_end();
        if ["==", ">=", "<=", "~=", "!=", "~>", "~", "^"]
            .iter()
            .any(|sign| operator.ends_with(sign))
        {
            return true;
        }
        let name = if word.is_empty() && start <= BEFORE { self.name } else { word };
        let last = words(name).next_back().unwrap_or_default();
        let adjoins = name.ends_with(last);
        let product = before.strip_suffix('/').is_some_and(|product| {
            product.ends_with(|last: char| last.is_ascii_alphanumeric() || last == ')')
        });
        product || (adjoins && WORDS.contains(&last.to_lowercase().as_str()))
    }
}

fn cue_of(word: &str) -> Option<Cue> {
    if THING_WORDS.contains(&word) || THING.iter().any(|stem| word.starts_with(stem)) {
        return Some(Cue::Thing);
    }
    let is_phone = PHONE_WORDS.contains(&word) || PHONE.iter().any(|stem| word.starts_with(stem));
    is_phone.then_some(Cue::Phone)
}

/// The words of a text; `userPhone` and `user_phone` are two each.
fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    let mut starts = Vec::new();
    let mut begin = None;
    let mut was_lower = false;
    for (at, char) in text.char_indices() {
        let is_letter = char.is_alphabetic();
        if begin.is_some_and(|_| !is_letter || (was_lower && char.is_uppercase())) {
            starts.extend(begin.take().and_then(|begin: usize| text.get(begin..at)));
        }
        if is_letter && begin.is_none() {
            begin = Some(at);
        }
        was_lower = char.is_lowercase();
    }
    starts.extend(begin.and_then(|begin| text.get(begin..)));
    starts.into_iter()
}

/// Whether the stand-in of a value ends with the character at `at`.
fn ends_stand_in(text: &str, at: usize) -> bool {
    let inside = text.get(..at).filter(|_| text.get(at..).is_some_and(|end| end.starts_with(']')));
    inside.is_some_and(|inside| {
        let value = tail(inside, 8);
        value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The last bytes of a text, cut between characters.
fn tail(text: &str, bytes: usize) -> &str {
    let from = text.len().saturating_sub(bytes);
    (from..=text.len()).find_map(|from| text.get(from..)).unwrap_or_default()
}

/// The first bytes of a text, cut between characters.
fn head(text: &str, bytes: usize) -> &str {
    let to = text.len().min(bytes);
    (0..=to).rev().find_map(|to| text.get(..to)).unwrap_or_default()
}
