//! Blocks as gateways give them, whole, changed, missing and hostile.
//!
//! `tests/vectors/ipfs` holds archives that other programs made; here are those that nobody would make in good faith.

use super::*;

/// A block with its name in version 1 of identifiers.
fn named(codec: u64, block: &[u8]) -> Cid {
    let digest = Sha256::digest(block);
    let hash = cid::multihash::Multihash::wrap(SHA2_256, &digest).unwrap();
    Cid::new_v1(codec, hash)
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut prefixed = Vec::new();
    while length > 0x7f {
        prefixed.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    prefixed.push(u8::try_from(length).unwrap());
    prefixed.extend_from_slice(bytes);
    prefixed
}

fn archive(blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    // What the header says is not read.
    let mut archive = prefixed(b"header");
    for (cid, block) in blocks {
        archive.extend(prefixed(&[cid.to_bytes(), block.clone()].concat()));
    }
    archive
}

/// A field of bytes of a message of protobuf.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], prefixed(bytes)].concat()
}

fn node(kind: u8, data: &[u8], links: &[(&str, Cid)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, cid) in links {
        let link = [field(1, &cid.to_bytes()), field(2, name.as_bytes())].concat();
        block.extend(field(2, &link));
    }
    let unixfs = [vec![0x08, kind], field(2, data)].concat();
    block.extend(field(1, &unixfs));
    block
}

fn path(cid: &Cid, rest: &str) -> IpfsPath {
    IpfsPath::parse(&format!("{cid}{rest}")).unwrap()
}

/// What another program put into blocks and wrote as archives.
#[test]
fn archives_of_others_prove_their_file() {
    const FILE: &[u8] = include_bytes!("../../../tests/vectors/ipfs/file.json");
    const ROOTS: &str = include_str!("../../../tests/vectors/ipfs/roots.json");
    let roots: serde_json::Value = serde_json::from_str(ROOTS).unwrap();
    let archives: [(&str, &[u8], &str); 5] = [
        ("raw-v1", include_bytes!("../../../tests/vectors/ipfs/raw-v1.car"), ""),
        ("file-v0", include_bytes!("../../../tests/vectors/ipfs/file-v0.car"), ""),
        ("chunks-v0", include_bytes!("../../../tests/vectors/ipfs/chunks-v0.car"), ""),
        ("chunks-v1", include_bytes!("../../../tests/vectors/ipfs/chunks-v1.car"), ""),
        (
            "folder-v1",
            include_bytes!("../../../tests/vectors/ipfs/folder-v1.car"),
            "/agents/a.json",
        ),
    ];
    for (name, archive, rest) in archives {
        let root = roots[name].as_str().unwrap();
        let path = IpfsPath::parse(&format!("{root}{rest}")).unwrap();
        assert_eq!(prove(&path, archive), Ok(FILE.to_vec()), "{name}");
        // One bit of it changed, wherever it is: the same file or none.
        for at in (0..archive.len()).step_by(7) {
            let mut changed = archive.to_vec();
            changed[at] ^= 0x10;
            assert!(prove(&path, &changed).map_or(true, |file| file == FILE), "{name} at {at}");
        }
    }
}

#[test]
fn blocks_prove_a_file_or_nothing() {
    let (first, second) = (b"{\"a\":".to_vec(), b"1}".to_vec());
    let (a, b) = (named(RAW, &first), named(RAW, &second));
    let file = node(2, b"", &[("", a), ("", b)]);
    let root = named(DAG_PB, &file);
    let folder = node(1, b"", &[("agent file.json", root), ("b", b)]);
    let top = named(DAG_PB, &folder);
    let blocks = [(top, folder), (root, file), (a, first.clone()), (b, second.clone())];
    let whole = archive(&blocks);

    assert_eq!(prove(&path(&a, ""), &whole), Ok(first.clone()));
    assert_eq!(prove(&path(&root, ""), &whole), Ok(b"{\"a\":1}".to_vec()));
    assert_eq!(prove(&path(&top, "/agent%20file.json"), &whole), Ok(b"{\"a\":1}".to_vec()));
    assert_eq!(prove(&path(&top, "/b/"), &whole), Ok(second.clone()));
    // Order and repetition mean nothing, and blocks that nobody asked for do no harm.
    let mut turned = blocks.to_vec();
    turned.extend(blocks.iter().rev().cloned());
    turned.rotate_left(3);
    assert_eq!(prove(&path(&root, ""), &archive(&turned)), Ok(b"{\"a\":1}".to_vec()));

    for (rest, expected) in
        [("", Unproven::Folder), ("/c", Unproven::NoSuchPath), ("/b/c", Unproven::NoSuchPath)]
    {
        assert_eq!(prove(&path(&top, rest), &whole), Err(expected), "{rest}");
    }
    assert_eq!(prove(&path(&root, ""), &archive(&blocks[..3])), Err(Unproven::Missing));
    let mut changed = blocks.to_vec();
    changed[3].1 = b"2}".to_vec();
    assert_eq!(prove(&path(&root, ""), &archive(&changed)), Err(Unproven::OtherHash));
    assert_eq!(prove(&path(&root, ""), &whole[..whole.len() - 1]), Err(Unproven::NotAnArchive));
    for bytes in [b"".as_slice(), b"<html>", b"{\"a\":1}", &[0xff; 40]] {
        assert!(prove(&path(&root, ""), bytes).is_err());
    }
}

