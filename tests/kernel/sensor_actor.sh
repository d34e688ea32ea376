#!/bin/bash
# Actors that are hard to tell apart, folding in real time, what the responder calls while it answers, and the same counts whoever names people.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need mkfs.ext4 strace setpriv unshare "$workload"

loopfs 64M ext4 || skip_all "this kernel mounts no loop devices"
w=$mnt/w
mkdir "$w"
for f in 1 2 3 first second bash root user cat daemon folded; do echo text >"$w/$f"; done
for i in $(seq 10); do echo text >"$w/load$i"; done
chmod -R a+rX "$mnt"
watch_start "$w"
is "watched" $? 0
# What an open was for may be told later, by a record that refers to it.
made() { accesses "(.verb == \"read\" or .verb == \"open\") and (.refers | not) and $1"; }
of() { jq -c "select(.path == \"$w/$1\" and (.verb == \"read\" or .verb == \"open\")) | $2" "$records" | sort -u; }

# The parent stays, and is told beside the program.
timeout 60 "$workload" --op cat --by forks --workers 4 --count 100 --uid 20001,20002 "$w/1" >"$tmp/cat"

# Folding: 50 times by one person, 50 by another, once more when the window is over.
begun=$SECONDS
read_50() { timeout 60 "$workload" --op read --by main --count 50 --sleep-ms 20 --uid "$1" "$w/folded" >/dev/null; }
read_50 20011
read_50 20012
folded_in=$((SECONDS - begun))
wait_for 5 eval '[ "$("$TYTO" --state "$state" events --json --path "$w/folded" | wc -l)" -ge 2 ]'
early=$("$TYTO" --state "$state" events --json --path "$w/folded" | jq -s length)
[ $((SECONDS - begun)) -lt 9 ] || early="not looked at in time"

# A number that is another process's the next moment.
cat >"$tmp/reuse.py" <<'PY'
import os, sys
def child(uid, path):
    p = os.fork()
    if p == 0:
        os.setuid(uid)
        open(path).read()
        os._exit(0)
    os.waitpid(p, 0)
    return p
p = child(20003, sys.argv[1])
for i in range(200): # somebody else may take the number
    with open("/proc/sys/kernel/ns_last_pid", "w") as f:
        f.write(str(p - 1))
    q = os.fork()
    if q == 0:
        if os.getpid() == p:
            os.setuid(20004)
            open(sys.argv[2]).read()
        os._exit(0)
    os.waitpid(q, 0)
    if q == p:
        print(p)
        break
PY
reused=$(python3 "$tmp/reuse.py" "$w/first" "$w/second" 2>/dev/null)

# One process: two executions, and another user in between.
cat >"$tmp/twice.py" <<'PY'
import os, sys
open(sys.argv[1] + "/root").read()
os.setuid(20005)
open(sys.argv[1] + "/user").read()
os.execv("/usr/bin/cat", ["cat", sys.argv[1] + "/cat"])
PY
bash -c 'read -r _ <"$1/bash"; exec /usr/bin/python3 "$2" "$1"' bash "$w" "$tmp/twice.py" >/dev/null

# A daemon, two forks away from who logged in.
login_uid=$(bash -c 'echo 20006 >/proc/self/loginuid && exec setpriv --reuid 20007 --clear-groups bash -c "(setsid bash -c \"(cat $1/daemon >/dev/null; :) &\" &); cat /proc/self/loginuid; echo"' bash "$w" 2>/dev/null | grep -x 20006)

# What the responder calls under load.
sensor=$(role_pid sensor)
responder=
for t in /proc/"$sensor"/task/*; do [ "${t##*/}" = "$sensor" ] || responder=${t##*/}; done
start strace -qq -e signal=none -o "$tmp/calls" -p "$responder"
traced=no
wait_for 10 test -s "$tmp/calls" && traced=yes
timeout 60 "$workload" --op read --by brief --count 20 --uid 20008,20009 "$w"/load* >"$tmp/load"
end_pid "$pid" INT

wait_for 15 eval '[ $((SECONDS - begun - folded_in)) -ge 12 ]' # the windows are over
setpriv --reuid 20011 --clear-groups cat "$w/folded" >/dev/null
wait_for 10 eval '[ "$("$TYTO" --state "$state" events --json --path "$w/daemon" | wc -l)" -ge 1 ]'
watch_stop

is "cat: as many as were made" "$(made ".path == \"$w/1\"")" "$(jq -s 'map(.opens) | add' "$tmp/cat")"
is "cat: its program, and who started it" "$(of 1 '[.program, .parents[0]]')" "[\"$(readlink -f /usr/bin/cat)\",\"$workload\"]"
# Opens within 50 ms of each other are decided together: the first record may stand for more than one.
case $early in
not*) skip "one record a person at once" "this machine is too busy: $early" ;;
*) is "one record a person at once" "$early" 2 ;;
esac
for uid in 20011 20012; do
	is "uid $uid: one record at once, one with the rest" "$(jq -c "select(.path == \"$w/folded\" and .uid == $uid) | .count // 1" "$records" | head -n 2 |
		awk '{ n += $1 } END { print NR, n }')" "2 50"
