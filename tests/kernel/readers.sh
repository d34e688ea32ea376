#!/bin/bash
# status, events, who and verify in a loop beside a watch under load, an import through its keeper, a rotation of the key and restarts of the
# sensor and the keeper: never an error, never a race that is called damage.
. "$(dirname "$0")/../lib.sh"
share 64M

python3 - >"$tmp/year.jsonl" <<'EOP'
import json
for i in range(40000):
    print(json.dumps({"time": f"2025-{i % 12 + 1:02}-{i % 28 + 1:02}T{i % 24:02}:00:00Z", "verb": "read", "person": f"clerk{i % 97}", "path": f"/srv/records/r{i}"}))
EOP
watch_share
for i in 1 2; do
	python3 "$top/tests/kernel/lib/load.py" "$mnt" "$tmp/load-$i" 18 "4100$i" &
	later end_pid $!
done
for i in 1 2; do
	python3 "$top/tests/kernel/lib/readers.py" "$TYTO" "$state" "$tmp/stop" >"$tmp/readers-$i" 2>&1 &
	readers[i]=$!
	later end_pid $!
done
ok "an import through the keeper" "$TYTO" import --state "$state" "$tmp/year.jsonl"
ok "another key" "$TYTO" key rotate --state "$state"
ok "an import once more" "$TYTO" import --again --state "$state" "$tmp/year.jsonl"
ok "an outside checker finds the log sound while it grows" timeout 120 python3 "$top/tests/oracle/check_log.py" "$state"
kill -KILL "$(child sensor)"
sleep 3
ok "still another key" "$TYTO" key rotate --state "$state"
sleep 6
: >"$tmp/stop"
wait "${readers[@]}"
is "whoever read beside it never met an error, damage or half a record" "$(grep -hv '^#' "$tmp"/readers-*)" ""
grep -h '^#' "$tmp"/readers-*
kill -TERM "$watch"
wait "$watch"
is "watch ends in order" "$?" 0
ok "verify passes" "$TYTO" verify --state "$state"
like "status answers without it" "$("$TYTO" status --json --state "$state")" '"running":false'
done_testing
