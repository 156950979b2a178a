// Builds the projectors that ship into components, which are committed, so that neither the program nor its tests need a compiler for them.
// The same source and the same compiler give the same bytes anywhere: versions are pinned, and no path of a machine gets into them.
//
//   node build.mjs                    writes built/*.wasm, and built/toolchain.json, which says what made them
//   node build.mjs --check            writes nothing there, and fails if a component is not what the source gives; where the compiler is
//                                     another than the recorded one, components only have to build
//   node build.mjs --compiler         names the compiler that it would use, and fails if there is none
//   node build.mjs FOLDER OUT.wasm    builds somebody's own projector in Rust: a copy of `template`, in this folder
//
// The compiler is one with the target wasm32-unknown-unknown (`rustup target add wasm32-unknown-unknown`); where there is none, one that has
// its standard library's source is used to build that first: Debian's rustc-web with rust-web-src, or rustup's component rust-src.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = realpathSync(dirname(fileURLToPath(import.meta.url)));
const repository = dirname(here);
const builtFolder = join(here, "built");
const recordPath = join(builtFolder, "toolchain.json");
const targetFolder = join(here, "target");
const componentize = join(targetFolder, "debug", process.platform === "win32" ? "componentize.exe" : "componentize");
const target = "wasm32-unknown-unknown";

const inRust = ["hostile", "liability", "oathbreaker", "peer-assessment", "reputation"];
const inAssemblyScript = ["tragedy"];
// What a component may weigh: it is read, compiled and kept for every version.
const bytesMax = 100 * 1024;

function fail(reason, hint) {
  console.error(`projectors: ${reason}`);
  if (hint) console.error(`  hint: ${hint}`);
  process.exit(1);
}

