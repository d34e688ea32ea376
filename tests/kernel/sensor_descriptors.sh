#!/bin/bash
# The sensor's descriptor limit lowered again and again while eight people open documents, and for good while the guard is stopped: no open
# fails or waits, and all are counted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w"
for i in 1 2 3 4; do echo text >"$w/doc$i"; done
open_all() { # SECONDS: prints "OPENS FAILED SLOWEST_MS"
	timeout $(($1 + 15)) python3 - "$w" "$1" <<-'PY'
	import os, sys, time
	from multiprocessing import Pool
	def one(k):
	    until = time.monotonic() + float(sys.argv[2]); n = failed = 0; slowest = 0
	    while time.monotonic() < until:
	        t = time.monotonic()
	        try: os.close(os.open(f"{sys.argv[1]}/doc{1 + (n + k) % 4}", os.O_RDONLY))
	        except OSError: failed += 1
	        slowest = max(slowest, time.monotonic() - t); n += 1
	        time.sleep(0.01)
	    return n, failed, slowest
	with Pool(8) as p: r = p.map(one, range(8))
	print(sum(x[0] for x in r), sum(x[1] for x in r), int(max(x[2] for x in r) * 1000))
	PY
}
watched() { # WHAT: the opens go on while the limit is taken away
	read -r opens failed slowest <"$tmp/opens" || opens=0 failed=-1 slowest=-1
	is "$1: no open of $opens failed" "$failed" 0
	ok "$1: the slowest took $slowest ms" test "$opens" -gt 0 -a "$slowest" -le 500
	watch_stop
	counted=$(accesses '.verb == "open" or .verb == "read"')
	if [ "$(accesses '.verb == "gap"')" = 0 ]; then
		is "$1: every open is counted" "$counted" "$opens"
	else
		ok "$1: with a gap ($(jq -r 'select(.verb == "gap").cause' "$records" | sort | uniq -c | tr -s '\n ' ' ')) no more than were made" test "$counted" -le "$opens"
	fi
}

watch_start "$w"
is "watched" $? 0
sensor=$(role_pid @sensor)
open_all 4 >"$tmp/opens" &
user=$!
later end_pid "$user"
for i in $(seq 60); do
	prlimit --pid "$sensor" --nofile=9: 2>/dev/null || sensor=$(role_pid @sensor)
	sleep 0.05
done
wait "$user"
watched "lowered sixty times"

state=$tmp/state-2
watch_start "$w"
is "watched" $? 0
kill -STOP "$guard"
later kill -CONT "$guard"
open_all 4 >"$tmp/opens" &
user=$!
later end_pid "$user"
sleep 0.5
prlimit --pid "$(role_pid @sensor)" --nofile=10:10
wait "$user"
kill -CONT "$guard"
watched "lowered for good"
is "each with its program" "$(accesses '(.verb == "open" or .verb == "read") and ([has("program", "uid")] | all | not)')" 0
done_testing
