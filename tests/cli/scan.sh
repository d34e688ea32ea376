#!/bin/bash
# tyto scan: every kind of file, hostile names, what changed and what did not, what is gone, killed in the middle, and its JSON.
. "$(dirname "$0")/../lib.sh"
need python3 sqlite3
share=$tmp/share
state=$tmp/state
mkdir -p "$share/sub/deep"
scan() { "$TYTO" scan --state "$state" "$@"; }
counted() { sed -n 's/^documents *//p' "$tmp/out"; }

# check FILE: every line is valid against the schema.
cat >"$tmp/check.py" <<'P'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
v = jsonschema.Draft202012Validator(schema)
n = 0
for line in open(sys.argv[2], encoding='utf-8'):
    n += 1
    error = next(v.iter_errors(json.loads(line)), None)
    if error:
        sys.exit(f'{line}{error.message}')
sys.exit(n == 0)
P
valid() { python3 "$tmp/check.py" "$top/docs/document.schema.json" "$1"; }
# of PATH KEY: from the last JSON output.
of() { python3 -c 'import json,sys
for l in open(sys.argv[1]):
    o = json.loads(l)
    if o["path"] == sys.argv[2]: print(o.get(sys.argv[3], "-"))' "$tmp/json" "$1" "$2"; }

python3 - "$share" <<'P'
import os, sys, zipfile, socket
d = sys.argv[1]
os.chdir(d)
for name, text in (('a.txt', 'one\n'), ('copy.txt', 'one\n'), ('sub/b.txt', 'two\n'), ('sub/deep/c.csv', 'k,v\n1,2\n'), ('empty', '')):
    open(name, 'w').write(text)
for name in (b'new\nline', b'\xff\xfe', b'esc\x1b[31m', b' ', b'-n', b'*', b'a"b\\c', 'お客様.txt'.encode(), b'x' * 255, b'weird!'):
    if name == b'weird!':
        os.mkdir(name)
        open(b'weird!/inside', 'w').write('inside')
    else:
        open(name, 'w').write('hostile')
with zipfile.ZipFile('box.zip', 'w') as z:
    z.writestr('m.txt', 'member')
    z.writestr('in/n.csv', 'q,r\n3,4\n')
    z.writestr('inner.zip', b'')
os.symlink('a.txt', 'link')
os.symlink('/', 'root')
os.symlink('loop', 'loop')
P
chmod 0640 "$share/a.txt"
chown 12345:54321 "$share/a.txt"
python3 - "$share/a.txt" <<'P'
import os, struct, sys
nobody = 0xffffffff
entries = ((1, 6, nobody), (2, 4, 1007), (4, 4, nobody), (16, 4, nobody), (32, 0, nobody)) # owner, user 1007, group, mask, others
os.setxattr(sys.argv[1], 'system.posix_acl_access', struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *e) for e in entries))
P

scan "$share" >"$tmp/out" 2>"$tmp/err"
is "everything is read" "$? $(counted) $(cat "$tmp/err")" "0 16: 16 read, 0 unchanged; 3 parts of containers "
scan --json "$share" >"$tmp/json" 2>"$tmp/err"
is "and known the next time" "$? $(grep -c . "$tmp/json")" "0 19"
ok "its JSON is as the schema says" valid "$tmp/json"
is "symbolic links are not followed" "$(grep -cE '/(link|root|loop)"' "$tmp/json")" 0
is "the content's hash" "$(of "$share/a.txt" document)" "sha256:$(sha256sum <"$share/a.txt" | cut -d' ' -f1)"
is "owner, group and mode" "$(of "$share/a.txt" owner) $(of "$share/a.txt" group) $(of "$share/a.txt" mode)" "uid:12345 gid:54321 0640"
is "and who else may read it" "$(of "$share/a.txt" acl)" "user:1007:r--,group::r--,mask::r--"
is "characters" "$(of "$share/a.txt" text_chars)" 4
is "a part is a document of its own" "$(of "$share/box.zip!/m.txt" document)" "sha256:$(printf member | sha256sum | cut -d' ' -f1)"
is "with its size" "$(of "$share/box.zip!/in/n.csv" bytes)" 8
is "bytes that are no UTF-8 are given whole" "$(grep -c "\"path_b64\":\"$(printf '%s/\xff\xfe' "$share" | base64 -w0)\"" "$tmp/json")" 1
is "it belongs to the object that records name" "$(of "$share/a.txt" object | cut -d: -f2)" "$(stat -c %i "$share/a.txt")"
ok "verify passes" "$TYTO" verify --state "$state"

