//! Where a command's data goes: standard output, as text for people or as JSON.
//!
//! Nothing else is written there: log records, progress and failures go to standard error. A reader that has seen enough and closes
//! the pipe (`hallmark … | head`) ends the output, not the program's good name: what follows is dropped without a word.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::CliError;

/// A writer of records.
pub struct Output {
    sink: Box<dyn Write + Send>,
    json: bool,
    is_closed: bool,
}

impl Output {
    /// Standard output.
    pub fn stdout(json: bool) -> Self {
        Self::new(Box::new(io::stdout()), json)
    }

    /// Any writer.
    pub fn new(sink: Box<dyn Write + Send>, json: bool) -> Self {
        Self { sink, json, is_closed: false }
    }

    /// Whether records are written as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether the reader went away, so that there is no use in more records.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Writes one record: as one line of JSON where `--json` was given, else as its text, which needs no final line feed.
    ///
    /// # Errors
    /// When it cannot be written for another reason than a reader that went away.
    pub fn record(
        &mut self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.is_closed {
            return Ok(());
        }
        let mut line = if self.json { serde_json::to_string(value)? } else { text() };
        line.push('\n');
        match self.sink.write_all(line.as_bytes()).and_then(|()| self.sink.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            Err(error) => Err(CliError::failed("cannot write the output", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_and_a_full_disk_is() {
        let mut out = Output::new(Box::new(Broken(ErrorKind::BrokenPipe)), false);
        out.record(&1, || "one".into()).unwrap();
        assert!(out.is_closed());
        out.record(&2, || unreachable!("nobody reads it")).unwrap();

        let mut out = Output::new(Box::new(Broken(ErrorKind::StorageFull)), true);
        assert!(out.record(&1, || "one".into()).is_err());
    }
}
