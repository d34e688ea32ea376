#!/usr/bin/env python3
"""Writes tests/detect/correlations.jsonl: rules, events, and what each event must tell.

    tests/detect/make_correlations.py > tests/detect/correlations.jsonl

Designed cases come first; where a case names `want`, it was worked out by hand and the model must agree with it. Drawn ones follow (seeded). What is
expected is always model.py's answer, never the engine's.
"""
import itertools
import json
import random
import sys

import model

S = 10**9
T0 = 1_767_225_600 * S
CASES = []


def rule(name, generate=None, **detection):
    return {"title": name, "id": "id-" + name, "name": name, "logsource": {"product": "tyto"},
            "detection": {"s": detection or {"verb": name}, "condition": "s"}}


def corr(name, kind, rules, by="person", span="10s", cond=None, **more):
    c = {"type": kind, "rules": rules, "timespan": span}
    if by:
        c["group-by"] = by if isinstance(by, list) else [by]
    if cond is not None:
        c["condition"] = cond
    generate = more.pop("generate_top", None)
    doc = {"title": name, "id": "id-" + name, "name": name, "correlation": {**c, **more}}
    if generate is not None:
        doc["generate"] = generate
    return doc


def ev(t, verb="read", person="a", n=None, **more):
    """t in seconds (a whole number, a half…) or (seconds, nanoseconds)."""
    ns = t[0] * S + t[1] if isinstance(t, tuple) else int(t * S)
    f = {"verb": verb, "person": person, **more}
    e = {"t": T0 + ns, "f": {k: v for k, v in f.items() if v is not ...}}
    return {**e, "n": n} if n is not None else e


def case(name, rules, events, want=None):
    """want: per event, the numbers told (by hand); None where the model alone says."""
    got = model.run(rules, events)
    if want is not None:
        short = [sorted(int(h.split("\t")[2]) for h in one) for one in got]
        assert short == want, f"{name}: by hand {want}, model {short}"
    CASES.append({"case": name, "rules": rules, "events": events, "want": got})


READ, WRITE, SEND, DELETE = (rule(v) for v in ("read", "write", "send", "delete"))


def conditions():
    for op, n in itertools.product(("gt", "gte", "lt", "lte", "eq", "neq"), (1, 2, 3)):
        case(f"event_count {op} {n}", [READ, corr("c", "event_count", ["read"], cond={op: n})], [ev(t) for t in (0, 1, 2, 3, 4, 30, 31)])
        case(f"value_count {op} {n}", [READ, corr("c", "value_count", ["read"], cond={"field": "path", op: n})],
             [ev(t, path=p) for t, p in enumerate("/a /b /a /c /d /b".split())])
        case(f"value_sum {op} {n * 10}", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", op: n * 10})],
             [ev(t, bytes=b) for t, b in enumerate((5, 5, 10, 0, 10, 1))])
        case(f"value_avg {op} {n * 10}", [READ, corr("c", "value_avg", ["read"], cond={"field": "bytes", op: n * 10})],
             [ev(t, bytes=b) for t, b in enumerate((10, 30, 20, 60, 0, 0, 0))])
        case(f"value_percentile {op} {n * 10}", [READ, corr("c", "value_percentile", ["read"], cond={"field": "bytes", op: n * 10})],
             [ev(t, bytes=b) for t, b in enumerate((10, 30, 20, 60, 20, 5, 1))])
    for lo, hi in (("gt", "lt"), ("gte", "lte"), ("gt", "lte"), ("gte", "lt")):
        case(f"range {lo} 2 {hi} 4", [READ, corr("c", "event_count", ["read"], cond={lo: 2, hi: 4})], [ev(t) for t in range(6)])
        case(f"range {lo} 2 {hi} 4, left and entered again", [READ, corr("c", "event_count", ["read"], cond={lo: 2, hi: 4})],
             [ev(t) for t in (0, 1, 2, 3, 4, 20, 21, 22, 23)])
    case("range that nothing meets", [READ, corr("c", "event_count", ["read"], cond={"gt": 3, "lt": 3})], [ev(t) for t in range(5)], [[]] * 5)
    case("zero", [READ, corr("c", "event_count", ["read"], cond={"gt": 0})], [ev(0), ev(1)], [[1], []])
    case("nothing is told by time passing", [READ, corr("c", "event_count", ["read"], cond={"eq": 0})], [ev(0), ev(100)], [[], []])


