#!/bin/bash
# What differs from kernel to kernel: filesystems, ignore marks that the kernel may drop, overlay mounts, the names of events. Also runs where it stands.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kernel/lib/sensor.sh"
need setpriv mkfs.ext4 unshare
release=$(uname -r)
echo "# kernel $release"
since() { [ "$(printf '%s\n%s\n' "$1" "$release" | sort -V | head -n 1)" = "$1" ]; }

roots=()
mkdir "$tmp/tmpfs" && mount -t tmpfs -o size=32m share "$tmp/tmpfs" && later umount "$tmp/tmpfs" && roots+=("$tmp/tmpfs")
loopfs 64M ext4 && roots+=("$mnt")
if command -v mkfs.xfs >/dev/null && grep -qw xfs /proc/filesystems; then loopfs 320M xfs && roots+=("$mnt"); fi
is "filesystems" "$((${#roots[@]} >= 2))" 1
for root in "${roots[@]}"; do
	chmod 755 "$root"
	mkdir "$root/w" "$root/out"
	for f in one two three; do echo text >"$root/w/$f"; done
	for i in $(seq 50); do echo text >"$root/out/$i"; done
	chmod -R a+rwX "$root/w"
done
watch_start "${roots[@]/%//w}"
is "watched" $? 0
as() { setpriv --reuid "$1" --clear-groups "${@:2}"; }
for root in "${roots[@]}"; do
	as 41001 cat "$root/w/one" >/dev/null
	as 41002 cat "$root/w/one" "$root/w/two" >/dev/null
	as 41001 sh -c 'echo more >>"$1"' sh "$root/w/three"
	as 41002 mv "$root/w/two" "$root/w/second"
	as 41002 rm "$root/w/three"
	cat "$root"/out/* >/dev/null
done
sensor=$(role_pid @sensor)
marks() { cat "/proc/$sensor"/fdinfo/* | grep "^fanotify ino:" | grep -c "$1"; }
if since 5.19; then
	ok "what is not watched is ignored" test "$(marks .)" -ge $((${#roots[@]} * 50))
	is "by marks that the kernel may drop when it is short of memory (0x200)" "$(marks 'mflags:[0-9a-f]*[2367abef][0-9a-f][0-9a-f] ')" "$(marks .)"
else
	is "marks that the kernel cannot drop are not made" "$(marks .)" 0
fi
for root in "${roots[@]}"; do cat "$root"/out/* >/dev/null; done

# An overlay mount opens the files below it.
lower=${roots[1]}
mkdir "$tmp/overlay"
overlay=no
if unshare -m --propagation private sh -c 'mount -t overlay -o lowerdir="$1/w:$1/out" overlay "$2" && cat "$2/one"' sh "$lower" "$tmp/overlay" >/dev/null 2>&1; then overlay=yes; fi
watch_stop
"$TYTO" --state "$state" status --json >"$tmp/status"

reads() { accesses ".verb == \"read\" and .path == \"$1\" and .uid == $2"; }
for root in "${roots[@]}"; do
	type=$(stat -f -c %T "$root")
	is "$type: two persons, told apart" "$(reads "$root/w/one" 41001),$(reads "$root/w/one" 41002),$(reads "$root/w/two" 41002)" 1,1,1
	is "$type: write" "$(accesses ".verb == \"write\" and .path == \"$root/w/three\" and .uid == 41001")" 1
	is "$type: rename, with both names" "$(accesses ".verb == \"rename\" and .path == \"$root/w/two\" and .to == \"$root/w/second\"")" 1
	is "$type: delete" "$(accesses ".verb == \"delete\" and .path == \"$root/w/three\"")" 1
	is "$type: nothing of the unwatched" "$(accesses ".path // \"\" | startswith(\"$root/out\")")" 0
	is "$type: who" "$("$TYTO" --state "$state" who --json "$root/w/one" | jq -r .person | sort | grep -c '^uid:4100[12]$')" 2
	ok "$type: each object has a generation" jq -se "[.[] | select(.path // \"\" | startswith(\"$root/\"))] | all(.object | test(\"^[0-9]+:[0-9]+:[0-9]+\"))" "$records"
done
is "nothing lost" "$(accesses '.verb == "gap"')" 0
seen=$(accesses '.verb == "read" and (.path // "" | endswith("/one")) and .uid == 0')
if [ "$overlay" = no ]; then
	skip "an overlay mount" "this kernel mounts no overlay here"
elif since 6.5; then
	is "an overlay mount does not hide the file below" "$seen" 1
	is "and is no blind spot" "$(jq '[.blind_spots[] | select(test("overlay"))] | length' "$tmp/status")" 0
else
	echo "# through the overlay: $seen seen"
	is "an overlay mount is a blind spot that status names" "$(jq '[.blind_spots[] | select(test("overlay"))] | length' "$tmp/status")" 1
fi
ok "verify" "$TYTO" --state "$state" verify -q
done_testing
