#!/bin/bash
# Whatever is done to the sensor, the keeper or the guard: users' opens succeed within 500 ms, and each access that is missing from the record
# was made between the begin and the end of a gap.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

round() { # NAME: a new watch on a new state
	state=$tmp/state-$1
	watch_start "$mnt/w"
	is "$1: watched" $? 0
}
loopfs 64M ext4
is "a filesystem" $? 0
mkdir "$mnt/w"
for i in 1 2 3 4 5 6 7 8; do echo text >"$mnt/w/doc$i"; done

round nofile
attacked "descriptors of the sensor exhausted" 3 prlimit --pid "$(role_pid @sensor)" --nofile=8:8
watch_stop
accounted "descriptors: each access is recorded or in a gap" --at-most 2.5 --cause deadline,backlog,stalled,restart,overflow "$records" "$tmp/opens"

round sensor
attacked "the sensor stopped" 5 freeze "$(role_pid @sensor)" 2
watch_stop
ok "a gap: stalled" test "$(gaps stalled)" -ge 1
accounted "sensor stopped: each access is recorded or in the gap" --at-most 2.5 --cause stalled "$records" "$tmp/opens"

# Killed 50 times a second it is never there: the guard goes on starting it, and users go on.
often() {
	local i p
	for i in $(seq 30); do
		p=$(role_pid @sensor) && kill -KILL "$p"
		sleep 0.1
	done
}
round often
attacked "the sensor killed again and again" 7 often
ok "it is started again" wait_for 10 role_pid @sensor
watch_stop
accounted "killed often: each access is recorded or in the gap" --at-most 7 --cause restart,stalled "$records" "$tmp/opens"

round keeper
attacked "the keeper stopped" 9 freeze "$(role_pid @keeper)" 7
watch_stop
accounted "keeper stopped: each access is recorded or in a gap" --at-most 9 --cause keeper,backlog "$records" "$tmp/opens"

round keeper-killed
attacked "the keeper killed" 4 kill -KILL "$(role_pid @keeper)"
watch_stop
accounted "keeper killed: each access is recorded or in a gap" --at-most 2 --cause keeper,backlog "$records" "$tmp/opens"

round guard
attacked "the guard stopped" 4 freeze "$guard" 2
watch_stop
accounted "guard stopped: every access is recorded" "$records" "$tmp/opens"

round storm
storm() { timeout 60 "$workload" --op read --by brief --count 50 --workers 1 --uid 20001 "$mnt"/w/doc*; }
users 6 "$mnt/w"
for i in 1 2 3 4 5 6 7 8; do storm >"$tmp/storm$i" & storms[i]=$!; done
wait "${storms[@]}"
: >"$tmp/users.stop"
users_end "8 times 400 short processes at once"
watch_stop
is "they made 3,200 accesses" "$(cat "$tmp"/storm? | jq -s 'map(.opens) | add')" 3200
is "each is counted" "$(accesses '(.verb == "open" or .verb == "read") and .uid == 20001')" 3200
accounted "and those of the user beside them" --uid 0 "$records" "$tmp/opens"
done_testing
