//! A real chain in a process of its own: anvil, on a free port of the loopback, ended when dropped.
//!
//! Gas costs nothing and any address may send, so no test needs keys or balances to transact; keys are for signatures alone. By default
//! each transaction makes a block. Time is the chain's own: it starts at [`GENESIS_TIME`] and each block is two seconds after the
//! last, as on Base, so nothing depends on the clock of the machine.
//!
//! `safe` is 32 blocks below the latest and `finalized` 64: keep reorganisations shallower than that, or finality is broken.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{Block, BlockOverrides, TransactionReceipt, TransactionRequest};
use alloy::signers::local::PrivateKeySigner;
use tempfile::TempDir;

/// The time of block 0.
pub(crate) const GENESIS_TIME: u64 = 1_770_000_000;
/// Seconds from one block to the next.
pub(crate) const BLOCK_TIME_S: u64 = 2;
/// What anvil's chain is called unless another id is asked for.
pub(crate) const CHAIN_ID: u64 = 31_337;

const START_LIMIT: Duration = Duration::from_mins(1);
const GAS_PER_TRANSACTION: u64 = 15_000_000;

/// A person of a test, by name: always the same key.
pub(crate) fn account(name: &str) -> PrivateKeySigner {
    let key = keccak256(format!("hallmark test account {name}"));
    PrivateKeySigner::from_bytes(&key).expect("a hash is a valid key")
}

/// A transaction not yet sent. Without `to` it makes a contract.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) from: Address,
    pub(crate) to: Option<Address>,
    pub(crate) data: Bytes,
}

impl Call {
    pub(crate) fn new(from: Address, to: Address, data: impl Into<Bytes>) -> Self {
        Self { from, to: Some(to), data: data.into() }
    }

    fn request(&self) -> TransactionRequest {
        let mut request = TransactionRequest::default()
            .from(self.from)
            .input(self.data.clone().into())
            .gas_limit(GAS_PER_TRANSACTION);
        // Without a price anvil fills in fees that contradict each other where the base fee is zero.
        request.gas_price = Some(0);
        request.to = Some(self.to.into());
        request
    }
}

/// The process. Everything one does with the chain is on [`Chain`], which it derefs to.
pub(crate) struct Anvil {
    chain: Chain,
    // Ended before its folder goes: fields are dropped in this order.
    _process: Process,
    _states: TempDir,
}

/// Ends the process when dropped, also by a panic between its start and its first answer.
struct Process(Child);

impl Deref for Anvil {
    type Target = Chain;

    fn deref(&self) -> &Chain {
        &self.chain
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Anvil {
    /// A fresh chain of id [`CHAIN_ID`], at block 0.
    pub(crate) async fn spawn() -> Self {
        Self::spawn_with_chain_id(CHAIN_ID).await
    }

    /// A fresh chain of the given id, at block 0.
    pub(crate) async fn spawn_with_chain_id(chain_id: u64) -> Self {
        // The HTTP client asks for one even where it speaks no TLS; a second installation is refused, and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Anvil writes older blocks' states to disk, up to gigabytes, and by default into the home directory.
        let states = TempDir::new().expect("a temporary folder");
        let mut process = Command::new(binary())
            .args(["--port", "0", "--accounts", "0", "--order", "fifo", "--auto-impersonate"])
            .args(["--gas-price", "0", "--block-base-fee-per-gas", "0"])
            .args(["--gas-limit", "1000000000", "--disable-min-priority-fee"])
            .args(["--chain-id", &chain_id.to_string(), "--timestamp", &GENESIS_TIME.to_string()])
            .arg("--cache-path")
            .arg(states.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Process)
            .expect("anvil starts");
        let stdout = process.0.stdout.take().expect("its output is piped");
        let authority = listening_authority(stdout);
        let url = format!("http://{authority}");
        let provider = ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect_http(url.parse().expect("anvil says where it listens"))
            .erased();
        provider.anvil_set_block_timestamp_interval(BLOCK_TIME_S).await.expect("anvil answers");
        Self { chain: Chain { authority, provider }, _process: process, _states: states }
    }
}

/// The binary that npm put under `tests/node`, whatever the architecture.
fn binary() -> PathBuf {
    let packages =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/node_modules/@foundry-rs");
    let found = std::fs::read_dir(&packages).into_iter().flatten().flatten().find_map(|package| {
        let is_ours = package.file_name().to_str()?.starts_with("anvil-linux-");
        let binary = package.path().join("bin/anvil");
        (is_ours && binary.is_file()).then_some(binary)
    });
    found.unwrap_or_else(|| {
        panic!(
            "no anvil under {}: run ./test, or `npm ci --ignore-scripts` in tests/node",
            packages.display()
        )
    })
}

/// Waits until anvil says where it listens. Its output is read to the end ever after, lest it block on a full pipe.
fn listening_authority(stdout: ChildStdout) -> String {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(authority) = line.strip_prefix("Listening on ") {
                let _ = sender.send(authority.trim().to_owned());
            }
        }
    });
    receiver.recv_timeout(START_LIMIT).expect("anvil says where it listens, within a minute")
}

/// A handle on the running chain; cheap to clone.
#[derive(Clone)]
pub(crate) struct Chain {
    authority: String,
    pub(crate) provider: DynProvider,
}

