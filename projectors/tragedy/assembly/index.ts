// How an agent played Tragedy of the Commons, as games attest it: its moves, what it built, its trades, and what it did to the commons.
//
// A signal rests on attestations and on nothing else: there is no state of a game here, and no confidence that was made up. Only what
// platforms and their plugins attest is counted. A move is no virtue: nearly everything is informational, and stances are left to whoever
// knows the game. This projector is written in AssemblyScript; `hallmark.ts` is all it takes to speak to a host.

import {
  Card, Description, INFORMATIONAL, POSITIVE, Signal, UNKNOWN, View, readView, writeCard, writeDescription, writeError,
} from "./hallmark";
import { Selection, insertDescending } from "./select";
import { counted, cut, day, listed, oneLine, quote } from "./text";

export { cabi_realloc } from "./hallmark";

const MOVE = "tragedy.round_choice.v1";
const BUILT_SETTLEMENT = "tragedy.settlement_built.v1";
const BUILT_ROAD = "tragedy.road_built.v1";
const BUILT_STRUCTURE = "tragedy.structure_built.v1";
const UPGRADED_STRUCTURE = "tragedy.structure_upgraded.v1";
const IMPACT = "tragedy.ecosystem_impact.v1";
const EXTRACTED = "tragedy.tile_extracted.v1";
const CONVERTED = "tragedy.timber_converted.v1";
const OFFERED = "tragedy.trade_offer.v1";
const SETTLED = "tragedy.trade_settled.v1";
const KNOWN: string[] = [
  MOVE, BUILT_SETTLEMENT, BUILT_ROAD, BUILT_STRUCTURE, UPGRADED_STRUCTURE, IMPACT, EXTRACTED, CONVERTED, OFFERED, SETTLED,
];
/** Types of moves that are named, and of claims that are not known. */
const TYPES_MAX = 10;
const UNKNOWN_CLAIMS_MAX = 6;
/** Places in the log that a signal shows, and that a card may. */
const EVIDENCE_SHOWN = 12;
const EVIDENCE_MAX = 50;

export function describe(): usize {
  const description = new Description();
  description.id = "tragedy";
  description.version = "1.0.0";
  description.summary =
    "How an agent played Tragedy of the Commons, as games attest it: moves by type, buildings, trades, and what it did to the commons.";
  description.claims = ["tragedy.*"];
  return writeDescription(description);
}

// Nothing is given back: the instance is gone after one card.
export function cabi_post_describe(place: usize): void {}
export function cabi_post_project(place: usize): void {}

export function project(place: usize): usize {
  const view = readView(place);
  const parameters = view.parameters.trim();
  if (parameters != "{}") return writeError("parameters: there are none, so this has to be {}");
  return writeCard(cardOf(view));
}

function cardOf(view: View): Card {
  const all = Selection.all(view);
  if (all.count == 0) return noHistory(view);
  const byGames = all.byGames();
  const card = new Card();
  const headline: string[] = [];
  const summary: string[] = [];
  moves(card, byGames, headline, summary);
  buildings(card, byGames, headline, summary);
  trades(card, byGames, headline, summary);
  commons(card, byGames, headline, summary);
  unknown(card, byGames, view);
  caveats(card, all, byGames);
  card.headline = cut(headline.length == 0 ? "Nothing that games attest" : headline.join("; "), 200);
  card.summary = cut(summary.length == 0 ? "What there is, is not by games, or of a type that is not known here." : summary.join(" "), 2000);
  for (let i = 0; i < card.signals.length; i++) {
    const places = card.signals[i].evidence;
    for (let j = 0; j < places.length; j++) insertDescending(card.evidence, places[j]);
  }
  card.evidence = card.evidence.slice(0, EVIDENCE_MAX);
  return card;
}

function noHistory(view: View): Card {
  const card = new Card();
  // Where nothing stands, what is shown was withdrawn.
  const withdrawn = view.recent.length == 0 ? "" : " that their issuers have not withdrawn";
  card.headline = "No history";
  card.summary =
    "There are no attestations by games of Tragedy of the Commons about this agent" + withdrawn + ". That is neither good nor bad.";
  const signal = new Signal();
  signal.label = "History";
  signal.stance = UNKNOWN;
  signal.summary = "There are no attestations by games of Tragedy of the Commons about this agent.";
  signal.stanceText = "no history";
  card.signals.push(signal);
  return card;
}

/** A signal with what it rests on. */
function signalOf(label: string, stance: u8, summary: string, stanceText: string, part: Selection): Signal {
  const signal = new Signal();
  signal.label = cut(label, 80);
  signal.stance = stance;
  signal.summary = cut(summary, 1000);
  signal.stanceText = cut(stanceText, 80);
  signal.source = part.source;
  signal.games = part.games.least;
  signal.issuers = part.issuers;
  signal.evidence = part.evidence(EVIDENCE_SHOWN);
  return signal;
}

function gamesText(part: Selection): string {
  const games = part.games;
  return (games.isExact ? "" : "at least ") + counted(games.least, "game");
}

/** `, in 2 games, by the word of 1 issuer, last on 2026-02-03.` */
function basis(part: Selection): string {
  return ", in " + gamesText(part) + ", by the word of " + counted(part.issuers, "issuer") + ", last on " + day(part.last) + ".";
}

