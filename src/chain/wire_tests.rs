//! Hostile logs and headers, one fault at a time.

use super::*;

fn filter() -> LogFilter {
    LogFilter { addresses: vec![Address::repeat_byte(1)], topics: vec![B256::repeat_byte(2)] }
}

fn good_log() -> Value {
    json!({
        "address": Address::repeat_byte(1),
        "topics": [B256::repeat_byte(2)],
        "data": "0x",
        "blockNumber": "0xa",
        "blockHash": B256::repeat_byte(3),
        "transactionHash": B256::repeat_byte(4),
        "transactionIndex": "0x0",
        "logIndex": "0x5",
        "blockTimestamp": "0x64",
        "removed": false,
    })
}

fn with(change: &Value) -> Value {
    let mut log = good_log();
    for (key, value) in change.as_object().unwrap() {
        log[key] = value.clone();
    }
    log
}

fn read(wire: &[Value]) -> Result<Vec<RawLog>, String> {
    let wire = serde_json::from_value(Value::Array(wire.to_vec())).map_err(|e| e.to_string())?;
    logs(wire, &filter(), &(5..=20))
}

#[test]
fn a_good_log_is_read_whole() {
    let logs = read(&[good_log()]).unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].position(), Position::new(10, 5));
    assert_eq!(logs[0].block_time, UnixSeconds::new(100));
}

#[test]
fn a_log_with_any_fault_is_refused() {
    for (change, reason) in [
        (json!({ "removed": true }), "removed"),
        (json!({ "blockHash": null }), "pending"),
        (json!({ "blockNumber": null }), "pending"),
        (json!({ "logIndex": null }), "pending"),
        (json!({ "transactionHash": null }), "pending"),
        (json!({ "blockNumber": "0x15" }), "outside"),
        (json!({ "blockNumber": "0x4" }), "outside"),
        (json!({ "blockNumber": "0x8000000000000000" }), "above"),
        (json!({ "address": Address::repeat_byte(9) }), "not asked for"),
        (json!({ "topics": [B256::repeat_byte(9)] }), "not asked for"),
        (json!({ "topics": [] }), "not asked for"),
        (json!({ "topics": vec![B256::repeat_byte(2); 5] }), "5 topics"),
        (json!({ "logIndex": "0xffffffff" }), "index"),
        (json!({ "logIndex": "0x100000000" }), "index"),
        (json!({ "blockTimestamp": "0xffffffffffffffff" }), "9999"),
    ] {
        let refused = read(&[with(&change)]).unwrap_err();
        assert!(refused.contains(reason), "{change}: {refused}");
    }
}

#[test]
fn logs_are_sorted_and_repeated_ones_taken_once() {
    let early = with(&json!({ "logIndex": "0x1" }));
    let logs = read(&[good_log(), early.clone(), good_log(), early]).unwrap();
    let indexes: Vec<u32> = logs.iter().map(|log| log.log_index).collect();
    assert_eq!(indexes, [1, 5]);
}

#[test]
fn contradicting_logs_are_refused() {
    for (change, reason) in [
        (json!({ "data": "0x01" }), "two different logs"),
        (json!({ "logIndex": "0x6", "blockHash": B256::repeat_byte(8) }), "and of block"),
        (json!({ "logIndex": "0x6", "blockTimestamp": "0x65" }), "different times"),
    ] {
        let refused = read(&[good_log(), with(&change)]).unwrap_err();
        assert!(refused.contains(reason), "{change}: {refused}");
    }
}

#[test]
fn a_time_of_zero_is_none() {
    assert_eq!(read(&[with(&json!({ "blockTimestamp": "0x0" }))]).unwrap()[0].block_time, None);
    assert_eq!(read(&[with(&json!({ "blockTimestamp": null }))]).unwrap()[0].block_time, None);
}

#[test]
fn pending_and_misplaced_headers_are_refused() {
    let block = json!({
        "number": "0xa", "hash": B256::repeat_byte(1), "parentHash": B256::repeat_byte(2),
        "timestamp": "0x64", "logsBloom": Bloom::ZERO, "transactions": [{ "type": "0x7e" }],
    });
    let wire: WireHeader = serde_json::from_value(block.clone()).unwrap();
    assert_eq!(header_at(&wire, 10).unwrap().block.number, 10);
    assert!(header_at(&wire, 11).is_err());
    for field in ["number", "hash", "logsBloom"] {
        let mut pending = block.clone();
        pending[field] = Value::Null;
        let wire: WireHeader = serde_json::from_value(pending).unwrap();
        assert!(header(&wire).unwrap_err().contains("pending"), "{field}");
    }
}
