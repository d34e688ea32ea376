#!/usr/bin/env python3
"""TAP: the checker accepts logs written by makelog.py and finds every flipped bit, cut, lost, swapped or forged piece of them."""
import os
import random
import shutil
import subprocess
import sys
import tempfile

import logformat as F
import makelog
from logdir import LogDir, read_file

HERE = os.path.dirname(os.path.abspath(__file__))
tests = failed = 0


def ok(good, what, detail=""):
    global tests, failed
    tests += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {tests} - {what}")
    if not good and detail:
        print("# " + str(detail).replace("\n", "\n# "))


def verdict(state):
    try:
        return None if LogDir(state).check(strict=True) else "empty"
    except (F.Damage, OSError) as e:
        return str(e)


def files_of(log):
    return sorted(os.path.join(b, f) for b, _, fs in os.walk(log) for f in fs)


def flip_each(state, rng, every):
    """One random bit of every `every`-th byte. The reserve is zeros but for its head: 64 bytes and a few behind."""
    missed, count = [], 0
    for path in files_of(os.path.join(state, "log")):
        data = read_file(path)
        places = range(rng.randrange(every), len(data), every)
        if path.endswith("/reserve"):
            places = list(range(0, 64, every)) + [64, 4096, 65535]
        for at in places:
            bit = rng.randrange(8)
            bad = bytearray(data)
            bad[at] ^= 1 << bit
            with open(path, "wb") as f:
                f.write(bad)
            count += 1
            if verdict(state) is None:
                missed.append(f"{os.path.basename(path)} byte {at} bit {bit}")
        with open(path, "wb") as f:
            f.write(data)
    return count, missed


def damaged_copies(tmp, state):
    """Each a change to a copy that must be found; what the change is called says why."""
    log = "log"

    def cut(name, n):
        def do(d):
            p = os.path.join(d, log, name)
            os.truncate(p, os.path.getsize(p) - n)
        return do

    def remove(name):
        return lambda d: os.remove(os.path.join(d, log, name))

    def rename(a, b):
        return lambda d: os.rename(os.path.join(d, log, a), os.path.join(d, log, b))

    def forged(d):
        other = makelog.Key(random.Random(99))
        c = F.Checkpoint(read_file(os.path.join(d, log, "checkpoint")), "c")
        with open(os.path.join(d, log, "checkpoint"), "wb") as f:
            f.write(makelog.checkpoint(c.size, c.root, [other]))

    def rolled_back(d):
        kept = os.path.join(d, log, "checkpoints")
        shutil.copy(os.path.join(kept, sorted(os.listdir(kept))[0]), os.path.join(d, log, "checkpoint"))

    names = sorted(os.listdir(os.path.join(state, log)))
    seg = [n for n in names if n.startswith("segment-")]
    jrn = [n for n in names if n.startswith("journal-")]
    cases = [("journal cut by one byte", cut(jrn[-1], 1)), ("journal gone", remove(jrn[-1])), ("segment gone", remove(seg[-1])),
             ("segment cut", cut(seg[0], 3)), ("names cut", cut("names-000001", 2)), ("names gone", remove("names-000001")),
             ("a names file under another number", rename("names-000001", "names-000002")), ("checkpoint gone", remove("checkpoint")),
             ("checkpoint signed by a stranger", forged), ("an old checkpoint put back", rolled_back), ("keys gone", remove("log.vkey")),
             ("tree file one hash short", cut("tree-1", 1))]
    for what, do in cases:
        d = tempfile.mkdtemp(dir=tmp)
        shutil.copytree(state, d, dirs_exist_ok=True)
        do(d)
        yield what, verdict(d)
        shutil.rmtree(d)


def canonical_rules():
    """Leaves that say the same in another way, or too much: each must be refused."""
    good = F.encode_packed(F.EVENT, {"time": 5, "verb": 2, "port": 443})
    bad = {
        "longer LEB128": good[:-2] + b"\xbb\x83\x00", "trailing byte": good + b"\0", "verb 0": good.replace(b"\x02\xbb", b"\x00\xbb"),
        "verb 15": good.replace(b"\x02\xbb", b"\x0f\xbb"), "version 2": b"\2" + good[1:], "kind 0": b"\1\0" + good[2:],
        "no verb": F.encode_packed(F.EVENT, {"time": 5}), "empty": b"", "bit 35": b"\1\2" + F.put_uvar(1 << 35 | 3) + bytes(7) + b"\5\2\0",
        "name 0": F.encode_packed(F.EVENT, {"time": 5, "verb": 2, "host": 0}),
        "allowed 2": F.encode_packed(F.EVENT, {"time": 5, "verb": 2, "allowed": 2}),
        "late 0": F.encode_packed(F.EVENT, {"time": 5, "verb": 2, "late": 0}), "above 2^64-1": good[:-2] + b"\xff" * 9 + b"\x02",
        "eleven bytes": good[:-2] + b"\x80" * 10 + b"\x01", "cut short": good[:-1]}
    F.decode_packed(good, "good")
    for what, b in bad.items():
        try:
            F.decode_packed(b, "leaf")
            ok(False, f"refused: {what}")
        except F.Damage:
            ok(True, f"refused: {what}")