done
is "once more after the window: a record of its own" "$(jq -c "select(.path == \"$w/folded\" and .uid == 20011) | .count // 1" "$records" | tail -n +3)" 1
if [ "$reused" ]; then
	is "a number used again: the first one" "$(of first '[.pid, .uid, .person]')" "[$reused,20003,\"uid:20003\"]"
	is "and the second" "$(of second '[.pid, .uid, .person]')" "[$reused,20004,\"uid:20004\"]"
else
	skip "a number used again" "the kernel refuses to set ns_last_pid, or others took the number"
fi
is "before the first execution" "$(of bash '[.uid, .program]')" "[0,\"$(readlink -f /bin/bash)\"]"
is "after it" "$(of root '[.uid, .program]')" "[0,\"$(readlink -f /usr/bin/python3)\"]"
is "as another user" "$(of user '[.uid, .program]')" "[20005,\"$(readlink -f /usr/bin/python3)\"]"
is "after the second" "$(of cat '[.uid, .program]')" "[20005,\"/usr/bin/cat\"]"
is "all four by one process" "$(jq -r "select(.path // \"\" | test(\"/w/(bash|root|user|cat)\$\")) | .pid" "$records" | sort -u | wc -l)" 1
if [ "$login_uid" ]; then
	is "a daemon: who logged in" "$(of daemon '[.uid, .login_uid, .person, .person_by]')" '[20007,20006,"uid:20006","login"]'
else
	skip "a daemon: who logged in" "the kernel sets no login uid"
fi
if [ $traced = yes ]; then
	is "under strace: every access" "$(made "(.path // \"\" | test(\"/w/load\"))")" "$(jq -s 'map(.opens) | add' "$tmp/load")"
	is "the responder calls what sensor.h names, and nothing else" "$(grep -oE '^[a-z_0-9]+\(' "$tmp/calls" | sort -u | tr -d '(' |
		grep -vxE 'epoll_p?wait2?|read|recvmmsg|name_to_handle_at|fstatfs|openat|readlinkat|getdents64|pidfd_open|pidfd_getfd|getsockopt|getsockname|getpeername|fanotify_mark|write|close|prlimit64|setrlimit|clock_gettime|restart_syscall')" ""
	ok "it was seen at work" grep -q '^openat(' "$tmp/calls"
	is "and opens below /proc alone" "$(grep -E '^openat\((AT_FDCWD|[0-9]+, "[/.])' "$tmp/calls" | head -n 3)" ""
else
	skip "what the responder calls" "the kernel refuses ptrace"
fi

# The same counts with names from --people, masked, and without any name service.
cat >"$tmp/staff.csv" <<'CSV'
person,aliases
clerk,uid:20021
sales,uid:20022
CSV
printf 'privacy.mask = yes\n' >"$tmp/mask.conf"
: >"$tmp/nothing"
real=$TYTO
cat >"$tmp/nameless" <<SH
#!/bin/sh
exec unshare -m --propagation unchanged sh -c 'for f in passwd group nsswitch.conf; do mount --bind $tmp/nothing /etc/\$f || exit 1; done; exec "\$@"' sh "$real" "\$@"
SH
chmod 755 "$tmp/nameless"
counts() { # NAME
	TYTO=$real
	is "$1: every read" "$(made '.uid == 20021'):$(made '.uid == 20022')" 100:100
	is "$1: nothing lost" "$(gaps overflow backlog deadline stalled)" 0
}
for how in people mask nameless; do
	state=$tmp/state-$how
	watch_options=()
	case $how in
	people) watch_options=(--people "$tmp/staff.csv") ;;
	mask) watch_options=(--config "$tmp/mask.conf") ;;
	nameless) TYTO=$tmp/nameless ;;
	esac
	watch_start "$w"
	is "$how: watched" $? 0 || continue
	TYTO=$real
	timeout 60 "$workload" --op read --by forks --workers 2 --count 50 --uid 20021,20022 "$w/2" "$w/3" >/dev/null
	watch_stop
	counts $how
done
is "people: by their names" "$(jq -r 'select(.uid == 20021) | .person' <("$TYTO" --state "$tmp/state-people" events --json) | sort -u)" clerk
is "masked: no name" "$("$TYTO" --state "$tmp/state-mask" --config "$tmp/mask.conf" events --json | jq -r '.person // "p:0"' | grep -vc '^p:[0-9]*$')" 0
done_testing
