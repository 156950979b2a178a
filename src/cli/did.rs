//! `hallmark did`: resolves a DID, or dereferences a DID URL, as the service does, from the database; did:pkh and did:key need none.
//!
//! The output is the whole result, also where there is no document: its metadata says why. A DID that does not exist or is deactivated ends
//! with the exit code of a negative answer. With `--links` it is the DID's links, of all time or as of a moment.

use serde_json::Value;

use super::look_up::{as_text, pages, path};
use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, keys, open, serve};
use crate::api::local::{self, Answer};
use crate::app::ServiceKeys;
use crate::config::Config;
use crate::did::DidUrl;
use crate::did::web::{Local, WebDid};

/// Resolves a DID, or lists its links.
pub(super) fn run(
    config: &Config,
    did: &str,
    at: Option<&str>,
    links: bool,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let when: Vec<_> = at.map(|at| ("at", at)).into_iter().collect();
    if links {
        return pages(config, &["v1", "dids", did, "links"], &when, out);
    }
    let path = path(&["1.0", "identifiers", did], &when)?;
    run_until_signal(async |_| {
        let fail = |error: Box<dyn std::error::Error + Send + Sync>| {
            CliError::failed("cannot resolve", &*error)
        };
        if let Some(answer) = local::resolve_generated(did).await.map_err(fail)? {
            return print(answer, out);
        }
        // What the service and characters are does not come from a chain.
        let database = if is_of_chain(did) {
            open::used_database(config).await?
        } else {
            open::existing_database(config).await?
        };
        let mut state = serve::full_state(config, &database)?;
        // Their public parts suffice, so no passphrase is needed.
        state.keys = ServiceKeys::fixed(
            open::key_store(config)?.look().map_err(|error| keys::failed(&error))?,
        );
        let answer = local::get(state, &path).await;
        database.close().await;
        print(answer.map_err(fail)?, out)
    })?
}

/// Whether a DID, or the one of a DID URL, has the form of an agent's, which lives on a chain.
fn is_of_chain(text: &str) -> bool {
    let web = DidUrl::parse(text).and_then(|url| WebDid::parse(&url.did));
    matches!(web.ok().as_ref().and_then(Local::of), Some(Local::Agent(..)))
}

fn print(answer: Answer, out: &mut Output) -> Result<Exit, CliError> {
    let (exit, result) = match answer {
        Answer::Data(result) => (Exit::Done, result),
        Answer::NotFound(result) => (Exit::Negative, result),
        Answer::Malformed(result) => (Exit::Usage, result),
        Answer::Failed(result) => (Exit::Failed, result),
    };
    if exit == Exit::Done || out.is_json() {
        out.record(&result, || as_text(&result))?;
    }
    if exit != Exit::Done {
        let error = std::io::Error::other(why(&result).to_owned());
        CliError::new(exit, &error).print(&mut std::io::stderr().lock());
    }
    Ok(exit)
}

/// Why there is no document, in words.
fn why(result: &Value) -> &str {
    let of_error = ["didResolutionMetadata", "dereferencingMetadata"]
        .iter()
        .find_map(|metadata| result.pointer(&format!("/{metadata}/error/detail")));
    // What is not the resolver's own affair comes as any other problem does.
    let of_problem = result.get("detail");
    let told = of_error.or(of_problem).and_then(Value::as_str);
    told.unwrap_or("the DID is deactivated")
}
