#!/bin/bash
# What is not watched costs nothing and leaves no record, also after the kernel has forgotten that it is ignored and where a number is used again; what is
# no document neither; nobody becomes smbd by a name; from the line `watching` on every access counts.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need mknod "$workload"

loopfs 256M ext4
is "a filesystem" $? 0
w=$mnt/w
out=$mnt/out
mkdir "$w" "$out"
echo text >"$w/doc"
echo text >"$w/both"
python3 -c 'import sys
for i in range(20000): open(f"{sys.argv[1]}/{i}", "w").write("text")' "$out"
mkfifo "$w/pipe"
mknod "$w/null" c 1 3
mknod "$w/loop" b 7 200
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$w/socket"

# The open that follows the line is recorded, ten times over.
missed=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	state=$tmp/state-$i
	watch_start "$w" && cat "$w/doc" >/dev/null
	watch_stop
	[ "$(accesses '.verb == "read" and (.path // "" | endswith("/doc"))')" = 1 ] || missed=$((missed + 1))
done
is "an open right after the line \`watching\`: missed in 10 starts" $missed 0

state=$tmp/state
watch_start "$w"
is "watched" $? 0
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(role_pid @sensor)/status"; }
before=$(memory)
for i in 1 2 3 4 5; do find "$out" -type f -print0 | xargs -0 cat; done >/dev/null
echo 2 >/proc/sys/vm/drop_caches
find "$out" -type f -print0 | xargs -0 cat >/dev/null
ok "120,000 opens of what is not watched: the sensor grew from $before kB by less than 1 MB" test $(($(memory) - before)) -lt 1024
# The number of a watched file is used again outside.
for i in $(seq 200); do
	echo text >"$w/gone"
	inode=$(stat -c %i "$w/gone")
	rm "$w/gone"
	echo text >"$out/again"
	[ "$(stat -c %i "$out/again")" = "$inode" ] && { cat "$out/again" >/dev/null; reused=$inode; }
	rm "$out/again"
	[ "${reused:-}" ] && break
done
timeout 10 python3 - "$w" <<'PY'
import os, sys, time
w = sys.argv[1]
for name, how in ("pipe", os.O_RDWR | os.O_NONBLOCK), ("null", os.O_RDWR), ("loop", os.O_RDONLY | os.O_NONBLOCK), ("socket", os.O_RDONLY):
    try: os.close(os.open(w + "/" + name, how))
    except OSError: pass
# Read and written by one process in one window: both.
for i in range(3):
    fd = os.open(w + "/both", os.O_RDWR); os.read(fd, 1); os.write(fd, b"x"); os.close(fd); time.sleep(0.4)
PY
is "a pipe, devices and a socket hold nobody" $? 0
cp /bin/cat "$tmp/smbd"
"$tmp/smbd" "$w/doc" >/dev/null
(exec -a /usr/sbin/smbd cat "$w/doc") >/dev/null
python3 - "$w/doc" <<'PY'
import ctypes, sys
ctypes.CDLL(None).prctl(15, b"smbd", 0, 0, 0)
open(sys.argv[1]).read()
PY
watch_stop
is "what is not watched is not recorded" "$(accesses '.path // "" | test("/out/[0-9]+$")')" 0
if [ "${reused:-}" ]; then
	is "nor a new file with the number of one that was" "$(accesses '.path // "" | endswith("/again")')" 0
	is "the old one is" "$(accesses '.verb == "delete" and (.path // "" | endswith("/gone"))')" "$i"
	is "by its own object" "$(accesses "(.verb == \"read\") and (.object // \"\" | contains(\":$reused:\"))")" 0
else
	skip "the number of a file used again" "the filesystem gave none again in 200 tries"
fi
is "what is no document is not recorded" "$(accesses '.path // "" | test("/(pipe|null|loop|socket)$")')" 0
on() { accesses "(.path // \"\" | endswith(\"/$1\")) and .verb == \"$2\""; }
is "read and written: both, told apart" "$(on both read),$(on both write)" 3,3
is "by smbd's name: the program is the file that runs" "$(jq -r 'select(.verb == "read" and (.path // "" | endswith("/doc"))) | .program' "$records" |
	grep -c "^$tmp/smbd$\|/cat$\|python")" 3
is "and nobody is by smb" "$(accesses '.via == "smb" or .person_by == "opener"')" 0
is "no gap" "$(accesses '.verb == "gap"')" 0
done_testing
