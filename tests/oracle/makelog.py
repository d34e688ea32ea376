#!/usr/bin/env python3
"""makelog.py STATE LEAVES [EXPORT]: a small, valid evidence log written from docs/log-format.md, for the self-test of check_log.py.

It holds every leaf kind, every event field, two segments or more, frames of each size, journals, kept checkpoints, a key rotation and
an erased name. Never used by Tyto.
"""
import ctypes
import os
import random
import struct
import sys

import logformat as F
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import base64

NAME = "log.example/self-test"


def compress(raw):
    lib = ctypes.CDLL("libzstd.so.1")
    lib.ZSTD_compress.restype = lib.ZSTD_compressBound.restype = ctypes.c_size_t
    bound = lib.ZSTD_compressBound(ctypes.c_size_t(len(raw)))
    out = ctypes.create_string_buffer(bound)
    n = lib.ZSTD_compress(out, ctypes.c_size_t(bound), raw, ctypes.c_size_t(len(raw)), 3)
    return out.raw[:n]


class Key:
    def __init__(self, rng):
        self.k = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        self.raw = self.k.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.hash = F.key_hash(NAME, self.raw)

    def vkey(self):
        return f"{NAME}+{self.hash.hex()}+{base64.b64encode(bytes((1,)) + self.raw).decode()}\n"

    def sign(self, text):
        return f"\u2014 {NAME} {base64.b64encode(self.hash + self.k.sign(text.encode())).decode()}\n"


def checkpoint(size, root, keys):
    text = f"{NAME}\n{size}\n{base64.b64encode(root).decode()}\n"
    return (text + "\n" + "".join(k.sign(text) for k in keys)).encode()


