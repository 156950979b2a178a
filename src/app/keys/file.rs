//! The file of the service's keys: readable by its owner alone, written whole or not at all, changed by one process at a time.
//!
//! It holds every key there ever was with its times, and the private parts of those that may still sign: sealed under a passphrase
//! where one is given. What went wrong is said without a word of what stands in it.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KeysError;
use crate::attest::keyring::{KeyRecord, Keyring, Revocation};
use crate::attest::seal::Sealed;
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// What a file of this form says of itself.
const FORMAT: &str = "hallmark-keys/1";
/// The largest file that is read, in bytes.
const FILE_LEN_MAX: u64 = 2 << 20;
/// Who may do what with it: its owner reads and writes.
const MODE: u32 = 0o600;
/// What nobody but the owner may do.
const MODE_OF_OTHERS: u32 = 0o077;
/// How long to wait while another process changes it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A private part as it is kept.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptSecret {
    /// Its text.
    Plain(Zeroizing<String>),
    /// Under a passphrase.
    Sealed(Sealed),
}

/// What the file holds.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) ring: Keyring,
    /// For each record of the ring, in its order: the private part, where it is here.
    pub(super) secrets: Vec<Option<KeptSecret>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    format: String,
    keys: Vec<KeyForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    id: String,
    created: UnixSeconds,
    activated: Option<UnixSeconds>,
    retired: Option<UnixSeconds>,
    revoked: Option<RevocationForm>,
    secret: Option<KeptSecret>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationForm {
    at: UnixSeconds,
    since: UnixSeconds,
    reason: String,
}

/// Which state of the file somebody has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    length: u64,
    /// Who may do what with it, which changes without a byte of it.
    mode: u32,
    owner: u32,
}

/// The state that the file is in; `None` where there is none.
pub(super) fn stamp(path: &Path) -> Result<Option<Stamp>, KeysError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some(Stamp {
            device: found.dev(),
            inode: found.ino(),
            modified: (found.mtime(), found.mtime_nsec()),
            length: found.len(),
            mode: found.mode(),
            owner: found.uid(),
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeysError::io("look at", path, error)),
    }
}

/// Reads the file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Kept>, KeysError> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(KeysError::io("look at", path, error)),
    };
    // Looked at before it is opened: to open a pipe is to wait for whoever writes into it.
    check_kind(path, &found)?;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(KeysError::io("open", path, error)),
    };
    let found = file.metadata().map_err(|error| KeysError::io("look at", path, error))?;
    check_kind(path, &found)?;
    // Of the file that was opened: the path may lead elsewhere by now.
    if found.mode() & MODE_OF_OTHERS != 0 {
        return Err(KeysError::Exposed { path: path.to_owned(), mode: found.mode() & 0o7777 });
    }
    let length = usize::try_from(found.len().min(FILE_LEN_MAX)).unwrap_or_default();
    // Large enough at once: what grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    let read = file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| KeysError::io("read", path, error))?;
    if bytes.len() > length {
        return Err(KeysError::io(
            "read",
            path,
            std::io::Error::other("it is larger than 2 MiB, or grows"),
        ));
    }
    parse(&bytes, path).map(Some)
}

/// Refuses what is no plain file.
fn check_kind(path: &Path, found: &Metadata) -> Result<(), KeysError> {
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(KeysError::NoPlainFile { path: path.to_owned(), what })
}

fn parse(bytes: &[u8], path: &Path) -> Result<Kept, KeysError> {
    let not_understood = |why: String| KeysError::NotUnderstood { path: path.to_owned(), why };
    // The parser's own words repeat what it found.
    let form: FileForm = serde_json::from_slice(bytes).map_err(|error| {
        not_understood(format!(
            "it is not right at line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    if form.format != FORMAT {
        return Err(not_understood(format!("it does not call itself `{FORMAT}`")));
    }
    let mut records = Vec::with_capacity(form.keys.len());
    let mut secrets = Vec::with_capacity(form.keys.len());
    for (number, kept) in (1..).zip(form.keys) {
        let key = PublicKey::parse(&kept.id)
            .map_err(|error| not_understood(format!("key {number}: {error}")))?;
        let revoked = kept.revoked.map(|RevocationForm { at, since, reason }| Revocation {
            at,
            since,
            reason,
        });
        let KeyForm { created, activated, retired, secret, .. } = kept;
        records.push(KeyRecord { key, created, activated, retired, revoked });
        secrets.push(secret);
    }
    let ring = Keyring::from_records(records).map_err(|error| not_understood(error.to_string()))?;
    Ok(Kept { ring, secrets })
}

/// Replaces the file, for good once this returns. Whoever calls holds the lock.
pub(super) fn write(path: &Path, kept: &Kept) -> Result<(), KeysError> {
    let form = |(record, secret): (&KeyRecord, &Option<KeptSecret>)| KeyForm {
        id: record.key.multibase(),
        created: record.created,
        activated: record.activated,
        retired: record.retired,
        revoked: record.revoked.clone().map(|Revocation { at, since, reason }| RevocationForm {
            at,
            since,
            reason,
        }),
        secret: secret.clone(),
    };
    let keys: Vec<_> = kept.ring.records().iter().zip(&kept.secrets).map(form).collect();
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024 * (keys.len() + 1)));
    let form = FileForm { format: FORMAT.to_owned(), keys };
    let fail = |doing, error| KeysError::io(doing, path, error);
    serde_json::to_writer_pretty(&mut *bytes, &form)
        .map_err(|error| fail("write", error.into()))?;
    bytes.push(b'\n');
    // A symbolic link goes on leading where it led.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let fresh = beside(&target, ".new");
    let written = replace(&target, &fresh, &bytes);
    if written.is_err() {
        // What is half written is of no use to anybody.
        let _ = std::fs::remove_file(&fresh);
    }
    written.map_err(|error| fail("write", error))
}

fn replace(target: &Path, fresh: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match std::fs::remove_file(fresh) {
        // Left behind by a process that died.
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Never open to others, not even for a moment.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(fresh, target)?;
    File::open(folder(target))?.sync_all()
}

/// That no other process changes the file, while this is held.
pub(super) struct Lock {
    _file: File,
}

/// Waits until no other process changes the file, and keeps it so. Makes the folder where there is none.
pub(super) fn lock(path: &Path) -> Result<Lock, KeysError> {
    let parent = folder(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(|error| KeysError::io("make the folder of", path, error))?;
    // A file of its own: the one with the keys is replaced, and a lock would go with the old one.
    let lock = beside(path, ".lock");
    if let Ok(found) = std::fs::metadata(&lock) {
        check_kind(&lock, &found)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(&lock);
    let file = file.map_err(|error| KeysError::io("lock", path, error))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_TIMEOUT => sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(KeysError::Locked { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(KeysError::io("lock", path, error)),
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
