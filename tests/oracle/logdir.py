"""Reads a state directory's log/ whole and checks every rule of docs/log-format.md that can be checked from outside.

LogDir.check() raises logformat.Damage at the first bad place; notes (things that are allowed but worth saying, such as a torn tail
behind the last checkpoint) gather in .notes. The log may grow meanwhile: what is read is one state of it, at least up to its checkpoint.
"""
import json
import os
import re
import struct
import time

import logformat as F
from logformat import Damage, expect

SEGMENT_LEAVES = 1 << 20


def read_file(path):
    with open(path, "rb") as f:
        return f.read()


class Snapshot:
    """The bytes of all files, as a state that the log was in. A writer makes names durable before their leaves, leaves before their hashes and checkpoints,
    and puts leaves into a segment before it takes the journal away: so each is read before what it stands on. What vanishes or changes
    meanwhile, or keys that another key joins, mean: once more."""

    LOOK_AGAIN = 40

    def __init__(self, directory):
        self.dir, self.data, self.strange = directory, {}, set()
        for i in range(self.LOOK_AGAIN):
            try:
                self.data = {}
                if self._read():
                    return
            except FileNotFoundError:
                if i + 1 == self.LOOK_AGAIN or not os.path.isdir(directory):
                    raise
            time.sleep(0.02)

    def _list(self, pattern, sub=""):
        out = []
        for f in sorted(os.listdir(os.path.join(self.dir, sub))):
            if re.fullmatch(pattern, f):
                out.append(f)
            elif not FILE_FORMS.fullmatch(f):
                self.strange.add(os.path.join("log", sub, f))
        return out

    def _take(self, name):
        self.data[name] = read_file(os.path.join(self.dir, name))

    def _read(self):
        self._take("log.vkey")
        if os.path.isdir(os.path.join(self.dir, "checkpoints")):
            for f in self._list(r"\d{20}", "checkpoints"):
                self._take(f"checkpoints/{f}")
        for pattern in (r"checkpoint", r"tree-[1-7]", r"journal-\d{20}", r"segment-\d{20}", r"names-\d{6}"):
            for f in self._list(pattern):
                self._take(f)
        for _ in range(3):  # written in place
            for f in self._list("reserve"):
                self._take(f)
            r = self.data.get("reserve", b"")
            if len(r) < 64 or not any(r) or F.crc32c(r[:60]) == struct.unpack_from(">I", r, 60)[0]:
                break
            time.sleep(0.01)
        return read_file(os.path.join(self.dir, "log.vkey")) == self.data["log.vkey"]

    def names(self, prefix):
        return sorted(f for f in self.data if f.startswith(prefix))


