//! UnixFS in dag-pb: what one block says of a file or a folder.
//!
//! Two messages of protobuf (the texts of DAG-PB and of UnixFS): a node holds links and data, and the data says what the node is. Only what
//! files and plain folders need is read; folders that are spread over many blocks by a hash of their names are another form.

use cid::Cid;

/// The most links of one block.
const LINKS_MAX: usize = 4096;

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A file, or a part of one: its own bytes first, then those of other blocks.
    File { data: Vec<u8>, parts: Vec<Cid> },
    /// A folder.
    Folder(Vec<Entry>),
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Not always UTF-8.
    pub(super) name: Vec<u8>,
    pub(super) cid: Cid,
}

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// What a dag-pb block is; `None` where it has another form.
pub(super) fn node(block: &[u8]) -> Option<Node> {
    let mut entries = Vec::new();
    let mut unixfs: &[u8] = &[];
    let mut rest = block;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (1, Field::Bytes(data)) => unixfs = data,
            (2, Field::Bytes(link)) => entries.push(entry(link)?),
            _ => return None,
        }
        if entries.len() > LINKS_MAX {
            return None;
        }
    }
    let (mut kind, mut data) = (None, Vec::new());
    while !unixfs.is_empty() {
        match field(&mut unixfs)? {
            (1, Field::Number(number)) => kind = Some(number),
            (2, Field::Bytes(bytes)) => data = bytes.to_vec(),
            // Sizes, which are seen, and modes and times, which say nothing of the content.
            _ => {}
        }
    }
    match kind? {
        1 => Some(Node::Folder(entries)),
        0 | 2 => {
            let parts = entries.into_iter().map(|entry| entry.cid).collect();
            Some(Node::File { data, parts })
        }
        _ => None,
    }
}

fn entry(mut link: &[u8]) -> Option<Entry> {
    let (mut cid, mut name) = (None, Vec::new());
    while !link.is_empty() {
        match field(&mut link)? {
            (1, Field::Bytes(bytes)) => cid = Some(Cid::try_from(bytes).ok()?),
            (2, Field::Bytes(bytes)) => name = bytes.to_vec(),
            _ => {}
        }
    }
    Some(Entry { name, cid: cid? })
}

/// Takes the next field off a message.
fn field<'a>(message: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let (tag, rest) = varint(message)?;
    let (number, rest) = match tag & 7 {
        0 => {
            let (number, rest) = varint(rest)?;
            (Field::Number(number), rest)
        }
        2 => {
            let (length, rest) = varint(rest)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (Field::Bytes(bytes), rest)
        }
        // Fixed words, of which UnixFS has one: the nanoseconds of a time, within a field of bytes.
        _ => return None,
    };
    *message = rest;
    Some((tag >> 3, number))
}

/// A number in groups of seven bits, the lowest first, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = u32::try_from(7 * index).ok()?;
        if bits.leading_zeros() < shift {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_at_most_sixty_four_bits() {
        assert_eq!(varint(&[0x05, 0xff]), Some((5, [0xff].as_slice())));
        assert_eq!(varint(&[0xac, 0x02]), Some((300, [].as_slice())));
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(varint(&most), Some((u64::MAX, [].as_slice())));
        let more = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert_eq!(varint(&more), None);
        assert_eq!(varint(&[0x80; 20]), None);
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(varint(&[]), None);
    }

    /// The block of `hello world` with a line's end, as every implementation makes it.
    #[test]
    fn a_block_says_what_it_is() {
        let block = b"\x0a\x12\x08\x02\x12\x0chello world\n\x18\x0c";
        let data = b"hello world\n".to_vec();
        assert_eq!(node(block), Some(Node::File { data, parts: vec![] }));
        // An empty folder; one of a form that is not read; nothing at all.
        assert_eq!(node(b"\x0a\x02\x08\x01"), Some(Node::Folder(vec![])));
        assert_eq!(node(b"\x0a\x02\x08\x05"), None);
        assert_eq!(node(b""), None);
        assert_eq!(node(b"\x0a\xff\x01"), None);
    }
}
