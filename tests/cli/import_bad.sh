#!/bin/bash
# `tyto import` against an enemy: floods of bad lines, lines and nesting beyond the caps, NULs, bombs, cut and damaged compression, interruption.
# limit: 400
. "$(dirname "$0")/../lib.sh"
need python3 jq gzip zstd
states=0
fresh() { export TYTO_STATE=$tmp/state.$((++states)); }
run() { # COMMAND…: $rc, $out, $err
	timeout 120 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}
record() { printf '{"time":"%s","person":"clerk","verb":"read","path":"%s"}\n' "$1" "$2"; }
count() { "$TYTO" events --json | wc -l; }

# A flood.
fresh
python3 - >"$tmp/flood" <<'EOF2'
for i in range(10000): print("garbage" * (1 + i % 3), i)
print('{"time":"2026-03-01T10:00:00Z","verb":"read","path":"/good"}')
EOF2
run "$TYTO" import "$tmp/flood"
is "10,000 bad lines: exit 3" "$rc" 3
is "a hundred are named" "$(grep -cE 'flood, line [0-9]+' "$tmp/err")" 100
is "the rest is counted" "$(grep -c 'flood: 9900 more lines could not be read (-v names each)' "$tmp/err")" 1
is "stderr stays short" "$(wc -l <"$tmp/err")" 103
like "all are counted at the end" "$err" 'tyto: 1 record imported
tyto: 10000 refused'
is "the good one is there" "$(count)" 1
run "$TYTO" import -v --again "$tmp/flood"
is "-v names each" "$(grep -cE 'flood, line [0-9]+' "$tmp/err")" 10000
head -n 150 "$tmp/flood" >"$tmp/flood2"
run "$TYTO" import --again --json "$tmp/flood" "$tmp/flood2"
is "--json: each error an object" "$(jq -r 'keys|join(",")' "$tmp/err" | sort | uniq -c | tr -s ' ')" " 202 error"
is "--json: the result is one object" "$(jq -c . "$tmp/out")" '{"records":1,"refused":10150}'
is "two floods: both are named" "$(grep -c 'flood2, line' "$tmp/err") $(grep -c 'flood2: 50 more' "$tmp/err")" "100 1"

# One line after another that no parser likes; each has one line on stderr that names it, and the record behind it is there.
fresh
python3 - "$tmp" <<'EOF2'
import base64, json, sys
good = lambda i: json.dumps({"time": f"2026-03-01T10:00:{i:02}Z", "verb": "read", "path": f"/good{i}"}).encode()
head = b'{"time":"2026-03-01T10:00:00Z","verb":"read",'
bad = [
    head + b'"path":"/' + b"x" * 70000 + b'"}',                       # beyond the cap
    head + b'"path":"/' + b"x" * 5_000_000 + b'"}',                   # far beyond
    b"\0" * 100,
    head + b'"path":"/a\0b"}',
    b"[" * 60000,
    b'{"a":' * 10000,
    head + b'"extra":' + b"[" * 30000 + b"]" * 30000 + b"}",
    head + b'"path":"/\xff\xfe"}',
    head + b'"path":"\\ud800"}',
    head + b'"path":"/x","path":"/y"}',
    head + b'"path":"/x"} trailing',
    head + b'"path":"/x"',
    head + b'"path_b64":"****"}',
    head + b'"bytes":-1}',
    head + b'"bytes":1e400}',
    head + b'"bytes":99999999999999999999999}',
    head + b'"count":0.5}',
    b'{"time":"1989-12-31T23:59:59.999999999Z","verb":"read"}',
    b'{"time":"2999-01-01T00:00:00Z","verb":"read"}',
    b'{"time":"2026-02-30T00:00:00Z","verb":"read"}',
    b'{"time":"2026-03-01T10:00:00Z","end":"2026-03-01T09:00:00Z","verb":"read"}',
    b'{"time":12,"verb":"read"}',
    b'{"time":"2026-03-01T10:00:00Z"}',
    b"null", b"7", b'"x"', b"\x1b[31m", b"\xef\xbb\xbf", b"PK\3\4", b"\x7fELF",
]
with open(sys.argv[1] + "/wrong", "wb") as f:
    for i, b in enumerate(bad): f.write(b + b"\n" + good(i) + b"\n")
