# who.bash — for tests/kernel/who_*.sh: TAP, a who-print to ask, a private mount and network namespace, processes that are ended by pid.
#
# A test sources this first. WHO_NS=1 before it: the test runs again in namespaces of its own, where accounts and addresses can be made
# that nobody else sees. WHO_LIMIT: its seconds (120). ACCOUNTS: those that it has (clerk engineer sales).

export LC_ALL=C
BUILD=${TYTO_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)/build}
WHO_PRINT=$BUILD/tests/unit/who/who-print
TEST_N=0
TEST_FAILED=0
OWN_PIDS=()

ok() { # ok DESCRIPTION COMMAND…
	local what=$1
	shift
	TEST_N=$((TEST_N + 1))
	if "$@"; then
		echo "ok $TEST_N $what"
	else
		echo "not ok $TEST_N $what"
		echo "# answer: ${ANSWER:-}"
		TEST_FAILED=1
	fi
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

need() {
	local p
	for p; do
		command -v "$p" >/dev/null && continue
		echo "1..1"
		echo "not ok 1 $p is missing (see scripts/deps)"
		exit 1
	done
}

plan() {
	echo "1..$TEST_N"
	exit "$TEST_FAILED"
}

[ "$(id -u)" = 0 ] || skip_all "needs root"
if [ "${WHO_NS:-}" = 1 ] && [ -z "${WHO_IN_NS:-}" ]; then
	. "$(dirname "${BASH_SOURCE[0]}")/../../propagation.sh" && unshare -n true 2>/dev/null || skip_all "the kernel refuses mount and network namespaces"
	export WHO_IN_NS=1
	exec {WHO_NET}</proc/self/ns/net # the proc connector exists in the first network namespace only
	export WHO_NET
	exec timeout -k 5 "${WHO_LIMIT:-120}" unshare -mn --propagation $PROPAGATION bash "$0" "$@"
fi
[ -x "$WHO_PRINT" ] || { echo "1..1"; echo "not ok 1 $WHO_PRINT is not built"; exit 1; }

TMP=$(mktemp -d /tmp/tyto-who.XXXXXX)
chmod 755 "$TMP"

# What runs in the network namespace that this test made: sessions leave processes behind.
end_namespace() {
	local i p left
	for i in 1 2 3 4 5 6 7 8 9 10; do
		left=
		for p in $(pgrep --ns $$ --nslist net .); do
			[ "$p" = $$ ] || [ ! -e "/proc/$p/exe" ] && continue
			left=1
			[ $i -lt 5 ] && kill "$p" 2>/dev/null || kill -9 "$p" 2>/dev/null
		done
		[ "$left" ] || return
		sleep 0.1
	done
}

end_all() {
	local p
	trap '' INT TERM # an smbd that ends tells its whole process group
	[ "${WHO_IN:-}" ] && exec {WHO_IN}>&-
	for p in "${OWN_PIDS[@]}"; do
		kill "$p" 2>/dev/null
	done
	for p in "${OWN_PIDS[@]}"; do
		wait "$p" 2>/dev/null
	done
	[ -z "${WHO_IN_NS:-}" ] || end_namespace
	type -t test_end >/dev/null && test_end
	cd /
	rm -rf --one-file-system "$TMP"
}
trap end_all EXIT
trap 'exit 1' INT TERM

own() { OWN_PIDS+=("$1"); }

who_start() { # who_start [OPTION…]: one that listens; ANSWER holds its last line
	mkfifo "$TMP/who.in" "$TMP/who.out"
	${WHO_NET:+nsenter --net=/proc/self/fd/$WHO_NET} "$WHO_PRINT" "$@" <"$TMP/who.in" >"$TMP/who.out" &
	own $!
	exec {WHO_IN}<>"$TMP/who.in" {WHO_OUT}<"$TMP/who.out"
	rm "$TMP/who.in" "$TMP/who.out"
	read -r -t 10 -u "$WHO_OUT" ANSWER
	[ "$ANSWER" = ready ] || { echo "1..1"; echo "not ok 1 who-print does not start"; exit 1; }
}

who_needs_connector() {
	ask stats
	has connector true || skip_all "the kernel refuses the proc connector"
}

who_stop() {
	exec {WHO_IN}>&- {WHO_OUT}<&-
	WHO_IN=
}

ask() { # ask "held TID"
	echo "$1" >&"$WHO_IN"
	ANSWER=
	read -r -t 10 -u "$WHO_OUT" ANSWER
}

# has KEY VALUE (JSON text), lacks KEY: of ANSWER
has() {
	case $ANSWER in
	*"\"$1\":$2,"* | *"\"$1\":$2}"*) return 0 ;;
	esac
	return 1
}
lacks() {
	case $ANSWER in
	*"\"$1\":"* | "") return 1 ;;
	esac
	return 0
}
all() { # all KEY=VALUE… !KEY…
	local a
	for a; do
		case $a in
		!*) lacks "${a#!}" || { echo "# unexpected ${a#!}"; return 1; } ;;
		*) has "${a%%=*}" "${a#*=}" || { echo "# expected $a"; return 1; } ;;
		esac
	done
	case $ANSWER in '{'*) return 0 ;; esac
	return 1
}

wait_for() { # wait_for SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

runs() { [ "$(readlink "/proc/$1/exe")" = "$2" ]; } # runs PID PROGRAM: it is that program by now

pid_file() { # the pid that somebody wrote to FILE
	wait_for 10 test -s "$1" && cat "$1"
}

# Accounts, from uid 41001 on, seen in this mount namespace alone.
accounts() {
	local f u=41001 name
	[ ! -e "$TMP/passwd" ] || return 0
	for f in passwd group shadow; do
		sed '/^tyto-read:/d' "/etc/$f" >"$TMP/$f" # this machine may have that group
		chmod 644 "$TMP/$f"
	done
	for name in ${ACCOUNTS:-clerk engineer sales}; do
		mkdir -p "$TMP/home/$name"
		echo "$name:x:$u:$u::$TMP/home/$name:/bin/bash" >>"$TMP/passwd"
		echo "$name:x:$u:" >>"$TMP/group"
		echo "$name:*:19000:0:99999:7:::" >>"$TMP/shadow"
		chown "$u:$u" "$TMP/home/$name"
		u=$((u + 1))
	done
	for f in passwd group shadow; do
		mount --bind "$TMP/$f" "/etc/$f" || skip_all "the kernel refuses bind mounts"
	done
}
accounts_end() {
	umount /etc/passwd /etc/group /etc/shadow 2>/dev/null
}
