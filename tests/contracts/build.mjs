// Compiles the contracts of `src` and writes one artifact each, ABI and creation code only, so that the tests need no compiler.
// The same source gives the same bytes anywhere: one compiler version, fixed settings, no metadata appended to the code.
// The one contract that the program itself runs, in simulated calls, goes beside the file that knows how: its creation code, as bytes.
//
//   node build.mjs           writes artifacts/*.json and what the program embeds
//   node build.mjs --check   writes nothing, and fails if an artifact is not what the source gives

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const sourceFolder = join(here, "src");
const artifactFolder = join(here, "artifacts");
const embedded = { name: "SignatureCheck", path: join(here, "../../src/registry/signature_check.bin") };

// What is deployed or called; the other contracts are parts of these.
const wanted = [
  "ContractWallet",
  "IdentityRegistry",
  "IdentityRegistryNext",
  "Placeholder",
  "Proxy",
  "Registrant",
  "ReputationRegistry",
  "ValidationRegistry",
  "WalletFactory",
];

function loadCompiler() {
  try {
    return createRequire(join(here, "../node/package.json"))("solc");
  } catch {
    console.error("the compiler is missing: run `npm ci --ignore-scripts` in tests/node");
    process.exit(1);
  }
}

function compile() {
  const sources = {};
  for (const name of readdirSync(sourceFolder).sort()) {
    sources[name] = { content: readFileSync(join(sourceFolder, name), "utf8") };
  }
  const input = {
    language: "Solidity",
    sources,
    settings: {
      evmVersion: "cancun",
      viaIR: true,
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(loadCompiler().compile(JSON.stringify(input)));
  const problems = output.errors ?? [];
  for (const problem of problems) console.error(problem.formattedMessage);
  if (problems.length > 0) process.exit(1);
  return output.contracts;
}

function artifactsOf(contracts) {
  const artifacts = new Map();
  for (const name of wanted) {
    const { abi, evm } = contracts[`${name}.sol`][name];
    artifacts.set(`${name}.json`, `${JSON.stringify({ abi, bytecode: `0x${evm.bytecode.object}` })}\n`);
  }
  return artifacts;
}

function embeddedCode(contracts) {
  const { evm } = contracts[`${embedded.name}.sol`][embedded.name];
  return Buffer.from(evm.bytecode.object, "hex");
}

function check(artifacts, code) {
  const stale = [];
  if (!existsSync(embedded.path) || !readFileSync(embedded.path).equals(code)) stale.push(embedded.path);
  for (const name of readdirSync(artifactFolder)) if (!artifacts.has(name)) stale.push(name);
  for (const [name, text] of artifacts) {
    let committed = null;
    try {
      committed = readFileSync(join(artifactFolder, name), "utf8");
    } catch {
      // Missing counts as different.
    }
    if (committed !== text) stale.push(name);
  }
  if (stale.length === 0) return;
  console.error(`not what the source gives: ${stale.join(", ")}; run \`node tests/contracts/build.mjs\` and commit`);
  process.exit(1);
}

function write(artifacts, code) {
  writeFileSync(embedded.path, code);
  rmSync(artifactFolder, { recursive: true, force: true });
  mkdirSync(artifactFolder);
  for (const [name, text] of artifacts) writeFileSync(join(artifactFolder, name), text);
}

const contracts = compile();
const artifacts = artifactsOf(contracts);
const code = embeddedCode(contracts);
if (process.argv.includes("--check")) check(artifacts, code);
else write(artifacts, code);
