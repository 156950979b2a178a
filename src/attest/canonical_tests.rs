//! RFC 8785's own examples, what strict reading refuses, and that reading and writing are inverse.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// No document of these tests is larger.
const SIZE_MAX: usize = 100_000;

fn canonical(text: &str) -> Result<String, JsonError> {
    let value = read(text.as_bytes(), SIZE_MAX)?;
    Ok(String::from_utf8(to_bytes(&value)?).unwrap())
}

/// Sections 3.2.2 and 3.2.3.
#[test]
fn the_examples_of_the_rfc_are_written_so() {
    let sample = r#"{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"#;
    let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(canonical(sample).as_deref(), Ok(expected));
    let keys = r#"{"\u20ac":5,"\r":1,"\ufb33":7,"1":2,"\ud83d\ude00":6,"\u0080":3,"\u00f6":4}"#;
    let expected = "{\"\\r\":1,\"1\":2,\"\u{80}\":3,\"ö\":4,\"€\":5,\"😀\":6,\"\u{fb33}\":7}";
    assert_eq!(canonical(keys).as_deref(), Ok(expected));
}

/// Appendix B, but for the two that are no numbers.
#[test]
fn the_numbers_of_the_rfc_are_written_so() {
    for (bits, expected) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        let value = json!(f64::from_bits(bits));
        assert_eq!(to_bytes(&value).as_deref(), Ok(expected.as_bytes()), "{bits:x}");
        assert_eq!(canonical(expected).as_deref(), Ok(expected), "{bits:x}");
    }
}

#[test]
fn a_number_means_what_is_written_or_is_refused() {
    for (text, expected) in [
        ("0.10", "0.1"),
        ("0.10000000000000001", "0.1"),
        ("-0", "0"),
        ("1.0", "1"),
        ("1E2", "100"),
        ("18446744073709551616", "18446744073709552000"),
        ("9007199254740994", "9007199254740994"),
        ("999999999999999", "999999999999999"),
    ] {
        // 2^64 is written with fewer digits, and as a whole number meant to the last of them.
        let expected = if text.len() == 20 { None } else { Some(expected) };
        assert_eq!(canonical(text).ok().as_deref(), expected, "{text}");
    }
    for text in [
        "1e400",
        "-1e400",
        "1e-400",
        "9007199254740993",
        "9007199254740993.0",
        "-9007199254740993",
        "900719925474099300e-2",
        "18446744073709551615",
        "0.1000000000000000055511151231257827",
        "1e99999999999999999999",
        "2e-324",
    ] {
        let document = format!("{{\"a\":[true,\"\\\"7\",{text}]}}");
        let error = canonical(&document).unwrap_err();
        let is_number = error == JsonError::Number(text.to_owned());
        // What no reader holds is a fault of syntax to serde.
        assert!(is_number || matches!(error, JsonError::Syntax(_)), "{text}: {error}");
    }
    let unsafe_integer = json!({ "a": 9_007_199_254_740_993_u64 });
    assert!(matches!(to_bytes(&unsafe_integer), Err(JsonError::Number(_))));
}

#[test]
fn a_key_stands_once_at_every_depth() {
    for (text, key) in [
        (r#"{"a":1,"a":1}"#, "a"),
        (r#"{"a":1,"\u0061":2}"#, "a"),
        (r#"[[{"x":{"b":1,"c":[{"":1,"":2}]}}]]"#, ""),
        (r#"{"proof":1,"b":{},"proof":2}"#, "proof"),
        ("{\"é\":1,\"\\u00e9\":2}", "é"),
    ] {
        assert_eq!(canonical(text), Err(JsonError::DuplicateKey(key.to_owned())), "{text}");
    }
    // Two ways to write a letter with an accent are two keys.
    assert!(canonical("{\"\\u00e9\":1,\"e\\u0301\":2}").is_ok());
    assert!(canonical(r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#).is_ok());
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(canonical(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(canonical(&nested(DEPTH_MAX + 1)), Err(JsonError::TooDeep));
    assert_eq!(canonical(&nested(40_000)), Err(JsonError::TooDeep));
    let objects = "{\"a\":".repeat(DEPTH_MAX + 1) + "1" + &"}".repeat(DEPTH_MAX + 1);
    assert_eq!(canonical(&objects), Err(JsonError::TooDeep));
    let too_long = JsonError::TooLong { length: 5, max: 4 };
    assert_eq!(read(b"[1,2]", 4), Err(too_long));
    assert!(read(b"[1,2]", 5).is_ok());
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "+1",
        ".5",
        "1.",
        "NaN",
        "Infinity",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "'a'",
        "[1] 2",
        "nul",
        "\u{feff}{}",
        "// x\n1",
        "\"\\ud83d\"",
        "\"\\udc00\\ud83d\"",
        "[1,,2]",
        "tru",
        "-",
        "--1",
        "0x10",
        "1e",
    ] {
        let error = canonical(text).unwrap_err();
        assert!(matches!(error, JsonError::Syntax(_)), "{text:?}: {error}");
    }
    for bytes in [&b"\"\xff\""[..], b"\xc0\x80", b"\"\xed\xa0\x80\"", b"[1]\0"] {
        assert!(matches!(read(bytes, 100), Err(JsonError::Syntax(_))), "{bytes:?}");
    }
}

#[test]
fn whole_numbers_of_ours_are_bounded() {
    let most = 1_u64 << 53;
    for (value, expected) in [
        (json!(0), Some(0)),
        (json!(7.0), Some(7)),
        (json!(most), Some(most)),
        (json!("7"), Some(7)),
        (json!(most.to_string()), Some(most)),
        (json!(most + 2), None),
        (json!((most + 1).to_string()), None),
        (json!(-1), None),
        (json!(1.5), None),
        (json!("07"), None),
        (json!("1.0"), None),
        (json!(null), None),
        (json!(true), None),
        (json!([1]), None),
    ] {
        assert_eq!(integer(&value), expected, "{value}");
    }
}

/// Any value of JSON whose numbers survive.
fn values() -> impl Strategy<Value = Value> {
    let integers = -(1_i64 << 53)..=(1_i64 << 53);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        integers.prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

proptest! {
    /// Canonical bytes are read, and written again as they are; spaces and the order of keys leave no trace.
    #[test]
    fn reading_and_writing_are_inverse(value in values()) {
        let bytes = to_bytes(&value).unwrap();
        let read_back = read(&bytes, SIZE_MAX).unwrap();
        prop_assert_eq!(&to_bytes(&read_back).unwrap(), &bytes);
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(to_bytes(&read(&pretty, SIZE_MAX).unwrap()).unwrap(), bytes);
    }

    /// Strictness only takes away: what is read here, any reader reads, and no bytes stop the program.
    #[test]
    fn what_is_read_strictly_is_json(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if read(&bytes, SIZE_MAX).is_ok() {
            prop_assert!(serde_json::from_slice::<Value>(&bytes).is_ok());
        }
    }

    /// The same for texts that look like JSON.
    #[test]
    fn what_looks_like_json_is_read_or_refused(text in "[\\[\\]{}\",:0-9eE.+\\-tfnrulase\\\\ ]{0,40}") {
        let strict = read(text.as_bytes(), SIZE_MAX);
        let lenient = serde_json::from_str::<Value>(&text);
        match strict {
            Ok(value) => prop_assert_eq!(lenient.unwrap(), value),
            Err(JsonError::Syntax(_)) => prop_assert!(lenient.is_err()),
            Err(_) => {}
        }
    }
}
