// Parts of a record: what was said of a claim and by whom, how often, in how many games, and which attestations show it.

import { Attestation, CLASS_NONE, CLASS_PLUGIN, CLASS_SYSTEM, Issuer, Tally, View } from "./hallmark";
import { word } from "./text";

/** A part of what stands: tallies, which count all of it, and the newest attestations whole. */
export class Selection {
  tallies: Tally[] = [];
  recent: Attestation[] = [];

  constructor(readonly view: View) {}

  /** All that was not withdrawn. */
  static all(view: View): Selection {
    const all = new Selection(view);
    all.tallies = view.tallies;
    for (let i = 0; i < view.recent.length; i++) {
      if (!view.recent[i].isWithdrawn) all.recent.push(view.recent[i]);
    }
    return all;
  }

  claim(claim: string): Selection {
    const part = new Selection(this.view);
    for (let i = 0; i < this.tallies.length; i++) {
      if (this.tallies[i].claim == claim) part.tallies.push(this.tallies[i]);
    }
    for (let i = 0; i < this.recent.length; i++) {
      if (this.recent[i].claim == claim) part.recent.push(this.recent[i]);
    }
    return part;
  }

  /** Those by platforms and the plugins that they registered, if these are none of the agent's own. */
  byGames(): Selection {
    const part = new Selection(this.view);
    for (let i = 0; i < this.tallies.length; i++) {
      if (this.isByGame(this.tallies[i].issuer)) part.tallies.push(this.tallies[i]);
    }
    for (let i = 0; i < this.recent.length; i++) {
      if (this.isByGame(this.recent[i].issuer)) part.recent.push(this.recent[i]);
    }
    return part;
  }

  private isByGame(at: u32): bool {
    if (at >= <u32>this.view.issuers.length) return false;
    const issuer = this.view.issuers[at];
    return !issuer.isKin && (issuer.issuerClass == CLASS_PLUGIN || issuer.issuerClass == CLASS_SYSTEM);
  }

  /** Both parts together; they have nothing in common. */
  with(other: Selection): Selection {
    const both = new Selection(this.view);
    both.tallies = this.tallies.concat(other.tallies);
    both.recent = this.recent.concat(other.recent);
    return both;
  }

  get count(): u64 {
    let count: u64 = 0;
    for (let i = 0; i < this.tallies.length; i++) count += this.tallies[i].count;
    return count;
  }

  private issuerList(): u32[] {
    const found: u32[] = [];
    for (let i = 0; i < this.tallies.length; i++) {
      if (!found.includes(this.tallies[i].issuer)) found.push(this.tallies[i].issuer);
    }
    return found;
  }

  get issuers(): u32 {
    return this.issuerList().length;
  }

  /** The class of the issuers, where it is one. */
  get source(): u8 {
    const list = this.issuerList();
    let found = CLASS_NONE;
    for (let i = 0; i < list.length; i++) {
      if (list[i] >= <u32>this.view.issuers.length) return CLASS_NONE;
      const issuer: Issuer = this.view.issuers[list[i]];
      if (i > 0 && issuer.issuerClass != found) return CLASS_NONE;
      found = issuer.issuerClass;
    }
    return found;
  }

  get last(): u64 {
    let last: u64 = 0;
    for (let i = 0; i < this.tallies.length; i++) last = max(last, this.tallies[i].last);
    return last;
  }

  /** In how many games: so many, and whether it cannot be more. One game may be in several tallies. */
  get games(): Games {
    let largest: u32 = 0;
    let sum: u64 = 0;
    for (let i = 0; i < this.tallies.length; i++) {
      largest = max(largest, this.tallies[i].games);
      sum += this.tallies[i].games;
    }
    if (this.tallies.length <= 1) return new Games(largest, true);
    for (let i = 0; i < this.view.kinds.length; i++) {
      const kind = this.view.kinds[i];
      if (kind.count == this.count && this.isAllOf(kind.claim)) return new Games(kind.games, true);
    }
    const shown = this.shownGames();
    if (<u64>this.recent.length == this.count) return new Games(shown, true);
    const least = max(largest, shown);
    return new Games(least, least == sum);
  }

  private isAllOf(claim: string): bool {
    for (let i = 0; i < this.tallies.length; i++) if (this.tallies[i].claim != claim) return false;
    return true;
  }

  private shownGames(): u32 {
    const found: string[] = [];
    for (let i = 0; i < this.recent.length; i++) {
      const game = this.recent[i].game;
      if (game === null) continue;
      const origin = this.recent[i].origin;
      const name = (origin === null ? "" : origin) + "\n" + game;
      if (!found.includes(name)) found.push(name);
    }
    return found.length;
  }

  /** The places in the log of at most so many attestations that show it, newest first. */
  evidence(most: i32): u64[] {
    const places: u64[] = [];
    for (let i = 0; i < this.recent.length; i++) insertDescending(places, this.recent[i].seq);
    for (let i = 0; i < this.tallies.length; i++) insertDescending(places, this.tallies[i].lastSeq);
    return places.slice(0, most);
  }

  /** How often each word under a name was said, most first, then in the order of the words; those without one last. */
  byWord(name: string): Worded[] {
    const groups: Worded[] = [];
    const none = new Worded("", 0);
    for (let i = 0; i < this.tallies.length; i++) {
      const tally = this.tallies[i];
      const said = word(tally.words, name);
      if (said === null) {
        none.count += tally.count;
        continue;
      }
      let at = 0;
      while (at < groups.length && groups[at].word != said) at++;
      if (at == groups.length) groups.push(new Worded(said, 0));
      groups[at].count += tally.count;
    }
    const sorted: Worded[] = [];
    for (let i = 0; i < groups.length; i++) {
      let at = sorted.length;
      while (at > 0 && groups[i].isBefore(sorted[at - 1])) at--;
      insertAt(sorted, at, groups[i]);
    }
    if (none.count > 0) sorted.push(none);
    return sorted;
  }
}

/** In so many games. */
export class Games {
  constructor(
    readonly least: u32,
    readonly isExact: bool,
  ) {}
}

/** How often a word was said; the empty word where there was none. */
export class Worded {
  constructor(
    readonly word: string,
    public count: u64,
  ) {}

  isBefore(other: Worded): bool {
    return this.count != other.count ? this.count > other.count : this.word < other.word;
  }
}

/** Puts a place where it belongs in a descending list, if it is not there. */
export function insertDescending(places: u64[], place: u64): void {
  let at = places.length;
  while (at > 0 && places[at - 1] < place) at--;
  if (at > 0 && places[at - 1] == place) return;
  insertAt(places, at, place);
}

function insertAt<T>(list: T[], at: i32, entry: T): void {
  list.push(entry);
  for (let i = list.length - 1; i > at; i--) list[i] = list[i - 1];
  list[at] = entry;
}
