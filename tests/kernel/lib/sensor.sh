# sensor.sh — for tests/kernel/sensor_*.sh, after lib.sh: a watch on a filesystem of its own, and its records.
#
#   watch_start PATH…     tyto watch on $state (reachable for the keeper's uid); $guard its pid; returns once every path is watched
#   watch_stop            ends it in order and reads what it wrote into $records (JSON, one a line)
#   accesses FILTER       sum over the records that the jq FILTER selects: 1 each, or `count` where it stands
#   role_pid NAME         pid of the guard's child: sensor or keeper
need jq "$TYTO"
workload=$top/build/tests/tools/workload
[ "$(id -u)" = 0 ] || skip_all "needs root"
chmod 755 "$tmp"
state=$tmp/state
records=$tmp/records

watch_start() {
	local n=$#
	start "$TYTO" --state "$state" watch "$@" >"$tmp/watch.out" 2>"$tmp/watch.err"
	guard=$pid
	wait_for 20 watch_ready "$n" || { sed 's/^/# /' "$tmp/watch.err"; return 1; }
}
watch_ready() { [ "$(grep -c '^tyto: watching ' "$tmp/watch.err")" -ge "$1" ]; }
watch_stop() {
	end_pid "$guard"
	"$TYTO" --state "$state" events --json >"$records"
}
accesses() { jq -s "[.[] | select($1) | .count // 1] | add // 0" "$records"; }
role_pid() {
	local p
	for p in $(cat "/proc/$guard/task/$guard/children"); do
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -q "$1" && { echo "$p"; return 0; }
	done
	return 1
}
