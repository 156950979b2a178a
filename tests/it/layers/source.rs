//! Reading Rust files well enough to know which paths they name.
//!
//! Comments and literals are blanked first, so that a word in prose is no import. `use` trees and paths inside expressions come out
//! alike, as segments from the first one on; macros are not expanded, and a path written inside a string is not seen.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A path that a file names, and the line where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    /// Inside `#[cfg(test)] mod … { }`.
    pub(crate) in_tests: bool,
}

/// A Rust file, its comments and literals blanked, every line where it was.
pub(crate) struct Source {
    /// From the root of the repository, with slashes.
    pub(crate) path: String,
    code: Vec<char>,
    tests: Vec<Range<usize>>,
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the repository, in order.
pub(crate) fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

impl Source {
    pub(crate) fn read(path: &Path) -> Self {
        Self::new(path.to_str().unwrap(), &fs::read_to_string(root().join(path)).unwrap())
    }

    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let tests = test_modules(&code);
        Self { path: path.to_owned(), code, tests }
    }

    /// Where in `src` it is: `["app", "ingest"]`; the library's root is `["lib"]`, a folder's `mod.rs` is the folder.
    pub(crate) fn module(&self) -> Vec<&str> {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let mut parts: Vec<_> = inside.trim_end_matches(".rs").split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        parts
    }

    /// Lines outside inline test modules.
    pub(crate) fn program_lines(&self) -> usize {
        let newlines = |range: &[char]| range.iter().filter(|c| **c == '\n').count();
        let in_tests: usize =
            self.tests.iter().map(|range| newlines(&self.code[range.clone()])).sum();
        newlines(&self.code) - in_tests
    }

    /// Whether the whole file is a test.
    pub(crate) fn is_test(&self) -> bool {
        let stem = self.path.trim_end_matches(".rs");
        stem.ends_with("/tests") || stem.ends_with("_tests") || stem.contains("/tests/")
    }

    /// Every path of two segments or more, and every single name that is imported.
    pub(crate) fn paths(&self) -> Vec<Named> {
        let mut reader = Reader { code: &self.code, at: 0, found: Vec::new() };
        let mut after_use = false;
        while reader.at < self.code.len() {
            if !reader.starts_path() {
                reader.at += 1;
                continue;
            }
            let start = reader.at;
            let word = reader.word();
            if word == "use" {
                after_use = true;
                continue;
            }
            reader.rest_of_path(start, vec![word], after_use);
            after_use = false;
        }
        self.located(reader.found)
    }

    /// Every use of a keyword.
    pub(crate) fn keyword(&self, keyword: &str) -> Vec<Named> {
        let mut found = Vec::new();
        let mut reader = Reader { code: &self.code, at: 0, found: Vec::new() };
        while reader.at < self.code.len() {
            let start = reader.at;
            let word = reader.word();
            if word == keyword {
                found.push((start, vec![word]));
            } else if word.is_empty() {
                reader.at += 1;
            }
        }
        self.located(found)
    }

    fn located(&self, found: Vec<(usize, Vec<String>)>) -> Vec<Named> {
        let line = |at: usize| self.code[..at].iter().filter(|c| **c == '\n').count() + 1;
        let in_tests = |at: usize| self.is_test() || self.tests.iter().any(|r| r.contains(&at));
        found
            .into_iter()
            .map(|(at, segments)| Named { line: line(at), segments, in_tests: in_tests(at) })
            .collect()
    }
}

