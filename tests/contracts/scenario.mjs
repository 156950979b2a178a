// What happens on the recorded chain: some thirty agents, from their registration through rotations, shared wallets, transfers and
// feedback, and one reorganisation. The first part, the opening, is there when the demo starts; the rest is played before one's eyes.
//
// Block numbers are written out, so that the story can be moved without recounting. Nobody here is real: the accounts are those that
// anvil gives to everyone, and the hosts end in .example.

const LAST_ID_SLOT = "0xa040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00";
const OPENING_COUNT = 3000;
const ZERO_HASH = `0x${"00".repeat(32)}`;
const THIS_AGENT = (1n << 256n) - 1n;

export async function play(chain, recorder) {
  const story = new Story(chain, recorder);
  await story.foundation();
  await story.firstAgents();
  await story.crowd();
  await story.opening();
  await chain.mineEmpty(OPENING_COUNT - 1);
  await story.live();
  return {
    registries: story.registries,
    start_block: story.startBlock,
    opening_count: OPENING_COUNT,
    tour: {
      rotating_agent: 3,
      shared_wallet: story.shared,
      transferred_agent: 7,
      rated_agent: 1,
      reorganised_agent: 3,
    },
  };
}

// A registration file, inline; the oldest and plainest form of an agent's URI.
function file(name, description) {
  const content = {
    type: "https://eips.ethereum.org/EIPS/eip-8004#registration-v1",
    name,
    description,
    services: [{ name: "web", endpoint: `https://${name.toLowerCase()}.example/` }],
    active: true,
  };
  return `data:application/json;base64,${Buffer.from(JSON.stringify(content)).toString("base64")}`;
}

class Story {
  constructor(chain, recorder) {
    this.chain = chain;
    this.recorder = recorder;
    this.team = chain.accounts[0];
    // Owners, wallets and clients are told apart by where they stand in the list of accounts.
    this.owners = chain.accounts.slice(1, 25);
    this.wallets = chain.accounts.slice(25, 45);
    this.clients = chain.accounts.slice(45);
    this.shared = this.wallets[9];
    this.owner = new Map();
    this.wallet = new Map();
    this.count = 0;
  }

  // The next block that is mined has this number.
  async before(number) {
    await this.chain.mineEmpty(number - 1);
  }

  async foundation() {
    const { chain, team } = this;
    await this.before(3);
    const placeholder = await chain.deploy(team, "Placeholder");
    const start = await chain.encode(placeholder, "initialize", [team]);
    const proxies = {};
    for (const [kind, name] of [["identity", "IdentityRegistry"], ["reputation", "ReputationRegistry"], ["validation", "ValidationRegistry"]]) {
      proxies[kind] = await chain.deploy(team, "Proxy", [placeholder.address, start], name);
      this.startBlock ??= chain.number;
      this.recorder.proxies.push(proxies[kind].address);
    }
    chain.identity = { ...proxies.identity, counterSlot: LAST_ID_SLOT };
    Object.assign(this, proxies);
    const upgrade = async (kind, name, values) => {
      const implementation = await chain.deploy(team, name);
      const call = await chain.encode(implementation, "initialize", values);
      await chain.call(team, proxies[kind], "upgradeToAndCall", [implementation.address, call]);
      await chain.mine();
      return { kind, address: proxies[kind].address, implementation: implementation.address };
    };
    const about = [proxies.identity.address];
    this.registries = [
      await upgrade("identity", "IdentityRegistry", []),
      await upgrade("reputation", "ReputationRegistry", about),
      await upgrade("validation", "ValidationRegistry", about),
    ];
    this.contractWallet = await chain.deploy(team, "ContractWallet", [this.wallets[15]]);
    this.registrant = await chain.deploy(team, "Registrant");
  }

  // ---- steps; each goes into the next block ----

  async register(owner, ...values) {
    const agent = this.count++;
    this.owner.set(agent, owner);
    this.wallet.set(agent, owner);
    await this.chain.call(owner, this.identity, "register", values, { kind: "registered", agent, owner });
    return agent;
  }

  async rotate(agent, to, signer = to) {
    const { chain } = this;
    const owner = this.owner.get(agent);
    const from = this.wallet.get(agent);
    const deadline = chain.nextTime + 240;
    const proof = await chain.proof(agent, to, owner, deadline, signer);
    await chain.call(owner, this.identity, "setAgentWallet", [agent, to, deadline, proof], { kind: "rotated", agent, from, to });
    this.wallet.set(agent, to);
  }

  async unset(agent) {
    const moment = { kind: "unset", agent, from: this.wallet.get(agent) };
    await this.chain.call(this.owner.get(agent), this.identity, "unsetAgentWallet", [agent], moment);
    this.wallet.set(agent, `0x${"00".repeat(20)}`);
  }

