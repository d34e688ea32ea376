#!/usr/bin/env python3
"""records.py plain N | awkward: JSON Lines for `tyto import`.

plain: N records that differ only in their time, so that each after the first is one leaf. awkward: every key of the contract, paths
that are not UTF-8, hold newlines, are relative, root, or 4,096 bytes long, unknown keys, extreme numbers.
"""
import base64
import json
import sys

START = 1_700_000_000


def stamp(i, ns=0):
    import time
    t = time.gmtime(START + i)
    return time.strftime("%Y-%m-%dT%H:%M:%S", t) + (f".{ns:09d}Z" if ns else "Z")


def plain(n):
    for i in range(n):
        # 11 s apart: outside any folding window.
        yield {"time": stamp(11 * i, i % 999_999_999 + 1), "host": "files", "person": "clerk", "person_by": "opener", "uid": 1001,
               "verb": "read", "seen": "bytes", "path": "/srv/share/plan.odt", "object": "64769:1234:7", "bytes": 4096 + i,
               "program": "/usr/sbin/smbd", "pid": 4242, "via": "smb", "client": "10.0.0.17"}


def awkward():
    base = {"host": "files", "verb": "read", "seen": "access"}
    i = 0

    def at(**more):
        nonlocal i
        i += 1
        return {"time": stamp(60 * i, 123_456_789), **base, **more}

    deep = "/" + "/".join("d" * 255 for _ in range(16))
    for p in ("/", "/a", "a/b", "//x//y/", "/srv/new\nline", "/srv/tab\t\u0001", "/srv/\u65e5\u672c\u8a9e.xlsx", "/srv/\U0001f600",
              deep[:4096], "x" * 4096):
        yield at(path=p)
    for raw in (b"/srv/\xff\xfe", b"/srv/\xe6\x97", b"\x80" * 4096):
        yield at(path=raw.decode("utf-8", "replace"), path_b64=base64.b64encode(raw).decode())
    for k in range(1, 9):
        yield at(path="/srv/p", program="/usr/bin/cat", parents=[f"/usr/bin/p{j}" for j in range(k)], pid=k)
    yield at(path="/srv/full", to="/srv/other", end=stamp(60 * i + 65), person="engineer", person_by="session", uid=4294967295,
             login_uid=0, object="18446744073709551615:18446744073709551615:4294967295", document="sha256:" + "ab" * 32,
             label="restricted", bytes=18446744073709551615, covered=0, count=18446744073709551615, cwd="/home/engineer", via="ssh",
             client="2001:db8::1", allowed=False, command="cat full", parent_command="bash -l", container="c0ffee")
    yield at(path="/srv/sent", verb="send", peer="203.0.113.9", port=65535, confirmed="opaque", allowed=True)
    yield at(path="/srv/x", ticket="unknown keys come back", nested={"a": [1, 2.5, None, True, "\u00e9"]})
    for v in "open write create delete rename link permission copy archive export exec".split():
        yield at(path="/srv/v", to="/srv/w", verb=v)
    yield at(verb="gap", cause="overflow", count=12, end=stamp(60 * i + 61))


def main():
    rows = plain(int(sys.argv[2])) if sys.argv[1] == "plain" else awkward()
    for r in rows:
        sys.stdout.write(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
