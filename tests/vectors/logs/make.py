#!/usr/bin/env python3
"""Writes valid/*.json and invalid/*.json beside itself: logs, and what decoding must make of them.

It shares no code with the program: keccak256 and the ABI encoding are written out below, from FIPS 202 (with Keccak's padding) and
from the Solidity ABI specification. Plain Python 3, no packages.
"""

import json
import pathlib
import shutil

# --- keccak256 -------------------------------------------------------------------------------------------------------------------

MASK = (1 << 64) - 1


def rotate(lane, by):
    return ((lane << by) | (lane >> (64 - by))) & MASK if by else lane


def permute(state):
    lfsr = 1
    for _ in range(24):
        column = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        for x in range(5):
            mix = column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1)
            for y in range(5):
                state[x + 5 * y] ^= mix
        x, y, lane = 1, 0, state[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            state[x + 5 * y], lane = rotate(lane, (t + 1) * (t + 2) // 2 % 64), state[x + 5 * y]
        for y in range(0, 25, 5):
            row = state[y : y + 5]
            for x in range(5):
                state[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5] & MASK)
        for j in range(7):
            if lfsr & 1:
                state[0] ^= 1 << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)


def keccak(message):
    rate = 136
    padded = bytearray(message) + b"\x01" + bytes(rate - 1 - len(message) % rate)
    padded[-1] |= 0x80
    state = [0] * 25
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        permute(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
assert keccak(b"agentWallet").hex() == "2ac6109326e720d1435c0db66f7e35eda7839f52b6f1f5520a60788e132b4e39"

# --- ABI encoding: int -> one word, bytes of Word -> one word as it is, other bytes -> dynamic --------------------------------------


class Word(bytes):
    """32 bytes that stand in the head as they are."""


def word(number):
    return Word((number % 2**256).to_bytes(32, "big"))


def address(text):
    return Word(bytes(12) + bytes.fromhex(text.removeprefix("0x")))


def hash_of(text):
    return Word(keccak(text))


def encode(*values):
    head, tail = b"", b""
    for value in values:
        if isinstance(value, Word):
            head += value
        else:
            head += word(32 * len(values) + len(tail))
            tail += word(len(value)) + value + bytes(-len(value) % 32)
    return head + tail


# --- the vectors -----------------------------------------------------------------------------------------------------------------

HERE = pathlib.Path(__file__).parent
ALICE = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
BOB = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
CAROL = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"
ZERO = "0x" + "00" * 20
HASH = Word(bytes(range(1, 33)))
MAX = 2**256 - 1

METADATA = "MetadataSet(uint256,string,string,bytes)"
METADATA_STRING = "MetadataSet(uint256,string,string,string)"
FEEDBACK = "NewFeedback(uint256,address,uint64,int128,uint8,string,string,string,string,string,bytes32)"


def hexed(data):
    return "0x" + bytes(data).hex()


def write(folder, name, about, registry, topics, data, **outcome):
    path = HERE / folder / f"{name}.json"
    assert not path.exists(), f"two vectors are called {folder}/{name}"
    vector = {"about": about, "registry": registry, "topics": [hexed(t) for t in topics], "data": hexed(data), **outcome}
    path.write_text(json.dumps(vector, indent=2) + "\n")


def valid(name, about, registry, signature, topics, data, event, **fields):
    write("valid", name, about, registry, [hash_of(signature.encode()), *topics], data, signature=signature, event={"name": event, **fields})


def invalid(name, about, registry, topics, data, error):
    topics = [hash_of(t.encode()) if isinstance(t, str) else t for t in topics]
    write("invalid", name, about, registry, topics, data, error=error)


def make_identity():
    i = "identity"
    for name, about, uri in [
        ("registered", "a URI", b"https://a.example/agent.json"),
        ("registered-without-uri", "register() without a URI", b""),
        ("registered-uri-with-nul", "a NUL and a byte that is no UTF-8 inside the URI", b"ipfs://\x00\xff"),
        ("registered-long-uri", "a URI of exactly 64 bytes, which needs no padding", b"d" * 64),
    ]:
        valid(name, about, i, "Registered(uint256,string,address)", [word(22), address(ALICE)], encode(uri), "Registered", agent="22", uri=hexed(uri), owner=ALICE)
    valid("registered-largest-id", "agentId is a uint256", i, "Registered(uint256,string,address)", [word(MAX), address(ALICE)], encode(b""), "Registered", agent=str(MAX), uri="0x", owner=ALICE)

    for name, about, key, value in [
        ("metadata-wallet-set", "setAgentWallet of agent 0: the wallet's 20 bytes, left-aligned", b"agentWallet", bytes.fromhex(ALICE[2:])),
        ("metadata-wallet-cleared", "a cleared wallet: length 0 and no further word", b"agentWallet", b""),
        ("metadata-key-not-utf8", "the key 61 00 ff", b"a\x00\xff", b"\x00"),
        ("metadata-empty-key", "an empty key and an empty value", b"", b""),
        ("metadata-lookalike-key", "a trailing space makes another key", b"agentWallet ", b"x" * 33),
    ]:
        topics, data = [word(0), hash_of(key)], encode(key, value)
        valid(name, about, i, METADATA, topics, data, "MetadataSet", agent="0", key=hexed(key), value=hexed(value))
        if name == "metadata-wallet-cleared":
            assert len(data) == 5 * 32, "as captured from the deployed code"
    valid("legacy-metadata-string", "version 1.1.0: the value is a string", i, METADATA_STRING, [word(3), hash_of(b"did")], encode(b"did", b"did:web:a.example"), "MetadataSet", agent="3", key=hexed(b"did"), value=hexed(b"did:web:a.example"))

    # Data that no Solidity compiler writes and every Solidity contract reads.
    key, value = b"k", b"v"
    canonical = encode(key, value)
    odd = [
        ("metadata-trailing-bytes", "bytes after the end", canonical + b"\x01\x02\x03"),
        ("metadata-no-padding", "the last string without its padding", canonical[: -31]),
        ("metadata-dirty-padding", "padding that is not zero", canonical[:-1] + b"\xff"),
        ("metadata-gap", "a gap between head and tail", word(96) + word(160) + bytes(32) + canonical[64:]),
    ]
    for name, about, data in odd:
        valid(name, about, i, METADATA, [word(1), hash_of(key)], data, "MetadataSet", agent="1", key=hexed(key), value=hexed(value))
    valid("metadata-overlap", "key and value share one tail", i, METADATA, [word(1), hash_of(b"k")], word(64) + word(64) + word(1) + b"k" + bytes(31), "MetadataSet", agent="1", key=hexed(b"k"), value=hexed(b"k"))
    valid("metadata-offset-into-head", "an offset of zero: the string is what the head spells, here nothing", i, METADATA, [word(1), hash_of(b"")], bytes(64), "MetadataSet", agent="1", key="0x", value="0x")

    for name, signature in [("uri-updated", "URIUpdated(uint256,string,address)"), ("legacy-uri-updated", "UriUpdated(uint256,string,address)")]:
        valid(name, "a new URI, set by an operator", i, signature, [word(7), address(BOB)], encode(b"ipfs://new"), "URIUpdated", agent="7", uri=hexed(b"ipfs://new"), updated_by=BOB)
    valid("transfer-mint", "a mint", i, "Transfer(address,address,uint256)", [address(ZERO), address(ALICE), word(0)], b"", "Transfer", **{"from": ZERO, "to": ALICE, "agent": "0"})
    valid("transfer", "a transfer of agent 90994", i, "Transfer(address,address,uint256)", [address(ALICE), address(BOB), word(90994)], b"", "Transfer", **{"from": ALICE, "to": BOB, "agent": "90994"})
    valid("approval", "one account for one agent", i, "Approval(address,address,uint256)", [address(ALICE), address(BOB), word(5)], b"", "Approval", owner=ALICE, approved=BOB, agent="5")
    for name, approved in [("approval-for-all", True), ("approval-for-all-withdrawn", False)]:
        valid(name, "an operator for all agents", i, "ApprovalForAll(address,address,bool)", [address(ALICE), address(BOB)], encode(word(int(approved))), "ApprovalForAll", owner=ALICE, operator=BOB, approved=approved)
    valid("metadata-update", "ERC-4906, nothing indexed", i, "MetadataUpdate(uint256)", [], encode(word(9)), "MetadataUpdate", agent="9")
    valid("batch-metadata-update", "ERC-4906, nothing indexed", i, "BatchMetadataUpdate(uint256,uint256)", [], encode(word(2), word(MAX)), "BatchMetadataUpdate", **{"from": "2", "to": str(MAX)})
    valid("eip712-domain-changed", "ERC-5267, no fields", i, "EIP712DomainChanged()", [], b"", "EIP712DomainChanged")


def make_reputation():
    r = "reputation"

    def feedback(name, about, signature, value_head, *, index=None, value, decimals=0, tag1=b"starred", tag2=b"mcp", endpoint=b"https://a.example/mcp", uri=b"ipfs://feedback", tail=None, topic=None, shown=None):
        data = encode(*value_head, *(tail if tail is not None else [tag1, tag2, endpoint, uri, HASH]))
        valid(name, about, r, signature, [word(25975), address(BOB), topic or hash_of(tag1)], data, "NewFeedback",
              agent="25975", client=BOB, index=index, value=str(value), decimals=decimals,
              tag1=shown or {"text": hexed(tag1)}, tag2=hexed(tag2), endpoint=hexed(endpoint), uri=hexed(uri), hash=hexed(HASH))

    for name, about, value, decimals in [
        ("feedback", "an ordinary score", 87, 0),
        ("feedback-negative", "a negative value with decimals", -50, 2),
        ("feedback-largest", "the contract's limit, 10^38", 10**38, 18),
        ("feedback-least", "the contract's other limit", -(10**38), 18),
        ("feedback-int128-max", "the largest int128", 2**127 - 1, 255),
        ("feedback-int128-min", "the least int128", -(2**127), 0),
        ("feedback-minus-one", "every bit set", -1, 0),
    ]:
        feedback(name, about, FEEDBACK, [word(1), word(value), word(decimals)], index="1", value=value, decimals=decimals)
    feedback("feedback-largest-index", "the largest uint64", FEEDBACK, [word(2**64 - 1), word(1), word(0)], index=str(2**64 - 1), value=1)
    feedback("feedback-empty-texts", "all strings empty, as most clients leave them", FEEDBACK, [word(1), word(1), word(0)], index="1", value=1, tag1=b"", tag2=b"", endpoint=b"", uri=b"")
    feedback("feedback-texts-not-utf8", "bytes that are no text in each string", FEEDBACK, [word(1), word(1), word(0)], index="1", value=1, tag1=b"\xff\x00", tag2=b"\xc0\x80", endpoint=b"\x00", uri=b"\xed\xa0\x80")

    scored = "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,string,bytes32)"
    feedback("legacy-feedback-score", "version 1.1.0: a score, tag1 beside its hash", scored, [word(4), word(100)], index="4", value=100)
    drafts = "NewFeedback(uint256,address,uint64,%s,uint8,string,string,string,string,string,bytes32)"
    feedback("legacy-feedback-uint256", "a draft of version 2.0.0", drafts % "uint256", [word(4), word(10**50), word(3)], index="4", value=10**50, decimals=3)
    feedback("legacy-feedback-uint256-largest", "the largest that fits a signed word", drafts % "uint256", [word(4), word(2**255 - 1), word(0)], index="4", value=2**255 - 1)
    feedback("legacy-feedback-int256", "a draft of version 2.0.0", drafts % "int256", [word(4), word(-(2**255)), word(3)], index="4", value=-(2**255), decimals=3)

    tag, shown = hash_of(b"starred"), {"hash": hexed(hash_of(b"starred"))}
    t, e, u = b"mcp", b"https://a.example/mcp", b"ipfs://feedback"
    feedback("legacy-feedback-hashed-tag", "version 1.1.0: tag1 is only its hash, no endpoint", "NewFeedback(uint256,address,uint8,string,string,string,bytes32)", [word(80)], value=80, endpoint=b"", tail=[t, u, HASH], topic=tag, shown=shown)
    feedback("legacy-feedback-hashed-tag-endpoint", "the same, with an endpoint", "NewFeedback(uint256,address,uint8,string,string,string,string,bytes32)", [word(80)], value=80, tail=[t, e, u, HASH], topic=tag, shown=shown)
    feedback("legacy-feedback-hashed-tag-index", "the same, with the index", "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,bytes32)", [word(6), word(80)], index="6", value=80, tail=[t, e, u, HASH], topic=tag, shown=shown)
    raw1, raw2 = Word(b"speed".ljust(32, b"\0")), Word(b"low".ljust(32, b"\0"))
    feedback("legacy-feedback-v1", "version 1.0.0: both tags are 32 bytes", "NewFeedback(uint256,address,uint8,bytes32,bytes32,string,bytes32)", [word(0), raw2], value=0, tag2=raw2, endpoint=b"", tail=[u, HASH], topic=raw1, shown={"text": hexed(raw1)})

    valid("feedback-revoked", "all indexed", r, "FeedbackRevoked(uint256,address,uint64)", [word(25975), address(BOB), word(3)], b"", "FeedbackRevoked", agent="25975", client=BOB, index="3")
    valid("response-appended", "the index is not indexed", r, "ResponseAppended(uint256,address,uint64,address,string,bytes32)", [word(25975), address(BOB), address(CAROL)], encode(word(3), b"ipfs://answer", HASH), "ResponseAppended", agent="25975", client=BOB, index="3", responder=CAROL, uri=hexed(b"ipfs://answer"), hash=hexed(HASH))


def make_validation():
    v = "validation"
    valid("validation-request", "a request", v, "ValidationRequest(address,uint256,string,bytes32)", [address(CAROL), word(8), HASH], encode(b"https://a.example/request"), "ValidationRequest", validator=CAROL, agent="8", uri=hexed(b"https://a.example/request"), request_hash=hexed(HASH))
    answer = dict(validator=CAROL, agent="8", request_hash=hexed(HASH), uri=hexed(b"ipfs://a"), response_hash=hexed(bytes(32)))
    topics = [address(CAROL), word(8), HASH]
    current = "ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,string)"
    valid("validation-response", "an answer of 100", v, current, topics, encode(word(100), b"ipfs://a", word(0), b"tee"), "ValidationResponse", response=100, tag=hexed(b"tee"), **answer)
    valid("validation-response-zero", "answered 0, which storage cannot tell from pending", v, current, topics, encode(word(0), b"ipfs://a", word(0), b""), "ValidationResponse", response=0, tag="0x", **answer)
    raw = Word(b"tee".ljust(32, b"\0"))
    valid("legacy-validation-response", "version 1.0.0: the tag is 32 bytes", v, "ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,bytes32)", topics, encode(word(100), b"ipfs://a", word(0), raw), "ValidationResponse", response=100, tag=hexed(raw), **answer)


def make_proxy():
    for registry in ["identity", "reputation", "validation"]:
        valid(f"upgraded-{registry}", "the proxy's code was replaced", registry, "Upgraded(address)", [address("0x7274e874ca62410a93bd8bf61c69d8045e399c02")], b"", "Upgraded", implementation="0x7274e874ca62410a93bd8bf61c69d8045e399c02")
        valid(f"ownership-transferred-{registry}", "the first owner", registry, "OwnershipTransferred(address,address)", [address(ZERO), address(CAROL)], b"", "OwnershipTransferred", previous_owner=ZERO, new_owner=CAROL)
        valid(f"initialized-{registry}", "the largest version", registry, "Initialized(uint64)", [], encode(word(2**64 - 1)), "Initialized", version=str(2**64 - 1))


def make_invalid_topics():
    transfer, three = "Transfer(address,address,uint256)", [address(ALICE), address(BOB), word(1)]
    invalid("no-topics", "an anonymous event", "identity", [], b"", "the log has no topics")
    unknown = "MetadataReverseLookupSet(uint256,string,bytes,address)"
    for kind, name, signature in [
        ("identity", "unknown-event", unknown),
        ("identity", "feedback-of-identity", FEEDBACK),
        ("reputation", "transfer-of-reputation", transfer),
        ("validation", "registered-of-validation", "Registered(uint256,string,address)"),
        ("reputation", "request-of-reputation", "ValidationRequest(address,uint256,string,bytes32)"),
    ]:
        invalid(name, "an event that this registry has not", kind, [signature, *three], b"", f"topic {hexed(hash_of(signature.encode()))} is no event of the {kind} registry")
    invalid("transfer-of-erc20", "the amount is not indexed", "identity", [transfer, *three[:2]], encode(word(1)), "Transfer has 3 topics, not 4")
    invalid("transfer-without-topics", "only topic 0", "identity", [transfer], b"", "Transfer has 1 topics, not 4")
    invalid("transfer-five-topics", "more than the EVM allows", "identity", [transfer, *three, word(0)], b"", "Transfer has 5 topics, not 4")
    invalid("initialized-indexed", "the version as a topic", "identity", ["Initialized(uint64)", word(1)], encode(word(1)), "Initialized has 2 topics, not 1")
    dirty = Word(b"\x01" + address(ALICE)[1:])
    near = Word(bytes(11) + b"\x01" + address(ALICE)[12:])
    invalid("dirty-from", "the highest bit of padding", "identity", [transfer, dirty, *three[1:]], b"", f"Transfer has `from` out of range: {hexed(dirty)} is no address")
    invalid("dirty-to", "the lowest bit of padding", "identity", [transfer, three[0], near, three[2]], b"", f"Transfer has `to` out of range: {hexed(near)} is no address")
    invalid("dirty-owner", "the registrant", "identity", ["Registered(uint256,string,address)", word(1), dirty], encode(b""), f"Registered has `owner` out of range: {hexed(dirty)} is no address")
    invalid("dirty-implementation", "an upgrade", "validation", ["Upgraded(address)", near], b"", f"Upgraded has `implementation` out of range: {hexed(near)} is no address")
    invalid("revoked-index-too-large", "2^64", "reputation", ["FeedbackRevoked(uint256,address,uint64)", word(1), address(BOB), word(2**64)], b"", f"FeedbackRevoked has `feedbackIndex` out of range: {hexed(word(2**64))} is no uint64")
    invalid("metadata-wrong-key-hash", "the topic is another key's", "identity", [METADATA, word(1), hash_of(b"agentWallet")], encode(b"agentwallet", b""), f"MetadataSet has `indexedMetadataKey` {hexed(hash_of(b'agentWallet'))}, which is not the hash of the text beside it")
    invalid("legacy-metadata-wrong-key-hash", "the same in the string form", "identity", [METADATA_STRING, word(1), word(0)], encode(b"k", b""), f"MetadataSet has `indexedMetadataKey` {hexed(word(0))}, which is not the hash of the text beside it")
    for name, signature, head in [
        ("feedback-wrong-tag-hash", FEEDBACK, [word(1), word(1), word(0)]),
        ("legacy-feedback-wrong-tag-hash", "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,string,bytes32)", [word(1), word(1)]),
    ]:
        invalid(name, "the topic is another tag's", "reputation", [signature, word(1), address(BOB), hash_of(b"b")], encode(*head, b"a", b"", b"", b"", HASH), f"NewFeedback has `indexedTag1` {hexed(hash_of(b'b'))}, which is not the hash of the text beside it")


def make_invalid_words():
    approval = ["ApprovalForAll(address,address,bool)", address(ALICE), address(BOB)]
    for name, number in [("bool-two", 2), ("bool-dirty", MAX)]:
        invalid(name, "neither 0 nor 1", "identity", approval, encode(word(number)), f"ApprovalForAll has `approved` out of range: {hexed(word(number))} is no bool")
    invalid("initialized-too-large", "2^64", "reputation", ["Initialized(uint64)"], encode(word(2**64)), f"Initialized has `version` out of range: {hexed(word(2**64))} is no uint64")
    topics = [FEEDBACK, word(1), address(BOB), hash_of(b"")]
    texts = [b"", b"", b"", b"", HASH]
    for name, about, index, value, decimals, field, bad, kind in [
        ("feedback-index-too-large", "2^64", 2**64, 0, 0, "feedbackIndex", 2**64, "uint64"),
        ("feedback-value-above-int128", "2^127", 1, 2**127, 0, "value", 2**127, "int128"),
        ("feedback-value-below-int128", "one below the least", 1, -(2**127) - 1, 0, "value", -(2**127) - 1, "int128"),
        ("feedback-value-not-extended", "-1 with a zero upper half", 1, 2**128 - 1, 0, "value", 2**128 - 1, "int128"),
        ("feedback-decimals-too-large", "256", 1, 0, 256, "valueDecimals", 256, "uint8"),
    ]:
        invalid(name, about, "reputation", topics, encode(word(index), word(value), word(decimals), *texts), f"NewFeedback has `{field}` out of range: {hexed(word(bad))} is no {kind}")
    scored = "NewFeedback(uint256,address,uint8,bytes32,bytes32,string,bytes32)"
    invalid("legacy-feedback-score-too-large", "256", "reputation", [scored, word(1), address(BOB), word(0)], encode(word(256), word(0), b"", HASH), f"NewFeedback has `score` out of range: {hexed(word(256))} is no uint8")
    draft = "NewFeedback(uint256,address,uint64,uint256,uint8,string,string,string,string,string,bytes32)"
    invalid("legacy-feedback-uint256-too-large", "2^255 would turn negative", "reputation", [draft, word(1), address(BOB), hash_of(b"")], encode(word(1), word(2**255), word(0), *texts), f"NewFeedback has `value` out of range: {hexed(word(2**255))} is no value below 2^255")
    invalid("validation-response-too-large", "256", "validation", ["ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,string)", address(CAROL), word(8), HASH], encode(word(256), b"", word(0), b""), f"ValidationResponse has `response` out of range: {hexed(word(256))} is no uint8")


def make_invalid_data():
    registered = ["Registered(uint256,string,address)", word(1), address(ALICE)]
    good = encode(b"0123456789")

    def bad(name, about, data):
        invalid(name, about, "identity", registered, data, f"Registered is malformed at `agentURI`: it does not lie within the {len(data)} bytes of data")

    bad("data-empty", "no data at all", b"")
    bad("data-half-a-word", "31 bytes", good[:31])
    bad("data-head-only", "the offset without what it points to", good[:32])
    bad("data-length-only", "the length without the text", good[:64])
    bad("data-cut-short", "one byte of the text is missing", good[:73])
    bad("offset-at-end", "the offset is the data's length", word(len(good)) + good[32:])
    bad("offset-beyond-end", "one past the data", word(len(good) + 1) + good[32:])
    bad("offset-2-63", "an offset of 2^63", word(2**63) + good[32:])
    bad("offset-2-64-minus-1", "an offset that overflows when a word is added", word(2**64 - 1) + good[32:])
    bad("offset-2-64", "an offset whose low half is zero", word(2**64) + good[32:])
    bad("offset-2-255", "an offset of 2^255", word(2**255) + good[32:])
    bad("offset-max", "every bit of the offset set", word(MAX) + good[32:])
    bad("offset-into-last-word", "the length would begin inside the last word", word(len(good) - 31) + good[32:])
    bad("length-one-too-many", "one more than there is, padding included", good[:32] + word(33) + good[64:])
    bad("length-2-32", "4 GiB", good[:32] + word(2**32) + good[64:])
    bad("length-2-63", "a length of 2^63", good[:32] + word(2**63) + good[64:])
    bad("length-2-64-minus-1", "a length that overflows when added to its place", good[:32] + word(2**64 - 1) + good[64:])
    bad("length-2-64", "a length whose low half is zero", good[:32] + word(2**64) + good[64:])
    bad("length-2-255", "a length of 2^255", good[:32] + word(2**255) + good[64:])
    bad("length-from-own-offset", "an offset of zero: the length is the offset itself, and the text would be the head", word(0)[:31] + b"\x01" + good[32:64])
    value = encode(b"k", b"v" * 40)
    cut = value[:-32]
    invalid("metadata-value-cut", "the second string is cut", "identity", [METADATA, word(1), hash_of(b"k")], cut, f"MetadataSet is malformed at `metadataValue`: it does not lie within the {len(cut)} bytes of data")
    texts = encode(word(1), word(1), word(0), b"", b"", b"", b"", HASH)
    for name, length, field in [("feedback-no-index", 0, "feedbackIndex"), ("feedback-no-value", 32, "value"), ("feedback-no-decimals", 64, "valueDecimals"), ("feedback-head-cut", 96, "tag1")]:
        invalid(name, "the data ends in the head", "reputation", [FEEDBACK, word(1), address(BOB), hash_of(b"")], texts[:length], f"NewFeedback is malformed at `{field}`: it does not lie within the {length} bytes of data")
    invalid("update-without-data", "the id is missing", "identity", ["MetadataUpdate(uint256)"], b"", "MetadataUpdate is malformed at `_tokenId`: it does not lie within the 0 bytes of data")


if __name__ == "__main__":
    for folder in ["valid", "invalid"]:
        shutil.rmtree(HERE / folder, ignore_errors=True)
        (HERE / folder).mkdir()
    for make in [make_identity, make_reputation, make_validation, make_proxy, make_invalid_topics, make_invalid_words, make_invalid_data]:
        make()