class Names:
    """The dictionary: entries of names-* in order, taken one by one as their leaves come."""

    def __init__(self):
        self.next = [0] + [1] * F.NAME_KIND_TOP     # next number of a kind
        self.value = [None] + [[None] for _ in range(F.NAME_KIND_TOP)]   # by kind, by number; None: erased
        self.seen = [set() for _ in range(F.NAME_KIND_TOP + 1)]
        self.entries = []              # (where, state, kind, number, salt, value)
        self.taken = 0
        self.torn = None

    def read(self, snap, notes):
        files = snap.names("names-")
        for i, fname in enumerate(files):
            expect(fname == f"names-{i:06d}", fname, f"expected names-{i:06d}")
            data = snap.data[fname]
            expect(data[:8] == b"TYTONAM1", fname, "expected TYTONAM1")
            expect(len(data) >= 16, fname, "header cut short")
            before = struct.unpack_from(">Q", data, 8)[0]
            expect(before == len(self.entries), fname, f"says {before} entries stand before it, there are {len(self.entries)}")
            pos = 16
            while pos < len(data):
                try:
                    pos = self._entry(data, pos, f"{fname}: byte {pos}")
                except Damage as e:
                    # Only the physical end may be torn; whether a leaf misses the entry shows when the leaves are read.
                    if i < len(files) - 1:
                        raise
                    self.torn = str(e)
                    notes.append(f"torn tail: {e} ({len(data) - pos} bytes)")
                    break

    def _entry(self, d, pos, where):
        start = pos
        expect(pos + 6 <= len(d), where, "entry runs past the end")
        crc = struct.unpack_from(">I", d, pos)[0]
        state, kind = d[pos + 4], d[pos + 5]
        number, pos = F.get_uvar(d, pos + 6, where)
        expect(pos + 16 <= len(d), where, "entry runs past the end")
        salt = d[pos:pos + 16]
        length, pos = F.get_uvar(d, pos + 16, where)
        expect(length <= F.VALUE_MAX, where, f"value of {length} bytes")
        expect(pos + length <= len(d), where, "entry runs past the end")
        value = d[pos:pos + length]
        pos += length
        expect(F.crc32c(d[start + 4:pos]) == crc, where, "crc does not match")
        expect(state in (1, 2), where, f"state {state}")
        expect(1 <= kind <= F.NAME_KIND_TOP, where, f"name kind {kind}")
        expect(number >= 1, where, "number 0")
        if state == 2:
            expect(not any(salt) and not any(value), where, "an erased name still has salt or value")
        self.entries.append((where, state, kind, number, salt, value))
        return pos

    def introduce(self, kind, number, commitment, where):
        expect(number == self.next[kind], where, f"{F.NAME_KINDS[kind]} {number}, expected {self.next[kind]}")
        expect(self.taken < len(self.entries), where,
               f"its salt and value do not stand beside the log{': ' + self.torn if self.torn else ''}")
        at, state, ekind, enumber, salt, value = self.entries[self.taken]
        expect((ekind, enumber) == (kind, number), at,
               f"{F.NAME_KINDS[ekind]} {enumber}, the leaf says {F.NAME_KINDS[kind]} {number} ({where})")
        self.taken += 1
        self.next[kind] += 1
        if state == 2:
            self.value[kind].append(None)
            return
        expect(F.sha256(b"tyto/name/1", bytes((kind,)), salt, value) == commitment, at, f"commitment does not match ({where})")
        expect(value not in self.seen[kind], at, f"this {F.NAME_KINDS[kind]} has a number already")
        self.seen[kind].add(value)
        self.value[kind].append(self.parse(kind, number, value, at))

    def parse(self, kind, number, v, at):
        """The value in a form to print from: bytes, or a tuple of numbers."""
        if kind in (F.ACCOUNT, F.GROUP):
            expect(v.isdigit() and str(int(v)).encode() == v and int(v) < 1 << 32, at, "not a uid or gid in decimal")
        elif kind == F.COMPONENT:
            parent, pos = F.get_uvar(v, 0, at)
            expect(parent < number, at, f"parent {parent} is not before {number}")
            expect(b"/" not in v[pos:], at, "a component with a slash")
            return parent, v[pos:]
        elif kind == F.CHAIN:
            pos, chain = 0, []
            while pos < len(v):
                n, pos = F.get_uvar(v, pos, at)
                expect(1 <= n < self.next[F.PROGRAM], at, f"program {n} is not known yet")
                chain.append(n)
            expect(1 <= len(chain) <= 8, at, f"{len(chain)} programs in a chain")
            return tuple(chain)
        elif kind == F.DOCUMENT:
            expect(len(v) == 32, at, "a document of other than 32 bytes")
        elif kind == F.OBJECT:
            a, pos = F.get_uvar(v, 0, at)
            b, pos = F.get_uvar(v, pos, at)
            c, pos = F.get_uvar(v, pos, at)
            expect(pos == len(v), at, "bytes after an object's generation")
            return a, b, c
        elif kind in (F.EXTRA, F.ROW, F.FACTS):
            try:
                expect(isinstance(json.loads(v.decode("utf-8")), dict), at, "not a JSON object")
            except (UnicodeDecodeError, ValueError):
                raise Damage(f"{at}: not a JSON object") from None
        return v

    def path(self, number):
        """Bytes of a path, or None when a part of it has been erased."""
        parts = []
        while number:
            c = self.value[F.COMPONENT][number]
            if c is None:
                return None
            number, part = c
            parts.append(part)
        return b"/".join(reversed(parts))


