//! Files that commands read, no further than they may be long.
//!
//! A file that is cut off where the reading stops would be taken for another file: what is too long is refused, and how that is said is the
//! command's own.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::CliError;

/// Reads a file, or standard input where its name is `-`. Of one that is longer than `max` bytes, `refuse` makes the error from the reason.
///
/// # Errors
/// When it cannot be read, or is too long.
pub(super) fn read_file(
    path: &Path,
    max: usize,
    refuse: impl FnOnce(String) -> CliError,
) -> Result<Vec<u8>, CliError> {
    let cannot =
        |error: io::Error| CliError::failed(&format!("cannot read `{}`", path.display()), &error);
    let from: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(cannot)?)
    };
    match read_at_most(from, max).map_err(cannot)? {
        Some(bytes) => Ok(bytes),
        None => Err(refuse(format!("more than {max} bytes, which is the most that is read"))),
    }
}

/// Everything, or `None` where it is more than `max` bytes: one more than those says so, and none behind it is read.
fn read_at_most(from: impl Read, max: usize) -> io::Result<Option<Vec<u8>>> {
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    from.take(limit).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= max).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::Exit;
    use super::*;

    #[test]
    fn what_is_longer_is_refused_and_never_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("four");
        std::fs::write(&path, b"four").unwrap();
        let refuse = |why| CliError::new(Exit::Negative, &io::Error::other(why));
        assert_eq!(read_file(&path, 5, refuse).unwrap(), b"four");
        assert_eq!(read_file(&path, 4, refuse).unwrap(), b"four");
        let error = read_file(&path, 3, refuse).unwrap_err();
        let mut printed = Vec::new();
        error.print(&mut printed);
        assert_eq!(
            String::from_utf8(printed).unwrap(),
            "hallmark: more than 3 bytes, which is the most that is read\n"
        );
        assert_eq!(error.exit(), Exit::Negative);
    }

    #[test]
    fn no_more_is_read_than_says_that_it_is_too_long() {
        let mut endless = io::repeat(b'x').take(1 << 20);
        assert_eq!(read_at_most(&mut endless, 9).unwrap(), None);
        assert_eq!(endless.limit(), (1 << 20) - 10);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let refuse = |why| CliError::new(Exit::Negative, &io::Error::other(why));
        let error = read_file(Path::new("nowhere/at-all.json"), 9, refuse).unwrap_err();
        let mut printed = Vec::new();
        error.print(&mut printed);
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.starts_with("hallmark: cannot read `nowhere/at-all.json`\n"), "{printed}");
        assert_eq!(error.exit(), Exit::Failed);
    }
}
