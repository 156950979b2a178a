//! The providers' own words, and what is made of them.

use super::*;

const fn range(limit: Option<u64>) -> Verdict {
    Verdict::RangeTooLarge { limit }
}

#[test]
fn json_rpc_errors_mean_what_their_text_says() {
    let batch = |limit| Verdict::BatchTooLarge { limit };
    let wait = |ms| Verdict::Transient { retry_after: Some(Duration::from_millis(ms)) };
    #[rustfmt::skip]
    let cases: &[(i64, &str, Verdict)] = &[
        // Too many blocks.
        (-32600, "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your parameters, this block range should work: [0x1, 0xa]", range(Some(10))),
        (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response.", range(Some(2_000))),
        (-32614, "eth_getLogs is limited to a 10,000 range", range(Some(10_000))),
        (-32000, "eth_getLogs and eth_newFilter are limited to a 2000 blocks range", range(Some(2_000))),
        (-32602, "block range is too wide", range(None)),
        (-32602, "exceed maximum block range: 50000", range(Some(50_000))),
        (-32000, "block range too large, max is 1024 blocks", range(Some(1_024))),
        (-32602, "range is too large, max is 1k blocks", range(Some(1_000))),
        (-32000, "query exceeds max block range 100000", range(Some(100_000))),
        // Too many results: the number is none of blocks.
        (-32005, "query returned more than 10000 results", range(None)),
        (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].", range(None)),
        (-32602, "query exceeds max results 20000, retry with the range 1-5", range(None)),
        (-32000, "logs matched by query exceeds limit of 10000", range(None)),
        (-32000, "Query timeout exceeded. Consider reducing your block range", range(None)),
        (-32008, "Response is too big", range(None)),
        // Too many calls in a batch.
        (-32014, "maximum 10 calls in 1 batch", batch(Some(10))),
        (-32600, "batch size is too large", batch(None)),
        (-32005, "batch limit 100 exceeded", batch(Some(100))),
        // Slow down.
        (-32005, "limit exceeded", ASK_AGAIN),
        (-32005, "daily request count exceeded, request rate limited", ASK_AGAIN),
        (-32005, "rate limited, try again in 40ms", wait(40)),
        (-32016, "over rate limit", ASK_AGAIN),
        (429, "Your app has exceeded its compute units per second capacity.", ASK_AGAIN),
        (-32007, "100/second request limit reached - reduce calls per second", ASK_AGAIN),
        // Lag.
        (-32000, "unknown block", ASK_AGAIN),
        (-32000, "header not found", ASK_AGAIN),
        (-32001, "block not found: 0x10", ASK_AGAIN),
        (-32000, "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.", ASK_AGAIN),
        (-32000, "block range extends beyond current head block", ASK_AGAIN),
        (-32603, "internal error", ASK_AGAIN),
        // Never.
        (-32601, "the method eth_getLogs does not exist/is not available", Verdict::Fatal),
        (-32602, "invalid argument 0: hex string without 0x prefix", Verdict::Fatal),
        (-32000, "invalid block range params", Verdict::Fatal),
        (3, "execution reverted: 429", Verdict::Fatal),
        (-32000, "missing trie node 0xab (path )", Verdict::Fatal),
        (-32000, "historical state 7c6a1e0d5b is not available", Verdict::Fatal),
        (-32000, "required historical state unavailable (reexec=128)", Verdict::Fatal),
        (-32000, "state at block #12 is pruned", Verdict::Fatal),
        (-32000, "old data not available due to pruning", Verdict::Fatal),
        (-32002, "No state available for block 0xab", Verdict::Fatal),
        (-32000, "World state unavailable", Verdict::Fatal),
        (4444, "pruned history unavailable", Verdict::Fatal),
        (-32001, "invalid API key", Verdict::Fatal),
    ];
    for (code, message, expected) in cases {
        assert_eq!(classify(&Refusal::Rpc { code: *code, message }), *expected, "{code} {message}");
    }
}

#[test]
fn http_statuses_are_read_with_their_bodies() {
    let after = Some(Duration::from_secs(7));
    #[rustfmt::skip]
    let cases: &[(u16, &str, Verdict)] = &[
        (429, "", Verdict::Transient { retry_after: after }),
        (429, "<html>Too Many Requests</html>", Verdict::Transient { retry_after: after }),
        (503, "upstream connect error", Verdict::Transient { retry_after: after }),
        (500, "", Verdict::Transient { retry_after: after }),
        (504, "<html>Gateway Timeout</html>", Verdict::TimedOut),
        (413, "Request Entity Too Large", range(None)),
        (413, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32614,"message":"eth_getLogs is limited to a 5 range"}}"#, range(Some(5))),
        (400, "eth_getLogs is limited to a 2000 blocks range", range(Some(2_000))),
        (400, r#"{"error":{"code":-32602,"message":"block range is too wide"}}"#, range(None)),
        (400, r#"{"error":{"code":-32014,"message":"maximum 10 calls in 1 batch"}}"#, Verdict::BatchTooLarge { limit: Some(10) }),
        (400, r#"{"error":{"code":-32000,"message":"header not found"}}"#, ASK_AGAIN),
        (400, "Bad Request", Verdict::Fatal),
        (401, "", Verdict::Fatal),
        (403, "error code: 1020", Verdict::Fatal),
        (404, "", Verdict::Fatal),
        (301, "", Verdict::Fatal),
    ];
    for (status, body, expected) in cases {
        let refusal = Refusal::Http { status: *status, body, retry_after: after };
        assert_eq!(classify(&refusal), *expected, "{status} {body}");
    }
}

#[test]
fn what_cannot_be_decoded_is_not_searched_for_numbers() {
    assert_eq!(classify(&Refusal::Undecodable), Verdict::Fatal);
    assert_eq!(classify(&Refusal::Oversize), range(None));
    assert_eq!(classify(&Refusal::Unreachable), ASK_AGAIN);
}

#[test]
fn delays_double_are_bounded_and_end() {
    let options = BackoffOptions {
        base: Duration::from_millis(100),
        max: Duration::from_secs(1),
        retry_after_max: Duration::from_mins(1),
        attempts: 7,
    };
    let least: Vec<_> = (1..7).map(|n| options.delay(n, None, 0).unwrap().as_millis()).collect();
    assert_eq!(least, [50, 100, 200, 400, 500, 500]);
    let most = options.delay(6, None, 500).unwrap();
    assert_eq!(most, Duration::from_secs(1));
    assert_eq!(options.delay(7, None, 0), None);
    let asked = options.delay(1, Some(Duration::from_secs(9)), 3).unwrap();
    assert_eq!(asked, Duration::from_secs(9));
    let absurd = options.delay(1, Some(Duration::MAX), 3).unwrap();
    assert_eq!(absurd, Duration::from_mins(1));
}

#[test]
fn the_same_seed_spreads_delays_alike() {
    let draw = |seed| {
        let mut jitter = Jitter::new(seed);
        [jitter.draw(), jitter.draw(), jitter.draw()]
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
