#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, one folder for each, from the vectors of the tests and from what stands here."""

import json
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "tests" / "vectors"
SEEDS = HERE / "seeds"
ADDRESS = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"
KEY = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


def put(target, name, content):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def record(**changes):
    body = {
        "schemaVersion": "attestation/v1",
        "id": "0x2b7f4d1a0c",
        "issuer": "tragedy-of-the-commons:system",
        "issuerKind": "system",
        "subject": "5f3c1f0e",
        "claim": {"type": "tragedy.round_choice.v1", "data": {"round": 1, "before": {"vp": 0}}},
        "confidence": 0.94,
        "round": 1,
        "issuedAt": "2026-06-23T12:00:00Z",
        "evidenceRefs": [{"kind": "relay", "id": "a", "visibility": "public", "relayIndex": 7}],
    }
    return {**body, **changes}


def entry(index, **changes):
    outside = {
        "index": index,
        "type": "attestation",
        "pluginId": "registered",
        "sender": "system",
        "scope": {"kind": "all"},
        "turn": 3,
        "timestamp": 1782216000123 + index,
        "data": record(),
    }
    return {**outside, **changes}


def page(entries, **meta):
    outside = {
        "gameId": "game",
        "gameType": "tragedy-of-the-commons",
        "handles": {"5f3c1f0e": "ada"},
        "progressCounter": 3,
        "finished": False,
        "sinceIdx": 9,
        "stateVersion": 12,
        "lastUpdate": 1782216000999,
    }
    return {"type": "state_update", "meta": {**outside, **meta}, "state": {"a": [1, 2.5]}, "relay": entries}


def envelopes():
    for path in sorted((VECTORS / "envelopes" / "valid").glob("*.json")):
        put("envelope", path.stem, json.loads(path.read_text())["envelope"])


def logs():
    wanted = {
        "feedback", "feedback-revoked", "feedback-texts-not-utf8", "legacy-feedback-hashed-tag", "legacy-feedback-v1",
        "response-appended", "validation-request", "validation-response", "metadata-wallet-set",
    }
    for path in sorted((VECTORS / "logs" / "valid").glob("*.json")):
        if path.stem not in wanted:
            continue
        log = json.loads(path.read_text())
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        put("registry_log", path.stem, bytes([len(topics)]) + b"".join(topics) + bytes.fromhex(log["data"][2:]))


def blocks():
    roots = json.loads((VECTORS / "ipfs" / "roots.json").read_text())
    for name, root in sorted(roots.items()):
        archive = VECTORS / "ipfs" / f"{name}.car"
        # An archive of many blocks is for the tests; a fuzzer is better served by a small one.
        if archive.exists() and archive.stat().st_size < 40_000:
            put("ipfs_blocks", name, f"{root}\n".encode() + archive.read_bytes())


def names():
    for name, text in {
        "key": KEY,
        "key-url": f"{KEY}#{KEY.removeprefix('did:key:')}",
        "pkh": f"did:pkh:eip155:8453:{ADDRESS}",
        "query": "did:web:example.org?service=files&relativeRef=%2Fa#b",
        "path": "did:web:example.org/a/b",
    }.items():
        put("did", name, text)
    for name, text in {
        "host": "example.org",
        "port": "example.org%3A8443",
        "did": "did:web:example.org%3A8443:agents:8453:22",
        "plain": "did:web:localhost",
    }.items():
        put("did_web", name, text)
    for name, text in {
        "agent": f"eip155:8453:{ADDRESS}:22",
        "caip19": f"eip155:8453/erc721:{ADDRESS}/22",
        "account": f"eip155:8453:{ADDRESS}",
        "bare": ADDRESS,
        "pkh": f"did:pkh:eip155:1:{ADDRESS}",
        "web": "did:web:Example.org%3a8443:A",
        "platform": "platform:games:Ada 1/é",
        "player": "5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e",
    }.items():
        put("subject", name, text)