echo more >>"$share/sub/b.txt"
touch "$share/a.txt"
chmod 0600 "$share/copy.txt"
rm "$share/sub/deep/c.csv"
echo new >"$share/new.txt"
scan "$share" >"$tmp/out" 2>"$tmp/err"
is "only what changed is read; what is gone is told" "$? $(counted)" "0 16: 2 read, 14 unchanged, 1 gone"
scan "$share" >"$tmp/out" 2>&1
is "then nothing" "$(counted)" "16: 0 read, 16 unchanged"
scan --json "$share" >"$tmp/json" 2>"$tmp/err"
is "a change of mode is known" "$(of "$share/copy.txt" mode)" 0600
is "a deleted document stays known as gone" "$(sqlite3 "$state/documents/documents.db" "SELECT gone FROM place WHERE path=CAST('$share/sub/deep/c.csv' AS BLOB)")" 1
mv "$share/sub" "$share/moved"
scan --json "$share" >"$tmp/json" 2>"$tmp/err"
is "moved: there and gone" "$(of "$share/moved/b.txt" text_chars) $(of "$share/sub/b.txt" gone)" "9 True"
ok "gone ones are as the schema says" valid "$tmp/json"
python3 - "$share" <<'P'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + '/box.zip', 'w') as z:
    z.writestr('m.txt', 'member')
P
scan --json "$share" >"$tmp/json" 2>"$tmp/err"
is "a member that a container lost is gone" "$(of "$share/box.zip!/in/n.csv" gone) $(of "$share/box.zip!/m.txt" gone)" "True -"
rm "$share/box.zip"
scan --json "$share" >"$tmp/json" 2>"$tmp/err"
is "with its container its members go" "$(of "$share/box.zip!/m.txt" gone)" True

# What is no document, and what cannot be read.
mkfifo "$share/fifo"
python3 -c 'import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])' "$share/sock"
mknod "$share/null" c 1 3
printf 'PK\003\004 this is no zip at all' >"$share/broken.zip"
started=$SECONDS
scan --json "$share" >"$tmp/json" 2>"$tmp/err"
is "fifos, sockets, devices and damage: exit 3" "$?" 3
ok "and no waiting for a fifo" test $((SECONDS - started)) -lt 20
for what in "fifo: not read: a fifo" "sock: not read: a socket" "null: not read: a device" "broken.zip: corrupt"; do
	like "named: $what" "$(cat "$tmp/err")" "/share/$what"
done
ok "errors are as the schema says" valid "$tmp/json"
rm "$share"/{fifo,sock,null,broken.zip}
scan "$share/nowhere" "$share/a.txt" >"$tmp/out" 2>"$tmp/err"
is "a path that is not there: the rest is done, exit 3" "$? $(counted)" "3 1: 0 read, 1 unchanged"

