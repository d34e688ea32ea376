"""The byte format of docs/log-format.md: primitives, leaf tables, signed notes, RFC 6962 and the C2SP proof form.

Written from that page and the public specifications alone; shares no code with src/evidence, so that both can be wrong only
independently. Everything here raises Damage with the place and what was expected.
"""
import base64
import binascii
import ctypes
import ctypes.util
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LEAF_MAX = 4096
VALUE_MAX = 8192
U64_MAX = (1 << 64) - 1
I64_MAX = (1 << 63) - 1


class Damage(Exception):
    """The first thing that is not as the page says."""


def expect(cond, where, what):
    if not cond:
        raise Damage(f"{where}: {what}")


def sha256(*parts):
    h = hashlib.sha256()
    for p in parts:
        h.update(p)
    return h.digest()


def _crc_table():
    table = []
    for i in range(256):
        c = i
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
        table.append(c)
    return table


_CRC = _crc_table()


def crc32c(*parts):
    c = 0xFFFFFFFF
    table = _CRC
    for p in parts:
        for b in p:
            c = table[(c ^ b) & 0xFF] ^ (c >> 8)
    return c ^ 0xFFFFFFFF


def get_uvar(b, pos, where):
    """Minimal LEB128 at pos: (value, next position)."""
    v = shift = 0
    start = pos
    while True:
        expect(pos < len(b), where, "number runs past the end")
        expect(pos - start < 10, where, "number longer than ten bytes")
        c = b[pos]
        pos += 1
        v |= (c & 0x7F) << shift
        shift += 7
        if not c & 0x80:
            break
    expect(c != 0 or pos - start == 1, where, "number not in its minimal form")
    expect(v <= U64_MAX, where, "number above 2^64-1")
    return v, pos


def put_uvar(v):
    out = bytearray()
    while v >= 0x80:
        out.append(v & 0x7F | 0x80)
        v >>= 7
    out.append(v)
    return bytes(out)


# Leaves ----------------------------------------------------------------------------------------------------------------------

NAME_KINDS = ("", "host", "person", "account", "component", "program", "chain", "client", "document", "object", "container",
              "text", "extra", "boot", "row", "facts", "group") + tuple(f"name of kind {k}" for k in range(17, 32))
HOST, PERSON, ACCOUNT, COMPONENT, PROGRAM, CHAIN, CLIENT, DOCUMENT, OBJECT, CONTAINER, TEXT, EXTRA, BOOT, ROW, FACTS, GROUP = range(1, 17)
NAME_KIND_TOP = 31      # those above GROUP are of later versions: numbered and committed to like the others, of no known form

VERBS = "open read write create delete rename link permission copy archive export send exec gap".split()
SEEN = "bytes access open".split()
PERSON_BY = "opener login session acting late".split()
VIA = "local ssh smb nfs".split()
LABELS = "public internal confidential restricted".split()
CONFIRMED = "content opaque flow".split()
PHASES = "raised grown closed reopened".split()
SEVERITIES = "low medium high critical".split()
REASONS = "theft expected mistake".split()
CAUSES = "overflow restart stalled deadline backlog unmount mount tree disk_full clock keeper".split()


def enum(names):
    return ("u8", 1, len(names), names)


def u8(lo, hi):
    return ("u8", lo, hi, None)


def name(kind):
    return ("name", kind)


TIME, UVAR, HASH = ("time",), ("uvar",), ("hash",)

NAME_LEAF, EVENT, HEARTBEAT, IMPORT, KEY, RECOVERY, PERSON_ROW, CONFIG, DOCUMENT_FACTS, PLACE, ALERT = range(1, 12)

