//! A recording holds together, or is refused by a message that says what does not.

use std::io::Write;
use std::sync::LazyLock;

use alloy::primitives::{Bloom, BloomInput};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::super::format::{read, unpack};
use super::super::recording::SHIPPED;
use super::super::{FINALIZED_DEPTH, Recording, RecordingError};
use super::shipped;

static LINES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let text = unpack(SHIPPED).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
});

type Change = Box<dyn FnOnce(&mut Vec<Value>)>;

/// Reads the recording after a change of its lines, the preamble being line 0 and block N of the opening line N + 1.
fn after(change: impl FnOnce(&mut Vec<Value>)) -> Result<Recording, RecordingError> {
    let mut lines = LINES.clone();
    change(&mut lines);
    let text: Vec<_> = lines.iter().map(Value::to_string).collect();
    read(&text.join("\n"))
}

fn refusal(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let error = after(change).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error}; {source}")
}

fn first_line_with_logs(lines: &[Value]) -> usize {
    lines.iter().position(|line| line.get("logs").is_some()).unwrap()
}

#[test]
fn the_shipped_recording_is_small_and_has_what_the_demo_shows() {
    let recording = shipped();
    assert!(SHIPPED.len() < 400_000, "{} bytes are too many for the repository", SHIPPED.len());
    assert_eq!(recording.chain().0, 31_337, "never the number of a public chain");
    assert_eq!(recording.opening_count(), 3_000);
    assert!(recording.blocks().len() > 3_300);
    let registry = |address| recording.registries().iter().any(|r| r.address == address);
    assert!(registry(recording.identity().address));
    let first_log = recording.blocks().iter().flat_map(|block| &block.logs).next().unwrap();
    assert_eq!(first_log.raw.block.number, recording.start_block());
}

#[test]
fn headers_link_and_logs_stand_in_their_block_and_its_bloom() {
    let mut canonical: Vec<&super::super::RecordedBlock> = Vec::new();
    for block in shipped().blocks() {
        canonical.truncate(usize::try_from(block.number()).unwrap());
        if let Some(parent) = canonical.last() {
            assert_eq!(block.header.parent_hash, parent.hash, "block {}", block.block());
            assert_eq!(block.time.get(), parent.time.get() + 2, "block {}", block.block());
        }
        let mut bloom = Bloom::ZERO;
        for (index, log) in block.logs.iter().enumerate() {
            assert_eq!(log.raw.block, block.block());
            assert_eq!(usize::try_from(log.raw.log_index).unwrap(), index);
            assert_eq!(log.raw.block_time, Some(block.time));
            assert_eq!(block.transactions[log.transaction_index], log.raw.tx_hash);
            bloom.accrue(BloomInput::Raw(log.raw.address.as_slice()));
            log.raw.topics.iter().for_each(|topic| bloom.accrue(BloomInput::Raw(topic.as_slice())));
        }
        assert_eq!(block.header.logs_bloom, bloom);
        assert_eq!(block.header.hash_slow(), block.hash);
        canonical.push(block);
    }
}

#[test]
fn an_unchanged_copy_is_read() {
    assert_eq!(after(|_| ()).unwrap().blocks().len(), shipped().blocks().len());
}

#[test]
fn a_changed_log_topic_header_field_or_order_does_not_hold_together() {
    let changes: [fn(&mut Vec<Value>); 5] = [
        |lines| {
            let index = first_line_with_logs(lines);
            lines[index]["logs"][0]["topics"][0] = json!(alloy::primitives::B256::ZERO);
        },
        |lines| {
            let index = first_line_with_logs(lines);
            lines[index]["logs"][0]["address"] = json!(alloy::primitives::Address::ZERO);
        },
        |lines| lines[1_000]["header"]["gasUsed"] = json!("0x1"),
        |lines| {
            lines.pop();
        },
        |lines| {
            let index = lines.len() - 1;
            lines.remove(index - 1);
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let message = refusal(change);
        assert!(message.contains("does not hold together"), "change {index}: {message}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let last_number = |lines: &[Value]| lines.last().unwrap()["number"].as_u64().unwrap();
    let cases: [(&str, Change); 9] = [
        ("it is empty", Box::new(Vec::clear)),
        ("its form is `other/9`", Box::new(|lines| lines[0]["format"] = json!("other/9"))),
        ("unknown field `surprise`", Box::new(|lines| lines[7]["surprise"] = json!(1))),
        ("line 8 of the recorded chain", Box::new(|lines| lines[7] = json!("text"))),
        ("block 99999 stands where", Box::new(|lines| lines[9]["number"] = json!(99_999))),
        ("its opening is not 0 blocks", Box::new(|lines| lines[0]["opening_count"] = json!(0))),
        (
            "not exactly one validation registry",
            Box::new(|lines| lines[0]["registries"][2]["kind"] = json!("other")),
        ),
        (
            "has no transaction",
            Box::new(|lines| {
                let index = first_line_with_logs(lines);
                lines[index]["logs"][0]["transaction"] = json!(7);
            }),
        ),
        (
            "replaces finalized blocks",
            Box::new(move |lines| {
                let number = last_number(lines) + 1 - FINALIZED_DEPTH;
                lines.push(json!({"number": number, "header": {}}));
            }),
        ),
    ];
    for (expected, change) in cases {
        let message = refusal(change);
        assert!(message.contains(expected), "`{expected}` is not in `{message}`");
    }
}

#[test]
fn a_branch_shorter_than_what_it_replaces_is_refused() {
    let message = refusal(|lines| {
        let head = lines.last().unwrap()["number"].as_u64().unwrap();
        lines.push(json!({"number": head - 1, "header": {"gasUsed": "0x1"}}));
        // The tips are those of the lines, so that only the length is wrong.
        let text: Vec<_> = lines.iter().map(Value::to_string).collect();
        let RecordingError::Inconsistent(found) = read(&text.join("\n")).unwrap_err() else {
            panic!("the tips are wrong at first");
        };
        let hashes = found.split(['[', ']']).nth(1).unwrap();
        lines[0]["tips"] = hashes.split(", ").map(Value::from).collect();
    });
    assert!(message.contains("is too short"), "{message}");
}

#[test]
fn what_cannot_be_unpacked_is_refused() {
    let pack = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bomb = vec![b' '; usize::try_from(super::super::format::UNPACKED_BYTES_MAX).unwrap() + 1];
    let cut = &SHIPPED[..SHIPPED.len() / 2];
    for packed in [b"no gzip".to_vec(), cut.to_vec(), pack(&[0xff, 0xfe]), pack(&bomb)] {
        let error = Recording::read(&packed).unwrap_err();
        assert!(matches!(error, RecordingError::Packing(_)), "{error}");
    }
}
