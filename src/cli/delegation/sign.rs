//! Envelopes from records: by the service's key, by a key in a file, or by what a wallet signed elsewhere.
//!
//! No wallet's key is ever asked for: what it has to sign is printed, and its signature is taken.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::super::args::SignArgs;
use super::super::{CliError, Exit, Output, open};
use super::{print_value, read_file, read_record};
use crate::app::{Clock, SystemClock};
use crate::attest::TypedRecord;
use crate::attest::credential;
use crate::attest::data_integrity::{self, ProofOptions};
use crate::attest::dsse;
use crate::attest::envelope::Form;
use crate::attest::jose::{self, Typ};
use crate::attest::key::PrivateKey;
use crate::attest::method;
use crate::attest::record_statement::{self, RecordStatement};
use crate::attest::statement::Scheme;
use crate::attest::typed_record::PAYLOAD_TYPE;
use crate::attest::wallet::{self, Judgement};
use crate::config::Config;
use crate::vocab::{AccountId, ChainId};

pub(super) fn run(config: &Config, wanted: &SignArgs, out: &mut Output) -> Result<Exit, CliError> {
    let (typed, _) = read_record(&wanted.file)?;
    let form = wanted.form.as_deref().map(|word| {
        Form::from_word(word).ok_or_else(|| usage(format!("`{word}` is no form of envelope")))
    });
    let form = form.transpose()?;
    match &wanted.wallet {
        Some(account) => by_wallet(&typed, account, form, wanted.signature.as_deref(), out),
        None => by_key(config, &typed, wanted, form, out),
    }
}

fn usage(message: String) -> CliError {
    CliError::new(Exit::Usage, &io::Error::other(message))
}

fn by_wallet(
    typed: &TypedRecord,
    account: &str,
    form: Option<Form>,
    signature: Option<&str>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let account = AccountId::parse(account, ChainId(0)).ok().filter(|_| account.contains(':'));
    let account =
        account.ok_or_else(|| usage("write the wallet as `eip155:8453:0x…`".to_owned()))?;
    let scheme = match form {
        None | Some(Form::Eip712) => Scheme::Eip712,
        Some(Form::Eip191) => Scheme::Eip191,
        Some(_) => return Err(usage("a wallet signs by `eip712` or `eip191`".to_owned())),
    };
    let Some(signature) = signature else {
        match scheme {
            Scheme::Eip712 => {
                print_value(&record_statement::typed_data(typed, account.chain), out)?;
            }
            Scheme::Eip191 => {
                let text = record_statement::text(typed, account.chain);
                out.record(&text, || text.clone())?;
            }
        }
        return Ok(Exit::Done);
    };
    let signature = wallet::parse_signature(signature)
        .map_err(|error| usage(format!("`--signature`: {error}")))?;
    let statement = RecordStatement { scheme, account, signature, record: typed.clone() };
    if let Judgement::Ask(question) =
        wallet::judge(account, statement.digest(), &statement.signature)
    {
        tracing::warn!(
            "{}; if it is a contract's, the chain will have to be asked",
            question.not_by_its_key()
        );
    }
    print_line(&statement.to_value().to_string(), out)
}

/// The key that signs, and its DID URL.
fn key(config: &Config, wanted: &SignArgs) -> Result<(PrivateKey, String), CliError> {
    let Some(path) = &wanted.key_file else {
        let host = &config.host;
        let held = open::service_keys(config)?.held();
        let key = held.signer(SystemClock.now()).ok_or_else(|| {
            let error = io::Error::other("the service has no key that signs");
            let hint = "`hallmark keys new` makes one, or `--key-file` names one";
            CliError::new(Exit::Failed, &error).with_hint(Some(hint.to_owned()))
        })?;
        let method = format!("did:web:{host}#{}", key.public().multibase());
        let key = PrivateKey::parse(&key.expose())?;
        return Ok((key, wanted.method.clone().unwrap_or(method)));
    };
    let key = read_key(path)?;
    let multibase = key.public().multibase();
    let method =
        wanted.method.clone().unwrap_or_else(|| format!("did:key:{multibase}#{multibase}"));
    Ok((key, method))
}

fn read_key(path: &Path) -> Result<PrivateKey, CliError> {
    let text = zeroize::Zeroizing::new(read_file(path)?);
    let text = std::str::from_utf8(&text).unwrap_or_default();
    PrivateKey::parse(text.trim()).map_err(|error| {
        CliError::failed(&format!("cannot use the key in `{}`", path.display()), &error)
    })
}

fn by_key(
    config: &Config,
    typed: &TypedRecord,
    wanted: &SignArgs,
    form: Option<Form>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let (key, method) = key(config, wanted)?;
    let did = method::did_of(&method).map_err(|error| usage(error.to_string()))?;
    if did.to_string() != typed.issuer.to_string() {
        let message = format!("the record is by {}, and the key is {did}'s", typed.issuer);
        return Err(usage(message));
    }
    let text = match form {
        None | Some(Form::Dsse) => {
            dsse::sign(PAYLOAD_TYPE, typed.canonical(), &method, &key).to_string()
        }
        Some(Form::DataIntegrity) => {
            let document = credential::of_record(typed, &config.host);
            let options = ProofOptions {
                method: &method,
                created: typed.said_at,
                expires: None,
                domain: None,
                challenge: None,
            };
            json!(data_integrity::sign(&document, &options, &key)?).to_string()
        }
        Some(Form::VcJwt) => {
            let document = Value::Object(credential::of_record(typed, &config.host));
            jose::sign(&key, &method, Typ::Of("vc+jwt"), document.to_string().as_bytes())
        }
        Some(Form::Eip712 | Form::Eip191 | Form::Eas) => {
            return Err(usage("a key signs by `dsse`, `data-integrity` or `vc+jwt`; name the `--wallet` that signs otherwise".to_owned()));
        }
    };
    print_line(&text, out)
}

/// Prints an envelope as it is.
fn print_line(text: &str, out: &mut Output) -> Result<Exit, CliError> {
    let value = serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
    out.record(&value, || text.to_owned())?;
    Ok(Exit::Done)
}
