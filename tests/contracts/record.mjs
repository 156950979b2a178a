// Records the chain that `hallmark demo` plays: runs `scenario.mjs` on a fresh anvil and writes src/demo/recording.jsonl.gz.
// The form of the file is described in src/demo/format.rs, which recomputes every hash from what is written here.
//
// Everything that enters a block is fixed (accounts, times, order of transactions), so that the same scenario, contracts and anvil
// give the same file. Needs the packages of tests/node.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { Chain, FIRST_TIME } from "./chain.mjs";
import { play } from "./scenario.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../../src/demo/recording.jsonl.gz");

const IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
const LAST_ID_SLOT = "0xa040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00";

// What a header holds besides the number, the parent hash and the bloom, which the reader computes.
const HEADER_FIELDS = [
  "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "difficulty", "gasLimit", "gasUsed", "timestamp",
  "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot",
];

// Writes down each block as it is made, with what the contracts answer at its end where that changed.
class Recorder {
  constructor(chain) {
    this.chain = chain;
    this.lines = [];
    this.tips = [];
    this.model = null;
    this.known = { agents: new Map(), words: new Map(), codes: new Set() };
    this.registries = [];
    this.proxies = [];
  }

  // What the contracts answered so far, to go back to when a branch is left.
  mark() {
    return structuredClone(this.known);
  }

  leaveBranch(mark, tip) {
    this.known = structuredClone(mark);
    this.tips.push(tip);
  }

  async add(block, moments) {
    this.model ??= Object.fromEntries(HEADER_FIELDS.map((field) => [field, block[field]]));
    const changed = HEADER_FIELDS.filter((field) => block[field] !== this.model[field]);
    const line = { number: Number(block.number), header: Object.fromEntries(changed.map((f) => [f, block[f]])) };
    if (Number(block.timestamp) !== FIRST_TIME + 2 * line.number) throw new Error(`block ${line.number} has a wrong time`);
    if (block.transactions.length > 0) {
      line.transactions = block.transactions;
      await this.#addChanges(block, line);
    }
    if (moments.length > 0) line.moments = moments;
    this.lines.push(line);
  }

  async #addChanges(block, line) {
    const logs = await this.chain.rpc("eth_getLogs", [{ blockHash: block.hash }]);
    const set = (field, list) => list.length > 0 && (line[field] = list);
    set("logs", logs.map((log) => ({
      address: log.address,
      topics: log.topics,
      data: log.data,
      transaction: Number(log.transactionIndex),
    })));
    set("codes", await this.#codes(block));
    set("words", await this.#words(block));
    set("agents", await this.#agents(block));
  }

  async #codes(block) {
    const receipts = await this.chain.batch(block.transactions.map((hash) => ["eth_getTransactionReceipt", [hash]]));
    const made = receipts.map((receipt) => receipt.contractAddress).filter((address) => address);
    const codes = await this.chain.batch(made.map((address) => ["eth_getCode", [address, block.number]]));
    return made.map((address, index) => ({ address, code: codes[index] }));
  }

  async #words(block) {
    const wanted = this.proxies.map((address) => [address, IMPLEMENTATION_SLOT]);
    if (this.chain.identity) wanted.push([this.chain.identity.address, LAST_ID_SLOT]);
    const values = await this.chain.batch(wanted.map(([address, slot]) => ["eth_getStorageAt", [address, slot, block.number]]));
    return wanted
      .map(([address, slot], index) => ({ address, slot, value: values[index] }))
      .filter(({ address, slot, value }) => differs(this.known.words, `${address}/${slot}`, value, /^0x0*$/.test(value)));
  }

  async #agents(block) {
    if (!this.chain.identity) return [];
    const answers = await this.chain.agentsAt(block.number);
    return answers.filter((answer) => differs(this.known.agents, answer.agent, JSON.stringify(answer), false));
  }

  text(preamble) {
    const tip = this.chain.head.hash;
    const first = { format: "hallmark-recording/1", ...preamble, tips: [...this.tips, tip], header: this.model };
    return [first, ...this.lines].map((line) => `${JSON.stringify(line)}\n`).join("");
  }
}

// Whether a value is new; what was never written down counts as known where it `isNothing`.
function differs(known, key, value, isNothing) {
  if (known.get(key) === value || (!known.has(key) && isNothing)) return false;
  known.set(key, value);
  return true;
}

const chain = await Chain.start(join(here, "../node"), join(here, "artifacts"));
try {
  const recorder = new Recorder(chain);
  chain.recorder = recorder;
  await recorder.add(await chain.block("0x0"), []);
  const preamble = await play(chain, recorder);
  const text = recorder.text({ chain_id: Number(await chain.rpc("eth_chainId", [])), ...preamble });
  const packed = gzipSync(text, { level: 9 });
  // The tenth byte names the operating system that packed it; 255 is "unknown", the same everywhere.
  packed[9] = 255;
  writeFileSync(target, packed);
  console.error(`${recorder.lines.length} blocks, ${text.length} bytes, ${packed.length} packed`);
} finally {
  chain.stop();
}