def edges():
    two = corr("c", "event_count", ["read"], cond={"gte": 2})
    for what, t, want in (("exactly at", (10, 0), [[], [2]]), ("1 ns inside", (9, 999_999_999), [[], [2]]), ("1 ns later", (10, 1), [[], []])):
        case(f"timespan: {what} its edge", [READ, two], [ev(0), ev(t)], want)
        for kind, cond in (("value_count", {"field": "path", "gte": 2}), ("value_sum", {"field": "bytes", "gte": 2})):
            case(f"{kind}: {what} the edge", [READ, corr("c", kind, ["read"], cond=cond)],
                 [ev(0, path="/a", bytes=1), ev(t, path="/b", bytes=1)], want)
        for kind in ("temporal", "temporal_ordered"):
            case(f"{kind}: {what} the edge", [READ, WRITE, corr("c", kind, ["read", "write"])], [ev(0), ev(t, "write")], want)
    for span, s in (("1s", 1), ("90s", 90), ("1m", 60), ("90m", 5400), ("1h", 3600), ("36h", 129600), ("1d", 86400), ("30d", 2592000)):
        c = corr("c", "event_count", ["read"], span=span, cond={"gte": 2})
        case(f"{span}: at its edge", [READ, c], [ev(0), ev((s, 0))], [[], [2]])
        case(f"{span}: 1 ns later", [READ, c], [ev(0), ev((s, 1))], [[], []])
    case("two at one time", [READ, two], [ev(1), ev(1)], [[], [2]])
    case("sliding: two, never three, within", [READ, corr("c", "event_count", ["read"], cond={"gte": 3})], [ev(t) for t in (0, 6, 12, 18, 24)], [[]] * 5)
    case("sliding over a full minute's bound", [READ, corr("c", "event_count", ["read"], span="1m", cond={"gte": 3})],
         [ev(t) for t in (50, 59, 61)], [[], [], [3]])
    case("before 1970", [READ, two], [{**ev(0), "t": -5 * S}, {**ev(0), "t": 3 * S}], [[], [2]])


def repeats():
    c = corr("c", "event_count", ["read"], cond={"gte": 2})
    case("once while it holds", [READ, c], [ev(t) for t in range(9)], [[], [2]] + [[]] * 7)
    case("again a timespan later", [READ, c], [ev(t) for t in range(23)])
    case("not again while what was told is in the window", [READ, c], [ev(0), ev(1), ev(6), ev((11, 0))], [[], [2], [], []])
    case("again 1 ns later", [READ, c], [ev(0), ev(1), ev(6), ev((11, 1))], [[], [2], [], [2]])
    case("again after it ceased", [READ, c], [ev(0), ev(1), ev(40), ev(41)], [[], [2], [], [2]])
    case("ceased and came back within a timespan", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", "gte": 10})],
         [ev(0, bytes=10), ev(1, bytes=-5), ev(2, bytes=5)], [[10], [], [10]])
    case("a group's telling does not silence another", [READ, c], [ev(0), ev(1), ev(2, person="b"), ev(3, person="b"), ev(4)], [[], [2], [], [2], []])
    case("average falls and rises", [READ, corr("c", "value_avg", ["read"], cond={"field": "bytes", "gt": 10})],
         [ev(t, bytes=b) for t, b in enumerate((20, 0, 40, 0, 0, 100))])


