#!/usr/bin/env python3
"""check_log.py: an independent checker of Tyto's evidence log.

  check_log.py STATE                         check STATE/log: "ok N leaves", or the first damage and exit 1
  check_log.py --events STATE                event leaves as JSON lines, names resolved
  check_log.py --leaves STATE                every leaf as a JSON line
  check_log.py --proof FILE [--leaf-hex HEX | --leaf-file FILE | STATE] [--log-key FILE]
  check_log.py --export DIR [STATE]          check a tlog-tiles export (and that it holds STATE's leaves)
  check_log.py --vectors docs/log-vectors.json
  --strict: a note (torn tail, missing cache) is damage too

Written from docs/log-format.md alone. Needs python3-cryptography and libzstd1.
"""
import argparse
import base64
import json
import os
import sys
import time

import logformat as F
import logvectors
from logdir import LogDir, Reader, read_file
from logformat import Damage, expect


def rfc3339(ns):
    sec, frac = divmod(ns, 1_000_000_000)
    digits = f"{frac:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    t = time.gmtime(sec)
    return f"{t.tm_year:04d}-" + time.strftime("%m-%dT%H:%M:%S", t) + (f".{digits}Z" if digits else "Z")


def text(v):
    return None if v is None else v.decode("utf-8", "replace")


ENUM_FIELDS = {n: t[3] for n, t in F.KINDS[F.EVENT][0] if t[0] == "u8" and t[3]}


def event_json(seq, f, names):
    """The keys of the contract; a name that was erased is null. Paths always also as base64."""
    def value(kind, field):
        return names.value[kind][f[field]]

    out = {"seq": seq, "time": rfc3339(f["time"])}
    if "end" in f:
        out["end"] = rfc3339(f["time"] + f["end"])
    for field in ENUM_FIELDS:
        if field in f:
            out[field] = ENUM_FIELDS[field][f[field] - 1]
    for field, kind in F.NAMED[F.EVENT]:
        if field not in f:
            continue
        if kind == F.COMPONENT:
            p = names.path(f[field])
            out[field] = text(p)
            out[field + "_b64"] = None if p is None else base64.b64encode(p).decode()
        elif kind == F.ACCOUNT:
            v = value(kind, field)
            out[field] = None if v is None else int(v)
        elif kind == F.CHAIN:
            chain = value(kind, field)
            out[field] = None if chain is None else [text(names.value[F.PROGRAM][n]) for n in chain]
        elif kind == F.DOCUMENT:
            v = value(kind, field)
            out[field] = None if v is None else "sha256:" + v.hex()
        elif kind == F.OBJECT:
            v = value(kind, field)
            out[field] = None if v is None else ":".join(map(str, v))
        elif kind == F.EXTRA:
            v = value(kind, field)
            out.update({} if v is None else json.loads(v))
        else:
            out[field] = text(value(kind, field))
    for field in ("pid", "count", "refers", "bytes", "covered", "port", "source"):
        if field in f:
            out[field] = f[field]
    for field in ("allowed", "late"):
        if field in f:
            out[field] = bool(f[field])
    return out


def dump(o):
    sys.stdout.write(json.dumps(o, ensure_ascii=False, separators=(",", ":")) + "\n")


def print_event(i, kind, f, names, leaf):
    if kind == F.EVENT:
        dump(event_json(i, f, names))


def print_leaf(i, kind, f, names, leaf):
    shown = None if f is None else {k: v.hex() if isinstance(v, bytes) else v for k, v in f.items()}
    dump({"seq": i, "kind": kind, "fields": shown, "leaf": leaf.hex(), "hash": F.leaf_hash(leaf).hex()})


def check_proof(args):
    proof = F.Proof(read_file(args.proof), args.proof)
    leaf = None
    if args.leaf_hex:
        leaf = bytes.fromhex(args.leaf_hex)
    elif args.leaf_file:
        leaf = read_file(args.leaf_file)
    elif args.state:
        log, found = LogDir(args.state), []
        log.check(lambda i, k, f, n, l: found.append(l) if i == proof.index else None)
        expect(found, args.proof, f"index {proof.index} is not in the log")
        leaf = found[0]
    else:
        raise SystemExit("check_log: --proof needs STATE, --leaf-hex or --leaf-file")
    key = args.log_key or (args.state and os.path.join(args.state, "log", "log.vkey"))
    if not key:
        raise SystemExit("check_log: --proof needs STATE or --log-key")
    proof.checkpoint.check(F.read_vkeys(read_file(key), key))
    F.check_inclusion(proof.path, proof.index, proof.checkpoint.size, F.leaf_hash(leaf), proof.checkpoint.root, args.proof)
    print(f"ok leaf {proof.index} of {proof.checkpoint.size}")


