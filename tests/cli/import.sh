#!/bin/bash
# `tyto import`: what it takes, what it refuses and how it says so; nothing that is wrong in one line costs another.
. "$(dirname "$0")/../lib.sh"
need python3 gzip zstd
fresh() { state=$tmp/state.$((++states)); export TYTO_STATE=$state; }
states=0
run() { # COMMAND…: $rc, $out, $err
	timeout 60 "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}
refuses() { # WHAT STATUS REGEX COMMAND…
	local what=$1 status=$2 regex=$3
	shift 3
	run "$@"
	is "$what: exit $status" "$rc" "$status"
	like "$what: named" "$err" "$regex"
}
record() { # TIME PATH
	printf '{"time":"%s","person":"clerk","verb":"read","path":"%s"}\n' "$1" "$2"
}
paths() { "$TYTO" events --json | python3 -c 'import json,sys
for l in sys.stdin: print(json.loads(l)["path"])'; }

# Everything that the contract knows comes back, but for seq and source.
cat >"$tmp/make.py" <<'EOF'
import base64, json
def put(**k): print(json.dumps(k, ensure_ascii=False))
put(time="1990-01-01T00:00:00Z", verb="open", path="/old")
deep = ("/" + "d" * 200) * 20
put(time="2026-03-01T10:00:00.123456789Z", host="files", person="clerk", person_by="opener", uid=1001, login_uid=1001, verb="read", seen="bytes",
    path="/srv/Pläne/ä.odt", object="2049:12:3", document="sha256:" + "ab" * 32, label="confidential", bytes=123, covered=4096, count=3,
    via="smb", client="10.0.0.5", extra={"a": [1, 2.5, None, True, "x"]}, other="kept")
put(time="2026-03-01T10:00:01Z", end="2026-03-01T10:00:09Z", verb="rename", seen="access", path="/srv/a\nb\tc\"d\\", to="/srv/e")
put(time="2026-03-01T10:00:02Z", verb="exec", path="/usr/bin/tar", program="/usr/bin/tar", command="tar cf x", pid=12, parents=["bash", "sshd"],
    cwd="/home")
put(time="2026-03-01T10:00:03Z", verb="send", path="/srv/x", peer="192.0.2.1", port=443, allowed=False)
put(time="2026-03-01T10:00:04Z", verb="read", path_b64=base64.b64encode(b"/srv/\xff\xfe/x").decode())
put(time="2026-03-01T10:00:05Z", verb="read", path=deep[:4096] + "e" * (4096 - len(deep[:4096])))
put(time="2026-03-01T10:00:06Z", verb="read", path_b64=base64.b64encode(b"/\xfe" * 600).decode())
put(time="2026-03-01T10:00:07Z", verb="gap", end="2026-03-01T10:01:07Z", count=17)
EOF
cat >"$tmp/same.py" <<'EOF'
import base64, json, sys
def load(name):
    rows = []
    for line in open(name, encoding="utf-8"):
        e = json.loads(line)
        for k in ("seq", "source"): e.pop(k, None)
        for k in ("path", "to"):
            if k + "_b64" in e: e.pop(k, None)
        rows.append(e)
    return sorted(rows, key=lambda e: e["time"])
a, b = load(sys.argv[1]), load(sys.argv[2])
for x, y in zip(a, b):
    for k in sorted(set(x) | set(y)):
        if x.get(k) != y.get(k): sys.exit(f"{x['time']} {k}: {str(x.get(k))[:200]} became {str(y.get(k))[:200]}")
sys.exit(len(a) != len(b) and f"{len(a)} became {len(b)}")
EOF
fresh
python3 "$tmp/make.py" >"$tmp/all.jsonl"
refuses "everything there is" 0 '9 records imported, none refused' "$TYTO" import "$tmp/all.jsonl"
"$TYTO" events --json >"$tmp/back.jsonl"
ok "comes back as it was" python3 "$tmp/same.py" "$tmp/all.jsonl" "$tmp/back.jsonl"
fresh
"$TYTO" import -q "$tmp/back.jsonl"
"$TYTO" events --json >"$tmp/again.jsonl"
ok "our own output is read again" python3 "$tmp/same.py" "$tmp/all.jsonl" "$tmp/again.jsonl"

# Compressed, from stdin, merged by time.
fresh
record 2026-03-01T10:00:00Z /1 >"$tmp/one"
record 2026-03-01T10:00:02Z /3 >>"$tmp/one"
record 2026-03-01T10:00:01Z /2 | gzip >"$tmp/two.gz"
record 2026-03-01T10:00:03Z /4 | zstd -q >"$tmp/four.zst"
record 2026-03-01T10:00:04Z /5 >"$tmp/five"
refuses "four at once" 0 '5 records imported' "$TYTO" import "$tmp/one" "$tmp/two.gz" "$tmp/four.zst" - <"$tmp/five"
is "in the order of time" "$(paths | tr '\n' ' ')" "/1 /2 /3 /4 /5 "
is "in the log, too" "$("$TYTO" events --json | grep -o '^{"seq":[0-9]*' | grep -o '[0-9]*' | sort -nc && echo sorted)" sorted
ok "verify" "$TYTO" verify
fresh
record 2026-03-01T10:00:00Z /z | gzip >"$tmp/stdin.gz"
ok "gzip from stdin" bash -c "\"$TYTO\" import - <\"$tmp/stdin.gz\""
is "is read" "$(paths)" /z

# Within a file, too, by up to 10 minutes; what is later stands behind, and is flagged.
fresh
for t in 10:05 10:00 10:09 10:04 10:40 10:20 10:30; do record "2026-03-01T$t:00Z" "/$t" | sed 's/}/,"late":true}/'; done >"$tmp/mixed-order"
refuses "a file out of order" 0 '7 records imported, none refused' "$TYTO" import "$tmp/mixed-order"
in_log() { "$TYTO" events --json | python3 -c 'import json,sys
print(*[e["path"][1:] + ("!" if e.get("late") else "") for e in sorted(map(json.loads, sys.stdin), key=lambda e: e["seq"])])'; }
is "its records are recorded by time" "$(in_log)" "10:00 10:04 10:05 10:09 10:20! 10:30 10:40"
ok "verify" "$TYTO" verify
# From a pipe that stays open: what was read is recorded when the import is interrupted.
fresh
mkfifo "$tmp/pipe"
"$TYTO" import - <"$tmp/pipe" 2>"$tmp/err" &
importer=$!
exec 7>"$tmp/pipe"
record 2026-03-01T10:00:00Z /piped >&7
read_from_pipe() { catches "$importer" 2 && python3 -c 'import array,fcntl,sys,termios; n=array.array("i",[1]); fcntl.ioctl(7,termios.FIONREAD,n); sys.exit(n[0])'; }
wait_for 20 read_from_pipe
kill -INT "$importer"
wait "$importer"
is "an import from a pipe that is interrupted: exit" $? 130
exec 7>&-
is "what it had read is recorded" "$(paths)" /piped

# What is wrong.
fresh
far=$(date -u -d '+3 days' +%Y-%m-%dT%H:%M:%SZ)
soon=$(date -u -d '+20 hours' +%Y-%m-%dT%H:%M:%SZ)
{
	record 2026-03-01T10:00:00Z /good1
	echo 'not json'
	record 1989-12-31T23:59:59Z /early
	record "$far" /far
	record "$soon" /soon
	echo '{"time":"2026-03-01T10:00:01Z","verb":"fly","path":"/x"}'
	echo '[1,2]'
	echo '{"verb":"read","path":"/notime"}'
	echo '{"time":"2026-03-01T10:00:01Z","verb":"read","path":"/cut'
	printf '{"time":"2026-03-01T10:00:01Z","verb":"read","path":"/%070000d"}\n' 0
	record 2026-03-01T10:00:02Z /bad$'\xff'utf8
	printf '\n\r\n'
	printf '%s' "$(record 2026-03-01T10:00:03Z /last-without-newline)"
} >"$tmp/mixed"
refuses "a mixed file" 3 "mixed, line 2" "$TYTO" import "$tmp/mixed"
for line in 2 3 4 6 7 8 9 10 11; do
	is "line $line has one line" "$(grep -cE "^tyto: [^ ]*mixed, line $line[,:].*expected " "$tmp/err")" 1
done
is "nothing else is complained about" "$(grep -c 'mixed, line' "$tmp/err")" 9
is "the rest is there" "$(paths | tr '\n' ' ')" "/good1 /last-without-newline /soon "
ok "verify" "$TYTO" verify

head -c 20000 /dev/urandom >"$tmp/garbage"
refuses "garbage" 3 'garbage, line 1' "$TYTO" import "$tmp/garbage"
is "garbage writes nothing to the terminal but text" "$(LC_ALL=C tr -d '\n -~\200-\377' <"$tmp/err" | wc -c)" 0
: >"$tmp/empty"
refuses "an empty file" 0 '0 records imported' "$TYTO" import "$tmp/empty"
refuses "a directory" 3 '/: Is a directory' "$TYTO" import /
refuses "a missing file beside a good one" 3 'missing: No such file' "$TYTO" import "$tmp/missing" "$tmp/five"
is "the good one is imported" "$(paths | grep -c '^/5$')" 1
refuses "the same file again" 3 'five was imported already; --again' "$TYTO" import "$tmp/five"
cp "$tmp/five" "$tmp/copy"
refuses "under another name" 3 'copy was imported already' "$TYTO" import "$tmp/copy"
is "it is not there twice" "$(paths | grep -c '^/5$')" 1
refuses "--again" 0 '1 record imported' "$TYTO" import --again "$tmp/five"
is "now it is" "$(paths | grep -c '^/5$')" 2
for k in $(seq 200); do record 2026-03-02T10:00:00Z "/gz/$k/$RANDOM"; done | gzip >"$tmp/whole.gz"
head -c -40 "$tmp/whole.gz" >"$tmp/cut.gz"
refuses "a gzip that is cut off" 3 'cut\.gz.*damaged or cut off' "$TYTO" import "$tmp/cut.gz"
ok "what stood before the cut is there" test "$(paths | grep -c '^/gz/')" -gt 10
refuses "a format there is not" 2 '--format nonsense' "$TYTO" import --format nonsense "$tmp/five"
if [ "$(id -u)" = 0 ]; then
	chmod 0644 "$tmp"/* 2>/dev/null
	chmod 0 "$tmp/one"
	mkdir "$tmp/own" && chown 65534 "$tmp/own"
	refuses "an unreadable file" 3 'one: Permission denied' setpriv --reuid 65534 --regid 65534 --clear-groups "$TYTO" --state "$tmp/own/s" import \
		"$tmp/one" "$tmp/five"
	chmod 0600 "$tmp/one"
	refuses "root's own file, for the keeper's account" 0 '2 records' "$TYTO" import "$tmp/one"
fi
ok "verify after all of it" "$TYTO" verify

# Several accounts of one person.
fresh
cat >"$tmp/people.csv" <<'EOF'
person,name,unit,role,aliases
clerk,The Clerk,office/front,clerk,clerk-admin;DOMAIN\clerk
EOF
echo '{"person":"sales","aliases":["seller"],"joined":"2020-01-01"}' >"$tmp/people.jsonl"
sed 's/"clerk"/"clerk-admin"/' "$tmp/one" >"$tmp/aliased"
refuses "--people, CSV" 0 '' "$TYTO" import --people "$tmp/people.csv" "$tmp/aliased"
is "the alias is the person" "$("$TYTO" events --json | grep -c '"person":"clerk"')" 2
sed 's/"clerk"/"seller"/' "$tmp/one" >"$tmp/aliased2"
refuses "people import, JSON Lines" 0 '' "$TYTO" people import "$tmp/people.jsonl"
refuses "then" 0 '2 records' "$TYTO" import "$tmp/aliased2"
is "that alias, too" "$("$TYTO" events --json | grep -c '"person":"sales"')" 2
# An account changes hands: from its row on; what was recorded before stays.
fresh
desk() { sed -n 1p "$tmp/one" | sed "s/\"clerk\"/\"desk\"/; s/10:00:00/10:00:$1/"; }
owner() { "$TYTO" events --json | python3 -c 'import json,sys; print(*[json.loads(l)["person"] for l in sys.stdin])'; }
desk 10 >"$tmp/desk1"; desk 20 >"$tmp/desk2"; desk 30 >"$tmp/desk3"
echo '{"person":"clerk","aliases":["desk"]}' >"$tmp/people1"
echo '{"person":"sales","aliases":["desk"]}' >"$tmp/people2"
echo '{"person":"sales"}' >"$tmp/people3"
for k in 1 2 3; do
	"$TYTO" import -q --people "$tmp/people$k" "$tmp/desk$k"
done
is "an account is of whom its newest row says" "$(owner)" "clerk sales desk"
cat "$tmp/people1" "$tmp/people2" >"$tmp/both"
refuses "two rows of a file that claim one account" 3 "both, line 2: expected aliases that are nobody else's" "$TYTO" people import "$tmp/both"
cat "$tmp/people1" <(echo '{"person":"clerk"}') "$tmp/people2" >"$tmp/handed"
refuses "given up in between" 0 '3 people' "$TYTO" people import "$tmp/handed"
ok "verify" "$TYTO" verify
refuses "--people that is missing" 1 'No such file' "$TYTO" import --people "$tmp/nobody" "$tmp/five"
printf 'person,aliases\nclerk,x\n,y\n' >"$tmp/bad.csv"
refuses "a row without a person" 3 'bad\.csv, line 3' "$TYTO" people import "$tmp/bad.csv"

done_testing