open(sys.argv[1] + "/wrong.n", "w").write(str(len(bad)))
EOF2
n=$(cat "$tmp/wrong.n")
run "$TYTO" import "$tmp/wrong"
is "lines that no parser likes: exit 3" "$rc" 3
python3 - "$tmp/err" "$n" >"$tmp/named" <<'EOF2'
import re, sys
lines = [int(m.group(1)) for l in open(sys.argv[1]) if (m := re.search(r"wrong, line (\d+)[,:]", l))]
want = [2 * i + 1 for i in range(int(sys.argv[2]))]
print("each once" if sorted(lines) == want else f"not named: {sorted(set(want) - set(lines))}; too much: {sorted(set(lines) - set(want))}; twice: {len(lines) - len(set(lines))}")
EOF2
is "each is named once, and nothing else" "$(cat "$tmp/named")" "each once"
is "every good one between them is there" "$(count)" "$n"
is "in one line each, printable" "$(awk 'length > 400' "$tmp/err" | wc -l) $(LC_ALL=C tr -d '\n -~\200-\377' <"$tmp/err" | wc -c)" "0 0"
now() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
{ record "$(now '+23 hours')" /soon; record 1990-01-01T00:00:00Z /first; record "$(now '+25 hours')" /later; } >"$tmp/times"
for t in 2999-01-01T00:00:00Z 9999-12-31T23:59:59Z 1601-01-01T00:00:00Z 0001-01-01T00:00:00Z 1989-12-31T23:59:59Z; do record "$t" /far; done >"$tmp/far"
run "$TYTO" import "$tmp/far"
is "far from now, on either side: each says what was expected" "$rc $(grep -cE 'far, line [1-5](, byte 8)?: expected a time from 1990 to a day from now$' "$tmp/err")" "3 5"
run "$TYTO" import "$tmp/times"
is "times: from 1990 to 24 hours ahead" "$rc $(grep -c 'times, line 3' "$tmp/err") $("$TYTO" events --json --path /later | wc -l)" "3 1 0"

# Bytes that are paths: 4,096 of them, no UTF-8, newlines; through two states and back.
fresh
python3 - >"$tmp/bytes" <<'EOF2'
import base64, json
def put(p, **k): print(json.dumps({"time": "2026-03-01T10:00:00Z", "verb": "rename", **k, "path_b64": base64.b64encode(p).decode()}))
put(((b"/" + b"\xff\n\xfe\t\x1b[2J\xe6" * 25) * 18)[:4096])
long = (b"/" + bytes(range(1, 256)).replace(b"/", b"")) * 17
put(long[:4096])
put(b"/\xff" * 2048)
put(b"/ok\xc3", to_b64=base64.b64encode(long[:4096]).decode())
EOF2
is "the longest is 4,096 bytes" "$(jq -r .path_b64 "$tmp/bytes" | while read -r b; do base64 -d <<<"$b" | wc -c; done | sort -n | tail -n 1)" 4096
run "$TYTO" import "$tmp/bytes"
is "paths of any bytes are taken" "$rc" 0
paths() { jq -c '[.path_b64, .to_b64]' "$@" | sort | sha256sum; }
"$TYTO" events --json >"$tmp/once"
is "and come back" "$(paths "$tmp/once")" "$(paths "$tmp/bytes")"
fresh
"$TYTO" import -q "$tmp/once"
is "and through another state" "$("$TYTO" events --json | paths)" "$(paths "$tmp/bytes")"
is "asked for by its bytes" "$("$TYTO" who --json $'/\xff/\xff'"$(printf '/\xff%.0s' $(seq 2046))" | wc -l)" 1
is "shown, no byte of it reaches the terminal as it is" "$("$TYTO" events | LC_ALL=C tr -d '\n -~\200-\377' | wc -c) $("$TYTO" events | wc -l)" "0 4"
record 2026-03-01T10:00:00Z "/$(printf 'x%.0s' {1..4096})" >"$tmp/toolong"
run "$TYTO" import "$tmp/toolong"
is "4,097 bytes are too many: the line named, exit 3" "$rc $(grep -c 'toolong, line 1' "$tmp/err")" "3 1"

