// The interface of projectors for AssemblyScript: reads a view out of memory, and writes a card into it.
//
// There is no generator of bindings for this language, so this file does by hand what they do: it follows the canonical ABI of the component
// model. The host lays the view out in this module's memory, in pieces that it asks `cabi_realloc` for, and calls `project` with the place
// of it; the answer is the place of a result, laid out alike. The rules are few:
//
// - a value stands at a multiple of its alignment: 1 for enums (one byte for up to 256 cases) and booleans, 4 for u32, 8 for u64;
// - a text or a list is two u32, where it begins and how many units or entries it has; its alignment is 4, its entries follow each other;
// - a record's fields stand in order, each at its alignment; the record has the largest alignment among them, and its size is a multiple;
// - an option or a result is one byte, which case it is, and then the payload, at the largest alignment among the cases.
//
// Texts are UTF-16, as AssemblyScript has them; the component says so, and the host converts. A record of parameters with more than 16 flat
// values comes by its place, and so does every result with more than one: `project` is (i32) -> i32 here, and `describe` is () -> i32.
//
// Nothing is ever given back: an instance makes one card, and is gone.

// --- memory ------------------------------------------------------------------------------------------------------------------------------

/** Gives the host memory to write into, or more of it. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  // Any place will do for nothing, if only it is aligned.
  if (size == 0) return align;
  // The host asks for the most that a text may take, and gives back what it did not.
  if (size <= oldSize) return old;
  // Sixteen bytes is what `heap` aligns to, and nothing here asks for more.
  const place = heap.alloc(size);
  if (oldSize > 0) memory.copy(place, old, oldSize);
  return place;
}

/** What the compiler calls where a program cannot go on: a trap, since there is nobody to tell. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

// --- what is in a view -------------------------------------------------------------------------------------------------------------------

export const CLASS_UNKNOWN: u8 = 0;
export const CLASS_AGENT: u8 = 1;
export const CLASS_PLUGIN: u8 = 2;
export const CLASS_SYSTEM: u8 = 3;
/** No class: of an option that is none. */
export const CLASS_NONE: u8 = 255;

export const POSITIVE: u8 = 0;
export const NEGATIVE: u8 = 1;
export const INFORMATIONAL: u8 = 2;
export const UNKNOWN: u8 = 3;

export class Standing {
  received: u32 = 0;
  voices: u32 = 0;
  given: u32 = 0;
}

export class Issuer {
  name: string = "";
  issuerClass: u8 = 0;
  agent: string | null = null;
  voice: u32 = 0;
  isKin: bool = false;
  standing: Standing | null = null;
}

export class Kind {
  claim: string = "";
  count: u32 = 0;
  issuers: u32 = 0;
  voices: u32 = 0;
  games: u32 = 0;
  first: u64 = 0;
  last: u64 = 0;
}

export class Tally {
  claim: string = "";
  words: string | null = null;
  issuer: u32 = 0;
  count: u32 = 0;
  games: u32 = 0;
  first: u64 = 0;
  last: u64 = 0;
  lastSeq: u64 = 0;
}

export class Evidence {
  kind: string = "";
  id: string = "";
  visibility: u8 = 0;
  hasRound: bool = false;
  round: u64 = 0;
  hasRelayIndex: bool = false;
  relayIndex: u64 = 0;
  summary: string | null = null;
}

export class Attestation {
  seq: u64 = 0;
  digest: string = "";
  issuer: u32 = 0;
  claim: string = "";
  data: Text = new Text(0, 0);
  note: string | null = null;
  /** In parts per million, or -1. */
  confidence: i64 = -1;
  origin: string | null = null;
  game: string | null = null;
  hasRound: bool = false;
  round: u64 = 0;
  saidAt: u64 = 0;
  isDated: bool = false;
  basis: u8 = 0;
  finality: u8 = 0;
  isWithdrawn: bool = false;
  evidence: Evidence[] = [];
}

export class View {
  agent: string = "";
  wallet: string | null = null;
  isWalletProven: bool = false;
  walletAgents: u32 = 0;
  block: u64 = 0;
  time: u64 = 0;
  logSize: u64 = 0;
  game: string | null = null;
  viewer: string | null = null;
  parameters: string = "";
  total: u32 = 0;
  provisional: u32 = 0;
  issuers: Issuer[] = [];
  kinds: Kind[] = [];
  tallies: Tally[] = [];
  recent: Attestation[] = [];
}

/** A text that is copied only when it is looked at: the data of two hundred claims may be megabytes. */
export class Text {
  constructor(
    private place: usize,
    private units: u32,
  ) {}

  read(): string {
    return String.UTF16.decodeUnsafe(this.place, (<usize>this.units) << 1);
  }
}