# kind -> (rows in the order of their bits, how many of the named ones are always present)
KINDS = {
    NAME_LEAF: ([("name_kind", u8(1, NAME_KIND_TOP)), ("number", UVAR), ("commitment", HASH)], {"name_kind", "number", "commitment"}),
    EVENT: ([
        ("time", TIME), ("verb", enum(VERBS)), ("seen", enum(SEEN)), ("host", name(HOST)), ("person", name(PERSON)),
        ("person_by", enum(PERSON_BY)), ("uid", name(ACCOUNT)), ("path", name(COMPONENT)), ("object", name(OBJECT)),
        ("program", name(PROGRAM)), ("pid", UVAR), ("via", enum(VIA)), ("parents", name(CHAIN)), ("client", name(CLIENT)),
        ("login_uid", name(ACCOUNT)), ("count", UVAR), ("end", UVAR), ("refers", UVAR), ("cwd", name(COMPONENT)),
        ("to", name(COMPONENT)), ("document", name(DOCUMENT)), ("label", enum(LABELS)), ("bytes", UVAR), ("covered", UVAR),
        ("command", name(TEXT)), ("parent_command", name(TEXT)), ("peer", name(CLIENT)), ("port", UVAR), ("allowed", u8(0, 1)),
        ("confirmed", enum(CONFIRMED)), ("container", name(CONTAINER)), ("cause", enum(CAUSES)), ("source", UVAR),
        ("extra", name(EXTRA)), ("late", u8(1, 1))], {"time", "verb"}),
    HEARTBEAT: ([
        ("time", TIME), ("phase", u8(1, 3)), ("host", name(HOST)), ("boot", name(BOOT)), ("uptime", UVAR), ("clock", u8(1, 3)),
        ("backend", u8(1, 3)), ("received", UVAR), ("delivered", UVAR), ("lost", UVAR), ("missed", UVAR), ("own", UVAR),
        ("held_max", UVAR), ("watched", UVAR)], {"time", "phase", "boot", "uptime", "clock"}),
    IMPORT: ([
        ("time", TIME), ("phase", u8(1, 3)), ("file", name(DOCUMENT)), ("format", u8(1, 3)), ("begins", UVAR), ("records", UVAR),
        ("refused", UVAR), ("title", name(TEXT))], {"time", "phase"}),
    KEY: ([("time", TIME), ("public_key", HASH), ("previous", HASH)], {"time", "public_key", "previous"}),
    RECOVERY: ([("time", TIME), ("cut", u8(1, 4)), ("bytes", UVAR)], {"time", "cut", "bytes"}),
    PERSON_ROW: ([("time", TIME), ("person", name(PERSON)), ("row", name(ROW)), ("source", UVAR)], {"time", "person", "row"}),
    CONFIG: ([("time", TIME), ("setting", name(TEXT))], {"time", "setting"}),
    DOCUMENT_FACTS: ([
        ("time", TIME), ("document", name(DOCUMENT)), ("bytes", UVAR), ("type", name(TEXT)), ("label", enum(LABELS)),
        ("text_chars", UVAR), ("contacts", UVAR), ("facts", name(FACTS)), ("error", name(TEXT))], {"time", "document"}),
    PLACE: ([
        ("time", TIME), ("path", name(COMPONENT)), ("object", name(OBJECT)), ("document", name(DOCUMENT)), ("owner", name(ACCOUNT)),
        ("group", name(GROUP)), ("mode", UVAR), ("acl", name(TEXT)), ("bytes", UVAR), ("modified", TIME), ("changed", TIME),
        ("gone", u8(1, 1)), ("error", name(TEXT))], {"time", "path"}),
    ALERT: ([
        ("time", TIME), ("number", UVAR), ("phase", enum(PHASES)), ("severity", enum(SEVERITIES)), ("person", name(PERSON)),
        ("rule", name(TEXT)), ("reason", enum(REASONS)), ("body", name(FACTS)), ("upto", UVAR), ("account", name(ACCOUNT))],
        {"time", "number", "phase"}),
}


def field_names_of(kind):
    """[(field, name kind)] of a leaf kind's fields that point into the dictionary."""
    return [(n, t[1]) for n, t in KINDS[kind][0] if t[0] == "name"]


NAMED = {k: field_names_of(k) for k in KINDS}


def get_field(b, pos, ftype, where):
    kind = ftype[0]
    if kind == "u8":
        expect(pos < len(b), where, "leaf ends here")
        expect(ftype[1] <= b[pos] <= ftype[2], where, f"{b[pos]} where {ftype[1]} to {ftype[2]} is expected")
        return b[pos], pos + 1
    if kind == "time":
        expect(pos + 8 <= len(b), where, "leaf ends here")
        return struct.unpack_from(">q", b, pos)[0], pos + 8
    if kind == "hash":
        expect(pos + 32 <= len(b), where, "leaf ends here")
        return bytes(b[pos:pos + 32]), pos + 32
    v, pos = get_uvar(b, pos, where)
    expect(kind != "name" or v >= 1, where, "name number 0")
    return v, pos


def decode_packed(p, where):
    """(kind, fields) of a packed leaf; fields is None for a kind that this format does not have."""
    expect(len(p) >= 2, where, "leaf shorter than two bytes")
    expect(len(p) + 16 <= LEAF_MAX, where, f"leaf of {len(p) + 16} bytes, at most {LEAF_MAX} are allowed")
    expect(p[0] == 1, where, f"leaf version {p[0]}, expected 1")
    kind = p[1]
    expect(kind != 0, where, "leaf kind 0")
    if kind not in KINDS:
        return kind, None
    rows, always = KINDS[kind]
    bitmap, pos = get_uvar(p, 2, f"{where}: bitmap")
    expect(bitmap >> len(rows) == 0, where, f"bitmap has bits above field {len(rows) - 1}")
    fields = {}
    for i, (fname, ftype) in enumerate(rows):
        if bitmap >> i & 1:
            fields[fname], pos = get_field(p, pos, ftype, f"{where}: {fname}")
    expect(pos == len(p), where, f"{len(p) - pos} bytes after the last field")
    for fname in always:
        expect(fname in fields, where, f"{fname} is absent")
    return kind, fields


