#!/usr/bin/env python3
"""Times whole commands over a year of office records: from exec to exit, warm, output into a pipe that is read to the end.

    bench/commands.py [--records 10000000] [--accesses 120000] [--rounds 25] [--state DIR]

Makes a state by import from a pipe (bench/office-gen), and one document that everybody opens: ACCESSES accesses spread over the year. --state DIR keeps it there and
takes it as it is when it exists already. Each round asks every question once, another person and document each time; minimum, quartiles and maximum are over
the rounds. The last columns are how many answers there were (median) and the CPU time (median, user and system).
"""
import argparse
import datetime
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TYTO = os.path.join(TOP, "build/src/cli/tyto")
GEN = os.path.join(TOP, "build/bench/office-gen")
HANDBOOK = "/srv/shares/board/handbook.pdf"
START = datetime.datetime(2025, 11, 25, tzinfo=datetime.timezone.utc)


def handbook(n, persons, out):
    rnd = random.Random(7)
    for i in range(n):
        t = START + datetime.timedelta(seconds=i * 364 * 86400 / n + rnd.random() * 60)
        who = rnd.choice(persons)
        out.write(json.dumps({"time": t.isoformat(timespec="microseconds").replace("+00:00", "Z"), "host": "files1", "person": who, "verb": "read",
            "seen": "open", "path": HANDBOOK, "object": "64776:99:1", "via": "smb", "program": "/usr/sbin/smbd"}).encode() + b"\n")


def tyto(state, *args):
    return subprocess.run([TYTO, *args, "--state", state], stdout=subprocess.PIPE, check=True).stdout


def make(state, records, accesses):
    begin = time.monotonic()
    gen = subprocess.Popen([GEN, "--days", "365", "--records", str(records)], stdout=subprocess.PIPE)
    subprocess.run([TYTO, "import", "-q", "--state", state, "-"], stdin=gen.stdout, check=True)
    if gen.wait() != 0:
        sys.exit("office-gen failed")
    print(f"import of {records} records: {time.monotonic() - begin:.1f} s", flush=True)
    persons = sorted({json.loads(l)["person"] for l in tyto(state, "events", "--json", "-n", "20000").splitlines() if b'"person"' in l})
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as f:
        os.chmod(f.name, 0o644)
        handbook(accesses, persons, f)
        f.flush()
        subprocess.run([TYTO, "import", "-q", "--state", state, f.name], check=True)


def sample(state):
    """Persons and documents that the record has, from one day in each quarter."""
    persons, paths = set(), {}
    for day in ("2025-12-03", "2026-03-04", "2026-06-03", "2026-09-02"):
        until = (datetime.date.fromisoformat(day) + datetime.timedelta(days=1)).isoformat()
        for line in tyto(state, "events", "--json", "--since", day, "--until", until).splitlines():
            e = json.loads(line)
            if "person" in e:
                persons.add(e["person"])
            if "path" in e and e.get("verb") == "read" and e["path"] != HANDBOOK:
                paths[e["path"]] = paths.get(e["path"], 0) + 1
    often = sorted(paths, key=paths.get, reverse=True)[:2000]
    return sorted(persons), often


def run(state, args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    p = subprocess.run([TYTO, *args, "--json", "--state", state], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if p.returncode != 0 or p.stderr:
        sys.exit(f"tyto {' '.join(args)}: {p.stderr.decode()}")
    return took * 1000, p.stdout.count(b"\n"), (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--records", type=int, default=10_000_000)
    a.add_argument("--accesses", type=int, default=120_000)
    a.add_argument("--rounds", type=int, default=25)
    a.add_argument("--state")
    o = a.parse_args()
    directory = None if o.state else tempfile.mkdtemp(prefix="tyto-bench.", dir="/var/tmp")
    if directory:
        os.chmod(directory, 0o755)
    state = o.state or os.path.join(directory, "state")
    try:
        if not os.path.exists(os.path.join(state, "VERSION")):
            make(state, o.records, o.accesses)
        persons, paths = sample(state)
        rnd = random.Random(1)
        rows = {}
        for i in range(o.rounds + 1):
            month = i % 11
            since = f"{2025 + (11 + month) // 12}-{(11 + month) % 12 + 1:02d}-01"
            until = f"{2025 + (12 + month) // 12}-{(12 + month) % 12 + 1:02d}-01"
            person, path = rnd.choice(persons), rnd.choice(paths)
            questions = {
                "events --person P, a month": ["events", "--person", person, "--since", since, "--until", until],
                "who PATH": ["who", path],
                f"who, the document all open": ["who", HANDBOOK],
                "who, its last 30 days": ["who", HANDBOOK, "--since", "2026-10-20", "--until", "2026-11-20"],
                "events -r -n 50": ["events", "-r", "-n", "50"],
                "events --path, a folder, 50": ["events", "--path", os.path.dirname(path) + "/**", "-r", "-n", "50"],
            }
            for name, args in questions.items():
                run(state, args)  # warm
                row = run(state, args)
                if i:
                    rows.setdefault(name, []).append(row)
        print(f"load {os.getloadavg()[0]:.1f}, {o.rounds} rounds; ms")
        print(f"{'':30} {'min':>8} {'quartile':>8} {'median':>8} {'quartile':>8} {'max':>8} {'answers':>8} {'CPU':>7}")
        for name, row in rows.items():
            t = sorted(r[0] for r in row)
            q = statistics.quantiles(t, n=4, method="inclusive")
            print(f"{name:30} {t[0]:8.1f} {q[0]:8.1f} {q[1]:8.1f} {q[2]:8.1f} {t[-1]:8.1f} {statistics.median(r[1] for r in row):8.0f} "
                f"{statistics.median(r[2] for r in row):7.1f}")
        size = {d: sum(os.path.getsize(os.path.join(b, f)) for b, _, fs in os.walk(os.path.join(state, d)) for f in fs) for d in ("log", "index", "names")}
        print("disk: " + ", ".join(f"{d} {n / 1e6:.1f} MB" for d, n in size.items()))
    finally:
        if directory:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
