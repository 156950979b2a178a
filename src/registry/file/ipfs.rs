//! IPFS: paths under a content identifier, and bytes of a gateway checked against it.
//!
//! A gateway is asked for the blocks of a file (a CAR, version 1) rather than for the file, so that each block can be hashed: what comes
//! out is what the identifier names, or nothing. SHA-256 and the identity are understood, raw blocks and UnixFS files and folders; what a
//! gateway gives in any other form is what that gateway says, and no more.

use std::collections::HashMap;
use std::fmt;

use cid::Cid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::unixfs::{self, Node};
use super::{FILE_MAX, Flaw, FlawKind};
use crate::vocab::shorten;

/// The most parts of a path.
const PARTS_MAX: usize = 16;
/// The most blocks that one file is made of.
const BLOCKS_MAX: usize = 4096;
/// How deep the blocks of one file may stand within each other.
const DEPTH_MAX: usize = 16;
/// Codecs of blocks (the multicodec table).
const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;
/// Kinds of hashes (the multicodec table).
const IDENTITY: u64 = 0x00;
const SHA2_256: u64 = 0x12;
/// What needs no escape in a part of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A content identifier and a path under it. Text form: `CID/part/part`, parts percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpfsPath {
    root: Cid,
    /// Decoded.
    parts: Vec<String>,
}

impl IpfsPath {
    /// Reads `CID/part/part`; what follows `?` or `#` is left out.
    ///
    /// # Errors
    /// When it does not begin with a CID, or a part of the path leads elsewhere.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let wrong = |detail: String| Flaw::new(FlawKind::Uri, &detail);
        let text = text.split(['?', '#']).next().unwrap_or_default();
        let mut parts = text.split('/');
        let root = parts.next().unwrap_or_default();
        let root: Cid =
            root.parse().map_err(|_| wrong(format!("`{}` is no CID", shorten(root))))?;
        let mut decoded = Vec::new();
        for part in parts.filter(|part| !part.is_empty()) {
            let part = percent_decode_str(part).decode_utf8();
            let part = part.map_err(|_| wrong("the path is not UTF-8".to_owned()))?;
            if part == "." || part == ".." || part.contains(|c: char| c == '/' || c.is_control()) {
                return Err(wrong(format!("`{}` is no part of a path", shorten(&part))));
            }
            decoded.push(part.into_owned());
        }
        if decoded.len() > PARTS_MAX {
            return Err(wrong(format!("the path has more than {PARTS_MAX} parts")));
        }
        Ok(Self { root, parts: decoded })
    }

    /// The file, where the identifier holds it itself.
    #[must_use]
    pub fn inline(&self) -> Option<Vec<u8>> {
        let is_whole = self.parts.is_empty() && self.root.codec() == RAW;
        (is_whole && self.root.hash().code() == IDENTITY)
            .then(|| self.root.hash().digest().to_vec())
    }
}

impl fmt::Display for IpfsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        self.parts.iter().try_for_each(|part| write!(f, "/{}", utf8_percent_encode(part, PLAIN)))
    }
}

/// Why blocks do not prove a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The bytes are no archive of blocks.
    #[error("the gateway's answer is no archive of blocks")]
    NotAnArchive,
    /// A block has another hash than it is said to have.
    #[error("a block has another hash than the identifier says")]
    OtherHash,
    /// A block that is needed is not among them.
    #[error("a block of the file is missing")]
    Missing,
    /// A codec, a hash or a form of UnixFS that is not understood here.
    #[error("the content has a form that is not checked here")]
    OtherForm,
    /// A folder has no such entry.
    #[error("there is nothing at this path")]
    NoSuchPath,
    /// The path leads to a folder.
    #[error("the path leads to a folder")]
    Folder,
    /// The file is larger than is read.
    #[error("the file is larger than is read")]
    TooLarge,
}

