#!/usr/bin/env python3
"""Times `tyto import` end to end, evidence and index, as a whole command: records a second.

    bench/import.py [--records 200000] [--rounds 15] [--tyto PROGRAM …]

Each round has a state of its own: the first half of the records is imported into an empty one, the second half (later days of the same office: most names are known) into
what that left, then all is verified. The three are thereby interleaved; minimum, quartiles and maximum are over the rounds. With --tyto given more than once, each round has each of them: two builds side by side.
"""
import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TYTO = os.path.join(TOP, "build/src/cli/tyto")
GEN = os.path.join(TOP, "build/bench/office-gen")


def timed(tyto, *args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    out = subprocess.run([tyto, *args], stdout=subprocess.PIPE, check=True).stdout.decode()
    took = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out


def size(path):
    return sum(os.path.getsize(os.path.join(b, f)) for b, _, fs in os.walk(path) for f in fs)


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--records", type=int, default=200_000, help="in each half")
    a.add_argument("--rounds", type=int, default=15)
    a.add_argument("--tyto", action="append")
    o = a.parse_args()
    programs = o.tyto or [TYTO]
    directory = tempfile.mkdtemp(prefix="tyto-bench.", dir=os.environ.get("TMPDIR", "/var/tmp"))
    os.chmod(directory, 0o755)
    state = os.path.join(directory, "state")
    halves = [os.path.join(directory, f"half-{i}.jsonl") for i in range(2)]
    try:
        gen = subprocess.Popen([GEN, "--days", str(max(2, o.records * 2 // 28000)), "--records", str(2 * o.records)], stdout=subprocess.PIPE)
        records = [0, 0]
        with open(halves[0], "wb") as first, open(halves[1], "wb") as second:
            for line in gen.stdout:
                half = records[0] >= o.records
                (second if half else first).write(line)
                records[half] += 1
        names = ("import, empty state", "import, empty state, CPU", "import, names known", "import, names known, CPU", "verify (leaves)")
        rates = {(tyto, n): [] for tyto in programs for n in names}
        for i in range(o.rounds):
            for tyto in programs:
                shutil.rmtree(state, ignore_errors=True)
                for half, name in enumerate(("import, empty state", "import, names known")):
                    took, cpu, _ = timed(tyto, "import", "-q", "--state", state, halves[half])
                    rates[tyto, name].append(records[half] / took)
                    rates[tyto, name + ", CPU"].append(records[half] / cpu)
                took, _, out = timed(tyto, "verify", "--state", state)
                leaves = int(re.search(r"intact: ([0-9,]+) leaves", out).group(1).replace(",", ""))
                rates[tyto, "verify (leaves)"].append(leaves / took)
        print(f"load {os.getloadavg()[0]:.1f}, {o.rounds} rounds, {records[0]} and {records[1]} records; a second")
        for tyto in programs:
            if len(programs) > 1:
                print(tyto)
            print(f"{'':26} {'min':>10} {'quartile':>10} {'median':>10} {'quartile':>10} {'max':>10}")
            for name in names:
                v = rates[tyto, name]
                q = statistics.quantiles(v, n=4, method="inclusive")
                print(f"{name:26} {min(v):10,.0f} {q[0]:10,.0f} {q[1]:10,.0f} {q[2]:10,.0f} {max(v):10,.0f}")
        print("disk: " + ", ".join(f"{d} {size(os.path.join(state, d)) / sum(records):.1f} bytes a record" for d in ("log", "index", "names")))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