class Segment:
    def __init__(self, data, fname, zstd):
        expect(len(data) >= 64, fname, "header cut short")
        expect(data[:8] == b"TYTOSEG1", fname, "expected TYTOSEG1")
        self.first, self.seed, self.day = struct.unpack_from(">Q16sq", data, 8)
        expect(not any(data[40:60]), fname, "header bytes 40 to 59 are not 0")
        expect(F.crc32c(data[:60]) == struct.unpack_from(">I", data, 60)[0], fname, "crc of the header does not match")
        expect(fname == f"segment-{self.first:020d}", fname, f"header says first index {self.first}")
        expect(self.first % 256 == 0, fname, "first index is not a multiple of 256")
        self.name, self.leaves, self.torn, self.frames = fname, [], None, []
        self.nonces = F.Nonces(self.seed, self.first)
        pos = 64
        while pos < len(data):
            try:
                pos = self._frame(data, pos, zstd)
            except Damage as e:
                if data.find(b"TYFR", pos + 4) >= 0:
                    raise
                self.torn = (str(e), len(data) - pos)
                break

    def _frame(self, d, pos, zstd):
        where = f"{self.name}: byte {pos}"
        expect(d[pos:pos + 4] == b"TYFR", where, "expected TYFR")
        expect(pos + 28 <= len(d), where, "frame header cut short")
        raw, length, count, first, crc = struct.unpack_from(">IIIQI", d, pos + 4)
        expect(pos + 28 + length <= len(d), where, "frame runs past the end")
        payload = d[pos + 28:pos + 28 + length]
        expect(F.crc32c(d[pos:pos + 24], payload) == crc, where, "crc of the frame does not match")
        expect(count in (256, 512, 768, 1024), where, f"{count} leaves in a frame")
        expect(first == self.first + len(self.leaves), where, f"first index {first}, expected {self.first + len(self.leaves)}")
        expect(raw <= count * (F.LEAF_MAX + 2), where, f"{raw} bytes for {count} leaves")
        self.leaves += unpack_leaves(zstd.frame(payload, raw, where), count, where)
        self.frames.append(first)
        return pos + 28 + length


def unpack_leaves(b, count, where):
    leaves, pos = [], 0
    for _ in range(count):
        n, pos = F.get_uvar(b, pos, where)
        expect(pos + n <= len(b), where, "a leaf runs past the payload")
        leaves.append(b[pos:pos + n])
        pos += n
    expect(pos == len(b), where, "bytes after the last leaf of the payload")
    return leaves


class Journal:
    def __init__(self, d, fname):
        expect(len(d) >= 24, fname, "header cut short")
        expect(d[:8] == b"TYTOJRN1", fname, "expected TYTOJRN1")
        self.first = struct.unpack_from(">Q", d, 8)[0]
        expect(not any(d[16:20]), fname, "header bytes 16 to 19 are not 0")
        expect(F.crc32c(d[:20]) == struct.unpack_from(">I", d, 20)[0], fname, "crc of the header does not match")
        expect(fname == f"journal-{self.first:020d}", fname, f"header says first index {self.first}")
        self.name, self.leaves, self.torn = fname, [], None
        pos = 24
        while pos < len(d):
            try:
                pos = self._frame(d, pos)
            except Damage as e:
                if self._whole_frame_after(d, pos):
                    raise
                self.torn = (str(e), len(d) - pos)
                break

    def _frame(self, d, pos):
        where = f"{self.name}: byte {pos}"
        expect(d[pos:pos + 4] == b"TYJR", where, "expected TYJR")
        expect(pos + 24 <= len(d), where, "frame header cut short")
        length, count, first, crc = struct.unpack_from(">IIQI", d, pos + 4)
        expect(pos + 24 + length <= len(d), where, "frame runs past the end")
        payload = d[pos + 24:pos + 24 + length]
        expect(F.crc32c(d[pos:pos + 20], payload) == crc, where, "crc of the frame does not match")
        expect(1 <= count <= 65536, where, f"{count} leaves in a frame")
        expect(first == self.first + len(self.leaves), where, f"first index {first}, expected {self.first + len(self.leaves)}")
        self.leaves += unpack_leaves(payload, count, where)
        return pos + 24 + length

    @staticmethod
    def _whole_frame_after(d, pos):
        """A sound frame behind an unsound one: not a torn tail but damage."""
        while (pos := d.find(b"TYJR", pos + 1)) >= 0:
            if pos + 24 > len(d):
                return False
            length, _, _, crc = struct.unpack_from(">IIQI", d, pos + 4)
            if pos + 24 + length <= len(d) and F.crc32c(d[pos:pos + 20], d[pos + 24:pos + 24 + length]) == crc:
                return True
        return False


