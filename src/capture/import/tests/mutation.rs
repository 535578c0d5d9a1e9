//! Lines that were damaged at random: no panic, nothing lost, undamaged lines as ever.

use proptest::prelude::*;

use super::super::parse::Item;
use super::*;
use crate::capture::frame::{Framing, Units};

/// Lines of both formats, for damage that reaches deep into the readers.
fn seeds() -> Vec<Vec<u8>> {
    let mut stream = record("s", 3, "z");
    stream["response"] =
        json!("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]");
    let litellm = json!({"id": "l", "call_type": "acompletion", "startTime": 1_793_597_600.5,
        "endTime": 1_793_597_601.5, "completionStartTime": 1_793_597_600.9, "status": "failure",
        "error_information": {"error_code": "429", "error_message": "tokens per min"},
        "model": "openai/m", "stream": null, "request_tags": ["a"], "response": {},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}],
        "model_parameters": {"stream": true, "tools": [], "max_tokens": 5}});
    [record("p", 1, "x \u{1f600}"), stream, litellm]
        .iter()
        .map(|record| record.to_string().into_bytes())
        .collect()
}

fn damage(mut line: Vec<u8>, wounds: &[(usize, u8, u8)]) -> Vec<u8> {
    for (at, kind, byte) in wounds {
        let at = at % line.len().max(1);
        match kind % 4 {
            0 if !line.is_empty() => line[at] = *byte,
            1 => line.insert(at, *byte),
            2 if !line.is_empty() => {
                line.remove(at);
            }
            _ => line.truncate(at),
        }
    }
    line
}

fn parse_all(text: &[u8], format: &'static dyn LogFormat) -> (usize, Vec<Item>) {
    let framing = Framing::JsonLines;
    let mut reader = Units::new(text, framing.scanner(), 1 << 20);
    let (mut lines, mut items) = (0, Vec::new());
    while let Some(chunk) = reader.next_chunk() {
        lines += chunk.lines.len();
        let context = &ReadContext::default();
        let (framing, redactor) = (&framing, &SecretsOnly);
        let parser = Parser { file: "f", framing, format, context, redactor };
        items.extend(parser.parse(&chunk, false));
    }
    (lines, items)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_line_is_read_or_set_aside_and_its_neighbours_are_untouched(
        seed in 0_usize..3,
        wounds in prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..8),
    ) {
        let seeds = seeds();
        let damaged = damage(seeds[seed].clone(), &wounds);
        let whole = record("neighbour", 9, "untouched").to_string();
        let text = [whole.as_bytes(), b"\n", &damaged, b"\n", whole.as_bytes(), b"\n"].concat();
        for name in ["plain", "litellm"] {
            let Some(format) = format_named(name) else { continue };
            let (lines, items) = parse_all(&text, format);
            let blank = damaged.split(|byte| *byte == b'\n').filter(|line| {
                !line.trim_ascii().is_empty()
            });
            prop_assert_eq!(lines, 2 + blank.count());
            prop_assert!(items.iter().all(|item| !matches!(item, Item::Cut(_))));
            if name == "plain" {
                for item in [items.first(), items.last()] {
                    prop_assert!(
                        matches!(item, Some(Item::Row(row)) if row.exchange.request_id == "neighbour")
                    );
                }
            }
        }
    }
}

#[test]
fn conservation_holds_for_a_file_of_damaged_lines() {
    let bench = Bench::new();
    let seeds = seeds();
    let mut text =
        lines(&(0..25).map(|at| record(&at.to_string(), at, "x")).collect::<Vec<_>>()).into_bytes();
    for index in 0..2_000_usize {
        let wounds = [(index * 31, (index % 7) as u8, (index % 251) as u8)];
        text.extend(damage(seeds[index % 2].clone(), &wounds));
        text.push(b'\n');
    }
    let file = bench.file("damaged.jsonl", text);
    let outcome = bench.import(&[&file]).unwrap();
    let source = &outcome.manifest.sources[0];
    assert!(source.check_conservation().is_ok());
    assert!(source.accepted > 25 && source.rejected_total() > 100, "{source:?}");
    let read = bench.rows();
    assert_eq!(read.len() as u64, source.accepted);
    assert_eq!(read.iter().filter(|row| row.request_id.parse::<u32>().is_ok()).count(), 25);
}