def documents():
    did = "did:web:example.org"
    document = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": ["did:key:z6Mk", "https://example.org/"],
        "verificationMethod": [
            {"id": f"{did}#one", "type": "Multikey", "controller": did, "publicKeyMultibase": KEY.removeprefix("did:key:")},
            {
                "id": "#two", "type": "JsonWebKey", "controller": did,
                "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            },
        ],
        "assertionMethod": [f"{did}#one", "#two"],
        "service": [
            {"id": f"{did}#files", "type": ["Files"], "serviceEndpoint": ["https://example.org/files/", {"uri": "https://a.example"}]},
        ],
    }
    put("did_document", "multikey", f"{did}#one\n{compact(document)}")
    put("did_document", "jwk", f"{did}#two\n{compact(document)}")


def files():
    agent = {
        "type": "https://eips.ethereum.org/EIPS/eip-8004#registration-v1",
        "name": "Ada",
        "description": "an agent",
        "image": "https://example.org/ada.png",
        "services": [
            {"name": "A2A", "endpoint": "https://example.org/.well-known/agent-card.json", "version": "0.3.0"},
            {"name": "DID", "endpoint": "did:web:example.org"},
            {"name": "agentWallet", "endpoint": f"eip155:8453:{ADDRESS}"},
        ],
        "registrations": [{"agentId": 22, "agentRegistry": f"eip155:8453:{ADDRESS}"}],
        "supportedTrust": ["reputation"],
    }
    put("registration_file", "whole", compact(agent))
    put("registration_file", "old", compact({"name": "x", "endpoints": agent["services"]}))
    for name, uri in {
        "inline": "data:application/json," + compact({"name": "x"}),
        "base64": "data:application/json;base64,eyJuYW1lIjoieCJ9",
        "web": "https://example.org/agent.json",
        "ipfs": "ipfs://bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku/a.json",
        "gateway": "https://ipfs.io/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
        "bare": compact({"name": "x"}),
    }.items():
        put("file_source", name, uri)


def relay():
    player = "5f3c1f0e-5a7e-4f2e-9a57-1f0c5f3c1f0e"
    entries = [
        entry(2),
        entry(3, sender=player, pluginId="chat"),
        entry(4, scope={"kind": "team", "teamId": "red"}),
        entry(5, scope={"kind": "dm", "recipientHandle": "ada"}),
        entry(6, type="chat:message", data={"body": "hello"}),
        entry(7, turn=None, data=record(issuedAt=1782216000)),
        entry(8, data={}),
    ]
    put("relay_page", "scopes", compact(page(entries)))
    put("relay_page", "restarted", compact(page([], sinceIdx=1)))
    put("relay_page", "finished", compact(page([entry(2)], finished=True)))
    pending = page([], sinceIdx=40)
    put("relay_page", "pending", compact({"type": "spectator_pending", "meta": pending["meta"]}))


def words():
    put("attestation", "whole", compact({"attestation": record(), "context": {"origin": "games", "game": "g", "turn": 1, "chain": "eip155:10"}}))
    put("attestation", "bare", compact({"attestation": record(issuer="did:web:a.example", subject=f"eip155:1:{ADDRESS}"), "context": {}}))
    put("attestation", "numbers", '{"a":[0.10,1e21,-0,5E-324,1.0],"\\u0062":"\\ud83d\\ude00"}')
    word = bytes(12) + bytes.fromhex(ADDRESS[2:])
    put("contract_answer", "address", word)
    put("contract_answer", "bytes", bytes(31) + b"\x20" + bytes(31) + b"\x03" + b"abc" + bytes(29))
    put("contract_answer", "says", bytes(31) + b"\x01")
    put("siwe_message", "whole", (
        f"example.org wants you to sign in with your Ethereum account:\n{ADDRESS}\n\nLink this wallet.\n\n"
        "URI: https://example.org/\nVersion: 1\nChain ID: 8453\nNonce: 32891756abcdef\nIssued At: 2026-02-03T11:08:33Z"
    ))
    cases = sorted((VECTORS / "tfd" / "valid").glob("*.json"), key=lambda path: path.stat().st_size)
    for path in cases[:6]:
        put("case", path.stem, compact(json.loads(path.read_text())["case"]))


if SEEDS.exists():
    shutil.rmtree(SEEDS)
for make in (envelopes, logs, blocks, names, documents, files, relay, words):
    make()