struct Reader<'a> {
    code: &'a [char],
    at: usize,
    found: Vec<(usize, Vec<String>)>,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.code.get(self.at + ahead).copied()
    }

    fn before(&self, back: usize) -> Option<char> {
        self.at.checked_sub(back).map(|at| self.code[at])
    }

    /// Whether a path can begin here: a word that is not the middle of a word, of a path, or a field.
    fn starts_path(&self) -> bool {
        if !self.peek(0).is_some_and(is_word)
            || self.before(1).is_some_and(|c| is_word(c) || c == '.')
        {
            return false;
        }
        let after_colons = self.before(1) == Some(':') && self.before(2) == Some(':');
        !(after_colons && self.before(3).is_some_and(|c| is_word(c) || c == '>'))
    }

    fn space(&mut self) {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        self.code[start..self.at].iter().collect()
    }

    fn rest_of_path(&mut self, start: usize, mut segments: Vec<String>, keep_single: bool) {
        loop {
            let end = self.at;
            self.space();
            if (self.peek(0), self.peek(1)) != (Some(':'), Some(':')) {
                self.at = end;
                break;
            }
            self.at += 2;
            self.space();
            match self.peek(0) {
                Some('{') => return self.group(&segments),
                Some('*') => segments.push("*".into()),
                Some(c) if is_word(c) => {
                    segments.push(self.word());
                    continue;
                }
                _ => {}
            }
            break;
        }
        if segments.len() > 1 || keep_single {
            self.found.push((start, segments));
        }
    }

    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            let start = self.at;
            match c {
                '}' => {
                    self.at += 1;
                    return;
                }
                c if is_word(c) => {
                    let word = self.word();
                    // The new name in `x as y` is no path.
                    if word == "as" {
                        self.space();
                        self.word();
                        continue;
                    }
                    let mut segments = prefix.to_vec();
                    if word != "self" {
                        segments.push(word);
                    }
                    self.rest_of_path(start, segments, true);
                }
                '*' => {
                    self.at += 1;
                    let segments = prefix.iter().cloned().chain(["*".into()]).collect();
                    self.found.push((start, segments));
                }
                _ => self.at += 1,
            }
        }
    }
}

/// The text with comments, strings and characters as spaces.
fn blank(text: &str) -> Vec<char> {
    let mut code: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < code.len() {
        let end = literal_end(&code, at);
        for c in &mut code[at..end] {
            if *c != '\n' {
                *c = ' ';
            }
        }
        at = end.max(at + 1);
    }
    code
}

/// Where the comment or literal that begins here ends; `at` where none begins.
fn literal_end(code: &[char], at: usize) -> usize {
    let get = |i: usize| code.get(i).copied().unwrap_or('\n');
    let inside_word = at > 0 && is_word(code[at - 1]);
    match (get(at), get(at + 1)) {
        ('/', '/') => at + code[at..].iter().take_while(|c| **c != '\n').count(),
        ('/', '*') => comment_end(code, at),
        ('"', _) => string_end(code, at),
        ('r', '"' | '#') if !inside_word || get(at - 1) == 'b' => raw_string_end(code, at),
        ('\'', '\\') => {
            at + 3 + code[(at + 3).min(code.len())..].iter().take_while(|c| **c != '\'').count() + 1
        }
        ('\'', _) if get(at + 2) == '\'' => at + 3,
        _ => at,
    }
    .min(code.len())
}

fn comment_end(code: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < code.len() {
        match (code[i], code[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    code.len()
}

fn string_end(code: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < code.len() && code[i] != '"' {
        i += if code[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// `r"…"` and `r#"…"#`; a raw identifier such as `r#type` is no literal.
fn raw_string_end(code: &[char], at: usize) -> usize {
    let hashes = code[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if code.get(open) != Some(&'"') {
        return at;
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = code[open + 1..].windows(closing.len()).position(|w| w == closing);
    length.map_or(code.len(), |length| open + 1 + length + closing.len())
}

/// The inline modules under `#[cfg(test)]`.
fn test_modules(code: &[char]) -> Vec<Range<usize>> {
    let text: String = code.iter().collect();
    let marker: Vec<char> = "#[cfg(test)]".chars().collect();
    let mut found = Vec::new();
    if !text.contains("#[cfg(test)]") {
        return found;
    }
    let starts = code.windows(marker.len()).enumerate().filter(|(_, w)| *w == marker);
    for (start, _) in starts {
        let next = code[start..].iter().position(|c| matches!(c, '{' | ';'));
        let Some(open) = next.map(|offset| start + offset).filter(|open| code[*open] == '{') else {
            continue;
        };
        let mut depth = 0;
        let length = code[open..].iter().position(|c| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0
        });
        found.push(start..length.map_or(code.len(), |length| open + length + 1));
    }
    found
}
