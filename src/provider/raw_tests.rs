//! Tests of the byte-preserving edits.

use super::*;

const ODD: &str = "\n { \"model\" :\t\"a\\u0062\" , \"big\":123456789012345678901234567890, \
                   \"f\": 1.50e+00,\"list\":[ 1 , {\"k\":\"]}\"},[ ] ],\"x\":null }\n";

#[test]
fn an_edit_of_nothing_gives_the_same_bytes() {
    assert_eq!(Edit::new(RawObject::parse(ODD).unwrap()).finish(), ODD);
    assert_eq!(Edit::new(RawObject::parse("{}").unwrap()).finish(), "{}");
}

#[test]
fn only_the_member_that_is_set_changes() {
    let mut edit = Edit::new(RawObject::parse(ODD).unwrap());
    edit.set("model", "\"m\"".into());
    edit.set("new", "[1]".into());
    let expected = ODD.replace("\"a\\u0062\"", "\"m\"").replace("null }", "null,\"new\":[1] }");
    assert_eq!(edit.finish(), expected);
}

#[test]
fn members_leave_with_exactly_one_comma() {
    let without = |names: &[&'static str]| {
        let mut edit = Edit::new(RawObject::parse(r#"{"a": 1, "b":2 ,"c":[3]}"#).unwrap());
        for name in names {
            edit.remove(name);
        }
        edit.finish()
    };
    assert_eq!(without(&["a"]), r#"{"b":2 ,"c":[3]}"#);
    assert_eq!(without(&["b"]), r#"{"a": 1 ,"c":[3]}"#);
    assert_eq!(without(&["c"]), r#"{"a": 1, "b":2}"#);
    assert_eq!(without(&["a", "c"]), r#"{"b":2}"#);
    assert_eq!(without(&["a", "b", "c"]), "{}");
}

#[test]
fn a_member_can_be_put_into_an_object_that_became_empty() {
    let mut edit = Edit::new(RawObject::parse(r#"{ "a": 1 }"#).unwrap());
    edit.remove("a");
    edit.set("b", "2".into());
    assert_eq!(edit.finish(), r#"{ "b":2 }"#);
}

#[test]
fn list_elements_leave_with_exactly_one_comma() {
    let list = r#"[ {"a":1} , "b,]" ,3]"#;
    assert_eq!(elements(list), [r#"{"a":1}"#, r#""b,]""#, "3"]);
    assert_eq!(retain(list, |index| index != 0), r#"[ "b,]" ,3]"#);
    assert_eq!(retain(list, |index| index != 1), r#"[ {"a":1} ,3]"#);
    assert_eq!(retain(list, |index| index != 2), r#"[ {"a":1} , "b,]"]"#);
    assert_eq!(retain(list, |_| true), list);
    assert_eq!(retain("[ ]", |_| true), "[ ]");
}

#[test]
fn what_is_not_one_plain_object_is_refused() {
    assert_eq!(RawObject::parse("[1]").unwrap_err(), RawError::NotAnObject);
    assert_eq!(RawObject::parse("{\"a\":1} x").unwrap_err(), RawError::Syntax(9));
    assert!(matches!(RawObject::parse("{\"a\":"), Err(RawError::Syntax(_))));
    let twice = "{\"model\":1,\"mode\\u006c\":2}";
    assert_eq!(RawObject::parse(twice).unwrap_err(), RawError::DuplicateMember);
}

#[test]
fn values_are_read_where_they_stand() {
    let object = RawObject::parse(ODD).unwrap();
    assert_eq!(object.text("model").unwrap(), "ab");
    assert_eq!(object.get("big"), Some("123456789012345678901234567890"));
    assert_eq!(object.get("f"), Some("1.50e+00"));
    assert_eq!((object.get("x"), object.present("x")), (Some("null"), None));
    let numbers = RawObject::parse(r#"{"a":12,"b":12.0,"c":-1,"d":"12","e":true}"#).unwrap();
    assert_eq!((numbers.count("a"), numbers.count("b")), (Some(12), Some(12)));
    assert_eq!((numbers.count("c"), numbers.count("d")), (None, None));
    assert!(numbers.is_true("e") && !numbers.is_true("a"));
}

#[test]
fn a_lone_surrogate_passes_untouched() {
    let body = r#"{"model":"a","m":"\ud83d"}"#;
    assert_eq!(Edit::new(RawObject::parse(body).unwrap()).finish(), body);
}
