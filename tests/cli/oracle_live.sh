#!/bin/bash
# The outside checker beside a writer: a log that grows, is compacted, gets other keys and is opened anew is sound whenever it is looked at.
. "$(dirname "$0")/../lib.sh"
need python3
export TYTO_STATE=$tmp/state
python3 - >"$tmp/records" <<'PY'
for i in range(300):
    print('{"time":"2026-03-01T10:%02d:%02dZ","verb":"read","person":"clerk","path":"/srv/plans/%d"}' % (i // 60 % 60, i % 60, i))
PY
"$TYTO" import -q "$tmp/records"
writer() {
	local n=0
	until [ -e "$tmp/stop" ]; do
		"$TYTO" import -q --again "$tmp/records" || return 1
		n=$((n + 1))
		[ $((n % 12)) != 0 ] || "$TYTO" key rotate -q >/dev/null || return 1
		[ $n -lt 60 ] || break # 18,000 records: enough to look at
	done
	echo $n >"$tmp/written"
}
writer 2>"$tmp/writer.err" &
pid=$!
later end_pid "$pid"
seen=
for ((i = 0; i < 60; i++)); do
	timeout 60 python3 "$top/tests/oracle/check_log.py" "$TYTO_STATE" >"$tmp/out" 2>"$tmp/err" || { seen=wrong; break; }
	seen="$seen $(sed -n 's/ok \([0-9]*\) leaves/\1/p' "$tmp/out")"
	kill -0 "$pid" 2>/dev/null || break
	[ "$SECONDS" -lt 100 ] || break
done
: >"$tmp/stop"
wait "$pid"
is "the writer wrote" "$? $(cat "$tmp/writer.err")" "0 "
is "no look met damage" "$(case $seen in wrong) cat "$tmp/out" "$tmp/err" ;; esac)" ""
echo "# leaves:$seen"
ok "the log grew between looks" test "$(tr ' ' '\n' <<<"$seen" | sort -un | grep -c .)" -gt 2
ok "at rest it is sound" python3 "$top/tests/oracle/check_log.py" "$TYTO_STATE"
done_testing
