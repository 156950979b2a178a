//! What the node answers about blocks and logs, and how it refuses.

use serde_json::{Value, json};

use super::super::RANGE_BLOCKS_MAX;
use super::{ask, before_reorganisation, opening, shipped};

fn code_of(method: &str, params: Value) -> i64 {
    ask(&opening(), method, params).unwrap_err().code
}

#[test]
fn the_chain_and_the_head() {
    let play = opening();
    for (method, expected) in [
        ("eth_chainId", json!("0x7a69")),
        ("net_version", json!("31337")),
        ("eth_blockNumber", json!("0xbb7")),
        ("eth_syncing", json!(false)),
    ] {
        assert_eq!(ask(&play, method, json!([])), Ok(expected), "{method}");
    }
}

#[test]
fn blocks_by_tag_number_and_hash() {
    let play = opening();
    for (tag, number) in
        [("latest", 2_999), ("safe", 2_967), ("finalized", 2_935), ("earliest", 0), ("0x10", 16)]
    {
        let block = ask(&play, "eth_getBlockByNumber", json!([tag, false])).unwrap();
        let recorded = &shipped().blocks()[number];
        assert_eq!(block["hash"], json!(recorded.hash), "{tag}");
        assert_eq!(block["number"], json!(format!("{number:#x}")), "{tag}");
        assert_eq!(block["parentHash"], json!(recorded.header.parent_hash), "{tag}");
        assert_eq!(block["timestamp"], json!(format!("{:#x}", recorded.time.get())), "{tag}");
        let again = ask(&play, "eth_getBlockByHash", json!([recorded.hash, false])).unwrap();
        assert_eq!(again, block, "{tag}");
    }
    assert_eq!(ask(&play, "eth_getBlockByNumber", json!(["0xbb8", false])), Ok(Value::Null));
    let unknown = alloy::primitives::B256::repeat_byte(9);
    assert_eq!(ask(&play, "eth_getBlockByHash", json!([unknown, false])), Ok(Value::Null));
}

#[test]
fn a_block_reads_as_an_ordinary_rpc_header() {
    let play = opening();
    for number in [0, shipped().start_block(), 2_999] {
        let tag = format!("{number:#x}");
        let block = ask(&play, "eth_getBlockByNumber", json!([tag, false])).unwrap();
        let header: alloy::rpc::types::eth::Header = serde_json::from_value(block).unwrap();
        assert_eq!(header.inner.hash_slow(), header.hash, "block {number}");
    }
}

#[test]
fn pending_is_refused_wherever_a_block_is_named() {
    let to = shipped().identity().address;
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["pending", false])),
        ("eth_getLogs", json!([{"fromBlock": "pending"}])),
        ("eth_getLogs", json!([{"fromBlock": "0x1", "toBlock": "pending"}])),
        ("eth_getCode", json!([to, "pending"])),
        ("eth_getStorageAt", json!([to, "0x0", "pending"])),
        ("eth_call", json!([{"to": to, "data": "0x"}, "pending"])),
    ] {
        let error = ask(&opening(), method, params).unwrap_err();
        assert_eq!(error.code, -32602, "{method}");
        assert!(error.message.contains("pending"), "{method}: {}", error.message);
    }
}

#[test]
fn malformed_parameters_are_refused() {
    for (method, params) in [
        ("eth_getBlockByNumber", json!([])),
        ("eth_getBlockByNumber", json!([16, false])),
        ("eth_getBlockByNumber", json!(["16", false])),
        ("eth_getBlockByNumber", json!(["0x", false])),
        ("eth_getBlockByNumber", json!(["0x+1", false])),
        ("eth_getBlockByNumber", json!(["0x1ffffffffffffffff", false])),
        ("eth_getBlockByNumber", json!(["latest", "no"])),
        ("eth_getBlockByHash", json!(["0x12", false])),
        ("eth_getLogs", json!(["latest"])),
        ("eth_getLogs", json!([{"surprise": 1}])),
        ("eth_getLogs", json!([{"address": "0x12"}])),
        ("eth_getLogs", json!([{"topics": [[], [], [], [], []]}])),
        ("eth_getLogs", json!([{"fromBlock": "0x2", "toBlock": "0x1"}])),
        ("eth_getCode", json!(["0x12", "latest"])),
        ("eth_getStorageAt", json!([shipped().identity().address, "slot", "latest"])),
    ] {
        assert_eq!(code_of(method, params.clone()), -32602, "{method} {params}");
    }
    assert_eq!(code_of("eth_sendRawTransaction", json!(["0x00"])), -32601);
}