// --- reading -----------------------------------------------------------------------------------------------------------------------------

/** Reads values that follow each other. */
class Reader {
  constructor(private at: usize) {}

  /** Goes on to the next multiple of an alignment: before each value, and behind each record. */
  align(to: usize): void {
    this.at = (this.at + to - 1) & ~(to - 1);
  }

  u8(): u8 {
    const value = load<u8>(this.at);
    this.at += 1;
    return value;
  }

  flag(): bool {
    return this.u8() != 0;
  }

  u32(): u32 {
    this.align(4);
    const value = load<u32>(this.at);
    this.at += 4;
    return value;
  }

  u64(): u64 {
    this.align(8);
    const value = load<u64>(this.at);
    this.at += 8;
    return value;
  }

  text(): Text {
    const place = this.u32();
    return new Text(place, this.u32());
  }

  string(): string {
    return this.text().read();
  }

  /** Which case of an option it is. The payload stands behind it, whether it means something or not. */
  isSome(payloadAlign: usize): bool {
    this.align(payloadAlign);
    const is = this.flag();
    this.align(payloadAlign);
    return is;
  }

  optionalString(): string | null {
    const is = this.isSome(4);
    const text = this.text();
    return is ? text.read() : null;
  }

  optionalU32(): i64 {
    const is = this.isSome(4);
    const value = this.u32();
    return is ? <i64>value : -1;
  }

  /** Where a list begins; `count` has how many entries it has. */
  list(): Reader {
    const place = this.u32();
    this.count = this.u32();
    return new Reader(place);
  }

  count: u32 = 0;
}

/** Reads the view that the host has laid out at a place. */
export function readView(place: usize): View {
  const from = new Reader(place);
  const view = new View();
  view.agent = from.string();
  view.wallet = from.optionalString();
  view.isWalletProven = from.flag();
  view.walletAgents = from.u32();
  view.block = from.u64();
  view.time = from.u64();
  view.logSize = from.u64();
  view.game = from.optionalString();
  view.viewer = from.optionalString();
  view.parameters = from.string();
  view.total = from.u32();
  view.provisional = from.u32();
  const issuers = from.list();
  for (let left = from.count; left > 0; left--) view.issuers.push(readIssuer(issuers));
  const kinds = from.list();
  for (let left = from.count; left > 0; left--) view.kinds.push(readKind(kinds));
  const tallies = from.list();
  for (let left = from.count; left > 0; left--) view.tallies.push(readTally(tallies));
  const recent = from.list();
  for (let left = from.count; left > 0; left--) view.recent.push(readAttestation(recent));
  return view;
}

function readIssuer(from: Reader): Issuer {
  const issuer = new Issuer();
  issuer.name = from.string();
  issuer.issuerClass = from.u8();
  issuer.agent = from.optionalString();
  issuer.voice = from.u32();
  issuer.isKin = from.flag();
  const isKnown = from.isSome(4);
  const standing = new Standing();
  standing.received = from.u32();
  standing.voices = from.u32();
  standing.given = from.u32();
  if (isKnown) issuer.standing = standing;
  from.align(4);
  return issuer;
}

function readKind(from: Reader): Kind {
  const kind = new Kind();
  kind.claim = from.string();
  kind.count = from.u32();
  kind.issuers = from.u32();
  kind.voices = from.u32();
  kind.games = from.u32();
  kind.first = from.u64();
  kind.last = from.u64();
  from.align(8);
  return kind;
}

function readTally(from: Reader): Tally {
  const tally = new Tally();
  tally.claim = from.string();
  tally.words = from.optionalString();
  tally.issuer = from.u32();
  tally.count = from.u32();
  tally.games = from.u32();
  tally.first = from.u64();
  tally.last = from.u64();
  tally.lastSeq = from.u64();
  from.align(8);
  return tally;
}

function readAttestation(from: Reader): Attestation {
  const said = new Attestation();
  said.seq = from.u64();
  said.digest = from.string();
  said.issuer = from.u32();
  said.claim = from.string();
  said.data = from.text();
  said.note = from.optionalString();
  said.confidence = from.optionalU32();
  said.origin = from.optionalString();
  said.game = from.optionalString();
  said.hasRound = from.isSome(8);
  said.round = from.u64();
  said.saidAt = from.u64();
  said.isDated = from.flag();
  said.basis = from.u8();
  said.finality = from.u8();
  said.isWithdrawn = from.flag();
  const evidence = from.list();
  for (let left = from.count; left > 0; left--) said.evidence.push(readEvidence(evidence));
  from.align(8);
  return said;
}