def tile_path(n):
    parts = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        parts.insert(0, f"x{n % 1000:03d}")
    return "/".join(parts)


def tiles_of(count):
    """(tile number, width) of `count` hashes: full ones, then the partial one."""
    full, rest = divmod(count, 256)
    return [(i, 256) for i in range(full)] + ([(full, rest)] if rest else [])


class Export:
    def __init__(self, directory):
        self.dir, self.expected = directory, set()

    def read(self, level, n, width):
        rel = f"tile/{level}/{tile_path(n)}" + (f".p/{width}" if width < 256 else "")
        self.expected.add(rel)
        path = os.path.join(self.dir, rel)
        expect(os.path.isfile(path), rel, "missing")
        return rel, read_file(path)

    def entries(self, n, width):
        rel, data = self.read("entries", n, width)
        pos = 0
        for i in range(width):
            where = f"{rel}: entry {n * 256 + i}"
            expect(pos + 2 <= len(data), where, "bundle ends here")
            size = int.from_bytes(data[pos:pos + 2], "big")
            expect(pos + 2 + size <= len(data), where, "entry runs past the bundle")
            yield where, data[pos + 2:pos + 2 + size]
            pos += 2 + size
        expect(pos == len(data), rel, f"{len(data) - pos} bytes after the last entry")

    def check(self, state_leaves):
        keys = F.read_vkeys(read_file(os.path.join(self.dir, "log.vkey")), "log.vkey")
        c = F.Checkpoint(read_file(os.path.join(self.dir, "checkpoint")), "checkpoint")
        c.check(keys)
        tree, reader = F.Tree(level0=True), Reader(None)
        for n, width in tiles_of(c.size):
            at = n * 256
            for where, leaf in self.entries(n, width):
                reader.take(F.packed_leaf(leaf, where))
                if state_leaves is not None:
                    expect(at < len(state_leaves) and state_leaves[at] == leaf, where, "not the leaf of the log")
                tree.append(F.leaf_hash(leaf))
                at += 1
        expect(tree.root() == c.root, "checkpoint", f"its root is not that of the {c.size} entries")
        for level, hashes in tree.levels.items():
            for n, width in tiles_of(len(hashes)):
                rel, data = self.read(level, n, width)
                want = b"".join(hashes[n * 256:n * 256 + width])
                expect(len(data) == len(want), rel, f"{len(data)} bytes, expected {len(want)}")
                for i in range(width):
                    expect(data[32 * i:32 * i + 32] == want[32 * i:32 * i + 32], f"{rel}: hash {i}", "not the hash of its entries")
        self._nothing_else()
        return c.size

    def _nothing_else(self):
        for base, _, files in os.walk(os.path.join(self.dir, "tile")):
            for f in files:
                rel = os.path.relpath(os.path.join(base, f), self.dir)
                expect(rel in self.expected or self._older_partial(rel), rel, "a file that this tree does not have")

    def _older_partial(self, rel):
        """A narrower copy of a tile: what an earlier export into the same place leaves there, which is allowed."""
        base, sep, width = rel.partition(".p/")
        small = read_file(os.path.join(self.dir, rel))
        for wanted in self.expected:
            if sep and small and (wanted == base or wanted.startswith(base + ".p/")):
                return read_file(os.path.join(self.dir, wanted)).startswith(small) and (
                    rel.startswith("tile/entries/") or len(small) == 32 * int(width))
        return False


def check_export(args):
    leaves = None
    if args.state:
        leaves = []
        LogDir(args.state).check(lambda i, k, f, n, l: leaves.append(l))
    print(f"ok {Export(args.export).check(leaves)} leaves")


def check_state(args):
    log = LogDir(args.state)
    on_leaf = print_event if args.events else print_leaf if args.leaves else None
    try:
        n = log.check(on_leaf, args.strict)
    finally:
        for note in log.notes:
            print(f"note: {note}", file=sys.stderr)
    print(f"ok {n} leaves", file=sys.stderr if on_leaf else sys.stdout)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("state", nargs="?")
    for flag in ("--events", "--leaves", "--strict"):
        ap.add_argument(flag, action="store_true")
    for opt in ("--proof", "--leaf-hex", "--leaf-file", "--log-key", "--export", "--vectors"):
        ap.add_argument(opt, metavar="X")
    args = ap.parse_args()
    try:
        if args.vectors:
            print(f"ok {logvectors.check(args.vectors)} vectors")
        elif args.proof:
            check_proof(args)
        elif args.export:
            check_export(args)
        elif args.state:
            check_state(args)
        else:
            ap.error("STATE, --proof, --export or --vectors is expected")
    except Damage as e:
        print(f"damage: {e}")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as e:
        print(f"damage: {e.filename}: {e.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