  async transfer(agent, to) {
    const from = this.owner.get(agent);
    await this.chain.call(from, this.identity, "transferFrom", [from, to, agent], { kind: "transferred", agent, from, to });
    this.owner.set(agent, to);
    this.wallet.set(agent, `0x${"00".repeat(20)}`);
  }

  async setUri(agent, uri) {
    await this.chain.call(this.owner.get(agent), this.identity, "setAgentURI", [agent, uri], { kind: "uri_set", agent, uri });
  }

  async setMetadata(from, agent, key, text) {
    await this.chain.call(from, this.identity, "setMetadata", [agent, key, `0x${Buffer.from(text).toString("hex")}`]);
  }

  async rate(client, agent, value, decimals, tag, uri = "") {
    const digits = `${value}`.padStart(decimals + 1, "0");
    const shown = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
    const values = [agent, value, decimals, tag, "", "", uri, ZERO_HASH];
    await this.chain.call(client, this.reputation, "giveFeedback", values, { kind: "feedback", agent, client, value: shown, tag });
  }

  async revoke(client, agent, index) {
    await this.chain.call(client, this.reputation, "revokeFeedback", [agent, index], { kind: "feedback_revoked", agent, client });
  }

  async respond(responder, agent, client, index, uri) {
    const moment = { kind: "feedback_answered", agent, client, responder };
    await this.chain.call(responder, this.reputation, "appendResponse", [agent, client, index, uri, ZERO_HASH], moment);
  }

  async validate(agent, validator, response, number) {
    const request = `0x${number.toString(16).padStart(64, "0")}`;
    await this.chain.call(this.owner.get(agent), this.validation, "validationRequest", [validator, agent, `https://work.example/${number}`, request]);
    const moment = { kind: "validated", agent, validator, response };
    await this.chain.call(validator, this.validation, "validationResponse", [request, response, "", ZERO_HASH, "re-run"], moment);
  }

  // ---- the story ----

  async firstAgents() {
    const { chain, owners } = this;
    await this.before(200);
    await this.register(owners[0]);
    await chain.mine();
    await this.before(240);
    await this.register(owners[1], file("Lighthouse", "Watches harbours and says what comes in"));
    await chain.mine();
    await this.before(300);
    // Keys are bytes: one looks like the reserved key, one is no UTF-8 and holds a NUL.
    await this.register(owners[2], "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", [
      ["did", `0x${Buffer.from("did:web:agents.example:2").toString("hex")}`],
      ["agentWallet ", "0x01"],
      [{ raw: "0x6100ff" }, "0xff00"],
    ]);
    await chain.mine();
    await this.before(400);
    await this.register(owners[3], file("Courier", "Carries parcels between games"));
    await chain.mine();
    await this.before(460);
    // One owner, three agents in one block: by default they share its account.
    for (const name of ["Rook", "Bishop", "Knight"]) await this.register(owners[4], file(name, "Plays chess"));
    await chain.mine();
    await this.before(520);
    await this.register(owners[5], "https://seven.example/agent.json");
    await chain.mine();
    await this.before(560);
    await this.register(owners[6], "");
    await this.register(owners[7], file("Vault", "Its wallet is a contract"));
    await this.register(owners[8], file("Clerk", "Others may act for it"));
    await chain.mine();
    await this.reentrant();
  }

  // A contract registers agents and, in the middle of it, gives one away and empties the wallet of another.
  async reentrant() {
    const { chain, owners, registrant, identity } = this;
    const registerWithin = async (uri, callbacks) => {
      const registration = await chain.encode(identity, "register", [uri]);
      const agent = this.count++;
      await chain.call(owners[9], registrant, "registerWith", [identity.address, registration, callbacks]);
      await chain.mine();
      return agent;
    };
    await this.before(640);
    const given = await chain.encode(identity, "transferFrom", [registrant.address, owners[9], THIS_AGENT]);
    this.owner.set(await registerWithin("ipfs://given-away", [given]), owners[9]);
    await this.before(660);
    const emptied = await chain.encode(identity, "unsetAgentWallet", [THIS_AGENT]);
    await registerWithin("ipfs://emptied", [emptied]);
  }

  // Seventeen more agents, so that lists have pages; some owners have several.
  async crowd() {
    const { chain, owners } = this;
    const names = [
      "Almanac", "Beacon", "Cartographer", "Dowser", "Echo", "Ferry", "Gauge", "Harvest", "Ivy", "Juniper", "Kiln", "Lantern",
      "Mosaic", "Nomad", "Oracle", "Prism", "Quill",
    ];
    for (const [index, name] of names.entries()) {
      await this.before(700 + 9 * index);
      await this.register(owners[10 + (index % 9)], file(name, "One of many"));
      await chain.mine();
    }
  }

