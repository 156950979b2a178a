//! Whole answers of the HTTP service, on both engines, as committed files; and everything it must refuse.
//!
//! `told` is the chain that all of them read. A snapshot that changes is a promise that changes: look before accepting it.

mod agents;
mod dids;
mod limits;
mod model;
mod openapi;
mod problems;
pub(crate) mod process;
mod records;
mod seconds;
mod service;
mod status;
mod timelines;
pub(crate) mod told;
mod wallets;

use serde_json::Value;

/// Walks all pages of a list and returns its items.
async fn all_pages(
    service: &crate::support::service::Service,
    path: &str,
    list: &str,
) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = service.ok(&format!("{path}{cursor}")).await;
        let found = page[list].as_array().unwrap();
        assert!(!found.is_empty() || cursor.is_empty(), "a page after the last one: {page}");
        items.extend(found.iter().cloned());
        let Some(next) = page["next"].as_str() else { return items };
        let sign = if path.contains('?') { '&' } else { '?' };
        cursor = format!("{sign}cursor={next}");
    }
}