# Rights: an ordinary account with a state of its own.
mkdir "$tmp/own" && chown 1234:1234 "$tmp/own"
echo closed >"$share/closed.txt" && chmod 0 "$share/closed.txt"
mkdir "$share/locked" && echo in >"$share/locked/in.txt" && chmod 0 "$share/locked"
chmod 755 "$share"
setpriv --reuid 1234 --regid 1234 --clear-groups "$TYTO" scan --state "$tmp/own/state" --json "$share" >"$tmp/json" 2>"$tmp/err"
is "permission denied: exit 3" "$?" 3
is "the file is named" "$(of "$share/closed.txt" error)" "unreadable: Permission denied"
is "the folder is named" "$(of "$share/locked" error)" "unreadable: Permission denied"
is "others are read" "$(of "$share/new.txt" text_chars)" 4
ok "denials are as the schema says" valid "$tmp/json"
scan "$share" >"$tmp/out" 2>"$tmp/err"
is "root reads them" "$? $(cat "$tmp/err")" "0 "
is "documents are read without rights" "$(stat -c %U "$state/documents/documents.db")" "$(stat -c %U "$state")"

# A big one that holds nothing: hashed without being read into anything.
truncate -s 10G "$share/big.bin"
scan --json "$share/big.bin" >"$tmp/json" 2>"$tmp/err"
is "10 GB: too large, and hashed" "$? $(of "$share/big.bin" error) $(of "$share/big.bin" document)" \
	"3 too large sha256:732377e7f4a2abdc13ddfa1eb4c9c497fd2a2b294674d056cf51581b47dd586d"
scan "$share/big.bin" >"$tmp/out" 2>"$tmp/err"
is "which is not done again while it is unchanged; it is named each time" "$? $(counted) $(cat "$tmp/err")" \
	"3 1: 0 read, 1 unchanged tyto: $share/big.bin: too large"
rm "$share/big.bin"

# Files that change while they are read: large enough that reading takes longer than they stay the same.
python3 - "$share/busy.txt" "$tmp/stop" <<'P' &
import os, sys, time
with open(sys.argv[1] + '.part', 'w') as f:
    f.write('some words of a document\n' * 1000000)
os.rename(sys.argv[1] + '.part', sys.argv[1])
end = time.time() + 120
while not os.path.exists(sys.argv[2]) and time.time() < end:
    os.utime(sys.argv[1])
    time.sleep(0.002)
P
busy=$!
later end_pid "$busy"
wait_for 20 test -e "$share/busy.txt"
scan --json "$share/busy.txt" >"$tmp/json" 2>"$tmp/err"
is "one that changes while it is read is named" "$? $(of "$share/busy.txt" error)" "3 unreadable: it changes while it is read"
touch "$tmp/stop"
wait "$busy"
scan --json "$share/busy.txt" >"$tmp/json" 2>"$tmp/err"
is "and read when it is quiet" "$? $(of "$share/busy.txt" text_chars)" "0 25000000"

# Killed in the middle: what was read is not read again.
many=$tmp/many
python3 - "$many" <<'P'
import os, sys
for i in range(4000):
    d = f'{sys.argv[1]}/{i % 40}'
    os.makedirs(d, exist_ok=True)
    open(f'{d}/{i}.txt', 'w').write(f'document {i} ' * 300)
P
cat >"$tmp/opens.py" <<'P'
# Counts opens of files below a folder (inotify) until a file appears.
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK)
for d, _, _ in os.walk(sys.argv[1]):
    assert libc.inotify_add_watch(fd, d.encode(), 0x20) >= 0
open(sys.argv[3], 'w').close()
n, end = 0, time.time() + 120
while time.time() < end:
    stop = os.path.exists(sys.argv[2])
    try:
        b = os.read(fd, 1 << 20)
    except BlockingIOError:
        if stop:
            break
        time.sleep(0.01)
        continue
    at = 0
    while at < len(b):
        _, mask, _, size = struct.unpack_from('iIII', b, at)
        assert not mask & 0x4000, 'overflow'
        n += not mask & 0x40000000
        at += 16 + size
print(n)
P
python3 "$tmp/opens.py" "$many" "$tmp/counted" "$tmp/counting" >"$tmp/opens" 2>&1 &
counter=$!
later end_pid "$counter"
wait_for 10 test -e "$tmp/counting"
killed=0
for wait in 0.3 0.5 0.4; do
	"$TYTO" scan --state "$state" -q "$many" >/dev/null 2>"$tmp/err" & # itself: below a function's shell one that starts late would live on
	pid=$!
	disown "$pid"
	sleep "$wait"
	kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
	wait_for 5 eval "! kill -0 $pid"
