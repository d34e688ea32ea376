# lib.sh — for tests/cli/*.sh and tests/kernel/*.sh: . "$(dirname "$0")/../lib.sh"
#
#   ok WHAT COMMAND…         passes when COMMAND does          is WHAT GOT WANT       the same text
#   like WHAT GOT REGEX      extended regular expression       skip WHAT REASON       only for what the kernel refuses
#   need COMMAND…            a missing one fails the test      skip_all REASON        the whole file, before any test
#   done_testing             prints the plan, ends (last line of every test)
#   $tmp                     a folder that is removed at the end, mounts in it first
#   later COMMAND…           runs COMMAND at the end, the last one first
#   start COMMAND…           in the background; $pid; ended at the end        end_pid PID [SIGNAL]   ends it, waits, kills after 5 s
#   wait_for SECONDS COMMAND…    until COMMAND succeeds; fails when time is over
#   loopfs SIZE FSTYPE       $mnt: a new filesystem in a file of $tmp          netns NAME ADDRESS/LEN  a namespace joined to bridge namespace $ns_hub
#   share SIZE               $mnt: a share of everybody's on a filesystem of its own; skips the file without root or loop devices
#   watch_share [LOG [OPTION…]]    `tyto watch` on it, its state in $state; $watch
#   child ROLE               pids of the watch's children: sensor keeper        status EXPR    of `status --json` (s), in Python
#   catches PID SIGNAL       the program under test runs there and has its own handler (number): before, a signal meets what the shell left
#   account NAME UID [GROUP] for a test that set OWN_MOUNTS=1 before it read this file: it runs where mounts are nobody else's, and so are accounts
#   $TYTO                    the program under test; $top the checkout
set -u
export LC_ALL=C.UTF-8 TZ=UTC
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TYTO=${TYTO:-$top/build/src/cli/tyto}
if [ "${OWN_MOUNTS:-}" = 1 ]; then
	. "$top/tests/propagation.sh" || { echo "1..0 # SKIP the kernel refuses mount namespaces"; exit 0; }
	exec env OWN_MOUNTS=made unshare -m --propagation "$PROPAGATION" bash "$0" "$@"
fi
tests_run=0
tests_failed=0
at_end=()
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tyto-test.XXXXXX") || exit 1
chmod 755 "$tmp" # states in it belong to the keeper's account

later() {
	local q
	printf -v q '%q ' "$@"
	at_end=("$q" "${at_end[@]}")
}
lib_end() {
	local rc=$? c
	for c in "${at_end[@]}"; do eval "$c" >/dev/null 2>&1; done
	rm -rf --one-file-system "$tmp"
	exit "$rc"
}
trap lib_end EXIT
trap 'exit 143' TERM HUP
trap 'exit 130' INT