def encode_packed(kind, fields):
    rows, _ = KINDS[kind]
    bitmap = 0
    body = bytearray()
    for i, (fname, ftype) in enumerate(rows):
        if fname not in fields:
            continue
        bitmap |= 1 << i
        v = fields[fname]
        if ftype[0] == "u8":
            body.append(v)
        elif ftype[0] == "time":
            body += struct.pack(">q", v)
        elif ftype[0] == "hash":
            body += v
        else:
            body += put_uvar(v)
    return bytes((1, kind)) + put_uvar(bitmap) + bytes(body)


class Nonces:
    """AES-128-ECB over block numbers, made in runs: one cipher call for 4,096 leaves."""
    RUN = 4096

    def __init__(self, seed, first):
        self.seed, self.first, self.run, self.bytes = seed, first, -1, b""

    def of(self, index):
        n = index - self.first
        run = n // self.RUN
        if run != self.run:
            enc = Cipher(algorithms.AES(self.seed), modes.ECB()).encryptor()
            at = run * self.RUN
            self.bytes = enc.update(b"".join(struct.pack(">QQ", 0, at + i) for i in range(self.RUN))) + enc.finalize()
            self.run = run
        o = 16 * (n % self.RUN)
        return self.bytes[o:o + 16]


def whole_leaf(packed, nonce):
    return packed[:2] + nonce + packed[2:]


def packed_leaf(leaf, where):
    expect(len(leaf) >= 18, where, "leaf shorter than 18 bytes")
    return leaf[:2] + leaf[18:]


# Merkle tree -----------------------------------------------------------------------------------------------------------------

def leaf_hash(leaf):
    return sha256(b"\0", leaf)


def node_hash(left, right):
    return sha256(b"\1", left, right)


EMPTY_ROOT = sha256()


