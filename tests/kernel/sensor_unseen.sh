#!/bin/bash
# What cannot be watched is said: a folder that cannot be read, a time without descriptors; a subvolume is no such thing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

blind() { "$TYTO" --state "$state" status --json | jq -e --arg t "$1" '[.blind_spots[] | select(contains($t))] | length == 1'; }
gaps() { jq -s "[.[] | select(.verb == \"gap\" and .cause == \"$1\")] | length" "$records"; }
used() { accesses "(.verb == \"open\" or .verb == \"read\") and (.path // \"\" | endswith(\"/$1\"))"; }

# 1. an entry whose inode is damaged
need debugfs mkfs.ext4
loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir -p "$w/sub"
echo text >"$w/sub/damaged"
echo text >"$w/whole"
inode=$(stat -c %i "$w/sub/damaged")
image=${mnt%.mnt}
umount "$mnt"
debugfs -w -R "clri <$inode>" "$image" 2>/dev/null
mount -o loop "$image" "$mnt"
watch_start "$w"
is "watched" $? 0
ok "the operator is told" wait_for 5 grep -q "w/sub/damaged: cannot be read" "$tmp/watch.err"
ok "status says it" blind "$w/sub/damaged: cannot be read"
end_pid "$(role_pid @keeper)" KILL
ok "status of the next keeper says it, too" wait_for 10 blind "$w/sub/damaged: cannot be read"
cat "$w/whole" >/dev/null
watch_stop
is "what lies beside it is recorded" "$(used whole)" 1
ok "a gap" test "$(($(gaps tree) + $(gaps keeper)))" -ge 1

# 2. without descriptors for a moment: what came in meanwhile is found afterwards, and a gap tells of it
state=$tmp/state-2
mkdir -p "$mnt/out/dir/deep" "$mnt/out/dir2"
echo text >"$mnt/out/dir/deep/late"
echo text >"$mnt/out/dir2/later"
watch_start "$w"
is "watched" $? 0
sensor=$(role_pid @sensor)
prlimit --pid "$sensor" --nofile=3:
mv "$mnt/out/dir" "$w/dir"
ok "the operator is told" wait_for 5 grep -q "w/dir: cannot be read" "$tmp/watch.err"
cat "$w/whole" >/dev/null
ok "over" wait_for 15 eval '! blind "$w/dir: cannot be read"'
cat "$w/dir/deep/late" >/dev/null
ok "the sensor does not end for it" eval '! grep -q "status 71" "$tmp/watch.err"'
sensor=$(role_pid @sensor)
# For good: given back by the guard, or, where it may not, by the next sensor.
kill -STOP "$guard"
later kill -CONT "$guard"
prlimit --pid "$sensor" --nofile=8:8
cat "$w/whole" >/dev/null
mv "$mnt/out/dir2" "$w/dir2"
ok "the operator is told again" wait_for 5 grep -q "w/dir2: cannot be read" "$tmp/watch.err"
kill -CONT "$guard"
seen() { "$TYTO" --state "$state" status --json | jq -e --arg t "$1" '.running and (.watching | length == 1) and ([.blind_spots[] | select(contains($t))] | length == 0)'; }
ok "over again" wait_for 20 seen "$w/dir2: cannot be read"
cat "$w/dir2/later" >/dev/null
watch_stop
is "opens without descriptors are counted" "$(used whole)" 2
is "what was found late is watched" "$(used dir/deep/late),$(used dir2/later)" 1,1
ok "a gap for the time between" test "$(jq -s '[.[] | select(.verb == "gap" and .cause == "tree" and .end > .time)] | length' "$records")" -ge 1

# 3. a subvolume
if ! grep -qw btrfs /proc/filesystems; then
	skip "a subvolume" "this kernel has no btrfs"
	done_testing
fi
need mkfs.btrfs btrfs
loopfs 128M btrfs
is "btrfs" $? 0
state=$tmp/state-3
btrfs subvolume create "$mnt/part" >/dev/null 2>&1
echo text >"$mnt/part/inside"
echo text >"$mnt/plain"
watch_start "$mnt"
is "watched" $? 0
cat "$mnt/plain" "$mnt/part/inside" >/dev/null
watch_stop
is "what lies in it is recorded, too" "$(used plain),$(used part/inside)" 1,1
done_testing