class Writer:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.leaves, self.entries, self.numbers, self.known = [], [], [0] * (F.NAME_KIND_TOP + 2), {}
        self.time = 1_764_057_600_000_000_000
        self.keys = [Key(self.rng)]
        self.rotated_at = None

    def put(self, kind, **fields):
        self.leaves.append(F.encode_packed(kind, fields))
        return len(self.leaves) - 1

    def name(self, kind, value):
        if (kind, value) in self.known:
            return self.known[kind, value]
        self.numbers[kind] += 1
        n, salt = self.numbers[kind], self.rng.randbytes(16)
        self.known[kind, value] = n
        self.entries.append([1, kind, n, salt, value])
        self.put(F.NAME_LEAF, name_kind=kind, number=n, commitment=F.sha256(b"tyto/name/1", bytes((kind,)), salt, value))
        return n

    def forged(self, kind, value, number=None, commitment=None, entry=True):
        """A dictionary entry as said, whatever the rules."""
        number = number or self.numbers[kind] + 1
        self.numbers[kind], salt = number, bytes(16)
        good = F.sha256(b"tyto/name/1", bytes((kind,)), salt, value)
        if entry:
            self.entries.append([1, kind, number, salt, value])
        self.put(F.NAME_LEAF, name_kind=kind, number=number, commitment=commitment or good)

    def path(self, p):
        n = 0
        for part in p.split(b"/"):
            n = self.name(F.COMPONENT, F.put_uvar(n) + part)
        return n

    def chain(self, programs):
        return self.name(F.CHAIN, b"".join(F.put_uvar(self.name(F.PROGRAM, p)) for p in programs))

    def event(self, i):
        r = self.rng
        self.time += r.randrange(1, 10**9)
        f = {"time": self.time, "verb": r.randrange(1, 14), "seen": r.randrange(1, 4), "person_by": 1, "via": 3,
             "pid": r.randrange(1 << 22),
             "host": self.name(F.HOST, b"srv"), "person": self.name(F.PERSON, b"clerk%d" % (i % 7)),
             "uid": self.name(F.ACCOUNT, b"%d" % (1000 + i % 7)),
             "path": self.path(b"/srv/share/%d/d\xff\n%d.odt" % (i % 5, i % 40)),
             "object": self.name(F.OBJECT, F.put_uvar(64769) + F.put_uvar(1000 + i % 40) + F.put_uvar(7)),
             "program": self.name(F.PROGRAM, b"/usr/sbin/smbd")}
        return f

    def full_event(self):
        f = self.event(3)
        begin = self.put(F.IMPORT, time=self.time, phase=1, file=self.name(F.DOCUMENT, bytes(32)), format=1,
                         title=self.name(F.TEXT, b"x.jsonl"))
        f.update(parents=self.chain([b"/usr/bin/bash", b"/usr/sbin/sshd"]), client=self.name(F.CLIENT, b"10.1.2.3"),
                 login_uid=self.name(F.ACCOUNT, b"1003"), count=9, end=10**9, refers=0, cwd=self.path(b"/home"), to=self.path(b"rel/x"),
                 document=self.name(F.DOCUMENT, bytes(range(32))), label=4, bytes=1 << 40, covered=4096,
                 command=self.name(F.TEXT, b"cat x"),
                 parent_command=self.name(F.TEXT, b"bash"), peer=self.name(F.CLIENT, b"::1"), port=65535, allowed=0, confirmed=2,
                 container=self.name(F.CONTAINER, b"c0ffee"), source=begin, extra=self.name(F.EXTRA, b'{"x":1}'), late=1)
        self.put(F.EVENT, **f)
        self.put(F.EVENT, time=-1, verb=14, cause=2, end=5)
        self.put(F.PERSON_ROW, time=self.time, person=f["person"], row=self.name(F.ROW, b'{"person":"clerk3"}'), source=begin)
        self.put(F.IMPORT, time=self.time, phase=3, begins=begin, records=1, refused=0)

    def fill(self, leaves):
        self.put(F.HEARTBEAT, time=self.time, phase=1, boot=self.name(F.BOOT, b"0f0e"), uptime=5, clock=1, backend=3, watched=0)
        if leaves > 60:
            self.full_event()
            self.put(F.RECOVERY, time=self.time, cut=1, bytes=17)
            self.put(F.CONFIG, time=self.time, setting=self.name(F.TEXT, b"a = b"))
            document = self.name(F.DOCUMENT, bytes(range(32)))
            self.put(F.DOCUMENT_FACTS, time=self.time, document=document, bytes=9, type=self.name(F.TEXT, b"text/plain"), label=3,
                     text_chars=9, contacts=2, facts=self.name(F.FACTS, b'{"label_why":[]}'))
            self.put(F.PLACE, time=self.time, path=self.path(b"/srv/share/a.zip!/b"), document=document, owner=self.name(F.ACCOUNT, b"0"),
                     group=self.name(F.GROUP, b"1000"), mode=0o640, bytes=9, modified=-1, changed=self.time)
            self.put(F.ALERT, time=self.time, number=1, phase=1, severity=3, rule=self.name(F.TEXT, b"mass-read"),
                     body=self.name(F.FACTS, b'{"title":"mass read"}'), upto=9)
            self.keys.append(Key(self.rng))
            self.rotated_at = self.put(F.KEY, time=self.time, public_key=self.keys[1].raw, previous=self.keys[0].raw)
        i = 0
        while len(self.leaves) < leaves:
            f = self.event(i)
            self.put(F.EVENT, **f)
            i += 1
        # Names of an event may have come past the end: no leaf without its entry, no entry without its leaf.
        del self.leaves[leaves:]
        count = sum(1 for p in self.leaves if p[1] == F.NAME_LEAF)
        del self.entries[count:]

    def erase(self, nth):
        self.entries[nth][0] = 2
        self.entries[nth][3] = bytes(16)
        self.entries[nth][4] = bytes(len(self.entries[nth][4]))

    def keys_at(self, size):
        if self.rotated_at is None or size <= self.rotated_at:
            return self.keys[:1]
        return self.keys[1:]


def payload(leaves):
    return b"".join(F.put_uvar(len(p)) + p for p in leaves)


def segment(first, seed, day, leaves, frame_counts):
    head = b"TYTOSEG1" + struct.pack(">Q16sq", first, seed, day) + bytes(20)
    out, at = [head, struct.pack(">I", F.crc32c(head))], 0
    for count in frame_counts:
        raw = payload(leaves[at:at + count])
        packed = compress(raw)
        h = b"TYFR" + struct.pack(">IIIQ", len(raw), len(packed), count, first + at)
        out += [h, struct.pack(">I", F.crc32c(h, packed)), packed]
        at += count
    return b"".join(out), at


def journal(first, leaves, commit):
    head = b"TYTOJRN1" + struct.pack(">Q", first) + bytes(4)
    out = [head, struct.pack(">I", F.crc32c(head))]
    for at in range(0, len(leaves), commit):
        part = leaves[at:at + commit]
        raw = payload(part)
        h = b"TYJR" + struct.pack(">IIQ", len(raw), len(part), first + at)
        out += [h, struct.pack(">I", F.crc32c(h, raw)), raw]
    return b"".join(out)


def names_files(entries):
    half = len(entries) // 2
    for i, (before, part) in enumerate(((0, entries[:half]), (half, entries[half:]))):
        out = [b"TYTONAM1", struct.pack(">Q", before)]
        for state, kind, number, salt, value in part:
            rest = bytes((state, kind)) + F.put_uvar(number) + salt + F.put_uvar(len(value)) + value
            out += [struct.pack(">I", F.crc32c(rest)), rest]
        yield f"names-{i:06d}", b"".join(out)


