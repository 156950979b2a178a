// A fresh anvil whose blocks are made one by one at fixed times, and the contracts of `artifacts` on it.
//
// Transactions are sent from anvil's own accounts and are mined only when `mine` says so; one that fails stops everything, since a
// recording of a failure nobody noticed would be worse than none.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { decodeBytes, encodeArguments, signatureOf } from "./abi.mjs";

// 2026-03-01T12:00:00Z; a block every two seconds from there, as on Base.
export const FIRST_TIME = 1772366400;
export const BLOCK_SECONDS = 2;
const ACCOUNTS = 60;
const MINED_AT_ONCE = 1000;

export class Chain {
  static async start(nodeFolder, artifactFolder) {
    const port = await freePort();
    const platform = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
    const home = createRequire(join(nodeFolder, "package.json")).resolve(`@foundry-rs/anvil-${platform}/package.json`);
    const program = spawn(join(home, "../bin/anvil"), [
      "--port", `${port}`, "--silent", "--no-mining", "--order", "fifo", "--hardfork", "cancun", "--accounts", `${ACCOUNTS}`,
      "--timestamp", `${FIRST_TIME}`, "--base-fee", "0", "--gas-price", "0", "--disable-min-priority-fee",
    ], { stdio: "ignore" });
    const chain = new Chain(program, `http://127.0.0.1:${port}`, artifactFolder);
    for (let tries = 0; ; tries++) {
      try {
        chain.accounts = await chain.rpc("eth_accounts", []);
        // Without it anvil's own clock slips into the blocks that are mined many at once.
        await chain.rpc("anvil_setBlockTimestampInterval", [BLOCK_SECONDS]);
        chain.head = await chain.block("latest");
        return chain;
      } catch (error) {
        if (tries === 200) throw error;
        await delay(50);
      }
    }
  }

  constructor(program, url, artifactFolder) {
    Object.assign(this, { program, url, artifactFolder, recorder: null, identity: null });
    this.pending = [];
    this.moments = [];
    this.selectors = new Map();
  }

  stop() {
    this.program.kill();
  }

  async batch(calls) {
    const answers = [];
    for (let start = 0; start < calls.length; start += 100) {
      const some = calls.slice(start, start + 100);
      const body = JSON.stringify(some.map(([method, params], id) => ({ jsonrpc: "2.0", id, method, params })));
      const response = await fetch(this.url, { method: "POST", headers: { "content-type": "application/json" }, body });
      const results = (await response.json()).sort((a, b) => a.id - b.id);
      for (const [index, { error, result }] of results.entries()) {
        if (error) throw new Error(`${some[index][0]}: ${JSON.stringify(error)}`);
        answers.push(result);
      }
    }
    return answers;
  }

  async rpc(method, params) {
    return (await this.batch([[method, params]]))[0];
  }

  block(tag) {
    return this.rpc("eth_getBlockByNumber", [tag, false]);
  }

  get number() {
    return Number(this.head.number);
  }

  get nextTime() {
    return FIRST_TIME + BLOCK_SECONDS * (this.number + 1);
  }

  artifact(name) {
    return JSON.parse(readFileSync(join(this.artifactFolder, `${name}.json`), "utf8"));
  }

  // Puts a creation into the next block, mines it, and returns the contract.
  async deploy(from, name, values = [], abiOf = name) {
    const { abi, bytecode } = this.artifact(name);
    const inputs = abi.find((item) => item.type === "constructor")?.inputs ?? [];
    await this.#send({ from, data: bytecode + encodeArguments(inputs, values) });
    const [hash] = this.pending;
    await this.mine();
    const { contractAddress } = await this.rpc("eth_getTransactionReceipt", [hash]);
    return { address: contractAddress, abi: this.artifact(abiOf).abi };
  }

