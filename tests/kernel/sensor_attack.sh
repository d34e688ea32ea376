#!/bin/bash
# Whatever is done to the sensor, the keeper or the guard: users' opens succeed within 500 ms, and what was missed stands in a gap.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

# opens_on SECONDS: opens $mnt/w/* in turn for so long, prints "OPENS FAILED SLOWEST_MS"
opens_on() {
	timeout $(($1 + 15)) python3 - "$mnt/w" "$1" <<-'PY'
	import os, sys, time
	files = [os.path.join(sys.argv[1], f) for f in sorted(os.listdir(sys.argv[1])) if f.startswith("doc")]
	until = time.monotonic() + float(sys.argv[2]); n = failed = 0; slowest = 0
	while time.monotonic() < until:
	    t = time.monotonic()
	    try: os.close(os.open(files[n % len(files)], os.O_RDONLY))
	    except OSError: failed += 1
	    slowest = max(slowest, time.monotonic() - t); n += 1
	    time.sleep(0.005)
	print(n, failed, int(slowest * 1000))
	PY
}
# attacked WHAT SECONDS COMMAND…: the opens go on while COMMAND is done to the watch
attacked() {
	local what=$1 seconds=$2 user
	shift 2
	opens_on "$seconds" >"$tmp/opens" &
	user=$!
	later end_pid "$user"
	wait_for 1 false
	"$@"
	wait "$user"
	read -r opens failed slowest <"$tmp/opens" || { opens=0 failed=-1 slowest=-1; }
	total=$((total + opens))
	is "$what: no open of $opens failed" "$failed" 0
	ok "$what: the slowest open took $slowest ms" test "$opens" -gt 0 -a "$slowest" -ge 0 -a "$slowest" -le 500
}
gaps() { jq -s "[.[] | select(.verb == \"gap\" and (.cause as \$c | \"$1\" | split(\" \") | index(\$c)))] | length" "$records"; }
round() { # NAME: a new watch on a new state
	state=$tmp/state-$1
	total=0
	watch_start "$mnt/w"
	is "$1: watched" $? 0
}
freeze() { # PID SECONDS
	local until=$2
	kill -STOP "$1"
	later kill -CONT "$1"
	wait_for "$until" false
	kill -CONT "$1" 2>/dev/null
}

loopfs 64M ext4
is "a filesystem" $? 0
mkdir "$mnt/w"
for i in 1 2 3 4 5 6 7 8; do echo text >"$mnt/w/doc$i"; done

round nofile
attacked "descriptors of the sensor exhausted" 3 prlimit --pid "$(role_pid @sensor)" --nofile=8:8
watch_stop
counted=$(accesses '.verb == "open" or .verb == "read"')
if [ "$(gaps 'deadline backlog stalled restart overflow')" = 0 ]; then
	is "without a gap every open is counted" "$counted" "$total"
else
	ok "with a gap no more than were made" test "$counted" -le "$total"
fi

round sensor
attacked "the sensor stopped" 5 freeze "$(role_pid @sensor)" 2
watch_stop
ok "a gap: stalled" test "$(gaps stalled)" -ge 1

round keeper
attacked "the keeper stopped" 9 freeze "$(role_pid @keeper)" 7
watch_stop
counted=$(accesses '.verb == "open" or .verb == "read"')
ok "counted $counted of $total, or a gap" test "$counted" = "$total" -o "$(gaps 'backlog keeper')" -ge 1

round guard
attacked "the guard stopped" 4 freeze "$guard" 2
watch_stop
is "every open is counted" "$(accesses '.verb == "open" or .verb == "read"')" "$total"

state=$mnt/w/state
total=0
chmod 755 "$mnt" "$mnt/w"
watch_start "$mnt/w"
is "the state inside of what is watched: watched" $? 0
attacked "the state inside of what is watched" 3 true
watch_stop
is "own accesses are not recorded" "$(accesses ".path // \"\" | contains(\"/w/state\")")" 0
is "the others are" "$(accesses '(.verb == "open" or .verb == "read") and (.path // "" | contains("/w/doc"))')" "$total"
ok "verify" "$TYTO" --state "$state" verify
done_testing
