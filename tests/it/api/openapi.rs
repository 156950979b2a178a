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
