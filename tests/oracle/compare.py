#!/usr/bin/env python3
"""compare.py TYTO.jsonl CHECKER.jsonl: `tyto events --json` against `check_log.py --events`, record by record, key by key.

Prints "ok N events" or the first difference, exit 0 or 1.
"""
import base64
import json
import sys

PATHS = ("path", "to", "cwd")
DERIVED = {"document_derived"}  # computed later, not in the leaf


def load(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return {r["seq"]: r for r in rows}, len(rows)


def path_bytes(row, key):
    """The bytes of a path; None where it is absent or its name was erased."""
    if row.get(key + "_b64") is not None:
        return base64.b64decode(row[key + "_b64"])
    return row[key].encode("utf-8") if row.get(key) is not None else None


def differences(ours, theirs):
    for key in PATHS:
        if path_bytes(ours, key) != path_bytes(theirs, key):
            yield key
    skip = set(PATHS) | {k + "_b64" for k in PATHS} | DERIVED
    for key in sorted((ours.keys() | theirs.keys()) - skip):
        if ours.get(key) != theirs.get(key):
            yield key


def main():
    (tyto, n), (checker, m) = load(sys.argv[1]), load(sys.argv[2])
    if n != m or len(tyto) != n or tyto.keys() != checker.keys():
        odd = sorted(tyto.keys() ^ checker.keys())[:5]
        print(f"tyto prints {n} events, the checker {m}; only one of them has seq {odd}")
        return 1
    for seq in sorted(tyto):
        for key in differences(tyto[seq], checker[seq]):
            print(f"seq {seq}: {key}: tyto {tyto[seq].get(key)!r}, the checker {checker[seq].get(key)!r}")
            return 1
    print(f"ok {n} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())
