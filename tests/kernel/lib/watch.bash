# watch.bash — a `tyto watch` for end-to-end tests, beside lib/who.bash (sourced first): starts, asks, stops.
#
#   watch_start PATH…      runs `tyto watch` on them with a state of its own ($STATE); returns when every path is watched
#   watch_stop             ends it; the record is whole then
#   events JQ…             records as JSON lines through jq: events 'select(.verb=="read")'
#   count JQ               how many records pass the filter
TYTO=${TYTO:-$BUILD/src/cli/tyto}
STATE=$TMP/tyto-state

watch_start() {
	: >"$TMP/watch.err" # what an earlier watch said is not this one's word
	# The proc connector exists in the first network namespace only.
	${WHO_NET:+nsenter --net=/proc/self/fd/$WHO_NET} "$TYTO" watch --json --state "$STATE" "$@" >"$TMP/watch.out" 2>"$TMP/watch.err" &
	WATCH=$!
	own $WATCH
	wait_for 20 grep -q '^tyto: watching ' "$TMP/watch.err" || { sed 's/^/# /' "$TMP/watch.err"; return 1; }
}
watch_stop() {
	sleep 1 # what was done last is decided and sent
	kill "$WATCH"
	wait "$WATCH" 2>/dev/null
	"$TYTO" events --json --state "$STATE" >"$TMP/events"
}
events() { jq -c "$@" "$TMP/events"; }
count() { jq -c "select($1)" "$TMP/events" | wc -l; }