def broken_rules(tmp):
    """Logs whose hashes and signatures are right, and that break one rule each: their keeper lies, or has a bug."""
    def event(**more):
        return lambda w: w.put(F.EVENT, time=1, verb=2, **more)

    def name(kind, value, **more):
        return lambda w: w.forged(kind, value, **more)

    def twice(w):
        w.forged(F.HOST, b"twin")
        w.forged(F.HOST, b"twin")

    def import_end(w):
        w.put(F.IMPORT, time=1, phase=3, begins=0, records=0, refused=0)

    def ended(w, more):
        begins = w.put(F.IMPORT, time=1, phase=1)
        w.put(F.IMPORT, time=1, phase=3, begins=begins, records=0, refused=0)
        more(w, begins)

    def ends_twice(w):
        ended(w, lambda w, begins: w.put(F.IMPORT, time=1, phase=3, begins=begins, records=0, refused=0))

    def after_end(w):
        ended(w, lambda w, begins: w.put(F.EVENT, time=1, verb=2, source=begins))

    def counted_begin(w):
        w.put(F.IMPORT, time=1, phase=1, records=3)

    def strange_key(w):
        w.put(F.KEY, time=1, public_key=bytes(32), previous=bytes(range(32)))

    cases = {
        "a name used before its leaf": event(host=99), "a path component never introduced": event(to=1 << 40),
        "a number left out": name(F.HOST, b"gap", number=40), "a number used again": name(F.HOST, b"again", number=1),
        "a value with two numbers": twice, "a commitment to something else": name(F.HOST, b"x", commitment=bytes(32)),
        "a name without salt and value": name(F.HOST, b"x", entry=False), "a component with a slash": name(F.COMPONENT, b"\0a/b"),
        "a component before its parent": name(F.COMPONENT, F.put_uvar(1 << 20) + b"x"),
        "a name of kind 32": name(32, b"x"), "a number of a later kind left out": name(20, b"x", number=2),
        "a name of a later kind without salt and value": name(31, b"x", entry=False),
        "a chain of an unknown program": name(F.CHAIN, b"\x7f"),
        "a chain of nine": name(F.CHAIN, b"\1" * 9), "an empty chain": name(F.CHAIN, b""),
        "a document of 31 bytes": name(F.DOCUMENT, bytes(31)),
        "a uid with a leading zero": name(F.ACCOUNT, b"01"), "a gid above 32 bits": name(F.GROUP, b"4294967296"), "an object with a tail": name(F.OBJECT, bytes(4)),
        "an extra that is no JSON": name(F.EXTRA, b"{"), "a row that is a list": name(F.ROW, b"[]"), "refers to itself": event(refers=300),
        "refers to a later leaf": event(refers=1 << 50), "source that is no import": event(source=0), "port 65536": event(port=65536),
        "an end beyond time": event(end=(1 << 64) - 1), "an import that ends without a beginning": import_end,
        "an import that ends twice": ends_twice, "a record of an import that has ended": after_end,
        "counts at the beginning of an import": counted_begin, "a key whose previous is not the one in force": strange_key}
    for what, spoil in cases.items():
        state = os.path.join(tmp, "rule")
        makelog.write(state, 300, spoil=spoil)
        v = verdict(state)
        ok(v is not None, f"refused: {what} ({v})")
        shutil.rmtree(state)


def known_answers():
    ok(F.crc32c(b"123456789") == 0xE3069283, "CRC-32C check value")
    ok(F.EMPTY_ROOT.hex().startswith("e3b0c442"), "root of the empty tree (RFC 6962)")
    t = F.Tree()
    for d in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"):
        t.append(F.leaf_hash(bytes.fromhex(d)))
    ok(t.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
       "root of the Certificate Transparency test tree")
    vec = F.Nonces(bytes(16), 0)
    ok(vec.of(0).hex() == "66e94bd4ef8a2c3b884cfa59ca342b2e", "AES-128 of a zero block under a zero key")


def main():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    known_answers()
    canonical_rules()
    with tempfile.TemporaryDirectory(prefix="oracle-") as tmp:
        for n, every in ((61, 1 if "--all" in sys.argv else 4), (1300, 97)):
            state = os.path.join(tmp, str(n))
            makelog.write(state, n)
            ok(verdict(state) is None, f"a log of {n} leaves is sound", verdict(state))
            count, missed = flip_each(state, rng, every)
            ok(not missed, f"{count} flipped bits of a log of {n} leaves: each found", "\n".join(missed[:20]))
        for what, v in damaged_copies(tmp, state):
            ok(v is not None, f"found: {what} ({v})")
        broken_rules(tmp)
        r = subprocess.run([sys.executable, os.path.join(HERE, "check_log.py"), "--events", state],
                           capture_output=True, timeout=60, check=False)
        ok(r.returncode == 0 and r.stdout.count(b"\n") > 100, "--events prints the events", r.stderr.decode())
    print(f"1..{tests}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