# Compressed: damaged, cut, bombs.
fresh
python3 -c 'import random
for i in range(3000): print("{\"time\":\"2026-03-01T10:00:00Z\",\"verb\":\"read\",\"path\":\"/%s\"}" % random.getrandbits(200))' >"$tmp/plain"
zstd -q "$tmp/plain" -o "$tmp/whole.zst"
gzip -k "$tmp/plain"
for z in whole.zst plain.gz; do
	fresh
	run "$TYTO" import "$tmp/$z"
	is "$z: all of it" "$rc $(count)" "0 3000"
	fresh
	head -c $(($(stat -c %s "$tmp/$z") * 2 / 3)) "$tmp/$z" >"$tmp/cut.$z"
	run "$TYTO" import "$tmp/cut.$z"
	is "$z cut off: exit 3, named once" "$rc $(grep -c "cut.$z: expected whole compressed data" "$tmp/err")" "3 1"
	ok "$z cut off: what stood before the cut is there" test "$(count)" -gt 500 -a "$(count)" -lt 3000
	run "$TYTO" import "$tmp/cut.$z"
	is "$z cut off: again is refused, and says what to do" "$rc $(grep -c 'imported already; --again' "$tmp/err")" "3 1"
	fresh
	python3 - "$tmp/$z" "$tmp/hit.$z" <<'EOF2'
import sys
b = bytearray(open(sys.argv[1], "rb").read()); m = len(b) // 2
for i in range(m, m + 50): b[i] ^= 0x55
open(sys.argv[2], "wb").write(b)
EOF2
	run "$TYTO" import "$tmp/hit.$z"
	ok "$z damaged in the middle: exit 3, no crash ($rc)" test "$rc" = 3
	ok "verify" "$TYTO" verify -q
