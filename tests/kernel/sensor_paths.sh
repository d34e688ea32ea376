#!/bin/bash
# Names as they are, byte for byte, from the kernel to `tyto events --json`: newlines, invalid UTF-8, 255 bytes, paths of 4,095 bytes, trees deeper than
# any path; names that change while they are used, thousands of times.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 128M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w"
cat >"$tmp/names.py" <<'PY'
import base64, json, os, socket, subprocess, sys
w = os.fsencode(sys.argv[1])
phase, log = sys.argv[2], open(sys.argv[3], "w")
def said(verb, path, to=None):
    e = {"verb": verb, "path": base64.b64encode(path).decode()}
    if to is not None:
        e["to"] = base64.b64encode(to).decode()
    log.write(json.dumps(e) + "\n")
def read(path):
    fd = os.open(path, os.O_RDONLY); os.read(fd, 1); os.close(fd)
def write(path, flags=0):
    fd = os.open(path, os.O_WRONLY | flags, 0o600); os.write(fd, b"text"); os.close(fd)

ODD = [b"new\nline", b"\n", b"bad\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"n" * 255, b"\xff" * 255, "文書.txt".encode(), "🗎".encode(), b"-rf", b"quote\"'\\",
       b"\x01\x1b[31m\x7f", b" ", b"tab\tend ", b"{\"path\":1}", b"%s%n", b"~", b"u\xcc\x88"]
def deep(name, n):
    """A folder below w whose components are `name`, n deep, and as a descriptor: no path reaches beyond 4,095 bytes."""
    fd = os.open(w, os.O_RDONLY)
    for _ in range(n):
        try: os.mkdir(name, dir_fd=fd)
        except FileExistsError: pass
        below = os.open(name, os.O_RDONLY, dir_fd=fd); os.close(fd); fd = below
    return fd, w + (b"/" + name) * n
def full(name):
    """As many components as a path of 4,095 bytes holds, and a file name that fills the rest."""
    n = (4095 - len(w)) // (len(name) + 1)
    rest = 4095 - len(w) - n * (len(name) + 1)
    if rest < 2 or rest - 1 > 255:
        n -= 1; rest += len(name) + 1
    return n, b"f" * (rest - 1)

if phase == "before":
    for name in ODD:
        write(w + b"/" + name, os.O_CREAT)
    for name in (b"d" * 200, b"e", b"\xfe" * 100):
        n, last = full(name)
        fd, path = deep(name, n)
        os.close(os.open(last, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd)); os.close(fd)
    fd, _ = deep(b"beyond" * 20, 60)
    os.close(os.open(b"unreachable", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd))
    for name in (b"pipe", b"socket"):
        os.mkfifo(w + b"/" + name) if name == b"pipe" else socket.socket(socket.AF_UNIX).bind(os.fsdecode(w + b"/" + name))
elif phase == "odd":
    for name in ODD:
        at = w + b"/" + name
        read(at); said("read", at)
        new, renamed, linked = (w + b"/" + (x + name)[:255] for x in (b"1", b"2", b"3"))
        write(new, os.O_CREAT | os.O_EXCL); said("create", new); said("write", new)
        os.rename(new, renamed); said("rename", new, renamed)
        os.link(renamed, linked); said("link", renamed, linked)
        os.unlink(renamed); said("delete", renamed)
elif phase == "deep":
    for name in (b"d" * 200, b"e", b"\xfe" * 100):
        n, last = full(name)
        path = w + (b"/" + name) * n + b"/" + last
        assert len(path) == 4095
        read(path); said("read", path)
    fd, _ = deep(b"beyond" * 20, 60)
    for _ in range(3):
        f = os.open(b"unreachable", os.O_RDONLY, dir_fd=fd); os.read(f, 1); os.close(f)
    fd = os.open(w + b"/pipe", os.O_RDWR | os.O_NONBLOCK); os.close(fd)
    for i in range(40): # made while watched, used at once
        folder = w + b"/made%d" % i + b"/and/below" * 5
        os.makedirs(folder)
        write(folder + b"/doc", os.O_CREAT); said("create", folder + b"/doc"); said("write", folder + b"/doc")
        for k in range(11):
            said("create", b"/".join(folder.split(b"/")[:len(w.split(b"/")) + 1 + k]))
