#!/bin/bash
# tyto import killed -9 at random moments, with others reading beside it: verify passes, the state goes on, nobody ever sees half a record.
# TYTO_KILLS: how often (8).
. "$(dirname "$0")/../lib.sh"
need python3
kills=${TYTO_KILLS:-8}
state=$tmp/state
chmod 755 "$tmp"

records() { # COUNT: a year of reads, all different
	python3 - "$1" <<'PY'
import json, sys, time
n = int(sys.argv[1])
for i in range(n):
    t = 1735689600 + i * 31536000 // n
    print(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)), "verb": "read", "seen": "access", "person": f"clerk{i % 97}",
                      "path": f"/srv/records/r{i}", "program": "/usr/bin/cat", "via": "local"}))
PY
}
records 1 >"$tmp/one.jsonl"
records 150000 >"$tmp/year.jsonl"
ok "a first record" "$TYTO" import --state "$state" "$tmp/one.jsonl"

python3 "$top/tests/kernel/lib/readers.py" "$TYTO" "$state" "$tmp/stop" >"$tmp/readers" 2>&1 &
readers=$!
later end_pid "$readers"
killed=0
for ((i = 0; i < kills; i++)); do
	"$TYTO" import --again --state "$state" "$tmp/year.jsonl" >/dev/null 2>>"$tmp/import.err" &
	pid=$!
	disown "$pid"
	sleep "0.$(printf %03d $((RANDOM % 700 + 20)))"
	kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
	wait_for 5 eval "! kill -0 $pid" || echo "$i: still there" >>"$tmp/after"
	"$TYTO" verify --state "$state" >"$tmp/verify" 2>&1 || { echo "kill $i:"; cat "$tmp/verify"; } >>"$tmp/after"
done
touch "$tmp/after"
is "verify passes after each kill" "$(cat "$tmp/after")" ""
: >"$tmp/stop"
wait "$readers"
is "whoever read beside it never met an error or half a record" "$(grep -v '^#' "$tmp/readers")" ""
grep '^#' "$tmp/readers"
ok "most were killed under way ($killed of $kills)" test $((2 * killed)) -gt "$kills"
ok "the import done again, whole" "$TYTO" import --again --state "$state" "$tmp/year.jsonl"
"$TYTO" events --json --state "$state" --since 2025-01-01 >"$tmp/events" 2>"$tmp/events.err"
whole() {
	python3 - "$tmp/events" <<'PY'
import json, sys
n = {}
for e in map(json.loads, open(sys.argv[1])):
    k = int(e["path"].rsplit("/r", 1)[1])
    if (e["person"], e["verb"], e["program"]) != (f"clerk{k % 97}", "read", "/usr/bin/cat"):
        sys.exit(f"not what was imported: {e}")
    n[k] = n.get(k, 0) + 1
sys.exit(None if len(n) == 150000 else f"{len(n)} of 150000 records")
PY
}
ok "every record of the file is there as it was" whole
ok "verify passes" "$TYTO" verify --state "$state"
like "the file counts as imported" "$("$TYTO" import --state "$state" "$tmp/year.jsonl" 2>&1)" "imported already"
rm -rf "$state/index"
"$TYTO" events --json --state "$state" --since 2025-01-01 >"$tmp/again"
ok "without its index the same answer" cmp "$tmp/events" "$tmp/again"
done_testing
