"""Checks docs/log-vectors.json (section 5 of docs/log-format.md): leaves, names, one tree of 7 leaves."""
import json

import logformat as F
from logformat import expect


def pick(o, where, *keys):
    for k in keys:
        if k in o:
            return o[k]
    raise F.Damage(f"{where}: none of {', '.join(keys)}")


def hexed(o, where, *keys):
    return bytes.fromhex(pick(o, where, *keys))


def leaf_vector(v, where):
    packed, whole = hexed(v, where, "packed"), hexed(v, where, "leaf", "whole")
    seed, first, index = hexed(v, where, "seed"), pick(v, where, "first", "first_index"), pick(v, where, "index")
    expect(F.whole_leaf(packed, F.Nonces(seed, first).of(index)) == whole, where, "packed bytes and nonce do not make the leaf")
    expect(F.leaf_hash(whole) == hexed(v, where, "hash", "leaf_hash"), where, "leaf hash")
    kind, fields = F.decode_packed(packed, where)
    expect(F.encode_packed(kind, fields) == packed, where, "not canonical")
    if "kind" in v:
        expect(v["kind"] == kind, where, f"kind {kind}, the vector says {v['kind']}")
    if "fields" in v:
        fields_agree(fields, v["fields"], where)


def fields_agree(fields, said, where):
    shown = {k: x.hex() if isinstance(x, bytes) else x for k, x in fields.items()}
    said = dict(said)
    expect(shown.keys() == said.keys(), where, f"decoded fields {sorted(shown)}, the vector says {sorted(said)}")
    for k, x in shown.items():
        expect(str(said[k]) == str(x), where, f"{k}: decoded {x}, the vector says {said[k]}")


def name_vector(v, where):
    kind = pick(v, where, "kind", "name_kind")
    got = F.sha256(b"tyto/name/1", bytes((kind,)), hexed(v, where, "salt"), hexed(v, where, "value", "value_hex"))
    expect(got == hexed(v, where, "commitment"), where, "commitment")


def tree_vector(t, where):
    """Node hashes by the range of leaves that they span, or just leaves and root."""
    leaves = [bytes.fromhex(x) for x in pick(t, where, "leaf_hashes", "leaves")]
    tree = F.Tree()
    for h in leaves:
        tree.append(h)
    expect(tree.root() == hexed(t, where, "root"), where, "root")
    for node in t.get("nodes", []):
        lo, hi = pick(node, where, "from", "lo"), pick(node, where, "to", "hi")
        sub = F.Tree()
        for h in leaves[lo:hi]:
            sub.append(h)
        expect(sub.root() == hexed(node, where, "hash"), where, f"node [{lo}, {hi})")


def check(path):
    with open(path, encoding="utf-8") as f:
        v = json.load(f)
    n = 0
    for what, fn in (("leaves", leaf_vector), ("names", name_vector)):
        expect(v.get(what), path, f"no {what}")
        for i, x in enumerate(v[what]):
            fn(x, f"{path}: {what}[{i}]")
            n += 1
    tree_vector(pick(v, path, "tree"), f"{path}: tree")
    return n + 1
