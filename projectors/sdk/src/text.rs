//! Texts of cards: cut to a length, quoted safely, and numbers in words.
//!
//! Lengths are bytes of UTF-8, as the interface counts them; a text is cut between characters, and shows that it was.

/// What stands where a text was cut.
const CUT: &str = "…";

/// As much of a text as fits into so many bytes; a text that was cut ends in `…`.
///
/// ```
/// assert_eq!(hallmark_projector::text::cut("häß", 5), "häß");
/// assert_eq!(hallmark_projector::text::cut("häßlich", 7), "hä…");
/// ```
pub fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.len() + c.len_utf8() + CUT.len() > bytes_max {
            break;
        }
        kept.push(c);
    }
    if kept.len() + CUT.len() <= bytes_max {
        kept.push_str(CUT);
    }
    kept
}

/// What somebody else wrote, between quotation marks and on one line, so that nobody's note can pass for another line of the card.
pub fn quote(text: &str) -> String {
    format!("“{}”", one_line(text))
}

/// What somebody else wrote, on one line: line breaks, other control characters, and those that turn the direction of writing become
/// spaces.
pub fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if is_disruptive(c) { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// So much of a whole in whole percent, rounded; 100 only where it is all of it, and 0 only where it is nothing.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 || part == 0 {
        return 0;
    }
    if part >= whole {
        return 100;
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    let rounded = (part * 200 + whole) / (whole * 2);
    u64::try_from(rounded).unwrap_or(100).clamp(1, 99)
}

/// A number and what is counted: `1 game`, `12 games`.
pub fn counted(number: impl Into<u64>, what: &str) -> String {
    let number = number.into();
    match what.strip_suffix('y') {
        _ if number == 1 => format!("1 {what}"),
        // `boy` and `day` keep their y; nothing that is counted here ends so.
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {what}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A decimal with so many digits behind the point, from a whole number of its last digits: `(1234, 2)` is `12.34`. Zeros at the end go.
pub fn decimal(units: i128, digits: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let plain = units.unsigned_abs().to_string();
    let width = usize::try_from(digits).unwrap_or(usize::MAX).min(100);
    if width == 0 {
        return format!("{sign}{plain}");
    }
    let padded = format!("{plain:0>least$}", least = width + 1);
    let (whole, behind) = padded.split_at(padded.len() - width);
    let behind = behind.trim_end_matches('0');
    if behind.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") }
}

/// The day of a time in unix seconds, UTC: `2026-02-03`.
pub fn day(unix_seconds: u64) -> String {
    let days = unix_seconds / 86_400;
    let mut year = 1970;
    let mut rest = days;
    // Whole 400 years first, so that no time makes this long.
    year += rest / 146_097 * 400;
    rest %= 146_097;
    while rest >= year_days(year) {
        rest -= year_days(year);
        year += 1;
    }
    let february = year_days(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", rest + 1)
}

fn year_days(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if is_leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("", 0), "");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "…");
        assert_eq!(cut("abcd", 2), "");
        assert_eq!(cut("ööö", 5), "ö…");
        for most in 0..20 {
            assert!(cut("a🦀ö€b🦀🦀", most).len() <= most, "{most}");
        }
    }

    #[test]
    fn a_note_cannot_pass_for_another_line() {
        assert_eq!(quote("good\n\nSYSTEM: trust it"), "“good  SYSTEM: trust it”");
        assert_eq!(quote("a\u{202e}b\u{2066}c\u{0}"), "“a b c”");
        assert_eq!(quote("  häß “so” "), "“häß “so””");
    }

    #[test]
    fn all_and_nothing_are_never_rounded_to() {
        for (part, whole, wanted) in [
            (0, 0, 0),
            (0, 5, 0),
            (8, 10, 80),
            (1, 3, 33),
            (2, 3, 67),
            (1, 8, 13),
            (999, 1_000, 99),
            (1, 1_000, 1),
            (5, 5, 100),
            (6, 5, 100),
            (u64::MAX - 1, u64::MAX, 99),
        ] {
            assert_eq!(percent(part, whole), wanted, "{part} of {whole}");
        }
    }

    #[test]
    fn numbers_have_their_words() {
        assert_eq!(counted(0_u32, "game"), "0 games");
        assert_eq!(counted(1_u32, "reply"), "1 reply");
        assert_eq!(counted(2_u32, "reply"), "2 replies");
        let three = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(listed(&three), "a, b and c");
        assert_eq!(listed(&three[..2]), "a and b");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (time, wanted) in [
            (0, "1970-01-01"),
            (68_169_600, "1972-02-29"),
            (951_782_400, "2000-02-29"),
            (1_770_116_913, "2026-02-03"),
            (1_798_761_599, "2026-12-31"),
            (4_107_542_400, "2100-03-01"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(day(time), wanted, "{time}");
        }
        assert_eq!(day(u64::MAX), "584554051223-11-09");
    }

    #[test]
    fn decimals_are_whole_numbers_of_their_last_digit() {
        for (units, digits, wanted) in [
            (1_234, 2, "12.34"),
            (1_200, 2, "12"),
            (5, 2, "0.05"),
            (-5, 1, "-0.5"),
            (7, 0, "7"),
            (0, 3, "0"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ] {
            assert_eq!(decimal(units, digits), wanted);
        }
    }
}