#[test]
fn forms_that_are_not_read_are_said_to_be() {
    let spread = node(5, b"", &[]);
    let root = named(DAG_PB, &spread);
    assert_eq!(prove(&path(&root, "/a"), &archive(&[(root, spread)])), Err(Unproven::OtherForm));
    let cbor = named(0x71, b"\xa0");
    let found = prove(&path(&cbor, ""), &archive(&[(cbor, b"\xa0".to_vec())]));
    assert_eq!(found, Err(Unproven::OtherForm));
    let blake = cid::multihash::Multihash::wrap(0xb220, &[7; 32]).unwrap();
    let blake = Cid::new_v1(RAW, blake);
    let found = prove(&path(&blake, ""), &archive(&[(blake, b"x".to_vec())]));
    assert_eq!(found, Err(Unproven::OtherForm));
    let held = Cid::new_v1(RAW, cid::multihash::Multihash::wrap(IDENTITY, b"{}").unwrap());
    assert_eq!(path(&held, "").inline(), Some(b"{}".to_vec()));
    assert_eq!(path(&held, "/a").inline(), None);
}

/// One block that stands in a file thousands of times, and blocks that stand in each other without end.
#[test]
fn a_small_archive_does_not_make_a_large_file() {
    let block = vec![b' '; 64 * 1024];
    let cid = named(RAW, &block);
    let mut blocks = vec![(cid, block)];
    let mut last = cid;
    for _ in 0..4 {
        let block = node(2, b"", &vec![("", last); 64]);
        last = named(DAG_PB, &block);
        blocks.push((last, block));
    }
    assert_eq!(prove(&path(&last, ""), &archive(&blocks)), Err(Unproven::TooLarge));

    let mut blocks = Vec::new();
    let mut last = named(RAW, b"");
    blocks.push((last, Vec::new()));
    for _ in 0..40 {
        let block = node(2, b"", &[("", last)]);
        last = named(DAG_PB, &block);
        blocks.push((last, block));
    }
    assert_eq!(prove(&path(&last, ""), &archive(&blocks)), Err(Unproven::TooLarge));
    // Empty blocks, which add nothing and cost time.
    let mut blocks = vec![(named(RAW, b""), Vec::new())];
    let mut last = blocks[0].0;
    for _ in 0..8 {
        let block = node(2, b"", &vec![("", last); 64]);
        last = named(DAG_PB, &block);
        blocks.push((last, block));
    }
    assert_eq!(prove(&path(&last, ""), &archive(&blocks)), Err(Unproven::TooLarge));
}

#[test]
fn paths_stay_under_their_root() {
    const ROOT: &str = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o";
    assert_eq!(
        IpfsPath::parse(&format!("{ROOT}//a/?x#y")).unwrap().to_string(),
        format!("{ROOT}/a")
    );
    for rest in ["/..", "/%2e%2e", "/a%2fb", "/%00", "/%ff", &"/a".repeat(17)] {
        assert!(IpfsPath::parse(&format!("{ROOT}{rest}")).is_err(), "{rest}");
    }
    for text in ["", "/", "Qm", "not-a-cid", "bafy"] {
        assert!(IpfsPath::parse(text).is_err(), "{text}");
    }
}