done
cat "$tmp/whole.zst" "$tmp/whole.zst" >"$tmp/two.zst"
fresh
run "$TYTO" import - <"$tmp/two.zst"
run bash -c "\"$TYTO\" import - <\"$tmp/two.zst\""
is "two frames, from stdin" "$rc $(count)" "0 6000"
head -c 100 /dev/urandom | zstd -q >"$tmp/noise.zst"
run "$TYTO" import "$tmp/noise.zst"
is "noise in a frame: exit 3, its lines named" "$rc $(grep -c 'noise.zst, line 1' "$tmp/err")" "3 1"
bomb() { # WHAT FILE MAXKB: memory that it takes
	python3 - "$TYTO" "$2" <<'EOF2' >"$tmp/bomb" 2>&1
import resource, subprocess, sys
p = subprocess.run([sys.argv[1], "import", sys.argv[2]], capture_output=True, timeout=120)
print(p.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
print(p.stderr.decode()[:300])
EOF2
	read -r rc kb <"$tmp/bomb"
	is "$1: exit 3" "$rc" 3
	ok "$1: within $3 KiB of memory ($kb)" test "$kb" -lt "$3"
}
fresh
head -c 1000000000 /dev/zero | zstd -q -3 >"$tmp/zeros.zst"
head -c 200000000 /dev/zero | gzip -1 >"$tmp/zeros.gz"
ok "a bomb: 1 GB in $(stat -c %s "$tmp/zeros.zst") bytes" test "$(stat -c %s "$tmp/zeros.zst")" -lt 1000000
bomb "a bomb of zstd" "$tmp/zeros.zst" 300000
is "it is one line, named" "$(grep -c 'zeros.zst, line 1: expected a line of at most' "$tmp/bomb")" 1
bomb "a bomb of gzip" "$tmp/zeros.gz" 300000
head -c 3000000 /dev/urandom | zstd -q --ultra -20 --long=31 >"$tmp/window.zst"
bomb "a window of 2 GiB" "$tmp/window.zst" 300000
gzip -c "$tmp/plain.gz" >"$tmp/nested.gz"
run "$TYTO" import "$tmp/nested.gz"
is "a gzip in a gzip is not unpacked twice" "$rc $(count)" "3 0"

# Inputs that are no files.
run timeout 10 "$TYTO" import /dev/null
is "/dev/null: nothing, exit 0" "$rc" 0
mkfifo "$tmp/fifo"
record 2026-03-01T10:00:00Z /fifo >"$tmp/fifo" &
run "$TYTO" import "$tmp/fifo"
is "a pipe with a name" "$rc $("$TYTO" events --json --path /fifo | wc -l)" "0 1"
run bash -c "\"$TYTO\" import - <&-"
ok "stdin closed: no crash, one line ($rc)" test "$rc" -le 3 -a "$(wc -l <"$tmp/err")" -le 2
record 2026-03-01T10:00:00Z /twice >"$tmp/twice"
cp "$tmp/twice" "$tmp/twice2"
run "$TYTO" import "$tmp/twice" "$tmp/twice2" "$tmp/twice"
is "one content named three times is taken once" "$rc $("$TYTO" events --json --path /twice | wc -l) $(grep -c 'stands here twice' "$tmp/err")" "3 1 2"
files=()
for i in $(seq 300); do record 2026-03-01T10:00:00Z "/many/$i" >"$tmp/many.$i"; files+=("$tmp/many.$i"); done
run "$TYTO" import "${files[@]}"
is "300 files: the cap of 256 is said, none is lost silently" "$rc $(wc -l <"$tmp/err") $("$TYTO" events --json --path '/many/*' | wc -l)" "2 1 0"

# Interrupted: 130; what was acknowledged is there, the log is whole, and doing it again says what to do.
fresh
python3 -c 'for i in range(300000): print("{\"time\":\"2026-03-01T10:00:00Z\",\"verb\":\"read\",\"path\":\"/long/%d\"}" % i)' >"$tmp/long"
"$TYTO" import "$tmp/long" >"$tmp/out" 2>"$tmp/err" &
pid=$!
ok "under way" wait_for 20 eval '[ "$("$TYTO" events --json -n 1 2>/dev/null | wc -l)" = 1 ]'
kill -INT "$pid"
wait "$pid"
is "SIGINT: exit 130" "$?" 130
said=$(sed -n 's/^tyto: stopped: \([0-9]*\) records stand.*/\1/p' "$tmp/err")
ok "it says how many ($said)" test "${said:-0}" -gt 0 -a "${said:-0}" -le 300000
is "and so many are there" "$(count)" "$said"
like "and what that means" "$(cat "$tmp/err")" 'tyto: stopped: .*--resume'
ok "verify" "$TYTO" verify -q
run "$TYTO" import "$tmp/long"
is "again: refused, nothing taken" "$rc $(count)" "3 $said"
like "again: says what to do" "$err" 'long: an import was stopped .*--resume.*--again'
run "$TYTO" import -q --again "$tmp/long"
is "--again: all of it" "$rc $(count)" "0 $((said + 300000))"
run "$TYTO" import "$tmp/long"
like "then it counts as imported" "$rc $err" '^3 .*imported already'
fresh
"$TYTO" import "$tmp/long" >/dev/null 2>&1 &
pid=$!
wait_for 20 eval '[ "$("$TYTO" events --json -n 1 2>/dev/null | wc -l)" = 1 ]'
disown "$pid"
kill -KILL "$pid"
wait_for 5 eval "! kill -0 $pid"
run "$TYTO" import "$tmp/long"
like "after kill -9 again: refused, says what to do" "$rc $err" '^3 .*stopped .*--resume.*--again'
mkfifo "$tmp/waits"
"$TYTO" import - <"$tmp/waits" >"$tmp/out" 2>"$tmp/err" &
pid=$!
later end_pid "$pid"
exec 7>"$tmp/waits"
wait_for 20 catches "$pid" 2
kill -INT "$pid"
ok "waiting for a pipe, SIGINT ends it" wait_for 5 eval "! kill -0 $pid"
done_testing
