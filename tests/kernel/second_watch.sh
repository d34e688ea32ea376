#!/bin/bash
# One guard a state: a second watch is refused at once and the first goes on; after a kill -9 of the guard the next one starts at once.
. "$(dirname "$0")/../lib.sh"
share 32M
need jq
chmod 755 "$tmp"
left() { find /run/tyto -name "$(printf %s "$(realpath "$state")" | sha256sum | cut -c1-16)*" | sort; }

watch_share first
said=$(timeout 5 "$TYTO" watch --state "$state" "$mnt" 2>&1)
is "a second one fails" "$?" 1
like "in one line that says why" "$said" "^tyto: another .tyto watch. runs on the state [^[:cntrl:]]*$"
is "the first goes on" "$("$TYTO" status --json --state "$state" | grep -c '"running":true')" 1
disown "$watch"
kill -KILL "$watch"
watch_share second
is "its socket and its lock are below /run" "$(left | wc -l)" 2
is "it answers" "$("$TYTO" status --json --state "$state" | grep -c '"running":true')" 1
kill -TERM "$watch"
wait "$watch"
is "it ends in order" "$?" 0
# The old keeper still holds the log when the next watch imports its people.
watch_share third
disown "$watch"
keeper=$(pgrep -P "$watch" -f @keeper)
kill -STOP "$keeper"
later kill -KILL "$keeper"
kill -KILL "$watch"
printf '{"person":"clerk","aliases":["uid:4711"]}\n' >"$tmp/people"
timeout 30 "$TYTO" watch --state "$state" --people "$tmp/people" "$mnt" >/dev/null 2>"$tmp/fourth" &
watch=$!
later end_pid "$watch"
wait_for 2 false
kill -CONT "$keeper"
ok "people are imported once it has ended" wait_for 20 grep -q "^tyto: watching" "$tmp/fourth"
kill -TERM "$watch"
wait "$watch"
# Another boot time at the same real time: the clock was set meanwhile.
if unshare --time --boottime 7200 true 2>/dev/null; then
	unshare --time --boottime 7200 "$TYTO" watch --state "$state" "$mnt" >/dev/null 2>"$tmp/set" &
	watch=$!
	later end_pid "$watch"
	ok "the operator is told that the clock was set" wait_for 20 grep -q "the clock was set by -7200.0 s while nothing was recorded" "$tmp/set"
	wait_for 20 grep -q "^tyto: watching" "$tmp/set"
	kill -TERM "$watch"
	wait "$watch"
	is "a gap" "$("$TYTO" events --state "$state" --json | jq -c 'select(.cause == "clock")' | wc -l)" 1
else
	skip "the clock set while nothing is recorded" "this kernel makes no time namespaces"
fi
is "nothing is left below /run" "$(left)" ""
ok "verify passes" "$TYTO" verify --state "$state"
done_testing