def groups():
    case("interleaved", [READ, corr("c", "event_count", ["read"], cond={"gte": 3})], [ev(t / 2, person="abc"[t % 3]) for t in range(12)])
    both = corr("c", "event_count", ["read"], by=["person", "client"], cond={"gte": 2})
    case("two fields", [READ, both], [ev(0, client="x"), ev(1, client="y"), ev(2, client="x"), ev(3, person="b", client="x")], [[], [], [2], []])
    three = corr("c", "event_count", ["read"], by=["person", "client", "host"], cond={"gte": 2})
    case("three fields", [READ, three], [ev(t, client="x", host="h" + str(t % 2)) for t in range(4)], [[], [], [2], [2]])
    case("values that join alike", [READ, both], [ev(0, person="a b", client="c"), ev(1, person="a", client="b c")], [[], []])
    case("values that look like fields", [READ, both], [ev(0, person="a client=x", client="y"), ev(1, person="a", client="x client=y")], [[], []])
    for what, v in (("missing", ...), ("empty", ""), ("null", None)):
        case(f"a {what} group field", [READ, corr("c", "event_count", ["read"], cond={"gte": 1})], [ev(0, person=v), ev(1, person=v), ev(2)], [[], [], [1]])
        case(f"the second group field {what}", [READ, both], [ev(0, client=v), ev(1, client=v), ev(2, client="x"), ev(3, client="x")], [[], [], [], [2]])
        case(f"temporal: {what} group field", [READ, WRITE, corr("c", "temporal", ["read", "write"])], [ev(0, person=v), ev(1, "write", person=v)], [[], []])
    case("no group-by: one group", [READ, corr("c", "event_count", ["read"], by=None, cond={"gte": 3})],
         [ev(0), ev(1, person="b"), ev(2, person=...), ev(3)], [[], [], [3], []])
    case("a group field that is 0", [READ, corr("c", "event_count", ["read"], by="port", cond={"gte": 2})], [ev(0, port=0), ev(1, port=0)], [[], [2]])
    case("group-by as one word", [READ, {**corr("c", "event_count", ["read"], cond={"gte": 2}), "correlation": {
        "type": "event_count", "rules": "read", "group-by": "person", "timespan": "10s", "condition": {"gte": 2}}}], [ev(0), ev(1)], [[], [2]])
    case("records that no rule matches do not count", [READ, corr("c", "event_count", ["read"], cond={"gte": 2})], [ev(0), ev(1, "write"), ev(2, "send"), ev(3)],
         [[], [], [], [2]])
    case("ten groups", [READ, corr("c", "event_count", ["read"], cond={"gte": 4})], [ev(t / 10, person=f"p{t % 10}") for t in range(50)])