function moves(card: Card, byGames: Selection, headline: string[], summary: string[]): void {
  const made = byGames.claim(MOVE);
  if (made.count == 0) return;
  const types = made.byWord("actionType");
  const named: string[] = [];
  for (let i = 0; i < types.length && i < TYPES_MAX; i++) {
    const name = types[i].word == "" ? "without a type" : quote(types[i].word);
    named.push(name + " (" + types[i].count.toString() + ")");
  }
  if (types.length > TYPES_MAX) named.push(counted(types.length - TYPES_MAX, "other type"));
  const what = counted(made.count, "move");
  const sentence = "It made " + what + basis(made).slice(0, -1) + ": " + listed(named) + ".";
  headline.push(what + " in " + gamesText(made));
  summary.push(sentence);
  card.signals.push(signalOf("Moves", INFORMATIONAL, sentence, what + " / " + gamesText(made), made));
}

/** What there is of a claim, in words, if there is any. */
function some(from: Selection, claim: string, what: string, named: string[]): Selection {
  const part = from.claim(claim);
  if (part.count > 0) named.push(counted(part.count, what));
  return part;
}

function buildings(card: Card, byGames: Selection, headline: string[], summary: string[]): void {
  const named: string[] = [];
  const all = some(byGames, BUILT_SETTLEMENT, "settlement", named)
    .with(some(byGames, BUILT_ROAD, "road", named))
    .with(some(byGames, BUILT_STRUCTURE, "structure", named))
    .with(some(byGames, UPGRADED_STRUCTURE, "upgrade", named));
  if (all.count == 0) return;
  const sentence = "Built: " + listed(named) + basis(all);
  headline.push(counted(all.count, "building"));
  summary.push(sentence);
  card.signals.push(signalOf("Buildings", INFORMATIONAL, sentence, counted(all.count, "building") + " / " + gamesText(all), all));
}

/** A trade that was settled is one that somebody else agreed to: that speaks for it. */
function trades(card: Card, byGames: Selection, headline: string[], summary: string[]): void {
  const offered = byGames.claim(OFFERED);
  const settled = byGames.claim(SETTLED);
  const all = offered.with(settled);
  if (all.count == 0) return;
  const sentence = "It offered " + counted(offered.count, "trade") + " and settled " + settled.count.toString() + basis(all);
  const text = settled.count.toString() + " settled, " + offered.count.toString() + " offered";
  headline.push(counted(settled.count, "trade") + " settled");
  summary.push(sentence);
  card.signals.push(signalOf("Trades", settled.count > 0 ? POSITIVE : INFORMATIONAL, sentence, text + " / " + gamesText(all), all));
}

function commons(card: Card, byGames: Selection, headline: string[], summary: string[]): void {
  const named: string[] = [];
  const all = some(byGames, EXTRACTED, "tile", named)
    .with(some(byGames, CONVERTED, "load", named))
    .with(some(byGames, IMPACT, "impact", named));
  if (all.count == 0) return;
  for (let i = 0; i < named.length; i++) {
    if (named[i].includes("tile")) named[i] += " extracted";
    else if (named[i].includes("load")) named[i] += " of timber converted";
    else named[i] += " on an ecosystem";
  }
  const sentence = "On the commons: " + listed(named) + basis(all);
  headline.push(counted(all.count, "mark") + " on the commons");
  summary.push(sentence);
  card.signals.push(signalOf("Commons", INFORMATIONAL, sentence, counted(all.count, "mark") + " / " + gamesText(all), all));
}

/** Claims of the game that this projector knows nothing of: that they are there. */
function unknown(card: Card, byGames: Selection, view: View): void {
  let shown = 0;
  for (let i = 0; i < view.kinds.length && shown < UNKNOWN_CLAIMS_MAX; i++) {
    const claim = view.kinds[i].claim;
    if (KNOWN.includes(claim)) continue;
    const part = byGames.claim(claim);
    if (part.count == 0) continue;
    const sentence = counted(part.count, "attestation") + " of the type " + quote(claim) + basis(part).slice(0, -1) + "; what they mean is not known here.";
    card.signals.push(signalOf(oneLine(claim), UNKNOWN, sentence, part.count.toString() + " / " + gamesText(part), part));
    shown++;
  }
}

function caveats(card: Card, all: Selection, byGames: Selection): void {
  const made = byGames.claim(MOVE);
  const types = made.byWord("actionType");
  for (let i = 0; i < types.length; i++) {
    if (types[i].word == "pass") card.caveats.push("A pass may be a move that was not made in time: the record does not tell them apart.");
  }
  if (made.issuers > 1) card.caveats.push("Several issuers attest moves; a move that two of them attest counts twice.");
  const unheard = all.count - byGames.count;
  if (unheard > 0) card.caveats.push(counted(unheard, "attestation") + " by others than games: not counted.");
  let counts: u64 = 0;
  for (let i = 0; i < all.view.kinds.length; i++) counts += all.view.kinds[i].count;
  if (counts > all.count) card.caveats.push(counted(counts - all.count, "attestation") + " more than can be told apart: in no figure.");
}
