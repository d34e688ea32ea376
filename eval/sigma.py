#!/usr/bin/env python3
"""SigmaHQ's regression data: each published record must fire the rule that it was published with, on its own fields.

Published at github.com/SigmaHQ/sigma (regression_data/); DATA_SIGMA=CHECKOUT, of commit 8eaafff1f2845a696050e05e72ba1140ee190698 (its listing of
regression_data is checked by SHA-256). Threshold: every JSON case. Skipped loudly without DATA.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

COMMIT = "8eaafff1f2845a696050e05e72ba1140ee190698"
SHA256 = "69f16231d9f0a8cb4d693a6e75e2192fff5ce01eca2bddcee2efca6191b56305"


def flat(node, out):
    """A record's fields by their own names; attributes of an element count as its fields."""
    for key, value in node.items():
        if isinstance(value, dict):
            flat(value, out)
            if key == "Provider":
                out["Provider_Name"] = value.get("#attributes", {}).get("Name")
        else:
            # Defender writes "Source Name" where its rules, as all of Sigma, write SourceName.
            out.setdefault(key.replace(" ", ""), value)
    return out


def records(path):
    text = path.read_text(encoding="utf-8-sig")
    decoder, at, out = json.JSONDecoder(), 0, []
    while at < len(text):
        one, at = decoder.raw_decode(text, at)
        out += one if isinstance(one, list) else [one]
        while at < len(text) and text[at].isspace():
            at += 1
    return out


def main():
    data = os.environ.get("DATA_SIGMA") or os.environ.get("DATA")
    if not data:
        print(f"SKIPPED sigma: DATA_SIGMA=CHECKOUT is wanted: github.com/SigmaHQ/sigma at {COMMIT}")
        return 3
    top = pathlib.Path(data)
    cases = sorted(top.glob("regression_data/**/*.json"))
    digest = hashlib.sha256()
    for case in cases:
        digest.update(str(case.relative_to(top)).encode() + b"\0" + hashlib.sha256(case.read_bytes()).digest())
    if digest.hexdigest() != SHA256:
        print(f"FAIL sigma: {data} is not what was published at {COMMIT} ({digest.hexdigest()})")
        return 1
    by_id = {}
    for rule in top.glob("rules*/**/*.yml"):
        for line in rule.read_text().splitlines():
            if line.startswith("id:"):
                by_id[line.split(":", 1)[1].strip().strip("'\"")] = rule
    tool = os.environ.get("SIGMA_MATCH", "build/tests/tools/sigma-match")
    wrong = 0
    for case in cases:
        want = case.stem
        rule = by_id.get(want)
        if rule is None:
            info = (case.parent / "info.yml").read_text()
            rule = next((r for i, r in by_id.items() if i in info), None)
            want = next((i for i in by_id if i in info), want)
        lines = "".join(json.dumps({"fields": flat(r, {})}) + "\n" for r in records(case))
        done = subprocess.run([tool, str(rule)], input=lines, capture_output=True, text=True, timeout=60) if rule else None
        if not done or done.returncode or want not in done.stdout:
            wrong += 1
            print(f"  not fired: {case.relative_to(top)}")
    print(f"{'FAIL' if wrong or not cases else 'pass'} sigma: {len(cases) - wrong} of {len(cases)} cases fire their rule")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