def counts():
    c = corr("c", "event_count", ["read"], cond={"gte": 10})
    case("folded: one record of ten", [READ, c], [ev(0, n=10)], [[10]])
    case("folded: nine and one", [READ, c], [ev(0, n=9), ev(1)], [[], [10]])
    case("folded: leaves the window whole", [READ, c], [ev(0, n=9), ev((10, 1)), ev(11, n=8), ev(12)], [[], [], [], [10]])
    case("folded: large", [READ, c], [ev(0, n=2**40)], [[2**40]])
    case("folded: eq passed over", [READ, corr("c", "event_count", ["read"], cond={"eq": 10})], [ev(0, n=9), ev(1, n=2)], [[], []])
    case("value_count counts no folded accesses", [READ, corr("c", "value_count", ["read"], cond={"field": "path", "gte": 2})],
         [ev(0, n=10, path="/a"), ev(1, path="/b")], [[], [2]])
    case("value_sum counts records", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", "gte": 20})], [ev(0, n=10, bytes=10), ev(1, bytes=10)], [[], [20]])
    case("value_avg counts records", [READ, corr("c", "value_avg", ["read"], cond={"field": "bytes", "gte": 20})], [ev(0, n=9, bytes=10), ev(1, bytes=30)], [[], [20]])
    case("value_percentile counts records", [READ, corr("c", "value_percentile", ["read"], cond={"field": "bytes", "percentile": 100, "gte": 30})],
         [ev(0, n=99, bytes=10), ev(1, bytes=30)], [[], [30]])
    case("temporal counts rules", [READ, WRITE, corr("c", "temporal", ["read", "write"])], [ev(0, n=5), ev(1), ev(2, "write", n=7)], [[], [], [2]])
    case("several rules: together", [READ, WRITE, corr("c", "event_count", ["read", "write"], cond={"gte": 3})], [ev(0), ev(1, "write"), ev(2)], [[], [], [3]])
    case("a record that two rules match is one", [READ, rule("anyof", person="a"), corr("c", "event_count", ["read", "anyof"], cond={"gte": 2})], [ev(0), ev(1)], [[], [2]])


def values():
    vc = corr("c", "value_count", ["read"], cond={"field": "path", "gte": 2})
    case("value_count: the same value", [READ, vc], [ev(t, path="/a") for t in range(5)], [[]] * 5)
    case("value_count: missing is no value", [READ, vc], [ev(0, path="/a"), ev(1), ev(2), ev(3, path="/b")], [[], [], [], [2]])
    case("value_count: null is no value", [READ, vc], [ev(0, path="/a"), ev(1, path=None), ev(2, path="/b")], [[], [], [2]])
    case("value_count: a value comes back after it left", [READ, vc], [ev(0, path="/a"), ev(6, path="/b"), ev(12, path="/a"), ev(30, path="/a")], [[], [2], [], []])
    case("value_count: a value seen twice leaves once", [READ, corr("c", "value_count", ["read"], cond={"field": "path", "gte": 3})],
         [ev(0, path="/a"), ev(5, path="/a"), ev(11, path="/b"), ev(12, path="/c")], [[], [], [], [3]])
    case("value_count: by group", [READ, vc], [ev(0, path="/a"), ev(1, person="b", path="/b"), ev(2, path="/b")], [[], [], [2]])
    pair = corr("c", "value_count", ["read"], cond={"field": ["client", "path"], "gte": 3})
    case("value_count of two fields: different pairs", [READ, pair],
         [ev(0, client="x", path="/a"), ev(1, client="x", path="/b"), ev(2, client="x", path="/a"), ev(3, client="y", path="/a")], [[], [], [], [3]])
    case("value_count of two fields: a pair is in order", [READ, pair],
         [ev(0, client="a", path="b"), ev(1, client="b", path="a"), ev(2, client="ab", path=""), ev(3, client="a", path="b")], [[], [], [3], []])
    case("value_count of two fields: without one of them it is no pair", [READ, pair],
         [ev(0, client="x", path="/a"), ev(1, client="x"), ev(2, path="/b"), ev(3, client="x", path="/b"), ev(4, client="y", path="/c")], [[], [], [], [], [3]])
    case("value_count of a list of one field", [READ, corr("c", "value_count", ["read"], cond={"field": ["path"], "gte": 2})],
         [ev(0, path="/a"), ev(1, path="/b")], [[], [2]])
    vs = corr("c", "value_sum", ["read"], cond={"field": "bytes", "gt": 100})
    case("value_sum: not a number", [READ, vs], [ev(0, bytes=100), ev(1, bytes="many"), ev(2), ev(3, bytes=1)], [[], [], [], [101]])
    case("value_sum: text that is a number", [READ, vs], [ev(0, bytes="100"), ev(1, bytes="1")], [[], [101]])
    case("value_sum: negative", [READ, vs], [ev(0, bytes=200), ev(1, bytes=-150), ev(2, bytes=60)], [[200], [], [110]])
    case("value_sum: fractions", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", "gte": 1})], [ev(0, bytes=0.5), ev(1, bytes=0.25), ev(2, bytes=0.25)],
         [[], [], [1]])
    case("value_sum: threshold with a fraction", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", "gt": 1.5})], [ev(0, bytes=1.5), ev(1, bytes=0.5)],
         [[], [2]])
    case("value_sum: large", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", "gte": 2**41})], [ev(0, bytes=2**40), ev(1, bytes=2**40)], [[], [2**41]])
    case("value_sum: leaves the window", [READ, vs], [ev(0, bytes=60), ev((10, 1), bytes=60), ev(11, bytes=41)], [[], [], [101]])
    va = corr("c", "value_avg", ["read"], cond={"field": "bytes", "gte": 10})
    case("value_avg: what is not a number is not in the divisor", [READ, va], [ev(0), ev(1, bytes="x"), ev(2, bytes=10)], [[], [], [10]])
    case("value_avg: fraction", [READ, corr("c", "value_avg", ["read"], cond={"field": "bytes", "gt": 1.5})], [ev(0, bytes=1), ev(1, bytes=2), ev(2, bytes=2)],
         [[], [], [1]])
    case("value_avg: leaves the window", [READ, va], [ev(0, bytes=1), ev((10, 1), bytes=10)], [[], [10]])
    case("value_avg: lt needs a number", [READ, corr("c", "value_avg", ["read"], cond={"field": "bytes", "lt": 10})], [ev(0), ev(1, bytes=3)], [[], [3]])
    for p, want in ((1, 1), (10, 1), (11, 2), (25, 3), (50, 5), (75, 8), (90, 9), (91, 10), (99, 10), (100, 10)):
        c = corr("c", "value_percentile", ["read"], cond={"field": "bytes", "percentile": p, "eq": want})
        case(f"percentile {p} of 1 to 10", [READ, c], [ev(i / 10, bytes=b) for i, b in enumerate((7, 3, 9, 1, 10, 5, 2, 8, 6, 4))])
        assert CASES[-1]["want"][-1] or any(CASES[-1]["want"]), p
    case("percentile of one", [READ, corr("c", "value_percentile", ["read"], cond={"field": "bytes", "percentile": 1, "gte": 5})], [ev(0, bytes=5)], [[5]])
    case("median where none is given", [READ, corr("c", "value_percentile", ["read"], cond={"field": "bytes", "gte": 5})],
         [ev(0, bytes=1), ev(1, bytes=9), ev(2, bytes=5)], [[], [], [5]])


def temporal():
    abc = [READ, WRITE, SEND]
    t, o = (corr("c", k, ["read", "write", "send"]) for k in ("temporal", "temporal_ordered"))
    for order in itertools.permutations(("read", "write", "send")):
        events = [ev(i, v) for i, v in enumerate(order)]
        case(f"temporal: {' '.join(order)}", abc + [t], events, [[], [], [3]])
        case(f"temporal_ordered: {' '.join(order)}", abc + [o], events, [[], [], [3] if order == ("read", "write", "send") else []])
        case(f"temporal_ordered: {' '.join(order)}, twice", abc + [o], [ev(i, v) for i, v in enumerate(order * 2)])
    case("temporal: one missing", abc + [t], [ev(i, v) for i, v in enumerate(("read", "write", "read", "write"))], [[]] * 4)
    case("temporal: other persons", abc + [t], [ev(0), ev(1, "write", person="b"), ev(2, "send")], [[]] * 3)
    case("temporal: the first left the window", abc + [t], [ev(0), ev(6, "write"), ev(11, "send"), ev(12)], [[], [], [], [3]])
    case("temporal_ordered: the first left, came again too late", abc + [o], [ev(0), ev(6, "write"), ev(11, "send"), ev(12)], [[]] * 4)
    case("temporal_ordered: others in between", abc + [o], [ev(0), ev(1, "send"), ev(2, "write"), ev(3, "read"), ev(4, "send")], [[], [], [], [], [3]])
    case("temporal_ordered: late by place", abc + [o], [ev(0), ev(5, "send"), ev(3, "write")], [[], [], [3]])
    case("temporal_ordered: late, and by its place too early", abc + [o], [ev(2), ev(5, "send"), ev(1, "write")], [[]] * 3)
    for op, n in itertools.product(("gte", "eq", "gt", "lt"), (1, 2)):
        case(f"temporal {op} {n}", abc + [corr("c", "temporal", ["read", "write", "send"], cond={op: n})], [ev(i, v) for i, v in enumerate(("send", "read", "send", "write"))])
        case(f"temporal_ordered {op} {n}", abc + [corr("c", "temporal_ordered", ["read", "write", "send"], cond={op: n})],
             [ev(i, v) for i, v in enumerate(("send", "read", "send", "write", "send"))])
    case("temporal: one record that both match", [READ, rule("anyof", person="a"), corr("c", "temporal", ["read", "anyof"])], [ev(0)], [[2]])
    anyof = rule("anyof", person="a")
    for rules, docs in itertools.product((["read", "anyof"], ["anyof", "read"]), itertools.permutations((READ, anyof))):
        o = corr("c", "temporal_ordered", rules)
        case(f"temporal_ordered {rules}: one record that both match, written {docs[0]['name']} first", [*docs, o], [ev(0), ev(20)], [[], []])
        case(f"temporal_ordered {rules}: two such records, written {docs[0]['name']} first", [*docs, o], [ev(0), ev(1)], [[], [2]])
    case("temporal: references by id", abc[:2] + [corr("c", "temporal", ["id-read", "id-write"])], [ev(0), ev(1, "write")], [[], [2]])
    case("temporal: again a timespan later", abc[:2] + [corr("c", "temporal", ["read", "write"])], [ev(i, ("read", "write")[i % 2]) for i in range(24)])


def aliases():
    by = {"address": {"read": "client", "send": "peer"}}
    for kind in ("temporal", "temporal_ordered"):
        c = corr("c", kind, ["read", "send"], by="address", aliases=by)
        case(f"{kind}: alias", [READ, SEND, c], [ev(0, client="x"), ev(1, "send", peer="y"), ev(2, "send", peer="x")], [[], [], [2]])
        case(f"{kind}: alias, the other's field", [READ, SEND, c], [ev(0, client="x"), ev(1, "send", client="x", peer="z")], [[], []])
        case(f"{kind}: alias, empty", [READ, SEND, c], [ev(0, client=""), ev(1, "send", peer="")], [[], []])
    two = {"in": {"read": "client", "send": "peer"}, "out": {"read": "peer", "send": "client"}}
    c = corr("c", "temporal", ["read", "send"], by=["in", "out"], aliases=two)
    case("two aliases, crossed", [READ, SEND, c], [ev(0, client="x", peer="y"), ev(1, "send", client="x", peer="y"), ev(2, "send", client="y", peer="x")], [[], [], [2]])
    c = corr("c", "event_count", ["read", "send"], by=["person", "address"], aliases=by, cond={"gte": 2})
    case("alias beside a field", [READ, SEND, c], [ev(0, client="x"), ev(1, "send", peer="x", person="b"), ev(2, "send", peer="x")], [[], [], [2]])
    c = corr("c", "value_count", ["read", "send"], by="address", aliases=by, cond={"field": "person", "gte": 2})
    case("alias with value_count", [READ, SEND, c], [ev(0, client="x"), ev(1, "send", person="b", peer="x")], [[], [2]])


def chains():
    many = corr("many", "event_count", ["read"], cond={"gte": 3})
    top = corr("top", "temporal_ordered", ["many", "send"], span="1m")
    case("many reads, then a send", [READ, SEND, many, top], [ev(0), ev(1), ev(2), ev(30, "send")], [[], [], [], [2]])
    case("named before it is defined", [top, SEND, many, READ], [ev(0), ev(1), ev(2), ev(30, "send")], [[], [], [], [2]])
    case("the send before", [READ, SEND, many, top], [ev(0, "send"), ev(1), ev(2), ev(3)], [[]] * 4)
    case("too few reads", [READ, SEND, many, top], [ev(0), ev(1), ev(30, "send")], [[]] * 3)
    case("the send too late", [READ, SEND, many, top], [ev(0), ev(1), ev(2), ev((62, 1), "send")], [[]] * 4)
    case("the send at the edge, from the third read on", [READ, SEND, many, top], [ev(0), ev(1), ev(2), ev((62, 0), "send")], [[], [], [], [2]])
    case("another person's send", [READ, SEND, many, top], [ev(0), ev(1), ev(2), ev(3, "send", person="b")], [[]] * 4)
    gen = corr("top", "temporal_ordered", ["many", "send"], span="1m", generate=True)
    case("generate: the correlation below tells too", [READ, SEND, many, gen], [ev(0), ev(1), ev(2), ev(30, "send")], [[], [], [3], [1, 2]])
    crowd = corr("crowd", "value_count", ["many"], by=None, span="1m", cond={"field": "person", "gte": 2})
    case("value_count over a correlation", [READ, many, crowd], [ev(t / 2, person="ab"[t % 2]) for t in range(8)])
    often = corr("often", "event_count", ["many"], span="1m", cond={"gte": 2})
    case("event_count over a correlation: its hits", [READ, many, often], [ev(t) for t in range(25)])
    case("event_count over a correlation: a folded record's hit is one", [READ, many, often], [ev(0, n=100), ev(30, n=100)], [[], [2]])
    l3 = corr("l3", "temporal", ["top", "delete"], span="1h")
    case("three levels", [READ, SEND, DELETE, many, top, l3], [ev(0), ev(1), ev(2), ev(30, "send"), ev(300, "delete")], [[], [], [], [], [2]])
    wide = corr("wide", "event_count", ["read"], by=["person", "client"], cond={"gte": 2})
    byp = corr("byp", "temporal", ["wide", "send"], span="1m")
    case("the upper one uses its own group", [READ, SEND, wide, byp], [ev(0, client="x"), ev(1, client="x"), ev(5, "send", client="y")], [[], [], [2]])
    two = corr("two", "temporal", ["many", "wrote"], span="1m")
    wrote = corr("wrote", "event_count", ["write"], cond={"gte": 2})
    case("two correlations below", [READ, WRITE, many, wrote, two], [ev(0), ev(1, "write"), ev(2), ev(3), ev(4, "write")], [[], [], [], [], [2]])
    case("a rule under two correlations", [READ, SEND, many, corr("few", "event_count", ["read"], cond={"eq": 1}), top],
         [ev(0), ev(1), ev(2), ev(30, "send")], [[1], [], [], [2]])


def generates():
    for flag in (True, False, None):
        more = {} if flag is None else {"generate": flag}
        case(f"generate {flag}", [READ, corr("c", "event_count", ["read"], cond={"gte": 2}, **more)], [ev(0, n=None), ev(1), ev(2)],
             [[1], [1, 2], [1]] if flag else [[], [2], []])
        case(f"generate {flag}: a rule of no correlation tells", [READ, WRITE, corr("c", "event_count", ["read"], cond={"gte": 2}, **more)],
             [ev(0, "write", n=3)], [[3]])
    case("generate beside the correlation", [READ, corr("c", "event_count", ["read"], cond={"gte": 2}, generate_top=True)], [ev(0), ev(1), ev(2)], [[1], [1, 2], [1]])
    case("generate with temporal", [READ, WRITE, corr("c", "temporal", ["read", "write"], generate=True)], [ev(0), ev(1, "write")], [[1], [1, 2]])
    case("generated rules keep no group", [READ, corr("c", "event_count", ["read"], cond={"gte": 2}, generate=True)], [ev(0, person=...)], [[1]])


def late():
    c3 = corr("c", "event_count", ["read"], cond={"gte": 3})
    case("late, within", [READ, c3], [ev(0), ev(5), ev(2)], [[], [], [3]])
    case("late, at the edge", [READ, c3], [ev(5), ev(10), ev((0, 0))], [[], [], [3]])
    case("late, 1 ns behind the edge", [READ, c3], [ev(5), ev(10), {**ev(0), "t": T0 - 1}], [[]] * 3)
    case("late records leave by their own time", [READ, c3], [ev(10), ev(1), ev(12), ev(13)], [[], [], [], [3]])
    case("late for one group is not for another", [READ, corr("c", "event_count", ["read"], cond={"gte": 2})],
         [ev(100), ev(0, person="b"), ev(1, person="b")], [[], [], [2]])
    case("behind, and again in time", [READ, c3], [ev(100), ev(1), ev(2), ev(101), ev(102)], [[], [], [], [], [3]])
    two = corr("c", "event_count", ["read"], cond={"gte": 2})
    case("another group's later record closes no window", [READ, two], [ev(0), ev(11, person="b"), ev(9)], [[], [], [2]])
    case("another group far ahead closes no window", [READ, two], [ev(0), ev(609, person="b"), ev(9)], [[], [], [2]])
    case("another group's later record makes nothing be told again", [READ, two], [ev(0), ev(1), ev(12, person="b"), ev(9)], [[], [2], [], []])
    case("temporal: another group's later record closes no window", [READ, WRITE, corr("c", "temporal", ["read", "write"])],
         [ev(0), ev(11, person="b"), ev(9, "write")], [[], [], [2]])
    case("late: values", [READ, corr("c", "value_count", ["read"], cond={"field": "path", "gte": 3})],
         [ev(10, path="/a"), ev(3, path="/b"), ev(8, path="/c"), ev(14, path="/d")], [[], [], [3], []])
    case("late: sum", [READ, corr("c", "value_sum", ["read"], cond={"field": "bytes", "gte": 30})],
         [ev(10, bytes=10), ev(1, bytes=10), ev(9, bytes=10)], [[], [], [30]])
    case("late: temporal", [READ, WRITE, corr("c", "temporal", ["read", "write"])], [ev(10), ev(3, "write")], [[], [2]])
    case("behind: temporal", [READ, WRITE, corr("c", "temporal", ["read", "write"])], [ev(20), ev(3, "write")], [[], []])
    for name in ("late, 1 ns behind the edge", "behind, and again in time", "behind: temporal"):
        next(c for c in CASES if c["case"] == name)["late"] = 2 if "again" in name else 1


def draw(seed):
    r = random.Random(seed)
    kind = r.choice(("event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile"))
    rules = r.sample(["read", "write", "send"], r.randint(2 if kind.startswith("temporal") else 1, 3))
    cond = {}
    if not kind.startswith("temporal") or r.random() < .3:
        top = {"event_count": 8, "value_count": 5, "value_sum": 60, "value_avg": 12, "value_percentile": 12}.get(kind, len(rules))
        cond = {r.choice(("gt", "gte", "lt", "lte", "eq", "neq")): r.randint(1, top)}
        if r.random() < .25:
            cond = {"gte": (lo := r.randint(1, top)), "lte": lo + r.randint(0, top)}
    if kind == "value_count":
        cond["field"] = "path"
    elif kind.startswith("value"):
        cond["field"] = "bytes"
    if kind == "value_percentile" and r.random() < .8:
        cond["percentile"] = r.choice((1, 5, 10, 25, 33, 50, 66, 75, 90, 95, 99, 100))
    by = r.choice((None, "person", ["person"], ["person", "client"], ["client", "person"]))
    docs = [READ, WRITE, SEND, corr("c", kind, rules, by=by, span=r.choice(("5s", "10s", "20s")), cond=cond or None, **({"generate": True} if r.random() < .2 else {}))]
    if r.random() < .3:
        docs.append(corr("up", "temporal", ["c", "delete"], span="30s"))
        docs.append(DELETE)
    r.shuffle(docs)
    t, events = 0, []
    for _ in range(r.randint(20, 50)):
        t += r.choice((0, 1, 1, 2, 3, 5, 10))
        at = t - r.choice((0, 0, 0, 0, 0, 2, 10, 25))
        events.append(ev(at, r.choice(("read", "read", "write", "send", "delete")), r.choice(("a", "a", "b", "", ...)), r.choice((None, None, None, 2, 5)),
                         client=r.choice(("x", "x", "y", ...)), path=r.choice(("/a", "/b", "/c", "/d", "/e", ...)),
                         bytes=r.choice((0, 1, 5, 10, 20, 30, -5, "x", ...))))
    case(f"drawn {seed}: {kind}", docs, events)


def main():
    for part in (conditions, edges, repeats, groups, counts, values, temporal, aliases, chains, generates, late):
        part()
    designed = len(CASES)
    for seed in range(100):
        draw(seed)
    for c in CASES:
        print(json.dumps(c, separators=(",", ":")))
    print(f"{designed} designed, {len(CASES) - designed} drawn; {sum(len(w) for c in CASES for w in c['want'])} hits", file=sys.stderr)


if __name__ == "__main__":
    main()
