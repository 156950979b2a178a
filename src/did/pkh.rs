//! did:pkh: accounts as identifiers. Their documents are made from the identifier alone.
//!
//! Only the namespace `eip155`. Letter case of an address means nothing, so one account has many identifiers: [`did`] gives the one with
//! the EIP-55 checksum, and a document keeps the identifier that was asked for, since a document's `id` must equal it. The document
//! says nothing of what kind of account it is: one that is a contract has no key, and its signatures are checked by ERC-1271.

use serde_json::json;

use super::DidError;
use super::document::{Context, DID_V1, Document, MethodKey, RECOVERY_METHOD, VerificationMethod};
use super::syntax::Did;
use crate::vocab::{AccountId, ChainId};

/// What stands before an account.
const PREFIX: &str = "did:pkh:";
/// The fragment of the one method in a document.
const FRAGMENT: &str = "#blockchainAccountId";

/// The identifier of an account, with the EIP-55 checksum.
pub fn did(account: AccountId) -> String {
    format!("{PREFIX}{account}")
}

/// The account that a did:pkh names.
///
/// # Errors
/// When it is of another method or namespace, its chain is no canonical number, or its address is not 20 bytes of hex.
pub fn parse(did: &Did) -> Result<AccountId, DidError> {
    if did.method() != "pkh" {
        return Err(DidError::OtherMethod { expected: "pkh" });
    }
    let Some(rest) = did.id().strip_prefix("eip155:") else {
        let is_namespaced = did.id().split(':').count() == 3;
        return Err(if is_namespaced { DidError::OtherNamespace } else { DidError::BadAccount });
    };
    // An identifier is as strict as CAIP-10: `0X` is none of its prefixes, although it is read elsewhere.
    let is_plain = rest.split_once(':').is_some_and(|(_, address)| address.starts_with("0x"));
    // Its own chain is always named, so the default is never taken.
    let account = AccountId::parse(did.as_str(), ChainId(0)).ok().filter(|_| is_plain);
    account.ok_or(DidError::BadAccount)
}

/// The document of a did:pkh.
///
/// # Errors
/// As [`parse`].
pub fn document(did: &Did) -> Result<Document, DidError> {
    parse(did)?;
    let method = format!("{did}{FRAGMENT}");
    let account = did.as_str().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    // Both terms are defined in place, as the method's other implementations have it.
    let terms = json!({
        "blockchainAccountId": "https://w3id.org/security#blockchainAccountId",
        RECOVERY_METHOD: "https://identity.foundation/EcdsaSecp256k1RecoverySignature2020#EcdsaSecp256k1RecoveryMethod2020",
    });
    Ok(Document {
        context: vec![Context::Url(DID_V1), Context::Terms(terms)],
        verification_method: vec![VerificationMethod {
            id: method.clone(),
            controller: did.to_string(),
            key: MethodKey::Account(account),
        }],
        authentication: vec![method.clone()],
        assertion_method: vec![method],
        ..Document::new(did.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";

    fn read(text: &str) -> Result<AccountId, DidError> {
        parse(&Did::parse(text).unwrap())
    }

    #[test]
    fn one_account_has_one_canonical_identifier() {
        let canonical = format!("did:pkh:eip155:8453:{ADDRESS}");
        for text in [canonical.clone(), canonical.to_lowercase()] {
            assert_eq!(did(read(&text).unwrap()), canonical);
        }
    }

    #[test]
    fn what_names_no_account_is_refused() {
        for text in [
            "did:pkh:eip155:8453:0x8004",
            "did:pkh:eip155:8453:0xZZ04A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:8453:8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:8453:0X8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:08453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:abc:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155::0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432",
            "did:pkh:eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:x",
        ] {
            assert_eq!(read(text), Err(DidError::BadAccount), "{text}");
        }
        let solana = "did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev";
        assert_eq!(read(solana), Err(DidError::OtherNamespace));
        assert_eq!(read("did:web:a.example"), Err(DidError::OtherMethod { expected: "pkh" }));
    }

    #[test]
    fn a_document_keeps_the_identifier_that_was_asked_for() {
        let asked = format!("did:pkh:eip155:8453:{}", ADDRESS.to_lowercase());
        let document = document(&Did::parse(&asked).unwrap()).unwrap();
        assert_eq!(document.id, asked);
        assert_eq!(document.authentication, [format!("{asked}#blockchainAccountId")]);
    }
}