  async opening() {
    const { chain, owners, wallets, clients, shared } = this;
    const at = async (number, ...steps) => {
      await this.before(number);
      for (const step of steps) await step();
      await chain.mine();
    };
    await at(900, () => this.rotate(3, wallets[0]));
    await at(960, () => this.rate(clients[0], 1, 95, 0, "starred", "ipfs://review-1"));
    await at(980, () => this.rate(clients[1], 1, 9977, 2, "uptime"), () => this.rate(clients[2], 3, 80, 0, "starred"));
    await at(1010, () => this.unset(8));
    await at(1040, () => this.rotate(9, this.contractWallet.address, wallets[15]));
    await at(1080, () => this.rotate(4, shared));
    await at(1090, () => this.rotate(5, shared));
    await at(1120, () => this.setUri(0, file("Zero", "The first of all")));
    await at(1200, () => this.rotate(7, wallets[3]));
    await at(1260, () => this.rate(wallets[3], 1, 60, 0, "starred"));
    await at(1320, () => this.transfer(7, owners[20]));
    await at(1400, () => this.rotate(7, wallets[4]));
    await at(1500, () => this.rotate(3, wallets[1]));
    await at(1560, () => chain.call(owners[8], this.identity, "approve", [owners[21], 10]));
    await at(1570, () => chain.call(owners[8], this.identity, "setApprovalForAll", [owners[22], true]));
    await at(1580, () => this.setMetadata(owners[21], 10, "endpoint", "https://clerk.example/"), () => this.setMetadata(owners[22], 10, "motto", "per procura"));
    await at(1640, () => this.transfer(10, owners[23]));
    await at(1700, () => this.validate(1, clients[10], 100, 1));
    await at(1760, () => this.revoke(clients[2], 3, 1));
    await at(1800, () => this.respond(owners[1], 1, clients[0], 1, "ipfs://thanks"));
    await at(1900, () => this.rate(clients[3], 14, -50, 0, "starred"), () => this.rate(clients[3], 15, 1, 0, "vouch"));
    await at(2000, () => this.setMetadata(owners[2], 2, "did", "did:web:agents.example:two"));
    // Back to an earlier wallet: two spans of one account.
    await at(2100, () => this.rotate(3, wallets[0]));
    // Set and removed in one block: a span that no block's end shows.
    await at(2200, () => this.rotate(16, wallets[5]), () => this.unset(16));
    await at(2300, () => this.rotate(13, wallets[6]));
    await at(2400, () => this.transfer(13, owners[0]));
    await at(2500, () => this.validate(3, clients[11], 40, 2));
    await at(2600, () => this.rate(clients[4], 1, 88, 0, "starred"));
    await at(2700, () => this.rotate(8, wallets[7]));
    await at(2800, () => this.rotate(17, wallets[8]));
    await at(2900, () => this.rate(wallets[8], 3, 70, 0, "starred"));
  }

  async live() {
    const { chain, owners, wallets, clients, shared } = this;
    const at = async (number, ...steps) => {
      await this.before(number);
      for (const step of steps) await step();
      await chain.mine();
    };
    await at(3012, () => this.register(owners[23], file("Newcomer", "Just arrived")));
    await at(3034, () => this.rate(clients[5], 1, 91, 0, "starred"));
    await at(3056, () => this.rotate(1, wallets[10]));
    await at(3078, () => this.rotate(6, shared));
    await at(3100, () => this.transfer(2, owners[20]));
    await at(3122, () => this.rotate(2, wallets[11]));
    await at(3144, () => this.respond(owners[1], 1, clients[5], 1, "ipfs://thanks-again"));
    await this.reorganisation(at);
    await at(3200, () => this.rate(wallets[13], 1, 77, 0, "starred"));
    await at(3222, () => this.unset(4));
    await at(3244, () => this.validate(30, clients[12], 99, 3));
    await at(3266, () => this.revoke(clients[5], 1, 1));
    await at(3288, () => this.rotate(0, wallets[14]));
    await at(3310, () => this.register(owners[22], file("Latecomer", "The last of the recording")));
    await chain.mineEmpty(3360);
  }

  // Five blocks in which agent 3 goes to one wallet are replaced by five in which it goes to another.
  async reorganisation(at) {
    const { chain, recorder, wallets, clients } = this;
    await chain.mineEmpty(3165);
    const snapshot = await chain.rpc("evm_snapshot", []);
    const mark = recorder.mark();
    const wallet = this.wallet.get(3);
    const common = chain.head;
    await at(3166, () => this.rotate(3, wallets[12]));
    await at(3168, () => this.rate(clients[6], 3, 20, 0, "starred"));
    await chain.mineEmpty(3170);
    const orphan = chain.head.hash;
    if (!(await chain.rpc("evm_revert", [snapshot]))) throw new Error("anvil did not go back");
    chain.head = await chain.block("latest");
    if (chain.head.hash !== common.hash) throw new Error("anvil went back to another block");
    recorder.leaveBranch(mark, orphan);
    this.wallet.set(3, wallet);
    await at(3168, () => this.rotate(3, wallets[13]));
    await chain.mineEmpty(3170);
  }
}