lib_result() { # STATUS WHAT
	tests_run=$((tests_run + 1))
	[ "$1" = 0 ] && { echo "ok $tests_run - $2"; return 0; }
	echo "not ok $tests_run - $2"
	tests_failed=$((tests_failed + 1))
	return 1
}
ok() {
	local what=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	lib_result "$rc" "$what" && return 0
	printf '%s\n' "status $rc: $*" "$out" | head -n 20 | sed 's/^/#   /'
	return 1
}
is() {
	local rc=0
	[ "$2" = "$3" ] || rc=1
	lib_result "$rc" "$1" && return 0
	printf 'got:  %s\nwant: %s\n' "$2" "$3" | head -n 20 | sed 's/^/#   /'
	return 1
}
like() {
	local rc=0
	[[ $2 =~ $3 ]] || rc=1
	lib_result "$rc" "$1" && return 0
	printf 'got:  %s\nlike: %s\n' "$2" "$3" | head -n 20 | sed 's/^/#   /'
	return 1
}
skip() {
	tests_run=$((tests_run + 1))
	echo "ok $tests_run - $1 # SKIP $2"
}
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
# Copies of the machine's accounts lie over them: what others run at this time neither sees nor copies those made here.
account() {
	local f
	for f in passwd group; do
		[ -e "$tmp/accounts/$f" ] && continue
		mkdir -p "$tmp/accounts"
		sed '/^tyto-read:/d' "/etc/$f" >"$tmp/accounts/$f"
		mount --bind "$tmp/accounts/$f" "/etc/$f" || skip_all "the kernel refuses bind mounts"
		later umount "/etc/$f"
	done
	echo "$1:x:$2:$2::/nonexistent:/bin/sh" >>"$tmp/accounts/passwd"
	echo "$1:x:$2:" >>"$tmp/accounts/group"
	[ $# -lt 3 ] || echo "$3:x:41900:$1" >>"$tmp/accounts/group"
}
need() {
	local c
	for c; do
		command -v "$c" >/dev/null || [ -x "$c" ] || { lib_result 1 "$c is missing (scripts/deps)"; done_testing; }
	done
}
done_testing() {
	echo "1..$tests_run"
	exit $((tests_failed > 0))
}
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.05
	done
}
end_pid() {
	local i
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	for ((i = 0; i < 100; i++)); do
		kill -0 "$1" 2>/dev/null || break
		[ "$(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null)" = Z ] && break
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}
start() {
	"$@" &
	pid=$!
	later end_pid "$pid"
}
loopfs() {
	local image
	image=$(mktemp "$tmp/fs.XXXXXX") || return 1
	mnt=$image.mnt
	mkdir "$mnt" && truncate -s "$1" "$image" && "mkfs.$2" -q "$image" >/dev/null && mount -o loop "$image" "$mnt" || return 1
	later umount -l "$mnt"
	later umount "$mnt"
}
netns() {
	local name=$1 n
	if [ -z "${ns_hub:-}" ]; then
		ns_hub=tyto$$
		ip netns add "$ns_hub" || return 1
		later ip netns del "$ns_hub"
		ip -n "$ns_hub" link add hub type bridge && ip -n "$ns_hub" link set hub up || return 1
		ns_count=0
	fi
	ns_count=$((ns_count + 1))
	n=$ns_count
	ip netns add "$name" || return 1
	later ip netns del "$name"
	ip -n "$ns_hub" link add "port$n" type veth peer name eth0 netns "$name" &&
		ip -n "$ns_hub" link set "port$n" master hub up && ip -n "$name" addr add "$2" dev eth0 &&
		ip -n "$name" link set eth0 up && ip -n "$name" link set lo up
}
catches() { [ "$(cat "/proc/$1/comm")" = tyto ] && ((0x$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status") >> ($2 - 1) & 1)); }
share() {
	[ "$(id -u)" = 0 ] || skip_all "fanotify needs root"
	need python3 mkfs.ext4
	loopfs "$1" ext4 || skip_all "this kernel mounts no loop devices"
	chmod 777 "$mnt"
	state=$tmp/state
}
watch_share() {
	local log=$tmp/${1:-watch.log}
	: >"$log" # what an earlier watch said there is not this one's word
	"$TYTO" watch --state "$state" "${@:2}" "$mnt" >/dev/null 2>"$log" &
	watch=$!
	later end_pid "$watch"
	ok "watch starts${1:+ ($1)}" wait_for 30 grep -q "^tyto: watching" "$log"
}
child() {
	local p
	for p in $(cat "/proc/$watch/task/$watch/children"); do tr '\0' ' ' <"/proc/$p/cmdline" | grep -q "@$1 " && echo "$p"; done
}
status() { "$TYTO" status --json --state "$state" | python3 -c 'import json,sys; s=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

# DIR: the shipped rules, with limits for tests in place of those that an office's month sets (50 documents in ten minutes, 600 a day).
test_rules() {
	mkdir -p "$1" && cp "$top"/rules/shipped/*.yml "$1" && rm -f "$1/mass_read_seconds.yml" && chmod 755 "$1" &&
		sed -i 's/gte: 140/gte: 50/' "$1/mass_read_minutes.yml" && sed -i 's/gte: 280/gte: 600/' "$1/mass_read_day.yml"
}
# test_rules in $tmp/rules, a configuration with them in $tmp/conf, `tyto` by it; fresh: another state, $state.
alert_rules() {
	test_rules "$tmp/rules"
	echo "rules = $tmp/rules" >"$tmp/conf"
	tyto() { timeout 60 "$TYTO" --config "$tmp/conf" "$@"; }
}
fresh() {
	states=$((${states:-0} + 1))
	export TYTO_STATE=$tmp/state.$states
	state=$TYTO_STATE
}
# N PERSON START SECONDS VERB FOLDER [LABEL]: N records, one each SECONDS.
records() {
	python3 - "$@" <<'EOP'
import datetime, json, sys
n, who, start, step, verb, folder = int(sys.argv[1]), sys.argv[2], datetime.datetime.fromisoformat(sys.argv[3]), float(sys.argv[4]), sys.argv[5], sys.argv[6]
for i in range(n):
    t = start + datetime.timedelta(seconds=i * step)
    e = dict(time=t.isoformat() + "Z", host="files", person=who, person_by="session", verb=verb, seen="access", path=f"{folder}/d{i}.odt",
        program="/usr/bin/cp", via="ssh")
    if verb == "export": e["to"] = f"/media/usb/d{i}.odt"
    if len(sys.argv) > 7: e["label"] = sys.argv[7]
    print(json.dumps(e))
EOP
}
# N: a share with N documents and $tmp/taken to copy them to, alert_rules; `tyto` speaks of its state.
alert_share() {
	local i
	share 64M
	alert_rules
	mkdir "$mnt/clients" "$tmp/taken"
	chmod 777 "$mnt/clients" "$tmp/taken"
	for i in $(seq "$1"); do echo "offer $i" >"$mnt/clients/offer-$i.txt"; done
	tyto() { timeout 60 "$TYTO" "$@" --state "$state" --config "$tmp/conf"; }
}
