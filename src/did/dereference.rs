//! What a DID URL names once its document is there: a part of the document, or a place at one of its services (DID Resolution, section 5).
//!
//! Documents come as JSON, since they may be anybody's. Nothing is fetched, so nothing can go round in circles: a service endpoint that is a
//! DID URL itself is named and not followed.
//!
//! Who writes a DID URL chooses its relative reference, and who wrote the document chose the endpoint. So a reference never leads away from
//! the endpoint: not to another host, and not above the folder that the endpoint stands in, however often it is encoded.

use serde_json::{Map, Value};
use url::Url;

use super::syntax::decode;

/// The verification relationships (CID 1.0, section 2.3).
pub const RELATIONSHIPS: [&str; 5] = [
    "authentication",
    "assertionMethod",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
];
/// The schemes of endpoints that anybody is sent to: none that a browser runs, or reads from its own machine.
const SCHEMES: [&str; 8] = ["https", "http", "wss", "ws", "ipfs", "ipns", "did", "mailto"];
/// What is encoded more often than this is refused.
const ENCODED_MAX: usize = 4;
const CONTEXT: &str = "@context";

/// Why a relative reference leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It names a scheme or a host, or holds a sign that no reference holds.
    #[error(
        "the relativeRef is no relative reference: it begins with a path, `?` or `#`, and names no host"
    )]
    NotRelative,
    /// It leads to another host, or out of the endpoint's folder.
    #[error("the relativeRef leads out of the folder that the service endpoint stands in")]
    LeadsAway,
    /// Both the endpoint and the DID URL have a fragment.
    #[error("the service endpoint has a fragment of its own, and so has the DID URL")]
    TwoFragments,
}

/// The map in a document that a fragment names (CID 1.0, section 3.4), with the document's contexts: it means nothing without them.
pub fn part(document: &Value, fragment: &str) -> Option<Value> {
    let id = document.get("id").and_then(Value::as_str)?;
    let names = [format!("{id}#{fragment}"), format!("#{fragment}")];
    let mut part = find(document, &names)?.clone();
    if let Some(context) = document.get(CONTEXT) {
        part.insert(CONTEXT.to_owned(), context.clone());
    }
    Some(part.into())
}