  async encode(contract, name, values) {
    const item = contract.abi.find((one) => one.name === name && one.inputs.length === values.length);
    if (!item) throw new Error(`no function ${name} of ${values.length} arguments`);
    const signature = signatureOf(item);
    if (!this.selectors.has(signature)) {
      const hash = await this.rpc("web3_sha3", [`0x${Buffer.from(signature).toString("hex")}`]);
      this.selectors.set(signature, hash.slice(0, 10));
    }
    return this.selectors.get(signature) + encodeArguments(item.inputs, values);
  }

  // Puts a call into the next block; `moment` is told with the block.
  async call(from, contract, name, values, moment = null) {
    await this.#send({ from, to: contract.address, data: await this.encode(contract, name, values) });
    if (moment) this.moments.push(moment);
  }

  async read(contract, name, values, at = "latest") {
    return this.rpc("eth_call", [{ to: contract.address, data: await this.encode(contract, name, values) }, at]);
  }

  async #send(transaction) {
    const fixed = { gas: "0x7a1200", gasPrice: "0x0" };
    this.pending.push(await this.rpc("eth_sendTransaction", [{ ...fixed, ...transaction }]));
  }

  // Makes one block of what is pending.
  async mine() {
    await this.rpc("evm_mine", []);
    this.head = await this.block("latest");
    const receipts = await this.batch(this.pending.map((hash) => ["eth_getTransactionReceipt", [hash]]));
    const failed = receipts.findIndex((receipt) => receipt?.status !== "0x1" || receipt.blockHash !== this.head.hash);
    if (failed >= 0) throw new Error(`transaction ${failed} of block ${this.number} failed`);
    this.pending = [];
    await this.recorder.add(this.head, this.moments);
    this.moments = [];
  }

  // Makes empty blocks up to and including `number`.
  async mineEmpty(number) {
    if (this.pending.length > 0 || number < this.number) throw new Error(`block ${number} cannot be made empty`);
    while (this.number < number) {
      const count = Math.min(MINED_AT_ONCE, number - this.number);
      await this.rpc("anvil_mine", [count]);
      const tags = Array.from({ length: count }, (_, index) => `0x${(this.number + 1 + index).toString(16)}`);
      const blocks = await this.batch(tags.map((tag) => ["eth_getBlockByNumber", [tag, false]]));
      for (const block of blocks) await this.recorder.add(block, []);
      this.head = blocks.at(-1);
    }
  }

  // Owner, wallet and URI of every agent at a block's end, as the registry answers.
  async agentsAt(tag) {
    const count = Number(await this.rpc("eth_getStorageAt", [this.identity.address, this.identity.counterSlot, tag]));
    const reads = ["getAgentWallet", "ownerOf", "tokenURI"];
    const calls = [];
    for (let agent = 0; agent < count; agent++) {
      for (const name of reads) {
        const data = await this.encode(this.identity, name, [agent]);
        calls.push(["eth_call", [{ to: this.identity.address, data }, tag]]);
      }
    }
    const answers = await this.batch(calls);
    return Array.from({ length: count }, (_, agent) => {
      const [wallet, owner, uri] = answers.slice(3 * agent, 3 * agent + 3);
      return { agent, wallet: toAddress(wallet), owner: toAddress(owner), uri: decodeBytes(uri) };
    });
  }

  // The signature by which a wallet agrees to speak for an agent (EIP-712), made with the key of `signer`.
  proof(agent, wallet, owner, deadline, signer) {
    const field = (name, type) => ({ name, type });
    const types = {
      EIP712Domain: [
        field("name", "string"), field("version", "string"), field("chainId", "uint256"), field("verifyingContract", "address"),
      ],
      AgentWalletSet: [
        field("agentId", "uint256"), field("newWallet", "address"), field("owner", "address"), field("deadline", "uint256"),
      ],
    };
    const domain = { name: "ERC8004IdentityRegistry", version: "1", chainId: 31337, verifyingContract: this.identity.address };
    const message = { agentId: agent, newWallet: wallet, owner, deadline };
    return this.rpc("eth_signTypedData_v4", [signer, { types, domain, primaryType: "AgentWalletSet", message }]);
  }
}

const toAddress = (word) => `0x${word.slice(26)}`;

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
