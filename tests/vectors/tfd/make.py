#!/usr/bin/env python3
"""Writes valid/*.json and invalid/*.json beside itself: cases of Trust Flow Decomposition, and what must come of them.

It shares no code with the program, and computes everything another way: betas and shares as fractions, shares by walking all states of
all edges, digests over JSON that is sorted here. Plain Python 3, no packages. docs/tfd.md has the definitions.
"""

import copy
import hashlib
import itertools
import json
import pathlib
import shutil
from fractions import Fraction

BILLION = 10**9


def half_even(value):
    """A fraction rounded to a whole number, half to even: what Python's own `round` does with fractions."""
    return round(value)


def ppb(value):
    return half_even(value * BILLION)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text):
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


def split(total, parts):
    """Largest remainder, ties to the first."""
    whole = sum(parts)
    exact = [Fraction(total) * part / whole for part in parts]
    results = [int(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (results[i] - exact[i], i))
    for i in order[: total - sum(results)]:
        results[i] += 1
    return results


# --- edges -----------------------------------------------------------------------------------------------------------------------


def count(interactions):
    """Definition 4."""
    if "count" in interactions or "run" not in interactions:
        return interactions.get("count", 0), None
    told = dict(counted=0, outside_run=0, foreign=0, repeated=0, same_event=0)
    run, seen, events = interactions["run"], set(), set()
    for record in interactions.get("records", []):
        if not run["start"] <= record["at"] <= run["end"]:
            told["outside_run"] += 1
        elif record["signer"] == "other":
            told["foreign"] += 1
        elif record["digest"] in seen:
            told["repeated"] += 1
        else:
            seen.add(record["digest"])
            told["same_event" if record["event"] in events else "counted"] += 1
            events.add(record["event"])
    return told["counted"], told


def read_edge(case, edge, players, suspected, nodes):
    """State, inputs, score, flags."""
    flags, policy = set(), case.get("policy", {})
    to_skill = "skill" in nodes[edge["child"]]
    grant, acceptance = edge.get("grant"), edge.get("acceptance")
    if grant and (acceptance or {}).get("grant") == grant or grant and not acceptance and to_skill:
        state = "accepted"
    elif not grant and not acceptance and policy.get("assume_signed"):
        state = "assumed"
        flags.add("assumed_signed")
    else:
        state = "claimed"
        flags.add("claimed")
        if grant and acceptance:
            flags.add("other_grant")
    spec = edge.get("specification", {})
    chars = spec.get("chars", len(spec.get("conditions", "")) + len(spec.get("scope_grammar", "")))
    if to_skill and "inputs_met" in edge and "output_validated" in edge:
        flags.add("skill_validated")
        chars = 0
    elif chars == 0:
        flags.add("spec_absent")
    phi = 10**6
    if spec.get("author") == "child":
        flags.add("self_written_spec")
        if "review" in spec:
            phi = policy.get("reviewed_foreseeability_ppm", phi)
        if phi < 10**6:
            flags.add("foreseeability_discount")
    capability = edge.get("capability", {})
    a, b = capability.get("parent_ppm"), capability.get("child_ppm")
    is_proxy = capability.get("source") == "delegate_compliance"
    if is_proxy:
        a = a or 0
    is_known = a is not None and b is not None
    if not is_known:
        flags.add("gap_unknown")
    elif is_proxy:
        flags.add("gap_from_compliance")
    needed = capability.get("required_ppm", b)
    if not is_proxy and a and needed is not None and a >= needed:
        flags.add("laundering")
    n, counted = count(edge.get("interactions", {}))
    if counted and any(counted[name] for name in counted if name != "counted"):
        flags.add("interactions_left_out")

    c = Fraction(min(chars, 2200), 2200) * Fraction(phi, 10**6)
    g = Fraction(b - a, max(a, b)) if is_known and max(a, b) else Fraction(0)
    o = Fraction(4, 4 + n)
    oversight, unjustified = (1 - c) * (1 - max(g, 0)) * o, Fraction(3, 5) * max(-g, 0) * (1 - c)
    raw = c + oversight + unjustified
    beta = min(ppb(raw), BILLION)
    if ppb(raw) > BILLION:
        flags.add("beta_clamped")
    if chars >= 2200:
        flags.add("spec_saturated")
    is_shell = c < Fraction(1, 20) and abs(g) < Fraction(1, 20)
    if is_shell:
        flags.add("pass_through_shell")
    above = beta - ppb(c)
    above = split(above, [oversight, unjustified]) if oversight + unjustified else [0, 0]

    parent, child = players[edge["parent"]], players[edge["child"]]
    carried = None if parent == child or state == "claimed" else beta
    if parent == child:
        flags.add("co_owned")
    elif suspected(edge["parent"]) and suspected(edge["parent"]) == suspected(edge["child"]):
        flags.add("suspected_co_owned")
    if carried is not None and is_shell and policy.get("contract_shells"):
        flags.add("shell_contracted")
        carried = BILLION
    return {
        "parent": edge["parent"], "child": edge["child"], "parent_player": parent, "child_player": child,
        "state": state,
        "inputs": {
            "chars": chars, "foreseeability_ppm": phi,
            "capability_ppm": [a, b] if is_known else None, "interactions": n,
        },
        "counted": counted,
        "control_ppb": ppb(c), "gap_ppb": ppb(g), "oversight_ppb": ppb(o),
        "beta_raw_ppb": ppb(raw), "beta_ppb": beta,
        "parts": {"specification_ppb": ppb(c), "oversight_ppb": above[0], "unjustified_ppb": above[1]},
        "carried_ppb": carried,
        "flags": [flag for flag in FLAGS if flag in flags],
    }


FLAGS = """claimed other_grant assumed_signed beta_clamped spec_saturated spec_absent self_written_spec foreseeability_discount
gap_unknown gap_from_compliance skill_validated interactions_left_out pass_through_shell shell_contracted laundering co_owned
suspected_co_owned""".split()

# --- failures --------------------------------------------------------------------------------------------------------------------


def attribute(case, failure, edges, players, keys):
    """The live-edge model, by brute force: every state of every edge that matters."""
    # Inner edges are always live, upwards: whoever hired what is reached is reached, if it is the same player.
    inner = [(e["parent"], e["child"]) for e in edges if e["parent_player"] == e["child_player"]]
    links = [(e["parent"], e["child"], e["carried_ppb"]) for e in edges if e["carried_ppb"]]
    failing = failure["failed"]

    def grown(reached, pairs):
        """Everything above some nodes, by these edges."""
        more = reached | {p for p, c in pairs if c in reached}
        return reached if more == reached else grown(more, pairs)

    above = grown({failing}, inner + [(p, c) for p, c, _ in links])
    links = [link for link in links if link[1] in above]
    inner = [pair for pair in inner if pair[1] in above]

    # A path: every way upwards from what failed passes each node once, whatever is within one player being passed together.
    path, steps_up, passed, here = [players[failing]], [], set(), grown({failing}, inner)
    while True:
        is_path = not here & passed
        passed |= here
        hired = [link for link in links if link[1] in here]
        is_path = is_path and len(hired) <= 1
        if not is_path or not hired:
            break
        here = grown({hired[0][0]}, inner)
        path.append(players[hired[0][0]])
        steps_up.append(hired[0][2])
    # Places: nodes that are joined within one player are one.
    place = {node: node for node in above}
    for _ in above:
        for p, c in inner:
            place[p] = place[c] = min(place[p], place[c])
    places = len(set(place.values()))
    weights = {key: 0 for key in keys}
    exact = {key: Fraction(0) for key in keys}
    shares = {key: Fraction(0) for key in keys}
    for state in itertools.product([True, False], repeat=len(links)):
        probability, reached = Fraction(1), {failing}
        for is_live, (_, _, beta) in zip(state, links):
            probability *= Fraction(beta if is_live else BILLION - beta, BILLION)
        if not probability:
            continue
        reached = grown(reached, inner + [(p, c) for live, (p, c, _) in zip(state, links) if live])
        causes = {players[node] for node in reached}
        for key in causes:
            exact[key] += probability
            shares[key] += probability / len(causes)
    pass_up = None
    if is_path:
        # Definition 7: hop by hop, each rounded.
        steps = [BILLION]
        for beta in steps_up:
            steps.append(half_even(Fraction(beta * steps[-1], BILLION)))
        pass_up = {key: 0 for key in keys}
        for player, weight, passed in zip(path, steps, steps[1:] + [0]):
            weights[player] = max(weights[player], weight)
            pass_up[player] += weight - passed
    else:
        weights = {key: ppb(value) for key, value in exact.items()}
    return is_path, path, len(links), places - len({players[node] for node in above}), weights, shares, pass_up


def told(case, failure, edges, players, agents):
    keys = sorted(agents)
    is_path, path, links, repeated, weights, shares, pass_up = attribute(case, failure, edges, players, keys)
    normalised = split(BILLION, [weights[key] for key in keys])
    shapley = split(BILLION, [shares[key] for key in keys])
    by = case.get("policy", {}).get("split", "shapley")
    parts = {"shapley": shares, "normalised": weights, "pass_up": pass_up}[by]
    loss = failure.get("loss")
    amounts = split(int(loss["amount"]), [parts[key] for key in keys]) if loss else [None] * len(keys)
    flags = []
    if repeated:
        flags.append("repeated_player")
    if not is_path:
        flags.append("several_paths")
    if any(weights[key] and key.startswith("unattributed:") for key in keys):
        flags.append("unattributed")
    if not loss:
        flags.append("unit_loss")
    return {
        "buyer": failure["buyer"], "failed": failure["failed"], "loss": loss,
        "method": {"kind": "path", "hops": links} if is_path else {"kind": "enumerated", "edges": links},
        "split": by,
        "path": path if is_path else None,
        "players": [
            {
                "player": key, "agents": sorted(agents[key]), "weight_ppb": weights[key],
                "shapley_ppb": share, "shapley": str(shares[key]),
                "pass_up_ppb": pass_up[key] if is_path else None, "normalised_ppb": part,
                "amount": None if amount is None else str(amount),
            }
            for key, share, part, amount in zip(keys, shapley, normalised, amounts)
        ],
        "flags": flags,
    }


def report(case):
    """Everything that a report says, but the case itself."""
    nodes = {invocation["id"]: invocation for invocation in case["invocations"]}
    member = lambda groups: {agent: group["id"] for group in groups for agent in group["agents"]}
    operators, suspects = member(case.get("operators", [])), member(case.get("suspected_operators", []))

    def agent(node):
        return nodes[node].get("agent") or nodes[node].get("skill", {}).get("publisher")

    def key(node):
        name = agent(node)
        return operators.get(name, name) if name else "unattributed:" + nodes[node]["skill"]["digest"]

    players = {node: key(node) for node in nodes}
    agents = {}
    for node in nodes:
        agents.setdefault(players[node], set()).update([agent(node)] if agent(node) else [])
    edges = [read_edge(case, e, players, lambda node: suspects.get(agent(node)), nodes) for e in case["edges"]]
    failures = [told(case, failure, edges, players, agents) for failure in case["failures"]]
    totals = {}
    for failure in failures:
        for player in failure["players"] if failure["loss"] else []:
            place = (failure["loss"]["unit"], player["player"])
            totals[place] = totals.get(place, 0) + int(player["amount"])
    ends = [e["interactions"]["run"]["end"] for e in case["edges"] if "run" in e.get("interactions", {})]
    is_hypothetical = "verdict" not in case or any(edge["state"] == "assumed" for edge in edges)
    return {
        "profile": "tfd/1", "case_digest": digest(canonical(case)),
        "effective_at": case.get("detected_at"), "frozen_at": max(ends, default=None),
        "edges": edges, "failures": failures,
        "totals": [
            {"unit": unit, "player": player, "amount": str(amount)}
            for (unit, player), amount in sorted(totals.items()) if amount
        ],
        "flags": ["hypothetical"] if is_hypothetical else [],
    }


# --- cases -----------------------------------------------------------------------------------------------------------------------


def edge(parent, child, chars=None, a=None, b=None, n=None, **more):
    """An accepted delegation."""
    grant = digest(f"grant {parent} {child}")
    made = {"parent": parent, "child": child, "grant": grant,
            "acceptance": {"digest": digest(f"acceptance {parent} {child}"), "grant": grant}}
    if chars is not None:
        made["specification"] = {"chars": chars, "digest": digest(f"specification {chars}")}
    if a is not None or b is not None:
        made["capability"] = {}
        if a is not None:
            made["capability"] |= {"parent_ppm": a, "parent_digest": digest(f"capability {a}")}
        if b is not None:
            made["capability"] |= {"child_ppm": b, "child_digest": digest(f"capability {b}")}
    if n is not None:
        made["interactions"] = {"count": n, "digest": digest(f"interactions {n}")}
    return made | more


def tenths(parent, child, beta, **more):
    """An edge of a beta in tenths: the child can do everything and the parent nothing, so that only control is left."""
    return edge(parent, child, 220 * beta, 0, 1_000_000, 0, **more)


def case(name, agents, edges, failed=None, loss=None, verdict=True, **more):
    agents = agents.split()
    failure = {"buyer": "buyer", "failed": failed or agents[-1].lower()}
    if loss:
        failure["loss"] = {"amount": loss, "unit": "usdc", "source": "escrow"}
    made = {"profile": "tfd/1", "id": name,
            "invocations": [{"id": agent.lower(), "agent": agent} for agent in agents],
            "edges": edges, "failures": [failure]}
    if verdict:
        made["verdict"] = {"digest": digest("verdict")}
    return made | more


def record(name, at, signer="child", event=None):
    return {"digest": digest(name), "at": at, "signer": signer, "event": digest(event or name)}


CHAIN = [tenths("a", "b", 8), tenths("b", "c", 4)]
DIAMOND = [tenths("a", "b", 5), tenths("a", "c", 5), tenths("b", "d", 5), tenths("c", "d", 5)]
SKILL = {"digest": digest("skill")}
OPERATOR = [{"id": "O", "agents": ["A", "B"], "evidence": [digest("same owner")]}]


def valid():
    for chars, a, b, n in [(0, 500000, 500000, 4), (446, 500000, 500000, 504), (446, 0, 968600, 12), (460, 0, 968600, 0),
                           (1100, 800000, 600000, 2), (1500, 600000, 900000, 36), (2000, 900000, 300000, 0),
                           (0, 1000000, 0, 0), (0, 1000000, 0, 6), (5000, 1, 1, 0), (0, 0, 0, 0), (2199, 999999, 1, 4294967295)]:
        yield f"edge-{chars}-{a}-{b}-{n}", "one delegation", case("edge", "A B", [edge("a", "b", chars, a, b, n)])
    yield "edge-nothing-known", "no specification, capability or interaction", case("bare", "A B", [edge("a", "b")])
    yield "chain-two-hops", "the published chain of .8 and .4", case("chain", "A B C", CHAIN, loss="100")
    yield "chain-five-halves", "five hops of a half", case(
        "halves", "A B C D E F", [tenths(p, c, 5) for p, c in zip("abcde", "bcdef")], loss="1000000007")
    yield "chain-roundings", "every hop rounds", case(
        "roundings", "A B C D", [edge(p, c, 7, 333333, 777777, 5) for p, c in zip("abc", "bcd")], loss="1")
    yield "chain-fails-in-the-middle", "whoever is below the failing agent has no part", case("middle", "A B C", CHAIN, failed="b")
    yield "tree-beside", "whoever is beside the path has no part", case("tree", "A B D C", CHAIN + [tenths("a", "d", 9)])
    rails = [edge(p, c, 7 * n + 1, 333333 + n, 777777, n) for n, (p, c) in enumerate(
        [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("b", "e"), ("c", "e"), ("d", "f"), ("e", "f")])]
    yield "graph-of-eight", "the shares of a graph of eight edges that all round are fractions all the same", case(
        "rails", "A B C D E F", rails, loss="1000000")
    yield "alone", "nobody was hired", case("alone", "A", [], loss="9")
    yield "diamond", "two producers of one result", case("diamond", "A B C D", DIAMOND, loss="7")
    yield "diamond-normalised", "split by what is for comparison", case(
        "diamond", "A B C D", DIAMOND, loss="1000", policy={"split": "normalised"})
    yield "chain-pass-up", "split by where the buck stops", case("chain", "A B C", CHAIN, loss="1000", policy={"split": "pass_up"})
    yield "no-verdict", "nobody judged that it failed", case("chain", "A B C", CHAIN, verdict=False)
    one_sided = copy.deepcopy(CHAIN)
    del one_sided[1]["acceptance"]
    yield "claimed", "the child never accepted", case("claimed", "A B C", one_sided)
    other = copy.deepcopy(CHAIN)
    other[1]["acceptance"]["grant"] = digest("another grant")
    yield "accepted-another-grant", "the child accepted something else", case("other", "A B C", other)
    bare = [{k: v for k, v in e.items() if k not in ("grant", "acceptance")} for e in CHAIN]
    yield "assumed", "thought up, without records", case("assumed", "A B C", bare, policy={"assume_signed": True})
    circle = case("circle", "A B X C", [tenths("a", "b", 5), tenths("b", "x", 8), tenths("x", "c", 4)])
    circle["invocations"][2]["agent"] = "A"
    yield "returning-agent", "A hired B, which hired A", circle
    twice = case("twice", "A B X Y C", [tenths("a", "b", 5), tenths("b", "x", 6), tenths("x", "y", 7), tenths("y", "c", 8)])
    twice["invocations"][2]["agent"], twice["invocations"][3]["agent"] = "A", "B"
    yield "returning-twice", "A, B, A, B, C: each has the larger of its weights", twice
    yield "operator", "A and B are one operator", case("operator", "A B C", CHAIN, operators=OPERATOR, loss="10")
    yield "operator-inner-unsigned", "an operator that does not sign within itself gains nothing", case(
        "operator", "A B C", [{"parent": "a", "child": "b"}, CHAIN[1]], operators=OPERATOR)
    yield "operator-around-a-stranger", "the hops to and from the stranger attenuate", case(
        "around", "Z A B C D", [tenths("z", "a", 9), tenths("a", "b", 8), tenths("b", "c", 7), tenths("c", "d", 6)],
        operators=[{"id": "O", "agents": ["A", "C"]}])
    yield "operator-closes-a-circle", "a contracted node that hired itself through a stranger", case(
        "closed", "A B C D", [tenths("a", "b", 5), tenths("b", "c", 5), tenths("a", "c", 5), tenths("c", "d", 5)],
        operators=[{"id": "O", "agents": ["A", "C"]}])
    beside = [tenths("r", "x", 5), tenths("x", "s", 5), {"parent": "r", "child": "s"}, tenths("r", "f", 5)]
    owned = [{"id": "O", "agents": ["R", "S"], "evidence": [digest("same owner")]}]
    yield "operator-beside", "who hired an operator elsewhere is beside the path, though the operator says it set itself to work there", case(
        "beside", "R X S F", beside, operators=owned, loss="1000")
    yield "operator-hired-elsewhere", "what fails within the operator has a cause in itself, and in who hired it there", case(
        "beside", "R X S F", beside, failed="s", operators=owned, loss="1000")
    beside = case("beside", "R X S F", [*beside[:2], tenths("r", "s", 5), beside[3]])
    beside["invocations"][2]["agent"] = "R"
    yield "agent-beside", "the same of one agent at two invocations, both of which signed", beside
    yield "operator-suspected", "suspicion only flags", case("suspected", "A B C", CHAIN, suspected_operators=OPERATOR)
    shell = [tenths("a", "b", 8), edge("b", "c", 0, 500000, 500000, 36)]
    yield "shell", "a hop without control and gap", case("shell", "A B C", shell)
    yield "shell-contracted", "the policy lets it attenuate nothing", case("shell", "A B C", shell, policy={"contract_shells": True})
    skill = case("skill", "A S", [tenths("a", "s", 8)])
    skill["invocations"][1] = {"id": "s", "skill": SKILL}
    del skill["edges"][0]["acceptance"]
    yield "skill-unattributed", "nobody knows who published it", skill
    skill = copy.deepcopy(skill)
    skill["invocations"][1]["skill"] = SKILL | {"publisher": "P"}
    skill["edges"][0] |= {"inputs_met": digest("in"), "output_validated": digest("out")}
    yield "skill-validated", "both receipts are there, so its contract controls nothing", skill
    written = copy.deepcopy(CHAIN)
    written[0]["specification"] |= {"author": "child", "review": digest("review")}
    yield "self-written", "no discount without a policy", case("written", "A B C", written)
    yield "self-written-discounted", "reviewed, and the policy counts half", case(
        "written", "A B C", written, policy={"reviewed_foreseeability_ppm": 500000})
    yield "proxy", "the paper's proxy for the gap", case("proxy", "A B", [edge("a", "b", 446, None, 968600, 12) | {
        "capability": {"child_ppm": 968600, "source": "delegate_compliance"}}])
    yield "proxy-of-nothing", "where the child is unknown the proxy has nothing to stand for", case("proxy", "A B", [
        edge("a", "b", 446, None, None, 12) | {"capability": {"source": "delegate_compliance"}}])
    yield "gap-unknown", "without the proxy, the gap is zero", case("unknown", "A B", [edge("a", "b", 446, None, 968600, 12)])
    yield "required", "the task asks for less than the parent can do", case("required", "A B", [edge("a", "b", 446, None, None, 12) | {
        "capability": {"parent_ppm": 600000, "child_ppm": 900000, "required_ppm": 600000}}])
    counted = copy.deepcopy(CHAIN)
    counted[1]["interactions"] = {"run": {"start": 100, "end": 200}, "records": [
        record("first", 100), record("last", 200, "parent"), record("early", 99), record("late", 201, "parent"),
        record("stranger", 150, "other"), record("first", 100), record("again", 150, "parent", "first")]}
    counted[1]["specification"] = {"conditions": '[{"type":"latency"}]', "scope_grammar": "gr\u00fc\u00dfe \U0001f642"}
    counted[1]["capability"] = {"parent_ppm": 400000, "child_ppm": 500000}
    yield "counted", "records and characters are counted here", case("counted", "A B C", counted, detected_at=1000)
    buyers = case("buyers", "A B X Y", [tenths("a", "x", 5), tenths("b", "y", 5)])
    buyers["invocations"][3]["agent"] = "X"
    buyers["failures"] = [
        {"buyer": "first", "failed": "x", "loss": {"amount": "100", "unit": "usdc", "source": "escrow"}},
        {"buyer": "second", "failed": "y", "loss": {"amount": "40", "unit": "usdc", "source": "declared"}},
        {"buyer": "third", "failed": "y", "loss": {"amount": "7", "unit": "eth", "source": "declared"}}]
    yield "buyers", "several buyers of one child", buyers
    yield "loss-largest", "the largest amount there is", case("largest", "A B C", CHAIN, loss=str(2**128 - 1))


def broken():
    """Each: name, what is wrong, the case, and how the refusal begins."""
    def change(name, about, path, value, error):
        made = copy.deepcopy(case("broken", "A B C", CHAIN, loss="1"))
        at = made
        for step in path[:-1]:
            at = at[step]
        if value is None:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        return name, about, made, error

    yield change("profile", "another profile", ["profile"], "tfd/2", "profile: unknown variant `tfd/2`, expected `tfd/1`")
    yield change("unknown-field", "a field that is none", ["edges", 0, "contol"], 1, "edges[0].contol: unknown field `contol`")
    yield change("missing", "no invocations", ["invocations"], None, "the file: missing field `invocations`")
    yield change("negative-count", "a negative count", ["edges", 1, "interactions"], {"count": -1},
                 "edges[1].interactions.count: invalid value: integer `-1`")
    yield change("negative-capability", "a negative capability", ["edges", 1, "capability"], {"child_ppm": -1},
                 "edges[1].capability.child_ppm: invalid value: integer `-1`")
    yield change("capability", "a capability above one", ["edges", 1, "capability"], {"child_ppm": 1000001},
                 "edges[1].capability.child_ppm: 1000001 is not within 0 to 1000000")
    yield change("fraction", "a floating-point number", ["edges", 1, "capability"], {"child_ppm": 0.5},
                 "edges[1].capability.child_ppm: invalid type: floating point `0.5`")
    yield change("circle", "an invocation that caused itself", ["edges"], CHAIN + [tenths("c", "a", 1)],
                 "edges[0]: lies on a circle of invocations")
    yield change("self", "an invocation that delegates to itself", ["edges", 0, "child"], "a",
                 "edges[0].child: an invocation does not delegate to itself")
    yield change("twice", "one delegation twice", ["edges"], CHAIN + CHAIN[:1], "edges[2]: `a` delegated to `b` already")
    yield change("nowhere", "a child that is not there", ["edges", 1, "child"], "z", "edges[1].child: there is no invocation `z`")
    yield change("failed-nowhere", "a failure of nothing", ["failures", 0, "failed"], "z",
                 "failures[0].failed: there is no invocation `z`")
    yield change("digest", "half a digest", ["edges", 0, "grant"], "0x12", "edges[0].grant: `0x12` is not a digest")
    yield change("amount", "a negative loss", ["failures", 0, "loss", "amount"], "-1", "failures[0].loss.amount: must be decimal digits")
    yield change("amount-large", "a loss of 2^128", ["failures", 0, "loss", "amount"], str(2**128),
                 "failures[0].loss.amount: must be decimal digits")
    yield change("neither", "neither agent nor skill", ["invocations", 1], {"id": "b"},
                 "invocations[1]: must have either `agent` or `skill`")
    yield change("same-id", "two invocations of one name", ["invocations", 1, "id"], "a", "invocations[1].id: `a` is there already")
    yield change("receipt", "a receipt of a skill, where an agent was hired", ["edges", 0, "inputs_met"], digest("in"),
                 "edges[0].inputs_met: is a receipt of a skill")
    yield change("chars-and-texts", "counted twice", ["edges", 0, "specification"], {"chars": 2, "conditions": "[]"},
                 "edges[0].specification.chars: is counted from")
    yield change("records-without-run", "records of no run", ["edges", 0, "interactions"], {"records": [record("r", 1)]},
                 "edges[0].interactions.run: is needed to count `records`")
    yield change("run", "a run that ends before it begins", ["edges", 0, "interactions"], {"run": {"start": 2, "end": 1}},
                 "edges[0].interactions.run.end: is before `start`")
    yield change("split", "a split by weights, which sum to more than one", ["policy"], {"split": "weight"},
                 "policy.split: unknown variant `weight`")
    yield change("two-operators", "an agent of two operators", ["operators"],
                 [{"id": "O", "agents": ["A"]}, {"id": "P", "agents": ["A"]}], "operators[1].agents: `A` belongs to several")
    yield change("reserved", "a name that looks like one of ours", ["invocations", 0, "agent"], "unattributed:0x",
                 "invocations[0].agent: no agent's name begins with")
    deep = case("deep", " ".join(f"A{n}" for n in range(66)), [tenths(f"a{n}", f"a{n + 1}", 9) for n in range(65)])
    yield "hops", "a path of 65 hops", deep, "failures[0].failed: its path has 65 hops, and at most 64 are computed"
    star = case("star", " ".join(f"A{n}" for n in range(22)), [tenths(f"a{n}", "a21", 5) for n in range(21)])
    yield "graph", "a graph of 21 edges", star, "failures[0].failed: what led to it is a graph of 21 edges, and at most 20"
    graph = case("graph", "A B C D", DIAMOND, policy={"split": "pass_up"})
    yield "pass-up-of-a-graph", "where the buck stops is not known", graph, "policy.split: `pass_up` is of paths only"


def main():
    here = pathlib.Path(__file__).parent
    for folder, vectors in [
        ("valid", ({"name": n, "about": a, "case": c, "report": report(c)} for n, a, c in valid())),
        ("invalid", ({"name": n, "about": a, "case": c, "error": e} for n, a, c, e in broken())),
    ]:
        shutil.rmtree(here / folder, ignore_errors=True)
        (here / folder).mkdir()
        for vector in vectors:
            path = here / folder / f"{vector.pop('name')}.json"
            assert not path.exists(), path
            path.write_text(json.dumps(vector, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