function readEvidence(from: Reader): Evidence {
  const evidence = new Evidence();
  evidence.kind = from.string();
  evidence.id = from.string();
  evidence.visibility = from.u8();
  evidence.hasRound = from.isSome(8);
  evidence.round = from.u64();
  evidence.hasRelayIndex = from.isSome(8);
  evidence.relayIndex = from.u64();
  evidence.summary = from.optionalString();
  from.align(8);
  return evidence;
}

// --- what goes into a card ---------------------------------------------------------------------------------------------------------------

export class Signal {
  label: string = "";
  stance: u8 = UNKNOWN;
  summary: string = "";
  stanceText: string | null = null;
  /** In parts per million, or -1. */
  confidence: i64 = -1;
  source: u8 = CLASS_NONE;
  games: u32 = 0;
  issuers: u32 = 0;
  evidence: u64[] = [];
}

export class Card {
  headline: string = "";
  summary: string = "";
  signals: Signal[] = [];
  caveats: string[] = [];
  evidence: u64[] = [];
}

export class Description {
  id: string = "";
  version: string = "";
  summary: string = "";
  claims: string[] = [];
}

// --- writing -----------------------------------------------------------------------------------------------------------------------------

/** Writes values that follow each other into memory of its own. */
class Writer {
  readonly place: usize;
  private at: usize;

  constructor(size: usize) {
    this.place = heap.alloc(size);
    this.at = this.place;
  }

  align(to: usize): void {
    this.at = (this.at + to - 1) & ~(to - 1);
  }

  u8(value: u8): void {
    store<u8>(this.at, value);
    this.at += 1;
  }

  u32(value: u32): void {
    this.align(4);
    store<u32>(this.at, value);
    this.at += 4;
  }

  u64(value: u64): void {
    this.align(8);
    store<u64>(this.at, value);
    this.at += 8;
  }

  /** A text stands where it is: nothing here is moved or given back. */
  string(text: string): void {
    this.u32(<u32>changetype<usize>(text));
    this.u32(<u32>text.length);
  }

  case(which: u8, payloadAlign: usize): void {
    this.align(payloadAlign);
    this.u8(which);
    this.align(payloadAlign);
  }

  optionalString(text: string | null): void {
    this.case(text === null ? 0 : 1, 4);
    this.string(text === null ? "" : text);
  }

  list(place: usize, count: i32): void {
    this.u32(<u32>place);
    this.u32(<u32>count);
  }

  strings(texts: string[]): void {
    const entries = new Writer(8 * texts.length);
    for (let i = 0; i < texts.length; i++) entries.string(texts[i]);
    this.list(entries.place, texts.length);
  }

  places(places: u64[]): void {
    const entries = new Writer(8 * places.length);
    for (let i = 0; i < places.length; i++) entries.u64(places[i]);
    this.list(entries.place, places.length);
  }
}

// Sizes of what is written: label, stance, summary, three options, two numbers and a list; five fields of two u32 behind a case; four
// fields, the same.
const SIGNAL_SIZE: usize = 60;
const RESULT_SIZE: usize = 44;
const DESCRIPTION_SIZE: usize = 32;

function writeSignal(to: Writer, signal: Signal): void {
  to.string(signal.label);
  to.u8(signal.stance);
  to.string(signal.summary);
  to.optionalString(signal.stanceText);
  to.case(signal.confidence < 0 ? 0 : 1, 4);
  to.u32(signal.confidence < 0 ? 0 : <u32>signal.confidence);
  to.case(signal.source == CLASS_NONE ? 0 : 1, 1);
  to.u8(signal.source == CLASS_NONE ? 0 : signal.source);
  to.u32(signal.games);
  to.u32(signal.issuers);
  to.places(signal.evidence);
  to.align(4);
}

/** Lays a card out as the result of `project`, and gives its place. */
export function writeCard(card: Card): usize {
  const signals = new Writer(SIGNAL_SIZE * card.signals.length);
  for (let i = 0; i < card.signals.length; i++) writeSignal(signals, card.signals[i]);
  const to = new Writer(RESULT_SIZE);
  to.case(0, 4);
  to.string(card.headline);
  to.string(card.summary);
  to.list(signals.place, card.signals.length);
  to.strings(card.caveats);
  to.places(card.evidence);
  return to.place;
}

/** Lays an error out as the result of `project`: what of the parameters makes no sense. */
export function writeError(reason: string): usize {
  const to = new Writer(RESULT_SIZE);
  to.case(1, 4);
  to.string(reason);
  return to.place;
}

/** Lays a description out as the result of `describe`, and gives its place. */
export function writeDescription(description: Description): usize {
  const to = new Writer(DESCRIPTION_SIZE);
  to.string(description.id);
  to.string(description.version);
  to.string(description.summary);
  to.strings(description.claims);
  return to.place;
}