function run(program, args, env = {}, cwd = here) {
  const done = spawnSync(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit"] });
  if (done.error) fail(`${program}: ${done.error.message}`);
  if (done.status !== 0) fail(`failed: ${basename(program)} ${args.join(" ")}`);
}

// What a program prints, or null where there is none or it fails.
function output(program, args) {
  try {
    return execFileSync(program, args, { cwd: here, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

// --- compilers -------------------------------------------------------------------------------------------------------------------------

function compilers() {
  const cargo = output("cargo", ["--version"]) ?? fail("cargo is missing", "install a Rust toolchain");
  const found = [];
  for (const rustc of ["rustc", "/usr/bin/rustc"]) {
    const version = output(rustc, ["--version"]);
    if (version === null) continue;
    const sysroot = output(rustc, ["--print", "sysroot"]);
    const libraries = output(rustc, ["--print", "target-libdir", "--target", target]);
    const source = join(sysroot, "lib/rustlib/src/rust");
    if (libraries && existsSync(libraries) && readdirSync(libraries).some((name) => name.startsWith("libstd-"))) {
      found.push({ rustc, sysroot, source, version: { rustc: version, cargo, std: "as shipped" } });
    }
    if (existsSync(join(source, "library/Cargo.lock"))) {
      found.push({ rustc, sysroot, source, version: { rustc: version, cargo, std: "from source" } });
    }
  }
  return found;
}

// The compiler that made what is committed, if it is there; else the first that can.
function chooseCompiler(recorded) {
  const found = compilers();
  if (found.length === 0) {
    fail(`no compiler for ${target}`, "rustup target add wasm32-unknown-unknown, or apt-get install rustc-web rust-web-src");
  }
  return found.find(({ version }) => isSame(version, recorded)) ?? found[0];
}

function isSame(version, recorded) {
  return recorded !== null && ["rustc", "cargo", "std"].every((key) => version[key] === recorded[key]);
}

// A linker for WebAssembly: rustup ships one, Debian has packages.
function linker(sysroot) {
  const folders = [sysroot, output("rustc", ["--print", "sysroot"])].filter(Boolean).flatMap((root) => {
    const libraries = join(root, "lib/rustlib");
    return existsSync(libraries) ? readdirSync(libraries).map((host) => join(libraries, host, "bin")) : [];
  });
  const found = folders.map((folder) => join(folder, "rust-lld")).find(existsSync);
  return found ?? (output("wasm-ld", ["--version"]) ? "wasm-ld" : fail("no linker for WebAssembly", "apt-get install lld"));
}

function compile(compiler, crates, isLocked) {
  // The last one that fits counts.
  const places = [
    [compiler.sysroot, "/rust"],
    [realpathIf(compiler.source), "/rust"],
    [compiler.source, "/rust"],
    ...crateFolders(isLocked).map((folder) => [folder, "/crates"]),
    [repository, "/hallmark"],
  ];
  const env = {
    RUSTC: compiler.rustc,
    CARGO_ENCODED_RUSTFLAGS: places.map(([from, to]) => `--remap-path-prefix=${from}=${to}`).join("\x1f"),
    CARGO_INCREMENTAL: "0",
  };
  const args = ["build", "--quiet", "--release", "--target", target, "--target-dir", targetFolder];
  if (isLocked) args.push("--locked");
  if (compiler.version.std === "from source") {
    args.push("-Zbuild-std=std,panic_abort");
    env.RUSTC_BOOTSTRAP = "1";
    env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = linker(compiler.sysroot);
  }
  run("cargo", [...args, ...crates.flatMap((name) => ["--package", name])], env);
}

// Where cargo unpacks crates: one folder for each index, named after it, which is another on other machines.
function crateFolders(isLocked) {
  run("cargo", ["fetch", "--quiet", ...(isLocked ? ["--locked"] : [])]);
  const sources = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
  return existsSync(sources) ? readdirSync(sources).sort().map((name) => join(sources, name)) : [];
}

function realpathIf(path) {
  return existsSync(path) ? realpathSync(path) : path;
}

// --- components ------------------------------------------------------------------------------------------------------------------------

function buildTool(isLocked) {
  run("cargo", ["build", "--quiet", ...(isLocked ? ["--locked"] : []), "--package", "componentize", "--target-dir", targetFolder]);
}

function rustComponent(name, to) {
  const module = join(targetFolder, target, "release", `${name.replaceAll("-", "_")}.wasm`);
  run(componentize, [module, to]);
}

function assemblyScriptComponent(name, to) {
  const asc = join(repository, "tests/node/node_modules/assemblyscript/bin/asc.js");
  if (!existsSync(asc)) fail("the AssemblyScript compiler is missing", "run `npm ci --ignore-scripts` in tests/node");
  const module = join(targetFolder, `${name}.core.wasm`);
  const folder = join(here, name);
  run(process.execPath, [asc, "--config", "asconfig.json", "--outFile", relative(folder, module)], {}, folder);
  run(componentize, ["--utf16", "wit", module, to]);
}

function inspect(name, path) {
  const bytes = readFileSync(path);
  if (bytes.length > bytesMax) fail(`${name} has ${bytes.length} bytes, at most ${bytesMax}`);
  for (const place of [homedir(), repository, "registry/src/"]) {
    if (place.length > 1 && bytes.includes(place)) fail(`${name} names a place of this machine: ${place}`);
  }
  return bytes;
}

function buildAll(compiler) {
  const folder = join(targetFolder, "components");
  mkdirSync(folder, { recursive: true });
  buildTool(true);
  compile(compiler, inRust, true);
  const components = new Map();
  for (const name of [...inRust, ...inAssemblyScript].sort()) {
    const path = join(folder, `${name}.wasm`);
    (inRust.includes(name) ? rustComponent : assemblyScriptComponent)(name, path);
    components.set(`${name}.wasm`, inspect(name, path));
  }
  return components;
}

// --- commands --------------------------------------------------------------------------------------------------------------------------

function recordedToolchain() {
  return existsSync(recordPath) ? JSON.parse(readFileSync(recordPath, "utf8")) : null;
}

function check(components, compiler, recorded) {
  const isRecorded = isSame(compiler.version, recorded);
  const stale = readdirSync(builtFolder).filter((name) => name.endsWith(".wasm") && !components.has(name));
  for (const [name, bytes] of components) {
    const path = join(builtFolder, name);
    const isCompared = isRecorded || inAssemblyScript.includes(name.replace(/\.wasm$/, ""));
    if (!existsSync(path) || (isCompared && !readFileSync(path).equals(bytes))) stale.push(name);
  }
  if (stale.length > 0) fail(`not what the source gives: ${stale.sort().join(", ")}`, "run `node projectors/build.mjs` and commit");
  if (isRecorded) {
    console.error(`projectors: ${components.size} components are what the source gives`);
  } else {
    console.error(`projectors: ${components.size} components build; those in Rust were not compared byte for byte:`);
    console.error(`  here      ${describe(compiler.version)}`);
    console.error(`  committed ${describe(recorded)}`);
  }
}

function describe(version) {
  return version ? `${version.rustc}, ${version.cargo}, std ${version.std}` : "nothing recorded";
}

function write(components, compiler) {
  mkdirSync(builtFolder, { recursive: true });
  for (const [name, bytes] of components) {
    writeFileSync(join(builtFolder, name), bytes);
    console.error(`${String(bytes.length).padStart(7)} ${name}`);
  }
  writeFileSync(recordPath, `${JSON.stringify(compiler.version, null, 2)}\n`);
}

const args = process.argv.slice(2);
const recorded = recordedToolchain();
if (args.length === 1 && args[0] === "--compiler") {
  console.log(describe(chooseCompiler(recorded).version));
} else if (args.length === 2) {
  const [folder, to] = args.map((path) => resolve(path));
  if (!existsSync(join(folder, "Cargo.toml"))) fail(`${args[0]}: no Cargo.toml there`);
  const name = /^name\s*=\s*"([^"]+)"/m.exec(readFileSync(join(folder, "Cargo.toml"), "utf8"))?.[1];
  buildTool(false);
  compile(chooseCompiler(null), [name], false);
  rustComponent(name, to);
} else if (args.length === 0 || (args.length === 1 && args[0] === "--check")) {
  const compiler = chooseCompiler(recorded);
  const components = buildAll(compiler);
  if (args.length === 1) check(components, compiler, recorded);
  else write(components, compiler);
} else {
  fail("usage: node build.mjs [--check | --compiler | FOLDER OUT.wasm]");
}
