#!/bin/bash
# One guard a state: a second watch is refused at once and the first goes on; after a kill -9 of the guard the next one starts at once.
. "$(dirname "$0")/../lib.sh"
share 32M
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
is "nothing is left below /run" "$(left)" ""
ok "verify passes" "$TYTO" verify --state "$state"
done_testing
