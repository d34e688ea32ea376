#!/usr/bin/env python3
"""Times `tyto import` of a simulated office's days (eval/office_month.py) with all shipped rules, and without any: records a second.

    bench/import_rules.py [--days 7] [--persons 100] [--rounds 15] [--seed bench] [--rules rules/shipped]

Each round imports the same records into an empty state three times: without rules; with the shipped rules; with them and a filter that leaves service accounts (backup, index, antivirus) out,
as an administrator would write it. The three are interleaved; minimum, quartiles and maximum are over the rounds. Processor time is all threads' together: an import uses
more than one.
"""
import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TYTO = os.environ.get("TYTO", os.path.join(TOP, "build/src/cli/tyto"))
sys.path.insert(0, os.path.join(TOP, "eval"))
import detect_month  # noqa: E402
import office_month  # noqa: E402


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--days", type=int, default=7)
    a.add_argument("--persons", type=int, default=100)
    a.add_argument("--rounds", type=int, default=15)
    a.add_argument("--seed", default="bench")
    a.add_argument("--rules", default=os.path.join(TOP, "rules/shipped"))
    o = a.parse_args()
    directory = tempfile.mkdtemp(prefix="tyto-bench.", dir=os.environ.get("TMPDIR", "/var/tmp"))
    os.chmod(directory, 0o755)
    try:
        n, _ = office_month.generate(directory, o.seed, o.persons, o.days)
        os.mkdir(f"{directory}/none")
        with open(f"{directory}/services.yml", "w") as f:
            f.write(detect_month.FILTER)
        rules = os.path.abspath(o.rules)
        kinds = {"no rules": [f"{directory}/none"], "shipped rules": [rules], "shipped rules, services filtered": [rules, f"{directory}/services.yml"]}
        for i, paths in enumerate(kinds.values()):
            with open(f"{directory}/{i}.conf", "w") as f:
                f.writelines(f"rules = {p}\n" for p in paths)
        wall, cpu = {k: [] for k in kinds}, {k: [] for k in kinds}
        load = [os.getloadavg()[0]]
        for _ in range(o.rounds):
            for i, k in enumerate(kinds):
                shutil.rmtree(f"{directory}/state", ignore_errors=True)
                before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
                subprocess.run([TYTO, "import", "-q", "--state", f"{directory}/state", "--config", f"{directory}/{i}.conf", "--people", f"{directory}/people.jsonl",
                                f"{directory}/month.jsonl"], check=True)
                wall[k].append(n / (time.perf_counter() - begin))
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpu[k].append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6 / n)
            load.append(os.getloadavg()[0])
        print(f"{n:,} records of {o.days} days, {o.persons} persons; {o.rounds} rounds, load {min(load):.1f} to {max(load):.1f}")
        print(f"{'':60}{'min':>9} {'quartile':>9} {'median':>9} {'quartile':>9} {'max':>9}")
        for what, rows, form in (("records a second", wall, ",.0f"), ("processor time, µs a record", cpu, ",.2f")):
            for k, v in rows.items():
                q = statistics.quantiles(v, n=4, method="inclusive") if len(v) > 1 else v * 3
                print(f"{k + ', ' + what:60}" + " ".join(f"{x:9{form}}" for x in (min(v), *q, max(v))))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