class Tree:
    """RFC 6962 tree, appended to; keeps the roots of full subtrees of 256^L leaves (levels) when asked to."""

    def __init__(self, level0=False):
        self.size, self.stack, self.levels = 0, [], {L: [] for L in range(0 if level0 else 1, 8)}

    def append(self, h):
        self.size += 1
        if 0 in self.levels:
            self.levels[0].append(h)
        n, height = self.size, 0
        while n & 1 == 0:
            h = node_hash(self.stack.pop(), h)
            n >>= 1
            height += 1
            if height % 8 == 0 and height // 8 in self.levels:
                self.levels[height // 8].append(h)
        self.stack.append(h)

    def root(self):
        if not self.stack:
            return EMPTY_ROOT
        h = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            h = node_hash(left, h)
        return h


def check_inclusion(path, index, size, h, root, where):
    expect(index < size, where, f"index {index} is not in a tree of {size}")
    fn, sn = index, size - 1
    for p in path:
        expect(sn > 0, where, "proof has too many hashes")
        if fn & 1 or fn == sn:
            h = node_hash(p, h)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            h = node_hash(h, p)
        fn >>= 1
        sn >>= 1
    expect(sn == 0, where, "proof has too few hashes")
    expect(h == root, where, "proof does not lead to the checkpoint's root")


# Signed notes ----------------------------------------------------------------------------------------------------------------

def b64(text, where):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Damage(f"{where}: not base64") from None
    expect(base64.b64encode(raw).decode() == text, where, "base64 not in its canonical form")
    return raw


def key_hash(key_name, raw):
    return sha256(key_name.encode(), b"\n\1", raw)[:4]


class VKey:
    def __init__(self, line, where):
        parts = line.split("+", 2)
        expect(len(parts) == 3, where, "expected NAME+HASH+BASE64")
        self.name, hexhash, key = parts
        raw = b64(key, where)
        expect(len(raw) == 33 and raw[0] == 1, where, "not an Ed25519 key")
        self.raw = raw[1:]
        self.hash = key_hash(self.name, self.raw)
        expect(self.hash.hex() == hexhash, where, "key hash does not belong to name and key")

    def verifies(self, text, sig):
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(sig, text)
            return True
        except InvalidSignature:
            return False


def read_vkeys(data, where):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Damage(f"{where}: not UTF-8") from None
    expect(text.endswith("\n"), where, "last line has no newline")
    keys = [VKey(line, f"{where}: line {i}") for i, line in enumerate(text[:-1].split("\n"), 1)]
    expect(len({k.name for k in keys}) == 1, where, "keys of more than one name")
    expect(len({k.raw for k in keys}) == len(keys), where, "a key stands there twice")
    return keys


class Checkpoint:
    def __init__(self, data, where):
        self.where = where
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Damage(f"{where}: not UTF-8") from None
        cut = note.rfind("\n\n")
        expect(cut >= 0 and note.endswith("\n"), where, "not a signed note")
        expect(not any(ord(c) < 0x20 and c != "\n" for c in note), where, "control characters in a signed note")
        self.text = note[:cut + 1]
        lines = self.text[:-1].split("\n")
        expect(len(lines) >= 3 and all(lines), where, "expected origin, size, root")
        self.origin = lines[0]
        expect(lines[1].isascii() and lines[1].isdigit() and str(int(lines[1])) == lines[1], where, "size is not a decimal number")
        self.size = int(lines[1])
        self.root = b64(lines[2], f"{where}: root")
        expect(len(self.root) == 32, where, "root is not 32 bytes")
        self.extra = lines[3:]
        self.sigs = []
        sig_text = note[cut + 2:]
        expect(sig_text.endswith("\n"), where, "no signature")
        for line in sig_text[:-1].split("\n"):
            parts = line.split(" ")
            expect(len(parts) == 3 and parts[0] == "\u2014" and parts[1], where, "malformed signature line")
            raw = b64(parts[2], f"{where}: signature")
            expect(len(raw) > 4, where, "signature too short")
            self.sigs.append((parts[1], raw[:4], raw[4:]))

    def check(self, keys):
        """Raw public keys of ours that signed. Any signature under a known name and key hash must verify."""
        expect(self.origin == keys[0].name, self.where, f"origin {self.origin!r}, expected {keys[0].name!r}")
        signed = []
        for sname, shash, sig in self.sigs:
            for k in keys:
                if k.name == sname and k.hash == shash:
                    expect(k.verifies(self.text.encode(), sig), self.where, "signature does not verify")
                    expect(k.raw not in signed, self.where, "two signatures by one key")
                    signed.append(k.raw)
        expect(signed, self.where, "no signature by a key of the log")
        return signed


class Proof:
    """C2SP tlog-proof: header, extra?, index, hashes, blank line, checkpoint."""

    def __init__(self, data, where):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Damage(f"{where}: not UTF-8") from None
        head, sep, note = text.partition("\n\n")
        expect(sep, where, "no blank line before the checkpoint")
        lines = head.split("\n")
        expect(lines[0] == "c2sp.org/tlog-proof@v1", f"{where}: line 1", "expected c2sp.org/tlog-proof@v1")
        at = 1
        self.extra = None
        if len(lines) > at and lines[at].startswith("extra "):
            self.extra = b64(lines[at][6:], f"{where}: extra")
            at += 1
        expect(len(lines) > at and lines[at].startswith("index "), f"{where}: line {at + 1}", "expected index")
        digits = lines[at][6:]
        expect(digits.isascii() and digits.isdigit() and str(int(digits)) == digits, where, "index is not a decimal number")
        self.index = int(digits)
        self.path = [b64(x, f"{where}: line {i}") for i, x in enumerate(lines[at + 1:], at + 2)]
        expect(all(len(h) == 32 for h in self.path), where, "a hash that is not 32 bytes")
        self.checkpoint = Checkpoint(note.encode(), f"{where}: checkpoint")


# zstd ------------------------------------------------------------------------------------------------------------------------

class Zstd:
    """libzstd by ctypes (the package libzstd1): one frame, whole, of a known size."""

    def __init__(self):
        try:
            self.lib = ctypes.CDLL("libzstd.so.1")
        except OSError:
            raise SystemExit("check_log: libzstd.so.1 is missing (Debian package libzstd1)") from None
        for fn in ("ZSTD_decompress", "ZSTD_findFrameCompressedSize"):
            getattr(self.lib, fn).restype = ctypes.c_size_t
        self.lib.ZSTD_isError.argtypes = [ctypes.c_size_t]

    def frame(self, data, raw, where):
        size = self.lib.ZSTD_findFrameCompressedSize(data, ctypes.c_size_t(len(data)))
        expect(not self.lib.ZSTD_isError(size) and size == len(data), where, "payload is not one zstd frame")
        out = ctypes.create_string_buffer(max(raw, 1))
        n = self.lib.ZSTD_decompress(out, ctypes.c_size_t(raw), data, ctypes.c_size_t(len(data)))
        expect(not self.lib.ZSTD_isError(n) and n == raw, where, f"payload does not decompress to {raw} bytes")
        return out.raw[:raw]
