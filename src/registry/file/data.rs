//! `data:` URIs (RFC 2397) as agents have them: base64 or plain, with `enc=gzip`, and written in every way that is nearly right.

use std::borrow::Cow;
use std::io::Read;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::GzDecoder;
use percent_encoding::percent_decode;

use super::{FILE_MAX, Flaw, FlawKind};

/// The longest part before the data.
const HEAD_MAX: usize = 256;
/// How a gzip stream begins (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Padding may be there or not, and whoever wrote the last sign may have left bits in it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes that a `data:` URI holds, `rest` being what follows the scheme's colon. What is odd is put to `flaws`.
///
/// # Errors
/// When they cannot be made out, or are too many.
pub(super) fn decode(rest: &str, flaws: &mut Vec<Flaw>) -> Result<Vec<u8>, Flaw> {
    if rest.trim_start().starts_with('{') {
        flaws.push(encoding("the data: URI has no comma before its data"));
        return bounded(rest.as_bytes().to_vec());
    }
    let (head, payload) = rest
        .split_once(',')
        .filter(|(head, _)| head.len() <= HEAD_MAX)
        .ok_or_else(|| encoding("a data: URI has a comma before its data"))?;
    let (mut is_base64, mut is_packed) = (false, false);
    for parameter in head.split(';').skip(1) {
        let parameter = parameter.trim().to_ascii_lowercase();
        match parameter.split_once('=') {
            None if parameter == "base64" => is_base64 = true,
            Some(("enc" | "encoding" | "content-encoding", "gzip")) => is_packed = true,
            Some(("enc" | "encoding" | "content-encoding", other)) if other != "identity" => {
                return Err(encoding(&format!("packed as `{other}`, which is not read")));
            }
            _ => {}
        }
    }
    let plain: Cow<'_, [u8]> = percent_decode(payload.as_bytes()).into();
    let looks_plain = plain.trim_ascii_start().first() == Some(&b'{');
    if is_base64 && looks_plain {
        flaws.push(encoding("said to be base64, and is not"));
        is_base64 = false;
    }
    let bytes = if is_base64 { from_base64(&plain)? } else { plain.into_owned() };
    let looks_packed = bytes.starts_with(&GZIP_MAGIC);
    match (is_packed, looks_packed) {
        (false, true) => flaws.push(encoding("packed with gzip, and not said to be")),
        (true, false) if looks_plain || bytes.trim_ascii_start().first() == Some(&b'{') => {
            flaws.push(encoding("said to be packed with gzip, and is not"));
            is_packed = false;
        }
        _ => {}
    }
    if is_packed || looks_packed { unpack(&bytes) } else { bounded(bytes) }
}

/// Both alphabets, with or without padding, white space anywhere.
fn from_base64(text: &[u8]) -> Result<Vec<u8>, Flaw> {
    let signs = text.iter().filter(|b| !b.is_ascii_whitespace()).map(|b| match b {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    });
    let signs: Vec<u8> = signs.collect();
    BASE64.decode(signs).map_err(|error| encoding(&format!("not base64: {error}")))
}

/// Unpacks no more than a file may have.
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Flaw> {
    let limit = u64::try_from(FILE_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut unpacked = Vec::new();
    let read = GzDecoder::new(bytes).take(limit).read_to_end(&mut unpacked);
    read.map_err(|error| encoding(&format!("not gzip: {error}")))?;
    bounded(unpacked)
}

fn bounded(bytes: Vec<u8>) -> Result<Vec<u8>, Flaw> {
    if bytes.len() <= FILE_MAX {
        return Ok(bytes);
    }
    Err(Flaw::new(FlawKind::TooLarge, &format!("the file has more than {FILE_MAX} bytes")))
}

fn encoding(detail: &str) -> Flaw {
    Flaw::new(FlawKind::Encoding, detail)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> String {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        BASE64.encode(packer.finish().unwrap())
    }

    fn read(rest: &str) -> (Result<Vec<u8>, Flaw>, usize) {
        let mut flaws = Vec::new();
        let found = decode(rest, &mut flaws);
        (found, flaws.len())
    }

    #[test]
    fn every_way_of_writing_it_is_read() {
        let file = br#"{"a":"\u00e9 ? > "}"#;
        let packed = gzip(file);
        let base64 = BASE64.encode(file);
        for (rest, odd) in [
            (format!("application/json;base64,{base64}"), 0),
            (format!(";base64,{}", base64.trim_end_matches('=')), 0),
            (format!("application/json;charset=utf-8;BASE64,{}", base64.replace('+', "-")), 0),
            (format!("application/json;base64,{}", base64.replace('=', "%3D")), 0),
            (format!("application/json;base64, {}\n{}", &base64[..5], &base64[5..]), 0),
            (r#"application/json,{"a":"\u00e9 ? > "}"#.to_owned(), 0),
            (r#"application/json;utf8,%7B%22a%22:"\u00e9%20?%20> "}"#.to_owned(), 0),
            (format!("application/json;enc=gzip;base64,{packed}"), 0),
            (format!("application/json;base64;enc=gzip,{packed}"), 0),
            (format!("application/json;base64,{packed}"), 1),
            (format!("application/json;enc=gzip;base64,{base64}"), 1),
            (r#"application/json;base64,{"a":"\u00e9 ? > "}"#.to_owned(), 1),
            (r#"{"a":"\u00e9 ? > "}"#.to_owned(), 1),
        ] {
            assert_eq!(read(&rest), (Ok(file.to_vec()), odd), "{rest}");
        }
        // A sign that only looks like an escape stands for itself.
        assert_eq!(read(r#",{"a":"100% %zz"}"#).0.unwrap(), br#"{"a":"100% %zz"}"#);
    }

    #[test]
    fn what_cannot_be_made_out_is_said() {
        let cut = gzip(b"{\"a\":1}");
        for (rest, says) in [
            ("application/json;base64", "comma"),
            ("application/json;base64,e30*", "not base64"),
            ("application/json;enc=zstd;base64,e30", "zstd"),
            (&format!("application/json;enc=gzip;base64,{}", &cut[..12]), "not gzip"),
            (&format!("{},{{}}", "x".repeat(300)), "comma"),
        ] {
            let flaw = read(rest).0.unwrap_err();
            assert!(flaw.kind == FlawKind::Encoding && flaw.detail.contains(says), "{flaw:?}");
        }
    }

    /// A few kilobytes that unpack to as many gigabytes as one likes.
    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gzip(&vec![b' '; FILE_MAX * 8]);
        assert!(bomb.len() < 20_000);
        let flaw = read(&format!("application/json;enc=gzip;base64,{bomb}")).0.unwrap_err();
        assert_eq!(flaw.kind, FlawKind::TooLarge);
        let just = gzip(&vec![b' '; FILE_MAX]);
        assert!(read(&format!(";enc=gzip;base64,{just}")).0.is_ok());
    }
}
