#!/bin/bash
# What is done to the whole machine under a watch: its clock is set back by an hour and forth, its descriptors run out.
# Only in a guest: scripts/vm 6.1 tests/vm/machine.sh
# limit: 600
. "$(dirname "$0")/../lib.sh"
[ "$(stat -f -c %T /)" = overlayfs ] && grep -q vm.top= /proc/cmdline || skip_all "this is no guest: its clock and its descriptors are other people's, too"
. "$(dirname "$0")/../kernel/lib/sensor.sh"
need setpriv date sysctl
# Tries rather than seconds: the shell's own seconds go by the clock that is set here.
tries() { # NUMBER COMMAND…: ten a second
	local i
	for ((i = 0; i < $1; i++)); do
		"${@:2}" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}
events() { "$TYTO" --state "$state" events --json >"$records"; }
read_all() { timeout 60 setpriv --reuid 20001 --clear-groups sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do cat "$1" >/dev/null || exit 1; done' sh "$1"; }
reads() { accesses ".verb == \"read\" and .uid == 20001 and .path == \"$1\""; }
ten() { events && [ "$(reads "$1")" = 10 ]; }
clock_gaps() { events && [ "$(gaps clock)" = "$1" ]; }

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w"
for f in before back forth; do echo text >"$w/$f"; done
chmod -R a+rX "$mnt"
watch_start "$w"
is "watched" $? 0
ok "ten reads" read_all "$w/before"
ok "are recorded" tries 300 ten "$w/before"
date -s "@$(($(date +%s) - 3600))" >/dev/null
is "the clock is set back by an hour" $? 0
ok "a gap says so" tries 100 clock_gaps 1
ok "ten reads an hour before the others" read_all "$w/back"
ok "are recorded, the window of folding ends all the same" tries 300 ten "$w/back"
date -s "@$(($(date +%s) + 3600))" >/dev/null
is "the clock is set forth" $? 0
ok "a gap says so" tries 100 clock_gaps 2
ok "ten reads" read_all "$w/forth"
ok "are recorded" tries 300 ten "$w/forth"
is "the same sensor did all of it" "$(gaps stalled restart deadline keeper)" 0
watch_stop
seqs() { jq -s "[.[] | select(.path == \"$w/$1\" and .verb == \"read\").seq] | min, max" "$records" | tr '\n' ' '; }
read -r _ a < <(seqs before)
read -r b c < <(seqs back)
read -r d _ < <(seqs forth)
ok "the record keeps its order: $a, $b to $c, $d" test "$a" -lt "$b" -a "$c" -lt "$d"
is "set forth, from when to when; set back, when" "$(jq -r 'select(.cause == "clock") | if .end then (.end[0:19] + "Z" | fromdate) - (.time[0:19] + "Z" | fromdate) | . / 60 | round else "back" end' \
	"$records" | sort | tr '\n' ' ')" "60 back "
ok "verify" "$TYTO" --state "$state" verify -q
is "who had it" "$("$TYTO" --state "$state" who --json "$w/back" | jq -r '.person + " \(.count)"')" "uid:20001 10"

longest=1000 # the guest runs at a tenth of the speed
# Whoever has CAP_SYS_ADMIN is not held to the limit: the user here is root; the keeper is nobody.
state=$tmp/state-2
watch_start "$w"
is "watched" $? 0
most=$(cat /proc/sys/fs/file-max)
later sysctl -q "fs.file-max=$most"
short() {
	sysctl -q fs.file-max=0
	tries 60 false
	sysctl -q "fs.file-max=$most"
}
ok "nobody else opens a file then" eval 'sysctl -q fs.file-max=0; ! setpriv --reuid 20001 --clear-groups cat "$w/before" 2>/dev/null; r=$?; sysctl -q "fs.file-max=$most"; [ $r = 0 ]'
attacked "the machine out of descriptors" 9 short
tries 100 role_pid @keeper
read_all "$w/forth"
ok "recording goes on" tries 300 ten "$w/forth"
watch_stop
accounted "out of descriptors: each access is recorded or in a gap" --at-most 9 --cause keeper,backlog,deadline,restart,stalled --uid 0 "$records" "$tmp/opens"
ok "verify" "$TYTO" --state "$state" verify -q
done_testing