done
ok "some were killed under way" test "$killed" -gt 0
scan --json "$many" >"$tmp/json" 2>"$tmp/err"
is "then everything is there" "$? $(grep -c . "$tmp/json") $(cat "$tmp/err")" "0 4000 "
touch "$tmp/counted"
wait "$counter"
opens=$(cat "$tmp/opens")
echo "# $opens opens of 4000 files over $killed kills"
# Each kill may cost one in a hundred.
ok "at most one in a hundred was read again for each kill" test "$opens" -ge 4000 -a "$opens" -le $((4000 + 40 * 3))
ok "verify passes after the kills" "$TYTO" verify --state "$state"

# Interrupted: it says so, and what was read stays.
cp -r "$many" "$tmp/interrupted"
"$TYTO" scan --state "$state" "$tmp/interrupted" >"$tmp/out" 2>"$tmp/err" &
pid=$!
wait_for 20 pgrep -P "$pid" tyto-extract >/dev/null
sleep 0.2
kill -INT "$pid"
wait "$pid"
is "interrupted: exit 130, and what was read stays" "$? $(cat "$tmp/out" "$tmp/err")" \
	"130 tyto: interrupted: what was read so far is recorded, and is not read again"
scan "$tmp/interrupted" >"$tmp/out" 2>"$tmp/err"
read -r all read unchanged <<<"$(counted | tr -d ',:' | sed -n 's/^\([0-9]*\) \([0-9]*\) read \([0-9]*\) unchanged$/\1 \2 \3/p')"
echo "# of $all $unchanged had been read"
ok "the next one reads the rest" test "$all" = 4000 -a "$unchanged" -gt 0 -a $((read + unchanged)) = 4000
rm -r "$tmp/interrupted"

# What documents say.
mkdir "$tmp/said"
printf 'CONFIDENTIAL\n\nTerms.\n' >"$tmp/said/marked.txt"
printf 'name,mail,phone\nclerk,clerk@example.com,+81 3-1234-5678\nsales,sales.person@example.org,\n' >"$tmp/said/clients.csv"
(cd "$tmp/said" && python3 -c 'import zipfile; z = zipfile.ZipFile("all.zip", "w"); z.write("marked.txt"); z.write("clients.csv")')
printf 'clerk@example.com\n' >"$tmp/list"
scan --json --client-list "$tmp/list" "$tmp/said" >"$tmp/json" 2>"$tmp/err"
is "a label, and why" "$? $(of "$tmp/said/marked.txt" label) $(of "$tmp/said/marked.txt" label_why | wc -l)" "0 confidential 1"
is "persons whose contact details it holds" "$(of "$tmp/said/clients.csv" contacts)" 2
is "clients of the list" "$(of "$tmp/said/clients.csv" clients)" 1
is "a container covers its parts" "$(of "$tmp/said/all.zip" label) $(of "$tmp/said/all.zip" contacts) $(of "$tmp/said/all.zip" clients)" "confidential 2 1"
ok "all of it as the schema says" valid "$tmp/json"
scan "$tmp/said" >"$tmp/out" 2>"$tmp/err"
like "the summary counts labels" "$(cat "$tmp/out")" "labels +2 confidential, 1 without"
is "nothing of the text is kept" "$(grep -rlaE 'clerk@example|sales.person|Terms' "$state" | wc -l)" 0