#[test]
fn whole_transactions_are_not_made_up() {
    let with_transactions = format!("{:#x}", shipped().start_block());
    assert_eq!(code_of("eth_getBlockByNumber", json!([with_transactions, true])), -32602);
    assert!(ask(&opening(), "eth_getBlockByNumber", json!(["0x1", true])).is_ok());
}

#[test]
fn logs_by_range_are_those_of_the_blocks_by_hash() {
    let play = opening();
    let range = json!([{"fromBlock": "0x0", "toBlock": "0x3e7"}]);
    let by_range = ask(&play, "eth_getLogs", range).unwrap();
    let mut by_hash = Vec::new();
    for block in &shipped().blocks()[..1_000] {
        let logs = ask(&play, "eth_getLogs", json!([{"blockHash": block.hash}])).unwrap();
        by_hash.extend(logs.as_array().unwrap().clone());
    }
    assert!(by_hash.len() > 100);
    assert_eq!(by_range, Value::Array(by_hash));
    let logs: Vec<alloy::rpc::types::eth::Log> = serde_json::from_value(by_range).unwrap();
    assert!(logs.iter().all(|log| log.block_timestamp.is_some() && !log.removed));
}

#[test]
fn logs_are_filtered_by_address_and_topics() {
    let play = opening();
    let all = shipped().blocks()[2_000..2_999].iter().flat_map(|block| &block.logs);
    let count = |filter: Value| {
        let mut filter = filter;
        filter["fromBlock"] = json!("0x7d0");
        filter["toBlock"] = json!("0xbb6");
        ask(&play, "eth_getLogs", json!([filter])).unwrap().as_array().unwrap().len()
    };
    let identity = shipped().identity().address;
    let reputation = shipped().registries()[1].address;
    let of = |address| all.clone().filter(|log| log.raw.address == address).count();
    assert!(
        of(identity) > 0
            && of(reputation) > 0
            && of(identity) + of(reputation) < all.clone().count()
    );
    assert_eq!(count(json!({})), all.clone().count());
    assert_eq!(count(json!({"address": identity})), of(identity));
    assert_eq!(count(json!({"address": [identity, reputation]})), of(identity) + of(reputation));
    let topic = all.clone().next().unwrap().raw.topics[0];
    let second = all.clone().next().unwrap().raw.topics[1];
    let with = all.clone().filter(|log| log.raw.topics[0] == topic).count();
    let with_both = all
        .clone()
        .filter(|log| log.raw.topics[0] == topic && log.raw.topics.get(1) == Some(&second))
        .count();
    assert!(with_both < with && with < all.clone().count());
    assert_eq!(count(json!({"topics": [topic]})), with);
    assert_eq!(count(json!({"topics": [[topic], null]})), with);
    assert_eq!(count(json!({"topics": [topic, second]})), with_both);
    assert_eq!(count(json!({"topics": [[]]})), all.count());
}

#[test]
fn a_range_too_wide_or_beyond_the_head_is_an_error() {
    let ask_range = |from: u64, to: u64| {
        let filter = json!([{"fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}")}]);
        ask(&opening(), "eth_getLogs", filter)
    };
    assert!(ask_range(0, RANGE_BLOCKS_MAX - 1).is_ok());
    let wide = ask_range(0, RANGE_BLOCKS_MAX).unwrap_err();
    assert_eq!(
        (wide.code, wide.message.as_str()),
        (-32614, "eth_getLogs is limited to a 1000 range")
    );
    let beyond = ask_range(2_999, 3_000).unwrap_err();
    assert_eq!(beyond.code, -32602);
    assert!(beyond.message.contains("requested 3000, head 2999"), "{}", beyond.message);
    assert_eq!(ask_range(3_000, u64::MAX).unwrap_err().code, -32602);
}

#[test]
fn logs_of_an_unknown_or_orphaned_block_are_an_error_and_not_empty() {
    let mut play = before_reorganisation();
    let orphan = play.block(play.head()).unwrap().hash;
    assert!(ask(&play, "eth_getLogs", json!([{"blockHash": orphan}])).is_ok());
    play.advance();
    let unshown = shipped().blocks().last().unwrap().hash;
    for hash in [orphan, unshown] {
        let error = ask(&play, "eth_getLogs", json!([{"blockHash": hash}])).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (-32000, "unknown block"));
        assert_eq!(ask(&play, "eth_getBlockByHash", json!([hash, false])), Ok(Value::Null));
    }
    let both = json!([{"blockHash": orphan, "fromBlock": "0x0"}]);
    assert_eq!(ask(&play, "eth_getLogs", both).unwrap_err().code, -32602);
}