def frame_plan(n, rng):
    plan = []
    while n >= 256:
        c = min(rng.choice((256, 512, 768, 1024)), n // 256 * 256)
        plan.append(c)
        n -= c
    return plan


def tile_path(n):
    text = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03d}/{text}"
    return text


def write_export(out, leaves, key, proofs=()):
    """The log as tlog-tiles, and proof-N files; by this file's own reading of the C2SP pages."""
    level = [F.leaf_hash(x) for x in leaves]
    files = {"log.vkey": key.vkey().encode()}
    entries = [struct.pack(">H", len(x)) + x for x in leaves]

    def tiles(name, items):
        for at in range(0, len(items), 256):
            part = items[at:at + 256]
            files[f"tile/{name}/{tile_path(at // 256)}" + (f".p/{len(part)}" if len(part) < 256 else "")] = b"".join(part)

    tiles("entries", entries)
    L, hashes = 0, level
    while hashes:
        tiles(L, hashes)
        hashes = [subtree(hashes[i:i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
        L += 1
    files["checkpoint"] = checkpoint(len(leaves), subtree(level), [key])
    for n in proofs:
        lines = "".join(base64.b64encode(h).decode() + "\n" for h in inclusion(n, level))
        files[f"proof-{n}"] = f"c2sp.org/tlog-proof@v1\nindex {n}\n{lines}\n".encode() + files["checkpoint"]
    for name, data in files.items():
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)


def split(n):
    return 1 << (n - 1).bit_length() - 1


def subtree(hashes):
    """RFC 6962, 2.1, as it is written there."""
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return F.node_hash(subtree(hashes[:k]), subtree(hashes[k:]))


def inclusion(m, hashes):
    """RFC 6962, 2.1.1: PATH(m, D[n])."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if m < k:
        return inclusion(m, hashes[:k]) + [subtree(hashes[k:])]
    return inclusion(m - k, hashes[k:]) + [subtree(hashes[:k])]


def write(state, leaves, seed=1, spoil=None):
    """spoil(writer) may add leaves that break a rule; hashes and signatures then fit them."""
    w = Writer(seed)
    w.fill(leaves)
    if spoil:
        spoil(w)
    log = os.path.join(state, "log")
    os.makedirs(os.path.join(log, "checkpoints"))

    def put(name, data):
        with open(os.path.join(log, name), "wb") as f:
            f.write(data)

    n = len(w.leaves)
    second = (n // 2) // 256 * 256 or None
    firsts = [0] + ([second] if second else [])
    seeds = [w.rng.randbytes(16) for _ in firsts]
    done = 0
    for first, sd, end in zip(firsts, seeds, firsts[1:] + [n]):
        data, count = segment(first, sd, 20417, w.leaves[first:end], frame_plan(end - first, w.rng))
        put(f"segment-{first:020d}", data)
        done = first + count
    overlap = min(done, 256)
    put(f"journal-{done - overlap:020d}", journal(done - overlap, w.leaves[done - overlap:], 100))
    tree, nonces, whole = F.Tree(), [F.Nonces(s, f) for f, s in zip(firsts, seeds)], []
    kept = {n // 3, n - 1} - {0}
    for i, p in enumerate(w.leaves):
        whole.append(F.whole_leaf(p, nonces[second is not None and i >= second].of(i)))
        tree.append(F.leaf_hash(whole[-1]))
        if w.rotated_at == i:
            put(f"checkpoints/{i + 1:020d}", checkpoint(i + 1, tree.root(), w.keys))
        elif i + 1 in kept:
            put(f"checkpoints/{i + 1:020d}", checkpoint(i + 1, tree.root(), w.keys_at(i + 1)))
    put("checkpoint", checkpoint(n, tree.root(), w.keys_at(n)))
    for L in range(1, 8):
        if tree.levels[L]:
            put(f"tree-{L}", b"".join(tree.levels[L]))
    put("log.vkey", "".join(k.vkey() for k in reversed(w.keys)).encode())
    if len(w.entries) > 8:
        w.erase(6)
    for name, data in names_files(w.entries):
        put(name, data)
    head = b"TYTORSV1" + bytes(52)
    put("reserve", head + struct.pack(">I", F.crc32c(head)) + bytes(65536 - 64))
    return w, whole


def main():
    n = int(sys.argv[2])
    w, whole = write(sys.argv[1], n)
    if len(sys.argv) > 3:
        write_export(sys.argv[3], whole, w.keys_at(n)[0], sorted({0, n // 2, n - 1}))


if __name__ == "__main__":
    main()