class Reader:
    """Leaf after leaf: canonical form, dictionary, references. Shared by state directories and exports (names: None)."""

    def __init__(self, names):
        self.names, self.index = names, 0
        self.imports = {}       # begin index -> True while open
        self.keys = []          # (index, public, previous)
        self.unknown_kinds = 0

    def take(self, packed):
        where = f"leaf {self.index}"
        kind, f = F.decode_packed(packed, where)
        if kind == F.NAME_LEAF and f["name_kind"] > F.GROUP:
            self.unknown_kinds += 1
        if f is None:
            self.unknown_kinds += 1
        else:
            expect(F.encode_packed(kind, f) == bytes(packed), where, "not the canonical encoding")
            self._rules(kind, f, where)
        self.index += 1
        return kind, f

    def _rules(self, kind, f, where):
        names = self.names
        if kind == F.NAME_LEAF:
            expect(f["number"] >= 1, where, "name number 0")
            if names:
                names.introduce(f["name_kind"], f["number"], f["commitment"], where)
            return
        if names:
            for field, nkind in F.NAMED[kind]:
                if field in f:
                    expect(f[field] < names.next[nkind], where, f"{field}: {F.NAME_KINDS[nkind]} {f[field]} is not known yet")
        if kind == F.PLACE:
            expect(f.get("mode", 0) <= 4095, where, "mode above 4095")
        if kind == F.ALERT:
            expect(f["number"] >= 1, where, "alert number 0")
        if kind == F.EVENT:
            expect(f.get("port", 0) <= 65535, where, "port above 65535")
            expect(f.get("pid", 0) <= 4294967295, where, "pid above 4294967295")
            expect(f.get("refers", -1) < self.index, where, "refers to a later leaf")
            expect(f["time"] + f.get("end", 0) <= F.I64_MAX, where, "end is beyond the last time")
        elif kind == F.IMPORT:
            self._import(f, where)
        elif kind == F.KEY:
            if self.keys:
                expect(f["previous"] == self.keys[-1][1], where, "previous is not the key in force")
            expect(f["previous"] != f["public_key"], where, "a key follows itself")
            self.keys.append((self.index, f["public_key"], f["previous"]))
        if "source" in f:
            expect(f["source"] in self.imports, where, f"source {f['source']} is not the beginning of an import")
            expect(self.imports[f["source"]], where, f"the import that began at {f['source']} has ended")

    def _import(self, f, where):
        expect(f["phase"] in (1, 3), where, f"import phase {f['phase']}")
        if f["phase"] == 1:
            for field in ("begins", "records", "refused"):
                expect(field not in f, where, f"{field} at the beginning of an import")
            self.imports[self.index] = True
        else:
            for field in ("begins", "records", "refused"):
                expect(field in f, where, f"no {field} at the end of an import")
            expect(self.imports.get(f["begins"], False), where, f"no import that began at {f['begins']} is open")
            self.imports[f["begins"]] = False


