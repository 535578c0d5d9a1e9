//! What becomes of whole, cut and damaged flow files.

use proptest::prelude::*;
use serde_json::json;

use super::super::units::testing::read_bytes;
use super::*;

/// A JSON value as mitmproxy writes it: texts as bytes, as headers and bodies are.
fn encoded(value: &Value) -> Vec<u8> {
    let (payload, tag) = match value {
        Value::Null => (Vec::new(), b'~'),
        Value::Bool(flag) => (flag.to_string().into_bytes(), b'!'),
        Value::Number(number) => {
            (number.to_string().into_bytes(), if number.is_f64() { b'^' } else { b'#' })
        }
        Value::String(text) => (text.clone().into_bytes(), b','),
        Value::Array(items) => (items.iter().flat_map(encoded).collect(), b']'),
        Value::Object(members) => {
            let pairs = members.iter().flat_map(|(name, member)| {
                [encoded(&Value::from(name.as_str())), encoded(member)].concat()
            });
            (pairs.collect(), b'}')
        }
    };
    tagged(&payload, tag)
}

fn tagged(payload: &[u8], tag: u8) -> Vec<u8> {
    [format!("{}:", payload.len()).as_bytes(), payload, &[tag]].concat()
}

fn flow(number: usize) -> Value {
    json!({"type": "http", "id": format!("flow-{number}"), "version": 21, "error": null,
        "intercepted": false, "request": {"timestamp_start": 1_793_597_601.25,
            "headers": [["host", "llm.example.com"]], "content": "9:not a net,"}})
}

/// Reads a whole file; the flaw at its end, if there is one.
fn read(bytes: &[u8]) -> (Vec<Value>, Option<String>) {
    let mut all: Option<Vec<Vec<u8>>> = None;
    for block in [1, 7, 1_000] {
        let found = read_bytes(Box::new(NetstringScanner::default()), bytes, block);
        assert!(all.as_ref().is_none_or(|all| *all == found), "in blocks of {block}");
        all = Some(found);
    }
    let mut values = Vec::new();
    for unit in all.unwrap_or_default() {
        match decode_flow(&unit) {
            Ok(value) => values.push(value),
            Err(flaw) => return (values, Some(flaw)),
        }
    }
    (values, None)
}

#[test]
fn every_type_is_read_as_what_it_is() {
    let payload = b"1:a;2:hi;1:b,2:\xff\x00,1:c,2:42#1:d,3:1.5^1:e,4:true!1:f,5:false!1:g,0:~\
1:h,7:1:1#0:~]1:i,20:99999999999999999999#1:j,3:inf^";
    let bytes = tagged(payload, b'}');
    let expected = json!({"a": "hi", "b": {"base64": "/wA="}, "c": 42, "d": 1.5, "e": true,
        "f": false, "g": null, "h": [1, null], "i": "99999999999999999999",
        "j": "inf"});
    assert_eq!(decode(&bytes), Ok(expected));
}

#[test]
fn what_is_no_flow_is_broken_and_says_why() {
    for bytes in [
        "x",
        "{\"a\":1}",
        ":}",
        "-1:}",
        "1234567890123:",
        "12345678901234",
        "2:hi,",
        "3:hi}x",
        "12",
    ] {
        let (values, flaw) = read(bytes.as_bytes());
        assert!(values.is_empty() && flaw.is_some(), "{bytes}");
    }
    for (payload, flaw) in [
        ("1:a,", "a value has no length"),
        ("1:a#1:b,", "a member's name is no text"),
        ("1:a,1:x#", "a whole number is none"),
        ("1:a,1:-#", "a whole number is none"),
        ("1:a,1:x^", "a float is none"),
        ("1:a,4:TRUE!", "a boolean is neither true nor false"),
        ("1:a,1:x~", "a null has a payload"),
        ("1:a,1:x?", "a value has an unknown tag"),
        ("1:a,9999999:x,", "a value is longer than its record"),
        ("1:a,1:x", "a value has no tag"),
    ] {
        let bytes = tagged(payload.as_bytes(), b'}');
        assert_eq!(decode(&bytes).unwrap_err(), flaw, "{payload}");
    }
    assert_eq!(decode(b"0:}0:}").unwrap_err(), "3 bytes follow the record");
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let mut bytes = tagged(b"", b'~');
        for _ in 0..levels {
            bytes = tagged(&bytes, b']');
        }
        bytes
    };
    assert!(decode(&nested(MAX_DEPTH)).is_ok());
    assert!(decode(&nested(MAX_DEPTH + 1)).unwrap_err().contains("nested"));
    assert!(decode(&nested(5_000)).unwrap_err().contains("nested"));
}

#[test]
fn a_file_cut_anywhere_keeps_every_record_before_the_cut() {
    let flows: Vec<Value> = (0..3).map(flow).collect();
    let units: Vec<Vec<u8>> = flows.iter().map(encoded).collect();
    let file = units.concat();
    for cut in 0..=file.len() {
        let whole = (0..=3).rev().find(|n| units[..*n].concat().len() <= cut).unwrap();
        let (values, flaw) = read(&file[..cut]);
        assert_eq!(values, flows[..whole], "cut at {cut}");
        assert_eq!(flaw.is_none(), units[..whole].concat().len() == cut, "cut at {cut}");
    }
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn values_come_back_as_they_were_written(value in json_values()) {
        prop_assert_eq!(decode(&encoded(&value)), Ok(value));
    }

    #[test]
    fn damage_never_panics_and_never_harms_what_stands_before_it(
        at in 0_usize..600, byte in any::<u8>(), insert in any::<bool>(),
    ) {
        let flows: Vec<Value> = (0..3).map(flow).collect();
        let units: Vec<Vec<u8>> = flows.iter().map(encoded).collect();
        let mut file = units.concat();
        let at = at % file.len();
        if insert { file.insert(at, byte) } else { file[at] = byte }
        let untouched = (0..=3).rev().find(|n| units[..*n].concat().len() <= at).unwrap();
        let (values, _) = read(&file);
        prop_assert!(values.len() >= untouched);
        prop_assert_eq!(&values[..untouched], &flows[..untouched]);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        read(&bytes);
        let _ = decode(&bytes);
    }
}