/// The first map whose `id` is one of `names`. JSON is only so deep, or it would not have been read.
fn find<'a>(value: &'a Value, names: &[String]) -> Option<&'a Map<String, Value>> {
    match value {
        Value::Object(map) => {
            let id = map.get("id").and_then(Value::as_str);
            if id.is_some_and(|id| names.iter().any(|name| name == id)) {
                return Some(map);
            }
            let inner = map.iter().filter(|(name, _)| *name != CONTEXT);
            inner.into_iter().find_map(|(_, value)| find(value, names))
        }
        Value::Array(values) => values.iter().find_map(|value| find(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Whether a part of a document is a verification method: it has an id, one type and a controller.
#[must_use]
pub fn is_verification_method(part: &Value) -> bool {
    ["id", "type", "controller"].iter().all(|name| part.get(name).is_some_and(Value::is_string))
        && part.get("serviceEndpoint").is_none()
}

/// Whether a document lists the method of a fragment under a relationship, by name or in whole.
#[must_use]
pub fn is_listed(document: &Value, fragment: &str, relationship: &str) -> bool {
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
    let names = [format!("{id}#{fragment}"), format!("#{fragment}")];
    let is_named = |entry: &Value| {
        let name = entry.as_str().or_else(|| entry.get("id").and_then(Value::as_str));
        name.is_some_and(|name| names.iter().any(|other| other == name))
    };
    let entries = document.get(relationship).and_then(Value::as_array);
    RELATIONSHIPS.contains(&relationship) && entries.is_some_and(|all| all.iter().any(is_named))
}

/// Leaves only those services in a document that have an id, and a type, where one is asked for. An id may stand as a whole, as its
/// fragment, or as the fragment's name alone.
pub fn select_services(document: &mut Value, id: Option<&str>, kind: Option<&str>) {
    let Some(document) = document.as_object_mut() else { return };
    let base = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let wanted = id.map(|id| [absolute(id, &base), format!("{base}#{id}")]);
    let Some(Value::Array(services)) = document.get_mut("service") else {
        document.remove("service");
        return;
    };
    services.retain(|service| {
        let own = service.get("id").and_then(Value::as_str).map(|id| absolute(id, &base));
        let kinds = service.get("type");
        let has_kind = |kind: &str| match kinds {
            Some(Value::String(only)) => only == kind,
            Some(Value::Array(kinds)) => kinds.iter().any(|of| of.as_str() == Some(kind)),
            _ => false,
        };
        let is_wanted = wanted.as_ref().is_none_or(|all| own.is_some_and(|own| all.contains(&own)));
        is_wanted && kind.is_none_or(has_kind)
    });
    if services.is_empty() {
        document.remove("service");
    }
}

/// The endpoints of a document's services, in its order; those that are maps, or that nobody is sent to, are passed over.
///
/// With a relative reference each is the place that the reference names from there, and with a fragment that part of it.
///
/// # Errors
/// When the reference is none, leads away from an endpoint, or the fragment has no room.
pub fn endpoints(
    document: &Value,
    reference: Option<&str>,
    fragment: Option<&str>,
) -> Result<Vec<String>, ReferenceError> {
    let reference = reference.map(checked).transpose()?;
    let services = document.get("service").and_then(Value::as_array).into_iter().flatten();
    let strings =
        services.filter_map(|service| service.get("serviceEndpoint")).flat_map(|endpoint| {
            let several = endpoint.as_array().into_iter().flatten();
            endpoint.as_str().into_iter().chain(several.filter_map(Value::as_str))
        });
    let mut found = Vec::new();
    for endpoint in strings {
        let Some(base) = followed(endpoint) else { continue };
        let place = match reference {
            None => endpoint.to_owned(),
            Some(_) if base.cannot_be_a_base() => continue,
            Some(reference) => at(&base, reference)?,
        };
        found.push(match fragment {
            None => place,
            Some(_) if place.contains('#') => return Err(ReferenceError::TwoFragments),
            Some(fragment) => format!("{place}#{fragment}"),
        });
    }
    Ok(found)
}

/// An endpoint that somebody may be sent to.
fn followed(endpoint: &str) -> Option<Url> {
    let is_plain = endpoint.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(endpoint).ok().filter(|_| is_plain)?;
    SCHEMES.contains(&url.scheme()).then_some(url)
}

/// A relative reference (RFC 3986, section 4.2) that names no host.
fn checked(reference: &str) -> Result<&str, ReferenceError> {
    // `\` stands for a slash in many clients, and is no sign of a reference.
    let is_sign = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
    let first = reference.split(['/', '?', '#']).next().unwrap_or_default();
    let is_relative = !first.contains(':') && !reference.starts_with("//");
    if is_relative && reference.bytes().all(is_sign) {
        Ok(reference)
    } else {
        Err(ReferenceError::NotRelative)
    }
}

/// Where a reference leads from an endpoint (RFC 3986, section 5.2).
fn at(base: &Url, reference: &str) -> Result<String, ReferenceError> {
    let place = base.join(reference).map_err(|_| ReferenceError::NotRelative)?;
    let is_same_host = (place.scheme(), place.authority()) == (base.scheme(), base.authority());
    let (folder, _) = base.path().rsplit_once('/').unwrap_or_default();
    let below = place.path().strip_prefix(folder);
    let is_below = below.is_some_and(|rest| rest.starts_with('/') && stays_below(rest));
    if !is_same_host || !(is_below || place.path() == base.path()) {
        return Err(ReferenceError::LeadsAway);
    }
    Ok(place.into())
}

/// Whether a path leads nowhere else, however often a server decodes it.
fn stays_below(path: &str) -> bool {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..ENCODED_MAX {
        let mut parts = bytes.split(|byte| matches!(byte, b'/' | b'\\'));
        if parts.any(|part| part == b".." || part == b".") || bytes.iter().any(u8::is_ascii_control)
        {
            return false;
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { return false };
        let decoded = decode(text);
        if decoded == bytes {
            return true;
        }
        bytes = decoded;
    }
    false
}

/// Makes the relative DID URLs absolute that name a document's methods and services.
pub fn expand(document: &mut Value) {
    let base = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(document) = document.as_object_mut() else { return };
    for (name, value) in document.iter_mut() {
        let is_relation = RELATIONSHIPS.contains(&name.as_str());
        let items = match value {
            Value::Array(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for item in items {
            match item {
                Value::Object(map) => {
                    if let Some(Value::String(id)) = map.get_mut("id") {
                        *id = absolute(id, &base);
                    }
                }
                Value::String(id) if is_relation => *id = absolute(id, &base),
                _ => {}
            }
        }
    }
}

/// A DID URL that may be relative, in full.
fn absolute(id: &str, base: &str) -> String {
    if id.starts_with(['#', '?', '/']) { format!("{base}{id}") } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DID: &str = "did:example:ada";

    fn document() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/did/v1", { "id": "did:example:ada#files" }],
            "id": DID,
            "verificationMethod": [
                { "id": format!("{DID}#key"), "type": "Multikey", "controller": DID, "publicKeyMultibase": "z6Mk" },
                { "id": "#short", "type": "Multikey", "controller": DID, "publicKeyMultibase": "z6Mk" },
            ],
            "authentication": [format!("{DID}#key"), "#short"],
            "assertionMethod": [{ "id": format!("{DID}#inner"), "type": "Multikey", "controller": DID }],
            "service": [
                { "id": format!("{DID}#files"), "type": "Files", "serviceEndpoint": "https://ada.example/files/all" },
                { "id": "#chat", "type": ["Chat", "Files"], "serviceEndpoint": ["wss://ada.example/", { "a": "b" }, "https://ada.example/chat#now"] },
                { "id": format!("{DID}#map"), "type": "Map", "serviceEndpoint": { "uri": "https://evil.example" } },
                { "id": format!("{DID}#bad"), "type": "Bad", "serviceEndpoint": ["javascript:alert(1)", "data:text/html,x", "file:///etc/hostname", "no url", "https://ä.example/", "https://a.example/\r\nx: y"] },
            ],
        })
    }

    #[test]
    fn a_fragment_names_a_map_wherever_it_stands() {
        let document = document();
        for (fragment, kind) in [
            ("key", Some("Multikey")),
            ("short", Some("Multikey")),
            ("inner", Some("Multikey")),
            ("files", Some("Files")),
            ("Key", None),
            ("", None),
            ("key#key", None),
        ] {
            let found = part(&document, fragment);
            let found = found.as_ref();
            assert_eq!(
                found.map(|part| &part["type"]),
                kind.map(|kind| json!(kind)).as_ref(),
                "{fragment}"
            );
            assert!(found.is_none_or(|part| part[CONTEXT] == document[CONTEXT]), "{fragment}");
        }
        assert!(is_verification_method(&part(&document, "inner").unwrap()));
        assert!(!is_verification_method(&part(&document, "files").unwrap()));
        for (fragment, relationship, expected) in [
            ("key", "authentication", true),
            ("short", "authentication", true),
            ("inner", "assertionMethod", true),
            ("key", "assertionMethod", false),
            ("inner", "authentication", false),
            ("key", "keyAgreement", false),
            ("key", "verificationMethod", false),
            ("key", "", false),
        ] {
            assert_eq!(
                is_listed(&document, fragment, relationship),
                expected,
                "{fragment} {relationship}"
            );
        }
    }

    #[test]
    fn services_are_selected_by_id_and_type() {
        for (id, kind, expected) in [
            (Some("files"), None, vec!["did:example:ada#files"]),
            (Some("#files"), None, vec!["did:example:ada#files"]),
            (Some("did:example:ada#files"), None, vec!["did:example:ada#files"]),
            (Some("did:example:ada#chat"), None, vec!["#chat"]),
            (None, Some("Files"), vec!["did:example:ada#files", "#chat"]),
            (Some("chat"), Some("Files"), vec!["#chat"]),
            (Some("chat"), Some("Map"), vec![]),
            (Some("did:example:eve#files"), None, vec![]),
            (Some(""), None, vec![]),
            (None, Some("files"), vec![]),
        ] {
            let mut selected = document();
            select_services(&mut selected, id, kind);
            let services = selected["service"].as_array().into_iter().flatten();
            let found: Vec<_> = services.map(|service| service["id"].as_str().unwrap()).collect();
            assert_eq!(found, expected, "{id:?} {kind:?}");
            assert_eq!(selected["verificationMethod"], document()["verificationMethod"]);
        }
    }

    fn places(
        id: &str,
        reference: Option<&str>,
        fragment: Option<&str>,
    ) -> Result<Vec<String>, ReferenceError> {
        let mut selected = document();
        select_services(&mut selected, Some(id), None);
        endpoints(&selected, reference, fragment)
    }

    #[test]
    fn endpoints_are_named_as_they_are_and_from_there() {
        for (id, reference, fragment, expected) in [
            ("files", None, None, vec!["https://ada.example/files/all"]),
            ("files", None, Some("a"), vec!["https://ada.example/files/all#a"]),
            ("files", Some("b"), None, vec!["https://ada.example/files/b"]),
            ("files", Some(""), None, vec!["https://ada.example/files/all"]),
            ("files", Some("?q=1"), None, vec!["https://ada.example/files/all?q=1"]),
            ("files", Some("/files/b/../c?d#e"), None, vec!["https://ada.example/files/c?d#e"]),
            ("files", Some("b%20c"), Some("f"), vec!["https://ada.example/files/b%20c#f"]),
            ("chat", None, None, vec!["wss://ada.example/", "https://ada.example/chat#now"]),
            ("chat", Some("/a"), None, vec!["wss://ada.example/a", "https://ada.example/a"]),
            ("map", None, None, vec![]),
            ("map", Some("/a"), None, vec![]),
            ("bad", None, None, vec![]),
            ("bad", Some("/a"), None, vec![]),
            ("none", Some("/a"), None, vec![]),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(places(id, reference, fragment), Ok(expected), "{id} {reference:?}");
        }
        assert_eq!(places("chat", None, Some("a")), Err(ReferenceError::TwoFragments));
        assert_eq!(places("files", Some("b#c"), Some("a")), Err(ReferenceError::TwoFragments));
    }

    #[test]
    fn a_reference_leads_nowhere_else() {
        for reference in [
            "https://evil.example/",
            "https:evil",
            "javascript:alert(1)",
            "//evil.example/",
            "\\\\evil.example/",
            "/\\evil.example/",
            "a b",
            "a\r\nlocation: x",
            "a\u{0}",
            "ä",
            "a|b",
        ] {
            assert_eq!(
                places("files", Some(reference), None),
                Err(ReferenceError::NotRelative),
                "{reference}"
            );
        }
        for reference in [
            "/",
            "/other",
            "/filesystem",
            "..",
            "../",
            "../../files/../x",
            "%2e%2e/x",
            ".%2E/x",
            "a/%2e%2e%2f%2e%2e%2fx",
            "a%2f..%2f..%2fx",
            "a/%252e%252e/%252e%252e/x",
            "%25252e%25252e%25252fx",
            "a%5c..%5cx",
            "a%00",
            "a%0d%0a",
            "a%2525252525252541",
            "a%ff",
            "/files/../x",
        ] {
            assert_eq!(
                places("files", Some(reference), None),
                Err(ReferenceError::LeadsAway),
                "{reference}"
            );
        }
    }

    proptest::proptest! {
        /// Whatever a reference is made of, it is refused or stays in the endpoint's folder, and a server that decodes it stays there too.
        #[test]
        fn no_reference_gets_out(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "..", ".", "/", "\\", "%2e", "%2E", "%2f", "%5c", "%25", "2e", "2f", "a", ":", "@", "?", "#", "//", "files",
                    "https:", "evil.example", "%00", ";", "%", "%c0%ae",
                ]),
                0..9,
            )
        ) {
            let reference = parts.concat();
            for place in places("files", Some(&reference), None).unwrap_or_default() {
                let rest = place.strip_prefix("https://ada.example/files/").unwrap_or_else(|| panic!("{reference}: {place}"));
                let mut path = rest.split(['?', '#']).next().unwrap_or_default().to_owned();
                for _ in 0..8 {
                    assert!(path.split(['/', '\\']).all(|part| part != ".."), "{reference}: {place}");
                    path = String::from_utf8_lossy(&decode(&path)).into_owned();
                }
            }
        }
    }

    #[test]
    fn relative_names_are_made_absolute() {
        let mut expanded = document();
        expand(&mut expanded);
        assert_eq!(expanded["verificationMethod"][1]["id"], "did:example:ada#short");
        assert_eq!(
            expanded["authentication"],
            json!(["did:example:ada#key", "did:example:ada#short"])
        );
        assert_eq!(expanded["service"][1]["id"], "did:example:ada#chat");
        assert_eq!(expanded["service"][2], document()["service"][2]);
        assert_eq!(expanded["id"], DID);
        assert_eq!(expanded[CONTEXT], document()[CONTEXT]);
    }
}
