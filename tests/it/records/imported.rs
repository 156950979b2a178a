//! Off-chain attestations of EAS, as its SDK writes them: records by the account that signed, about the account that received.

use alloy::primitives::{Address, B256};
use alloy::signers::SignerSync;
use hallmark::attest::eas::{EasAttestation, EasError};
use hallmark::vocab::AccountId;
use serde_json::{Value, json};

use super::{Desk, account, agent, is_agent, key, meant, problem};
use crate::storage::samples;
use crate::support::databases::on_both_engines;

/// The contract that counts here.
pub(super) fn contract() -> AccountId {
    let address = "4200000000000000000000000000000000000021".parse().unwrap();
    AccountId { chain: samples::CHAIN, address }
}

/// An unsigned package of version 2, by a wallet about an address.
fn package(wallet: &str, recipient: Address, block: u64) -> Value {
    let member = |(name, kind): &(&str, &str)| json!({ "name": name, "type": kind });
    let members: Vec<_> = [
        ("version", "uint16"),
        ("schema", "bytes32"),
        ("recipient", "address"),
        ("time", "uint64"),
        ("expirationTime", "uint64"),
        ("revocable", "bool"),
        ("refUID", "bytes32"),
        ("data", "bytes"),
        ("salt", "bytes32"),
    ]
    .iter()
    .map(member)
    .collect();
    json!({
        "signer": key(wallet).address(),
        "sig": {
            "version": 2, "primaryType": "Attest", "types": { "Attest": members }, "uid": B256::ZERO,
            "signature": { "v": 27, "r": B256::ZERO, "s": B256::ZERO },
            "domain": {
                "name": "EAS Attestation", "version": "1.2.0", "chainId": samples::CHAIN.0.to_string(),
                "verifyingContract": contract().address,
            },
            "message": {
                "version": 2, "schema": B256::repeat_byte(0x5c), "recipient": recipient,
                "time": samples::time(block).get().to_string(), "expirationTime": "0", "revocable": true,
                "refUID": B256::ZERO, "data": "0x0123", "salt": B256::repeat_byte(0x5a),
            },
        },
    })
}

/// The same with its UID, signed.
fn signed(mut package: Value, wallet: &str) -> Value {
    let read = |package: &Value| EasAttestation::from_object(package.as_object().unwrap().clone());
    if let Err(EasError::OtherUid(uid)) = read(&package) {
        package["sig"]["uid"] = json!(uid);
    }
    let signature = key(wallet).sign_hash_sync(&read(&package).unwrap().digest()).unwrap();
    let bytes = signature.as_bytes();
    let (r, s) = (B256::from_slice(&bytes[..32]), B256::from_slice(&bytes[32..64]));
    package["sig"]["signature"] = json!({ "v": bytes[64], "r": r, "s": s });
    package
}

on_both_engines! {
    async fn attestations_of_eas_are_records(db: Database) {
        let desk = Desk::open(&db).await;
        let package = signed(package("seven", key("eight").address(), 30), "seven");
        let taken = desk.take(&package).await;
        assert_eq!((&taken["findings"], &taken["issuer_class"]), (&json!([]), &json!("agent")), "{taken}");
        assert_eq!((meant(&taken, "issuer"), meant(&taken, "subject")), (is_agent(7), is_agent(8)));
        assert_eq!((&taken["verdict"]["form"], &taken["verdict"]["signed_by"]), (&json!("eas"), &json!("key")));
        let digest = taken["digest"].as_str().unwrap();
        let shown = desk.get(digest).await;
        let record = &shown["record"]["attestation"];
        let schema = B256::repeat_byte(0x5c);
        assert_eq!((&record["id"], &record["claim"]["type"]), (&package["sig"]["uid"], &json!(format!("eas:{schema}"))));
        let data = json!({
            "contract": contract().to_string(), "data": "0x0123", "expires": null, "refUID": B256::ZERO, "revocable": true,
        });
        assert_eq!(record["claim"]["data"], data);
        assert_eq!((&record["issuer"], &record["subject"]), (&json!(account("seven").to_string()), &json!(account("eight").to_string())));
        assert_eq!(shown["said_at"], samples::time(30).to_string());
        let raw = desk.service.get(&format!("/v1/attestations/{digest}/envelope")).await;
        assert_eq!(raw.text(), package.to_string(), "byte for byte");
        assert_eq!(desk.post(&package).await.status, 200);
        assert_eq!(desk.seqs(&format!("agent={}&claim_type=eas:{schema}", agent(8))).await, [1]);
        // The wallet of an agent speaks of the agent by none of its names.
        let own = signed(self::package("seven", key("seven").address(), 31), "seven");
        assert_eq!(problem(&desk.post(&own).await), (422, "self-attestation".to_owned()));
    }

    async fn what_of_eas_is_no_record_is_refused_with_its_reason(db: Database) {
        let desk = Desk::open(&db).await;
        let nobody = signed(package("seven", Address::ZERO, 30), "seven");
        let mut elsewhere = package("seven", key("eight").address(), 30);
        elsewhere["sig"]["domain"]["verifyingContract"] = json!(Address::repeat_byte(0x21));
        let mut ended = package("seven", key("eight").address(), 30);
        ended["sig"]["message"]["expirationTime"] = json!(samples::time(40).get().to_string());
        let by_another = signed(package("seven", key("eight").address(), 30), "eight");
        for (body, told) in [
            (nobody, "`sig.message.recipient`: it is the zero address, so this is about nobody"),
            (signed(elsewhere, "seven"), "attestations of the EAS contract eip155:8453:0x2121212121212121212121212121212121212121 are not taken in here"),
            (signed(ended, "seven"), "it counted until"),
            (by_another, "is no signature by the key of"),
        ] {
            let reply = desk.post(&body).await;
            assert_eq!(problem(&reply), (422, "not-verified".to_owned()), "{}", reply.text());
            let detail = reply.problem()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(told), "{detail}");
        }
        assert_eq!(desk.service.ok("/v1/attestations").await["log_size"], 0);
    }
}
