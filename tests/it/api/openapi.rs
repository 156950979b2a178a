//! The description of the service is that of the service.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::databases::Fresh;
use crate::support::service::{Service, state};
use crate::support::tale::time;

/// Every reference in a description.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What changes a character says which token it takes and how it is refused; what resolves says how it does not.
#[tokio::test]
async fn refusals_and_tokens_are_described() {
    let fresh = Fresh::sqlite().await;
    let service = Service::new(state(&fresh.database().await, time(20)));
    let description = service.ok("/openapi.json").await;
    for scheme in ["characterToken", "operatorToken"] {
        let told = &description["components"]["securitySchemes"][scheme];
        assert_eq!(
            (&told["type"], &told["scheme"]),
            (&"http".into(), &"bearer".into()),
            "{scheme}"
        );
    }
    let (own, operator) = ("characterToken", "operatorToken");
    let resolves: &[u16] = &[200, 303, 400, 404, 406, 409, 410, 429, 500, 501, 503];
    let refuses: &[u16] = &[400, 401, 403, 404, 409, 410, 422, 429, 503];
    for (method, path, tokens, statuses, takes_a_body) in [
        ("post", "/v1/characters", vec![operator, ""], refuses, true),
        ("delete", "/v1/characters/{handle}", vec![own, operator], refuses, false),
        (
            "delete",
            "/v1/characters/{handle}/wallets/{account}",
            vec![own, operator],
            refuses,
            false,
        ),
        ("post", "/v1/invitations", vec![operator], refuses, true),
        ("post", "/v1/links/challenge", vec![own, operator, ""], refuses, true),
        ("post", "/v1/links", vec![], refuses, true),
        ("get", "/1.0/identifiers/{did}", vec![], resolves, false),
        ("post", "/1.0/identifiers/{did}", vec![], resolves, true),
        ("get", "/v1/dids/{did}/links", vec![], &[200, 400, 404, 409, 429, 503], false),
    ] {
        let operation = &description["paths"][path][method];
        let answers = operation["responses"].as_object().unwrap();
        let of_bodies: &[u16] = if takes_a_body { &[413, 415] } else { &[] };
        for status in statuses.iter().chain(of_bodies) {
            let told = answers.get(&status.to_string());
            let told = told.and_then(|told| told["description"].as_str());
            assert!(told.is_some_and(|told| !told.is_empty()), "{method} {path}: {status}");
        }
        let listed = operation["security"].as_array().cloned().unwrap_or_default();
        let name =
            |entry: &Value| entry.as_object().unwrap().keys().next().cloned().unwrap_or_default();
        assert_eq!(listed.iter().map(name).collect::<Vec<_>>(), tokens, "{method} {path}");
        // Every part of the path that varies is a parameter of that name.
        for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let mut parameters = operation["parameters"].as_array().unwrap().iter();
            assert!(
                parameters.any(|p| p["name"] == part && p["in"] == "path"),
                "{method} {path}: {part}"
            );
        }
    }
}

#[tokio::test]
async fn the_description_names_every_path_and_leads_nowhere_else() {
    let fresh = Fresh::sqlite().await;
    let service = Service::new(state(&fresh.database().await, time(20)));
    let description = service.ok("/openapi.json").await;
    let paths: Vec<_> = description["paths"].as_object().unwrap().keys().cloned().collect();
    insta::assert_json_snapshot!("openapi_paths", paths);
    let mut found = BTreeSet::new();
    references(&description, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            let is_answered = ["200", "201"].iter().any(|status| answers.contains_key(*status));
            assert!(is_answered, "{method} {path}");
            let text = operation["summary"].as_str().or(operation["description"].as_str());
            assert!(text.is_some_and(|text| !text.is_empty()), "{method} {path} says nothing");
        }
    }
}
