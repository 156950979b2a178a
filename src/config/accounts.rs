//! Lists of accounts, each with its chain.

use serde_json::Value as Json;

use super::layer::Raw;
use super::origin::list;
use super::value::Setting;
use crate::vocab::{AccountId, ChainId, shorten};
use alloy::primitives::Address;

/// Accounts of any chain, all different.
pub(super) struct Accounts(pub(super) Vec<AccountId>);

fn account(text: &str) -> Result<AccountId, String> {
    // An address alone would be one of no chain in particular.
    let account = AccountId::parse(text, ChainId(0)).ok().filter(|_| text.starts_with("eip155:"));
    match account {
        Some(account) if account.address == Address::ZERO => {
            Err("the zero address is no contract".to_owned())
        }
        Some(account) => Ok(account),
        None => Err(format!(
            "expected an account with its chain, such as `eip155:8453:0x…`, found `{}`",
            shorten(text)
        )),
    }
}

impl Setting for Accounts {
    fn read(raw: &Raw) -> Result<Self, String> {
        list(raw, account).map(Self)
    }

    fn shown(&self) -> Json {
        self.0.iter().map(|account| Json::from(account.to_string())).collect()
    }
}
