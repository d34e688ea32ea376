"""readers.py TYTO STATE STOP-FILE: asks everything in a loop, beside whoever writes, until STOP-FILE is there. Prints what was wrong.

An answer is wrong when the command fails, when a line is no whole record, or when there are fewer records than a moment ago.
"""
import json
import os
import subprocess
import sys

tyto, state, stop = sys.argv[1:4]
most = {"status": 0, "events": 0, "who": 0}
rounds = 0


def ask(*args):
    p = subprocess.run([tyto, *args, "--state", state], capture_output=True, text=True, timeout=120)
    if p.returncode:
        print(f"{' '.join(args)}: status {p.returncode}: {p.stderr.strip()[:300]} {p.stdout.strip()[:300]}", flush=True)
        return None
    return p.stdout


def not_less(what, n):
    if n < most[what]:
        print(f"{what}: {n} records, {most[what]} before", flush=True)
    most[what] = max(most[what], n)


def lines(what, text):
    n = 0
    for line in text.splitlines():
        try:
            r = json.loads(line)
        except ValueError:
            print(f"{what}: no record: {line[:200]}", flush=True)
            continue
        if what == "events" and not {"seq", "time", "verb"} <= r.keys():
            print(f"events: not whole: {line[:200]}", flush=True)
        n += 1
    return n


while not os.path.exists(stop):
    out = ask("status", "--json")
    if out is not None:
        not_less("status", json.loads(out)["records"])
    out = ask("events", "--json", "--path", "*/r1??")
    if out is not None:
        not_less("events", lines("events", out))
    out = ask("events", "--json", "-r", "-n", "20")
    if out is not None and rounds:
        lines("events", out)
    out = ask("who", "--json", "/srv/records/r1")
    if out is not None:
        lines("who", out)
    ask("verify", "--json")
    rounds += 1
print(f"# {rounds} rounds, {most['status']} records at the end")