/// The file at a path, from an archive of blocks that a gateway gave.
///
/// # Errors
/// When the blocks do not prove what it is.
pub fn prove(path: &IpfsPath, archive: &[u8]) -> Result<Vec<u8>, Unproven> {
    let blocks = Blocks::read(archive)?;
    let mut at = path.root;
    for part in &path.parts {
        at = match blocks.node(&at)? {
            Node::Folder(entries) => {
                let entry = entries.into_iter().find(|entry| entry.name == part.as_bytes());
                entry.ok_or(Unproven::NoSuchPath)?.cid
            }
            Node::File { .. } => return Err(Unproven::NoSuchPath),
        };
    }
    let mut file = Vec::new();
    let mut left = BLOCKS_MAX;
    blocks.put_together(&at, 0, &mut left, &mut file)?;
    Ok(file)
}

/// The blocks of an archive, each checked when it is taken.
struct Blocks<'a>(HashMap<Vec<u8>, &'a [u8]>);

impl<'a> Blocks<'a> {
    /// Reads a CAR: a header, then blocks with their identifiers, each with its length before it.
    fn read(mut archive: &'a [u8]) -> Result<Self, Unproven> {
        // The header names roots and a version. The root is known, and later versions begin with a header that holds no block.
        section(&mut archive)?;
        let mut blocks = HashMap::new();
        while !archive.is_empty() {
            let mut rest = section(&mut archive)?;
            let cid = Cid::read_bytes(&mut rest).map_err(|_| Unproven::NotAnArchive)?;
            blocks.insert(cid.hash().to_bytes(), rest);
            if blocks.len() > BLOCKS_MAX {
                return Err(Unproven::TooLarge);
            }
        }
        Ok(Self(blocks))
    }

    /// The bytes of a block, which are what its identifier names.
    fn block(&self, cid: &Cid) -> Result<Vec<u8>, Unproven> {
        match cid.hash().code() {
            IDENTITY => Ok(cid.hash().digest().to_vec()),
            SHA2_256 => {
                let block = self.0.get(&cid.hash().to_bytes()).ok_or(Unproven::Missing)?;
                let is_same = Sha256::digest(block).as_slice() == cid.hash().digest();
                is_same.then(|| block.to_vec()).ok_or(Unproven::OtherHash)
            }
            _ => Err(Unproven::OtherForm),
        }
    }

    fn node(&self, cid: &Cid) -> Result<Node, Unproven> {
        match cid.codec() {
            RAW => Ok(Node::File { data: self.block(cid)?, parts: Vec::new() }),
            DAG_PB => unixfs::node(&self.block(cid)?).ok_or(Unproven::OtherForm),
            _ => Err(Unproven::OtherForm),
        }
    }

    /// Puts a file's bytes together, in the order of its parts.
    fn put_together(
        &self,
        cid: &Cid,
        depth: usize,
        left: &mut usize,
        file: &mut Vec<u8>,
    ) -> Result<(), Unproven> {
        // The same block may stand in a file many times, and small ones make a large file.
        *left = left.checked_sub(1).filter(|_| depth <= DEPTH_MAX).ok_or(Unproven::TooLarge)?;
        let Node::File { data, parts } = self.node(cid)? else { return Err(Unproven::Folder) };
        if file.len() + data.len() > FILE_MAX {
            return Err(Unproven::TooLarge);
        }
        file.extend(data);
        parts.iter().try_for_each(|part| self.put_together(part, depth + 1, left, file))
    }
}

/// Takes off what stands behind its own length.
fn section<'a>(archive: &mut &'a [u8]) -> Result<&'a [u8], Unproven> {
    let (length, rest) = unixfs::varint(archive).ok_or(Unproven::NotAnArchive)?;
    let length = usize::try_from(length).map_err(|_| Unproven::NotAnArchive)?;
    let (section, rest) = rest.split_at_checked(length).ok_or(Unproven::NotAnArchive)?;
    *archive = rest;
    Ok(section)
}

#[cfg(test)]
#[path = "ipfs_tests.rs"]
mod tests;
