# sensor.sh — for tests/kernel/sensor_*.sh, after lib.sh: a watch on a filesystem of its own, and its records.
#
#   watch_start PATH…     tyto watch on $state (reachable for the keeper's uid); $guard its pid; returns once every path is watched
#   watch_stop            ends it in order and reads what it wrote into $records (JSON, one a line)
#   accesses FILTER       sum over the records that the jq FILTER selects: 1 each, or `count` where it stands
#   gaps CAUSE…           how many gaps have one of these causes
#   accounted WHAT [OPTION…] LOG…    each access of the logs is recorded or lies inside of a gap (lib/account.py)
#   role_pid NAME         pid of the guard's child: sensor or keeper
#   users SECONDS PATH…   somebody who opens PATHs in turn, into $tmp/opens; $user its pid; beside it one on an unwatched filesystem
#   users_end WHAT        waits for them: no open failed, none took longer than 500 ms more than the slowest of the unwatched
#   attacked WHAT SECONDS COMMAND…   both, on $mnt/w, with COMMAND after one second
#   freeze PID SECONDS    SIGSTOP, and SIGCONT after so long
need jq python3 "$TYTO"
workload=$top/build/tests/tools/workload
lib=$top/tests/kernel/lib
[ "$(id -u)" = 0 ] || skip_all "needs root"
chmod 755 "$tmp"
state=$tmp/state
records=$tmp/records
watch_options=()
longest=500 # ms that an open may take

watch_start() {
	local n=$#
	start "$TYTO" --state "$state" "${watch_options[@]}" watch "$@" >"$tmp/watch.out" 2>"$tmp/watch.err"
	guard=$pid
	wait_for 20 watch_ready "$n" || { sed 's/^/# /' "$tmp/watch.err"; return 1; }
}
watch_ready() { [ "$(grep -c '^tyto: watching ' "$tmp/watch.err")" -ge "$1" ]; }
watch_stop() {
	end_pid "$guard"
	"$TYTO" --state "$state" events --json >"$records"
}
accesses() { jq -s "[.[] | select($1) | .count // 1] | add // 0" "$records"; }
gaps() { jq -s "[.[] | select(.verb == \"gap\" and (.cause as \$c | \"$*\" | split(\" \") | index(\$c)))] | length" "$records"; }
accounted() {
	local what=$1 out rc
	shift
	out=$(python3 "$lib/account.py" "${@:1:$#-1}" "${@: -1}" 2>&1)
	rc=$?
	lib_result "$rc" "$what" || { printf '%s\n' "$out" | sed 's/^/#   /'; return 1; }
	printf '%s\n' "$out" | grep '^#'
}
role_pid() {
	local p
	for p in $(cat "/proc/$guard/task/$guard/children"); do
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -q "$1" && { echo "$p"; return 0; }
	done
	return 1
}
users() {
	local seconds=$1
	shift
	rm -f "$tmp/users.stop"
	mkdir -p "$tmp/unwatched"
	echo text >"$tmp/unwatched/doc"
	timeout -k 1 $((seconds + 15)) python3 "$lib/opens.py" --stop "$tmp/users.stop" "$tmp/beside" "$seconds" "$tmp/unwatched" &
	beside=$!
	timeout -k 1 $((seconds + 15)) python3 "$lib/opens.py" --stop "$tmp/users.stop" "$tmp/opens" "$seconds" "$@" &
	user=$!
	later end_pid "$user"
	later end_pid "$beside"
	wait_for 10 test -e "$tmp/opens" -a -e "$tmp/beside"
}
users_end() {
	local opens=0 failed=-1 slowest=-1 other=0
	wait "$user" "$beside"
	read -r _ opens failed slowest < <(grep '^end ' "$tmp/opens")
	read -r _ _ _ other < <(grep '^end ' "$tmp/beside")
	is "$1: no open of $opens failed" "$failed" 0
	ok "$1: the slowest open took $((slowest / 1000000)) ms ($((other / 1000000)) ms unwatched)" \
		test "$opens" -gt 0 -a "$slowest" -ge 0 -a $((slowest - other)) -le $((longest * 1000000))
}
attacked() {
	local what=$1 seconds=$2
	shift 2
	users "$seconds" "$mnt/w"
	wait_for 1 false
	"$@"
	users_end "$what"
}
freeze() {
	kill -STOP "$1"
	later kill -CONT "$1"
	wait_for "$2" false
	kill -CONT "$1" 2>/dev/null
}