# Files that vanish between their being listed and their being read: all but the first are taken away when the first is opened.
going=$tmp/going
cat >"$tmp/going.py" <<'P'
import ctypes, os, select, subprocess, sys
d, out, err = sys.argv[1:4]
os.mkdir(d)
for i in range(900):
    open(f'{d}/{i}.txt', 'w').write(f'document {i}\n' * 200)
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
assert libc.inotify_add_watch(fd, d.encode(), 0x20) >= 0  # open
p = subprocess.Popen(sys.argv[4:], stdout=open(out, 'w'), stderr=open(err, 'w'))
folder = 0
while select.select([fd], [], [], 60)[0]:
    b = os.read(fd, 65536)
    if any(not int.from_bytes(b[i + 4:i + 8], 'little') & 0x40000000 for i in range(0, len(b), 16) if b[i:i + 4] == b[:4]):
        break
for i in range(900):
    os.unlink(f'{d}/{i}.txt')
sys.exit(p.wait())
P
python3 "$tmp/going.py" "$going" "$tmp/json" "$tmp/err" "$TYTO" scan --state "$state" --json "$going"
rc=$?
vanished=$(grep -c '"error":"vanished ' "$tmp/json")
echo "# $vanished vanished, exit $rc"
ok "some vanished" test "$vanished" -gt 0
is "they are named, and the scan goes on to its end" "$rc $(grep -c ': vanished ' "$tmp/err") $(grep -vc ': vanished ' "$tmp/err")" "3 $vanished 0"
scan --json "$going" >"$tmp/json" 2>"$tmp/err"
is "the next scan knows those that it had read as gone" "$? $(grep -vc '"gone":true' "$tmp/json") $(cat "$tmp/err")" "0 0 "

# What keeps the readers in: named by status; without it nothing is read at all.
cat >"$tmp/without.py" <<'P'
# without.py CALLS COMMAND…: runs it where these system calls are refused (numbers with commas between).
import ctypes, struct, sys, os
calls = [int(c) for c in sys.argv[1].split(',')]
rows = [(0x20, 0, 0, 0)] + [(0x15, len(calls) - i, 0, c) for i, c in enumerate(calls)] + [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x50000 | 1)]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *r) for r in rows))
class Program(ctypes.Structure):
    _fields_ = [('n', ctypes.c_ushort), ('rows', ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(rows), ctypes.addressof(code)))) == 0
os.execv(sys.argv[2], sys.argv[2:])
P
landlock=444
case $(uname -m) in x86_64) unshare=272 ;; *) unshare=97 ;; esac
without() { python3 "$tmp/without.py" "$1" "$TYTO" "${@:2}"; }
echo "what nobody may read" >"$tmp/said/unsafe.txt"
named=$("$TYTO" status --json --state "$state" | python3 -c 'import json, sys; print(json.load(sys.stdin).get("sandbox"))')
like "status names it" "$named" '^(landlock|mount namespace)\+seccomp$'
fallback=$(without $landlock status --json --state "$state" | python3 -c 'import json, sys; print(json.load(sys.stdin).get("sandbox"))')
if [ "$fallback" != None ]; then
	is "without Landlock a namespace" "$fallback" "mount namespace+seccomp"
	without $landlock scan --state "$state" --json "$tmp/said/unsafe.txt" >"$tmp/json" 2>"$tmp/err"
	is "which documents are read in" "$? $(of "$tmp/said/unsafe.txt" text_chars) $(cat "$tmp/err")" "0 21 "
	echo "again" >>"$tmp/said/unsafe.txt"
fi
like "without either: status says so" "$(without $landlock,$unshare status --state "$state")" "sandbox +.*neither Landlock nor a mount namespace"
without $landlock,$unshare scan --state "$state" --json "$tmp/said/unsafe.txt" >"$tmp/json" 2>"$tmp/err"
is "and parsing is refused" "$? $(cat "$tmp/json") $(cat "$tmp/err")" \
	'1  {"error":"documents cannot be read safely on this machine: no sandbox can be had"}'
scan --json "$tmp/said/unsafe.txt" >"$tmp/json" 2>"$tmp/err"
is "with it the document is read as new" "$? $(of "$tmp/said/unsafe.txt" text_chars)" "0 $(wc -m <"$tmp/said/unsafe.txt" | tr -d ' ')"