impl Chain {
    pub(crate) fn http_url(&self) -> String {
        format!("http://{}", self.authority)
    }

    pub(crate) fn ws_url(&self) -> String {
        format!("ws://{}", self.authority)
    }

    /// Sends, and waits for the block. Panics with the contract's reason where the call reverts.
    pub(crate) async fn send(&self, call: Call) -> TransactionReceipt {
        let receipt = self.submit(&call).await;
        if !receipt.status() {
            let block = receipt.block_number.expect("it was mined");
            panic!("{call:?} reverted: {:?}", self.call_error(&call, block).await);
        }
        receipt
    }

    /// Sends a call that must revert, and returns the reason: the contract's text, or the selector of its error.
    pub(crate) async fn send_reverting(&self, call: Call) -> String {
        let receipt = self.submit(&call).await;
        assert!(!receipt.status(), "{call:?} was expected to revert");
        assert!(receipt.logs().is_empty());
        let block = receipt.block_number.expect("it was mined");
        self.call_error(&call, block).await.expect("a call reverts as the transaction did")
    }

    /// Sends all calls into one block, in order, each a transaction of its own. None may revert.
    pub(crate) async fn send_in_one_block(&self, calls: Vec<Call>) -> Vec<TransactionReceipt> {
        self.provider.anvil_set_auto_mine(false).await.unwrap();
        let mut hashes = Vec::new();
        for call in &calls {
            let pending = self.provider.send_transaction(call.request()).await.unwrap();
            hashes.push(*pending.tx_hash());
        }
        self.mine(1).await;
        self.provider.anvil_set_auto_mine(true).await.unwrap();
        let mut receipts = Vec::new();
        for (hash, call) in hashes.into_iter().zip(calls) {
            let receipt = self.provider.get_transaction_receipt(hash).await.unwrap();
            let receipt = receipt.expect("the block took every transaction");
            assert!(receipt.status(), "{call:?} reverted");
            receipts.push(receipt);
        }
        receipts
    }

    /// What a call returns at the end of a block, or none where it reverts.
    pub(crate) async fn read(&self, to: Address, data: Bytes, block: u64) -> Option<Bytes> {
        let request = TransactionRequest::default().to(to).input(data.into());
        match self.provider.call(request).block(BlockId::number(block)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                assert!(error.as_error_resp().is_some(), "reading at block {block}: {error}");
                assert!(error.to_string().contains("revert"), "reading at block {block}: {error}");
                None
            }
        }
    }

    /// Makes `count` empty blocks.
    pub(crate) async fn mine(&self, count: u64) {
        self.provider.anvil_mine(Some(count), None).await.unwrap();
    }

    /// Replaces the last `depth` blocks by empty ones.
    pub(crate) async fn reorg(&self, depth: u64) {
        self.reorg_with(depth, &[]).await;
    }

    /// Replaces the last `depth` blocks by as many, with the calls in the new blocks given by their place, from 0.
    pub(crate) async fn reorg_with(&self, depth: u64, calls: &[(Call, u64)]) {
        let calls: Vec<_> = calls.iter().map(|(call, place)| (call.request(), *place)).collect();
        let () = self.provider.raw_request("anvil_reorg".into(), (depth, calls)).await.unwrap();
    }

    /// Remembers the chain as it is now.
    pub(crate) async fn snapshot(&self) -> U256 {
        self.provider.anvil_snapshot().await.unwrap()
    }

    /// Goes back to a snapshot, which is used up by it. Blocks made since are gone; new ones have other hashes only if they differ.
    pub(crate) async fn revert(&self, snapshot: U256) {
        assert!(self.provider.anvil_revert(snapshot).await.unwrap());
    }

    /// The time of the next block, in seconds; later than the latest block's. The ones after follow at the usual pace.
    pub(crate) async fn set_next_time(&self, time: u64) {
        self.provider.anvil_set_next_block_timestamp(time).await.unwrap();
    }

    /// The latest block's number.
    pub(crate) async fn head(&self) -> u64 {
        self.provider.get_block_number().await.unwrap()
    }

    /// A block by number or tag; panics where there is none.
    pub(crate) async fn block(&self, which: impl Into<BlockNumberOrTag>) -> Block {
        let which = which.into();
        let block = self.provider.get_block_by_number(which).await.unwrap();
        block.unwrap_or_else(|| panic!("no block {which}"))
    }

    /// Whether the block of this hash is part of the chain.
    pub(crate) async fn has_block(&self, hash: B256) -> bool {
        self.provider.get_block_by_hash(hash).await.unwrap().is_some()
    }

    async fn submit(&self, call: &Call) -> TransactionReceipt {
        self.provider.eth_send_transaction_sync(call.request()).await.unwrap()
    }

    /// Why a call that was mined in `block` reverts: it is made again on the state before, at the same time.
    async fn call_error(&self, call: &Call, block: u64) -> Option<String> {
        let time = self.block(block).await.header.timestamp;
        let replay = self
            .provider
            .call(call.request())
            .block(BlockId::number(block - 1))
            .with_block_overrides(BlockOverrides::default().with_time(time));
        Some(replay.await.err()?.to_string())
    }
}
