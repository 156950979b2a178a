//! `hallmark agent` and `hallmark wallet`: look-ups from the database.
//!
//! The answers are the service's own, from the same handlers. As text, each field stands on a line of its own.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::shutdown::run_until_signal;
use super::{CliError, Exit, Output, open, serve};
use crate::api::local::{self, Answer};
use crate::config::Config;

/// Pages of a list are asked for in this size.
const PAGE: &str = "500";
/// What is encoded in a part of a path: all but what is unreserved (RFC 3986, 2.3), and the colon of DIDs and accounts.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b':');

/// Who an agent is.
pub(super) fn agent(
    config: &Config,
    agent: &str,
    at: &str,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let path = path(&["v1", "agents", agent], &[("at", at)])?;
    run_until_signal(async |_| {
        let database = open::used_database(config).await?;
        let answer = local::get(serve::state(config, &database), &path).await;
        database.close().await;
        let data = match settle(answer, out)? {
            Ok(data) => data,
            Err(exit) => return Ok(exit),
        };
        out.record(&data, || as_text(&data))?;
        Ok(Exit::Done)
    })?
}

/// Which agents an account is the wallet of; or, with `history`, every span in which it was.
pub(super) fn wallet(
    config: &Config,
    account: &str,
    at: &str,
    history: bool,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let when = if history { ("history", "true") } else { ("at", at) };
    pages(config, &["v1", "wallets", account, "agents"], &[when], out)
}

/// Prints all pages of a list; an empty one ends with the exit code of a negative answer.
pub(super) fn pages(
    config: &Config,
    segments: &[&str],
    query: &[(&str, &str)],
    out: &mut Output,
) -> Result<Exit, CliError> {
    run_until_signal(async |_| {
        let database = open::used_database(config).await?;
        let mut next: Option<String> = None;
        let exit = loop {
            let mut query = [[("limit", PAGE)].as_slice(), query].concat();
            query.extend(next.as_deref().map(|cursor| ("cursor", cursor)));
            let path = path(segments, &query)?;
            let data = match settle(local::get(serve::state(config, &database), &path).await, out)?
            {
                Ok(data) => data,
                Err(exit) => break exit,
            };
            out.record(&data, || as_text(&data))?;
            next = data.get("next").and_then(Value::as_str).map(str::to_owned);
            if next.is_none() || out.is_closed() {
                let of = |name| data.get(name).and_then(Value::as_array);
                let is_none = of("agents").or_else(|| of("items")).is_some_and(Vec::is_empty);
                break if is_none { Exit::Negative } else { Exit::Done };
            }
        };
        database.close().await;
        Ok(exit)
    })?
}

/// A path from its parts, each encoded as it is: a URL parser would leave out tabs and line ends, and take `..` for a way back.
pub(super) fn path(segments: &[&str], query: &[(&str, &str)]) -> Result<String, CliError> {
    let path: String = segments
        .iter()
        .flat_map(|segment| ["/".into(), Cow::from(utf8_percent_encode(segment, SEGMENT))])
        .collect();
    let mut url = Url::parse("http://localhost")?;
    url.query_pairs_mut().extend_pairs(query);
    Ok(format!("{path}?{}", url.query().unwrap_or_default()))
}

/// The data in an answer, or the exit code where there is none; why not is said on standard error, or with `--json` as data.
pub(super) fn settle(
    answer: Result<Answer, Box<dyn std::error::Error + Send + Sync>>,
    out: &mut Output,
) -> Result<Result<Value, Exit>, CliError> {
    let (exit, problem) =
        match answer.map_err(|error| CliError::failed("cannot look up", &*error))? {
            Answer::Data(data) => return Ok(Ok(data)),
            Answer::NotFound(problem) => (Exit::Negative, problem),
            Answer::Malformed(problem) => (Exit::Usage, problem),
            Answer::Failed(problem) => (Exit::Failed, problem),
        };
    if out.is_json() {
        out.record(&problem, String::new)?;
    }
    let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("it cannot be answered");
    let error = std::io::Error::other(detail.to_owned());
    CliError::new(exit, &error).print(&mut std::io::stderr().lock());
    Ok(Err(exit))
}

/// One line for each field, nested fields by their path.
pub(super) fn as_text(value: &Value) -> String {
    let mut lines = Vec::new();
    flatten(value, "", &mut lines);
    let width = lines.iter().map(|(path, _)| path.len()).max().unwrap_or(0).min(40);
    let lines: Vec<_> =
        lines.iter().map(|(path, value)| format!("{path:width$}  {value}")).collect();
    lines.join("\n")
}

fn flatten(value: &Value, path: &str, lines: &mut Vec<(String, String)>) {
    let below = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                flatten(field, &below(name), lines);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, &below(&index.to_string()), lines);
            }
        }
        Value::Object(_) | Value::Array(_) => lines.push((path.to_owned(), "none".to_owned())),
        Value::Null => lines.push((path.to_owned(), "-".to_owned())),
        Value::String(text) => {
            let text = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            lines.push((path.to_owned(), text));
        }
        Value::Bool(_) | Value::Number(_) => lines.push((path.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_cannot_leave_its_place_in_the_path() {
        let path = path(&["v1", "agents", "../status?x#y"], &[("at", "block:1&limit=9")]).unwrap();
        assert_eq!(path, "/v1/agents/..%2Fstatus%3Fx%23y?at=block%3A1%26limit%3D9");
    }

    #[test]
    fn text_has_a_line_for_each_field() {
        let value =
            json!({ "agent": "a", "wallet": { "account": null }, "items": [1], "none": [] });
        let text = as_text(&value);
        let lines: Vec<_> =
            text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(
            lines,
            [["agent", "a"], ["items.0", "1"], ["none", "none"], ["wallet.account", "-"]]
        );
    }

    #[test]
    fn a_part_of_a_path_stays_what_it_is() {
        for (part, expected) in [
            ("did:web:a%3A1:b", "/v1/did:web:a%253A1:b?at=latest"),
            ("3\t1", "/v1/3%091?at=latest"),
            ("a/b?c#d", "/v1/a%2Fb%3Fc%23d?at=latest"),
            ("..", "/v1/..?at=latest"),
        ] {
            assert_eq!(path(&["v1", part], &[("at", "latest")]).unwrap(), expected);
        }
    }
}