elif phase == "storm":
    # Several opens of an object by one process cannot be told apart: another one reads.
    def reader(ask, done):
        while path := os.read(ask, 4096):
            read(path); os.write(done, b"x")
    def worker(k):
        ask, done = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(ask[1]); reader(ask[0], done[1]); os._exit(0)
        for i in range(250):
            a, b, c = (w + b"/%c.%d.%d" % (x, k, i) for x in b"abc")
            write(a, os.O_CREAT | os.O_EXCL); said("create", a); said("write", a)
            os.rename(a, b); said("rename", a, b)
            os.write(ask[1], b); os.read(done[0], 1); said("read", b)
            os.rename(b, c); said("rename", b, c)
            if i % 2: os.unlink(c); said("delete", c)
    pids = []
    for k in range(4):
        pid = os.fork()
        if pid == 0:
            log = open("%s.%d" % (sys.argv[3], k), "w"); worker(k); log.close(); os._exit(0)
        pids.append(pid)
    sys.exit(any([os.waitpid(p, 0)[1] for p in pids]))
elif phase == "folders":
    for i in range(150): # the file is read by the name that its folder has then, which changes at once
        os.mkdir(w + b"/f%d" % i); said("create", w + b"/f%d" % i)
        at = w + b"/f%d/doc" % i
        write(at, os.O_CREAT); said("create", at); said("write", at)
        subprocess.run(["cat", at], stdout=subprocess.DEVNULL); said("read", at)
        os.rename(w + b"/f%d" % i, w + b"/g%d" % i); said("rename", w + b"/f%d" % i, w + b"/g%d" % i)
    write(w + b"/saved", os.O_CREAT); said("create", w + b"/saved"); said("write", w + b"/saved")
    for i in range(100): # as editors save
        write(w + b"/.saved.tmp", os.O_CREAT | os.O_EXCL); said("create", w + b"/.saved.tmp"); said("write", w + b"/.saved.tmp")
        os.rename(w + b"/.saved.tmp", w + b"/saved"); said("rename", w + b"/.saved.tmp", w + b"/saved")
        if i % 10 == 0: subprocess.run(["cat", w + b"/saved"], stdout=subprocess.DEVNULL); said("read", w + b"/saved")
PY
cat >"$tmp/compare.py" <<'PY'
import base64, collections, glob, json, sys
records, made = sys.argv[1], sys.argv[2]
def raw(e, key):
    return base64.b64decode(e[key + "_b64"]) if key + "_b64" in e else e[key].encode("utf-8", "surrogatepass") if key in e else None
want, got = collections.Counter(), collections.Counter()
for log in [made, *glob.glob(made + ".*")]:
    for line in open(log):
        e = json.loads(line)
        want[(e["verb"], base64.b64decode(e["path"]), base64.b64decode(e["to"]) if "to" in e else None)] += 1
paths = {p for _, p, _ in want} | {t for _, _, t in want} - {None}
for e in map(json.loads, open(records)):
    # Opens by whoever opens once more for reading and writing at once are told apart by their use; the open itself says nothing then.
    if raw(e, "path") in paths and e["verb"] in ("create", "rename", "link", "delete", "read", "write") and "refers" not in e:
        got[(e["verb"], raw(e, "path"), raw(e, "to"))] += e.get("count", 1)
bad = 0
for k in sorted(set(want) | set(got), key=repr):
    if want[k] != got[k]:
        bad += 1
        if bad < 6: print(want[k], "made", got[k], "recorded:", k[0], (k[1] or b"")[-80:], (k[2] or b"")[-60:])
print("#", sum(want.values()), "accesses,", len(want), "of them different,", bad, "wrong")
PY
ok "files with odd names" python3 "$tmp/names.py" "$w" before "$tmp/before"
watch_start "$w"
is "watched" $? 0
for phase in odd deep storm folders; do ok "$phase" timeout 60 python3 "$tmp/names.py" "$w" $phase "$tmp/$phase"; done
watch_stop
for phase in odd deep storm folders; do
	out=$(python3 "$tmp/compare.py" "$records" "$tmp/$phase" 2>&1)
	is "$phase: every access by the name that it had then" "$(printf '%s\n' "$out" | grep -v '^#')" "" && printf '%s\n' "$out"
done
is "beyond what a path can say: counted, by its object" "$(accesses ".verb == \"read\" and (has(\"path\") | not) and (.object // \"\" | contains(\":$(
	find "$w" -name unreachable -printf %i):\"))")" 3
is "a pipe or a socket is no document" "$(accesses '.path // "" | test("/(pipe|socket)$")')" 0
is "no gap" "$(accesses '.verb == "gap"')" 0
ok "verify" "$TYTO" --state "$state" verify
[ "${KEEP:-}" ] && cp "$records" "$KEEP"
done_testing