FILE_FORMS = re.compile(r"names-\d{6}|segment-\d{20}|journal-\d{20}|tree-[1-7]|checkpoint|checkpoints|log\.vkey|reserve")


class LogDir:
    def __init__(self, state):
        self.dir = os.path.join(state, "log")
        self.notes = []
        self.size = 0

    def check(self, on_leaf=None, strict=False):
        """on_leaf(index, kind, fields, names, whole leaf) for each leaf, in order."""
        snap = Snapshot(self.dir)
        self.notes += [f"{f}: not a file of the format" for f in sorted(snap.strange)]
        self.keys = F.read_vkeys(snap.data["log.vkey"], "log.vkey")
        checkpoints = self._checkpoints(snap)
        self.names = Names()
        self.names.read(snap, self.notes)
        segments, leaves = self._gather(snap)
        self._replay(segments, leaves, checkpoints, on_leaf)
        self._tree_files(snap)
        self._reserve(snap)
        left = len(self.names.entries) - self.names.taken
        if left:
            self.notes.append(f"{left} names stand beside the log without a leaf")
        if strict:
            expect(not self.notes, "notes", "; ".join(self.notes))
        return self.size

    def _checkpoints(self, snap):
        """[(checkpoint, signers)], by size; the newest last."""
        out = []
        for where in snap.names("checkpoints/"):
            c = F.Checkpoint(snap.data[where], where)
            expect(where == f"checkpoints/{c.size:020d}", where, f"its size is {c.size}")
            out.append((c, self._signers(c)))
        self.has_checkpoint = "checkpoint" in snap.data
        expect(self.has_checkpoint or not out, "checkpoint", "missing, but older ones were kept")
        begun = os.path.exists(os.path.join(self.dir, os.pardir, "begun"))
        expect(self.has_checkpoint or not begun, "checkpoint", "missing, but the log has begun")
        if self.has_checkpoint:
            c = F.Checkpoint(snap.data["checkpoint"], "checkpoint")
            if out:
                expect(c.size >= out[-1][0].size, "checkpoint", f"size {c.size}, but one of size {out[-1][0].size} was kept")
            out.append((c, self._signers(c)))
        return out

    def _signers(self, c):
        signers = c.check(self.keys)
        expect(len(signers) == len(c.sigs), c.where, "a signature by a key that log.vkey does not hold")
        return signers

    def _gather(self, snap):
        zstd = F.Zstd()
        segments = [Segment(snap.data[f], f, zstd) for f in snap.names("segment-")]
        journals = [Journal(snap.data[f], f) for f in snap.names("journal-")]
        leaves = {}
        for i, s in enumerate(segments):
            end = segments[i + 1].first if i + 1 < len(segments) else s.first + SEGMENT_LEAVES
            expect(s.first + len(s.leaves) <= end and end - s.first <= SEGMENT_LEAVES, s.name, f"leaves beyond index {end}")
            expect(s.torn is None or i == len(segments) - 1, "segment", s.torn and s.torn[0])
            for k, p in enumerate(s.leaves):
                leaves[s.first + k] = p
        expect(not segments or segments[0].first == 0, segments and segments[0].name, "the log does not begin at 0")
        for i, j in enumerate(journals):
            expect(j.torn is None or i == len(journals) - 1, "journal", j.torn and j.torn[0])
            for k, p in enumerate(j.leaves):
                at = j.first + k
                expect(leaves.get(at, p) == p, j.name, f"leaf {at} stands twice, with different bytes")
                leaves[at] = p
        for x in segments + journals:
            if x.torn:
                self.notes.append(f"torn tail: {x.torn[0]} ({x.torn[1]} bytes)")
        self.size = len(leaves)
        for i in range(self.size):
            expect(i in leaves, f"leaf {i}", "missing")
        expect(not leaves or segments, "log", "no segment holds the seed")
        return segments, leaves

    def _replay(self, segments, leaves, checkpoints, on_leaf):
        for c, _ in checkpoints:
            expect(c.size <= self.size, c.where, f"covers {c.size} leaves, the log has {self.size}")
        expect(self.has_checkpoint or self.size == 0, "checkpoint", "missing")
        tree, reader, seg, due, early = F.Tree(), Reader(self.names), 0, list(checkpoints), []
        self.tree = tree
        for i in range(self.size + 1):
            while due and due[0][0].size == i:
                c, signers = due.pop(0)
                expect(c.root == tree.root(), c.where, f"its root is not that of the first {i} leaves")
                if reader.keys:
                    expect(reader.keys[-1][1] in signers, c.where, "not signed by the key in force")
                else:
                    early.append((c, signers))
            if i == self.size:
                break
            while seg + 1 < len(segments) and segments[seg + 1].first <= i:
                seg += 1
            packed = bytes(leaves[i])
            kind, f = reader.take(packed)
            leaf = F.whole_leaf(packed, segments[seg].nonces.of(i))
            tree.append(F.leaf_hash(leaf))
            if on_leaf:
                on_leaf(i, kind, f, self.names, leaf)
        if reader.unknown_kinds:
            self.notes.append(f"{reader.unknown_kinds} leaves of kinds that format 1.0 does not have: cannot be decoded")
        first = reader.keys[0][2] if reader.keys else self.keys[0].raw
        for c, signers in early:
            expect(first in signers, c.where, "not signed by the key in force")
        self._rotations_signed_twice(reader.keys, checkpoints)
        self._keys_are_those_in_force([first] + [k[1] for k in reader.keys], reader.keys, checkpoints)

    def _rotations_signed_twice(self, rotations, checkpoints):
        for at, public, previous in rotations:
            covering = [(c, signers) for c, signers in checkpoints if c.size > at]
            expect(not covering or {public, previous} <= set(covering[0][1]), covering and covering[0][0].where,
                   f"the first one that covers key leaf {at}, not signed by both keys")

    def _keys_are_those_in_force(self, in_force, rotations, checkpoints):
        listed = [k.raw for k in self.keys][::-1]
        covered = checkpoints[-1][0].size if checkpoints else 0
        if listed == in_force[:-1] and rotations and rotations[-1][0] >= covered:
            self.notes.append("log.vkey lacks the key of the last key leaf, which no checkpoint covers")
            return
        expect(listed == in_force, "log.vkey", "expected the keys that the log introduces, the one in force first")

    def _tree_files(self, snap):
        for L in range(1, 8):
            fname = f"tree-{L}"
            if fname not in snap.data:
                continue
            d, have = snap.data[fname], self.tree.levels[L]
            for i in range(len(d) // 32):
                expect(i < len(have), f"{fname}: hash {i}", f"the log has {len(have)} such subtrees")
                expect(d[32 * i:32 * i + 32] == have[i], f"{fname}: hash {i}", "not the hash of its leaves")
            expect(len(d) % 32 == 0, fname, "length is not a multiple of 32")
            if len(d) // 32 < len(have):
                self.notes.append(f"{fname}: {len(d) // 32} of {len(have)} hashes")

    def _reserve(self, snap):
        if "reserve" not in snap.data:
            self.notes.append("no reserve")
            return
        d = snap.data["reserve"]
        expect(len(d) == 65536, "reserve", f"{len(d)} bytes, expected 65536")
        if not any(d):
            return
        expect(d[:8] == b"TYTORSV1", "reserve", "expected TYTORSV1")
        expect(F.crc32c(d[:60]) == struct.unpack_from(">I", d, 60)[0], "reserve", "crc does not match")
        expect(d[8] in (0, 1), "reserve", f"state {d[8]}")
        expect(not any(d[9:16]) and not any(d[40:60]) and not any(d[64:]), "reserve", "bytes that must be 0 are not")
        if d[8] == 1:
            self.notes.append("a gap (disk_full) is open in the reserve")
