//! What the standards demand of DID documents, resolvers and dereferencers: one row for each MUST that applies, run against the whole service
//! on both engines.
//!
//! A row has the section that it is from, what is demanded, in our words, and the check. `did-docs/conformance.md` is these rows as text, and
//! says too what is demanded of others only. A check asks over HTTP, and never looks into the program.

mod binding;
mod core;
mod dereferencing;
mod driver;
mod ground;
mod resolution;
mod suite;
mod web;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::support::databases::on_both_engines;
use ground::Ground;

/// A demand, and how it is seen that it is met.
struct Rule {
    /// The section, by its anchor or its number.
    section: &'static str,
    says: &'static str,
    check: for<'a> fn(&'a Ground) -> LocalBoxFuture<'a, ()>,
}

/// A standard, and its rows.
struct Chapter {
    title: &'static str,
    /// The text that was read.
    text: &'static str,
    /// What stands before the sections' anchors.
    anchors: &'static str,
    /// What of it is not ours to do, or done otherwise, and why.
    besides: &'static [&'static str],
    rules: &'static [Rule],
}

/// Rows: `"section" "what is demanded" => |ground| { the check }`.
macro_rules! rules {
    ($($section:literal $says:literal => |$ground:pat_param| $check:block)*) => {
        &[$(Rule {
            section: $section,
            says: $says,
            check: |$ground: &$crate::did::rules::ground::Ground| {
                Box::pin(async move { $check })
            },
        }),*]
    };
}
use rules;

const CHAPTERS: [&Chapter; 7] = [
    &core::CHAPTER,
    &resolution::CHAPTER,
    &dereferencing::CHAPTER,
    &binding::CHAPTER,
    &web::CHAPTER,
    &suite::CHAPTER,
    &driver::CHAPTER,
];

on_both_engines! {
    /// Every row holds. All are tried, and those that do not hold are named together.
    async fn every_rule_is_kept(fresh: Fresh) {
        let ground = Ground::new(fresh).await;
        let mut broken = Vec::new();
        for chapter in CHAPTERS {
            for rule in chapter.rules {
                if AssertUnwindSafe((rule.check)(&ground)).catch_unwind().await.is_err() {
                    broken.push(format!("{}, {}: {}", chapter.title, rule.section, rule.says));
                }
            }
        }
        assert!(broken.is_empty(), "not kept:\n{}", broken.join("\n"));
    }
}

#[test]
fn every_row_says_something_of_its_own() {
    let rules = CHAPTERS.iter().flat_map(|chapter| chapter.rules);
    let said: BTreeSet<_> = rules.clone().map(|rule| rule.says).collect();
    assert_eq!(said.len(), rules.count());
}

/// The rows as people read them.
fn statement() -> String {
    let mut text = "# Conformance\n\nWhat the standards demand, and that it is met: each row is a check that `./test rules` runs against the whole service, on both \
        engines.\nThe rows stand in `tests/it/did/rules`, and this file is written from them.\nThe words are ours; the sections say where the demand is made.\n"
        .to_owned();
    for chapter in CHAPTERS {
        let Chapter { title, text: link, anchors, besides, rules } = chapter;
        write!(text, "\n## {title}\n\n{link}\n\n| section | what is demanded |\n|---|---|\n")
            .unwrap();
        for Rule { section, says, .. } in *rules {
            let section = if anchors.is_empty() {
                (*section).to_owned()
            } else {
                format!("[{section}]({anchors}{section})")
            };
            writeln!(text, "| {section} | {says} |").unwrap();
        }
        if !besides.is_empty() {
            text.push_str("\nNot ours to do, or done otherwise:\n\n");
            for line in *besides {
                // One sentence a line, as in every document.
                writeln!(text, "- {}", line.replace(". ", ".\n  ")).unwrap();
            }
        }
    }
    text
}

#[test]
fn the_statement_is_of_these_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (kept, fresh) = (root.join("did-docs/conformance.md"), root.join("target/did-docs"));
    let text = statement();
    if fs::read_to_string(&kept).ok().as_ref() != Some(&text) {
        fs::create_dir_all(&fresh).unwrap();
        fs::write(fresh.join("conformance.md"), text).unwrap();
        panic!("did-docs/conformance.md differs: what it is now is in target/did-docs");
    }
}
