"""account.py [--at-most SECONDS] [--cause A,B] [--uid N] RECORDS LOG…: is every access recorded, or does its time lie inside of a gap?

RECORDS is the output of `tyto events --json`. A line of a LOG is `VERB BEGIN END PATH …` (ns UTC; VERB open, read, write or create; others are
skipped), written by whoever made the access: load.py, opens.py. For each path and kind of access
	made outside of every gap  <=  counted  <=  made
where counted is the sum of `count` (1 where absent) over the records that complete no other. A gap that is too long would excuse
anything: together they may cover --at-most SECONDS (0) of the time between the first and the last access. --cause: gaps of other causes are
wrong; --uid: only records with this uid count. Prints what is wrong, a line each, and `# made counted missing gaps`.
"""
import argparse
import calendar
import collections
import json
import sys
import time

KINDS = {"open": ("open", "read"), "read": ("open", "read"), "write": ("open", "write"), "create": ("create",)}


def ns(text):
    head, _, frac = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(head, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int((frac + "000000000")[:9])


def merged(spans):
    out = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1][1] = max(b, out[-1][1])
        else:
            out.append([a, b])
    return out


p = argparse.ArgumentParser()
p.add_argument("--at-most", type=float, default=0.0)
p.add_argument("--cause", default="")
p.add_argument("--uid", type=int)
p.add_argument("records")
p.add_argument("logs", nargs="+")
arg = p.parse_args()
problems = []

made = collections.defaultdict(list)
for log in arg.logs:
    for line in open(log):
        w = line.split()
        if w and w[0] in KINDS:
            made[(w[3], KINDS[w[0]])].append((int(w[1]), int(w[2])))
if not made:
    problems.append("nothing was accessed")

paths = {path for path, _ in made}
gaps, counted = [], collections.Counter()
for e in map(json.loads, open(arg.records)):
    if e["verb"] == "gap":
        if arg.cause and e.get("cause") not in arg.cause.split(","):
            problems.append(f"a gap with cause {e.get('cause')} at {e['time']}")
        if "end" not in e:
            problems.append(f"a gap without an end at {e['time']}")
        gaps.append((ns(e["time"]), ns(e.get("end", e["time"]))))
    elif e.get("path") in paths and "refers" not in e and (arg.uid is None or e.get("uid") == arg.uid):
        counted[(e["path"], e["verb"])] += e.get("count", 1)
gaps = merged(gaps)

total = missing = 0
spans = [s for v in made.values() for s in v]
for (path, verbs), times in sorted(made.items()):
    n = sum(counted[(path, v)] for v in verbs)
    outside = [t for t in times if not any(a <= t[1] and t[0] <= b for a, b in gaps)]
    total += len(times)
    missing += max(0, len(times) - n)
    if n > len(times):
        problems.append(f"{path}: {n} counted, only {len(times)} made")
    if n < len(outside):
        near = [((a - t[0]) / 1e9, (b - t[0]) / 1e9) for t in outside[:1] for a, b in gaps]
        problems.append(f"{path}: {len(times)} made, {n} counted, but {len(outside)} outside of every gap; gaps from its first: {near[:6]}")
if spans:
    begin, end = min(a for a, _ in spans), max(b for _, b in spans)
    covered = sum(max(0, min(b, end) - max(a, begin)) for a, b in gaps) / 1e9
    if covered > arg.at_most:
        problems.append(f"gaps cover {covered:.2f} s of {(end - begin) / 1e9:.2f} s")
    print(f"# made {total} missing {missing} gaps {len(gaps)} seconds {covered:.2f}")
for problem in problems[:12]:
    print(problem)
sys.exit(bool(problems))
