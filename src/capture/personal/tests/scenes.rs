//! Texts around planted values: prose of several languages, code, tables, logs, JSON; and numbers
//! that look like personal data and are not.

use super::values::Dice;

/// Prose, code, tables and logs; `{}` is the value, `{ok}` something that is to stay.
const SCENES: &[&str] = &[
    "Hi, this is about the account of {}, please confirm. Reference: {ok}.",
    "Please update the record: {} (was {ok}).",
    "Sehr geehrte Damen und Herren, bitte notieren Sie {} als neue Angabe; {ok} bleibt.",
    "Bonjour, voici mes coordonnées : {}. La version est {ok}.",
    "Hola, mis datos son {} y nada más. {ok}",
    "Buongiorno, il mio dato è {}, grazie. {ok}",
    "Goedemorgen, mijn gegevens zijn {}. {ok}",
    "私の情報は {} です。{ok}",
    "मेरी जानकारी {} है। {ok}",
    "- first: {ok}\n- second: {}\n- third: none",
    "| field | value |\n|---|---|\n| mine | {} |\n| other | {ok} |\n",
    "name;value\nmine;{};\nother;{ok};\n",
    "let value = \"{}\"; // {ok}",
    "def test():\n    assert lookup('{}') == None  # {ok}\n",
    "[info] request of {} took 12 ms",
    "<td>{}</td><td>{ok}</td>",
    "{\"mine\": \"{}\", \"other\": \"{ok}\"}",
    "\"{}\"",
    "{}",
];

/// A text with the value in it.
pub(super) fn scene(value: &str, cue: Option<&str>, dice: &mut Dice) -> String {
    let scene = dice.of(SCENES);
    let announced = cue.map_or_else(|| value.to_owned(), |cue| format!("{cue} {value}"));
    let scene = scene.replace("{ok}", &ordinary(dice));
    scene.replace("{}", &announced)
}

/// Something that looks like personal data and is not.
pub(super) fn ordinary(dice: &mut Dice) -> String {
    let forms = [
        "order 112-NN34567-1234567",
        "order no. 4##-555-0###",
        "order #98765432##",
        "invoice INV-2026-00####",
        "ISBN 978-3-16-148410-0",
        "ISBN 0-306-40615-2",
        "550e8400-e29b-41d4-a716-4466554400##",
        "2026-11-22T10:##:15.123Z",
        "2026-11-22 08:15:30",
        "1795341600123",
        "1795341600",
        "22/11/2026 10:15",
        "01.02.2026",
        "03-04-2026 - 05-06-2026",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "$1,234,567.89",
        "EUR 12.345,67",
        "1 234 567,89 €",
        "v1.2.3.4",
        "version 10.0.19045.3803",
        "Chrome/120.0.6099.129",
        "pkg==1.2.3.4",
        "00:1A:2B:3C:4D:5E",
        "00-14-22-01-23-45",
        "12:34:56",
        "std::vec::Vec",
        "a::b",
        "logo@2x.png",
        "react@18.2.0",
        "@decorator",
        "git@github.com:example/repo.git",
        "call_a1b2c3d4e5f6",
        "chatcmpl-9x8y7z6w5v",
        "0.123456789012",
        "-0.0453914812345678",
        "1e-10",
        "3.14159265358979",
        "4111 1111 1111 1112",
        "5500-0000-0000-0005",
        "DE00 1234 5678 9012 3456 78",
        "GB82 WEST 1234 5698 7654 33",
        "000-12-3456",
        "666-12-3456",
        "12345678A7",
        "ticket 0123-456789",
        "tracking 1Z999AA101234567##",
        "lat 52.520008, lon 13.404954",
        "2001-2026",
        "10-20-30",
        "100 200 3000",
        "1234 5678 9012 34",
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.0",
        "1.3.6.1.4.1.311",
        "section 1.2.3.4",
        "SKU 4006381333931",
        "192.168.1.300",
        "rgb(255, 255, 255)",
        "QQ123456C",
        "part AB-123456-X",
        "48.8566N",
        "12345",
        "90210-1234",
        "7 + 8 - 9 = 6",
        "+12.5%",
        "+1000000",
        "1,000,000,000",
        "gpt-4-0613",
        "claude-3-5-sonnet-20241022",
        "UTC+01:00",
        "2026W47",
    ];
    let form = dice.of(&forms);
    let is_open = form.contains('#');
    if is_open { dice.fill(form) } else { form.to_owned() }
}