# At a terminal: how far it is, how fast, how long it takes; pictures last of all, and counted once.
pictures=$tmp/pictures
mkdir "$pictures"
/usr/bin/python3 - "$pictures" <<'P' || ok "pictures are drawn (python3-pil)" false
import sys, zipfile
from PIL import Image, ImageDraw, ImageFont
im = Image.new('L', (1240, 500), 255)
ImageDraw.Draw(im).multiline_text((110, 120), 'CONFIDENTIAL\nDelivery list of the northern depot\nWarehouse clerk: clerk.north@depot.example.com', fill=20,
                                  spacing=14, font=ImageFont.truetype('/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 30))
for name in ('a', 'b'):
    im.save(f'{sys.argv[1]}/{name}.png')
with zipfile.ZipFile(sys.argv[1] + '/box.zip', 'w') as z:
    z.write(sys.argv[1] + '/a.png', 'inside.png')
for i in range(2000):
    open(f'{sys.argv[1]}/{i}.txt', 'w').write(f'plain words {i}\n' * 50)
P
words() { tr '\r' '\n' <"$tmp/terminal" | sed 's/\x1b\[K//g'; }
scan --ocr never --json "$pictures/a.png" >"$tmp/json" 2>"$tmp/err"
is "--ocr never leaves pictures alone, and nothing waits" "$? $(of "$pictures/a.png" text_chars) $(of "$pictures/a.png" waiting_ocr)" "0 0 -"
scan --ocr later --again --json "$pictures/a.png" >"$tmp/json" 2>"$tmp/err"
is "--ocr later says that it waits" "$? $(of "$pictures/a.png" text_chars) $(of "$pictures/a.png" waiting_ocr)" "0 0 True"
script -qec "$TYTO scan --state $state $pictures" "$tmp/terminal" </dev/null >/dev/null
like "files, of how many, how fast" "$(words)" "[0-9]+ of 2003 files( so far)?, [0-9]+ files/s, [0-9.]+ MB/s, "
is "pictures come last" "$(words | sed -n 's/^reading pictures: .*/pictures/p; s/^[0-9]* of 2003 files.*/files/p' | uniq | tr '\n' ' ')" "files pictures "
like "how many of them" "$(words)" "reading pictures: [0-3] of 3"
like "each document is counted once" "$(words)" "documents +2,003: 2,003 read, 0 unchanged; 1 part of containers"
scan --json "$pictures" >"$tmp/json" 2>"$tmp/err"
is "what stands in pictures is known; away from a terminal there is no progress" \
	"$(of "$pictures/b.png" label) $(of "$pictures/box.zip!/inside.png" label) $(of "$pictures/box.zip" label) $(cat "$tmp/err")" \
	"confidential confidential confidential "

# The table is a view.
"$TYTO" scan --state "$state" --json "$many" 2>"$tmp/err" | sort >"$tmp/before"
mv "$state/documents/documents.db" "$tmp/gone.db"
rm -f "$state"/documents/documents.db-*
scan "$many" >"$tmp/out" 2>"$tmp/err"
is "without its table nothing is read again" "$? $(counted)" "0 4,000: 0 read, 4,000 unchanged"
"$TYTO" scan --state "$state" --json "$many" 2>"$tmp/err" | sort >"$tmp/after"
is "it is not empty" "$(grep -c . "$tmp/before") $(cat "$tmp/err")" "4000 "
ok "without its table the same answer, from the log" cmp "$tmp/before" "$tmp/after"

like "status shows it" "$("$TYTO" status --state "$state")" "inventory +[0-9]+,[0-9]+ documents in"
is "--ocr takes three words" "$(scan --ocr maybe "$many" >/dev/null 2>&1; echo $?)" 2
is "-q says nothing" "$(scan -q "$many" 2>&1)" ""
done_testing
