"""ops.py RECORDS FOLDER COUNTS…: does the record hold what the workload says it did, each by the right user?

COUNTS are outputs of tests/tools/workload, one operation each, over files FOLDER/OP-… that nobody else touches. Prints `OP: what is wrong`.
Opens are held, so they are exact: number, user, program. Changes of names are looked up late: their number is exact, their user right or absent.
"""
import collections
import json
import sys

# Operation: verb and `seen` of its opens, all of them; None: only their number is known.
OPENS = {
    "open": ("read", "open"), "open-write": ("open", "open"), "mmap": ("read", "open"), "write-mmap": ("open", "open"),
    "read": ("read", "access"), "direct": ("read", "access"), "sendfile": ("read", "access"), "splice": ("read", "access"),
    "path-reopen": ("read", "access"), "handle": ("read", "access"), "uring": ("read", "access"), "tmpfile": ("read", "access"),
    "link": ("read", "access"), "cat": ("read", "access"), "write": ("write", "access"), "append": ("write", "access"),
    "create": ("write", "access"), "fd-reopen": None, "copy-range": None, "rename": ("open", "open"),
    "mode": None, "truncate": None, "passed": None,
}
CHANGES = {"creates": "create", "deletes": "delete", "renames": "rename", "links": "link", "modes": "permission"}
folder = sys.argv[2]
events = collections.defaultdict(list)
for e in map(json.loads, open(sys.argv[1])):
    at = (e.get("path") or e.get("to") or "")
    if at.startswith(folder + "/"):
        # The longest name first: "open" is the beginning of "open-write".
        op = max((o for o in OPENS if at[len(folder) + 1:].startswith(o + "-")), key=len, default=None)
        events[op].append(e)


def total(records, by_uid):
    out = collections.Counter()
    for e in records:
        out[e.get("uid") if by_uid else "all"] += e.get("count", 1)
    return out


def opens(c, records, wrong):
    made = collections.Counter()
    for w in c["workers"]:
        made[w["uid"]] += w.get("opens", 0)
    if c["passed"]:
        made[0] += c["passed"]  # the opener is the starting user
    held = [e for e in records if e["verb"] in ("open", "read", "write", "exec") and "refers" not in e and e.get("person_by") != "late" and "uid" in e]
    if c["op"] == "tmpfile":
        held = [e for e in held if e["verb"] != "write"]  # what was written before it had a name is told with what came after
    made = +made
    if total(held, True) != made:
        wrong(f"opened {dict(made)}, recorded {dict(total(held, True))}")
    kind = OPENS[c["op"]]
    for e in held:
        if kind and (e["verb"], e["seen"]) != kind:
            wrong(f"{e['verb']} seen as {e['seen']}")
        if "login_uid" not in e and e["uid"] and e.get("person") != f"uid:{e['uid']}":
            wrong(f"person {e.get('person')}")
        if "pid" not in e or not e.get("program", "").endswith("/cat" if c["op"] == "cat" else "/workload"):
            wrong(f"program {e.get('program')}")
        if "bytes" in e or "covered" in e:
            wrong("bytes, which nobody knows")
    return held


def late(c, records, held, wrong):
    """Uses of a descriptor by another than its opener, and truncate, which has none: merged by the kernel, never another's."""
    users = collections.Counter({w["uid"]: w.get("truncates", 0) + w.get("passed", 0) +
                                 (w.get("creates", 0) if c["op"] == "tmpfile" else 0) for w in c["workers"]})
    verb = "write" if c["truncates"] else "read"
    found = total([e for e in records if e not in held and e["verb"] in ("open", "read", "write")], True)
    for uid, n in found.items():
        if uid is not None and not 1 <= n <= users[uid]:
            wrong(f"{n} late for uid {uid}, who had {users[uid]}")
    if c["truncates"] + c["passed"] and not found:
        wrong(f"no {verb} of {dict(users)}")


for path in sys.argv[3:]:
    c = json.load(open(path))
    told = set()

    def wrong(what):
        if what not in told and len(told) < 3:
            print(f"{c['op']}: {what}")
        told.add(what)

    if c["failed"] or c["slow"]:
        wrong(f"{c['failed']} failed, {c['slow']} took more than 500 ms: {c['workers'][0].get('error')}")
    records = events[c["op"]]
    late(c, records, opens(c, records, wrong), wrong)
    for key, verb in CHANGES.items():
        found = total([e for e in records if e["verb"] == verb], True)
        if sum(found.values()) != c[key]:
            wrong(f"{c[key]} {key}, {sum(found.values())} recorded")
        for uid in set(found) - {None} - {w["uid"] for w in c["workers"]}:
            wrong(f"{verb} by uid {uid}")
