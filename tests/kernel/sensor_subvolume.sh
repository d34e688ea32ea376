#!/bin/bash
# Subvolumes of btrfs that are mounted by themselves, and what cannot be watched at all: it is said once, and nothing is tried again and again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need mkfs.btrfs btrfs

ended() { [ ! -e "/proc/$guard" ] || grep -q "^State:.Z" "/proc/$guard/status"; }
used() { accesses "(.verb == \"open\" or .verb == \"read\") and (.path // \"\") == \"$1\""; }
seen() { accesses ".path // \"\" | startswith(\"$1\")"; }

# --- nothing can be watched ---

start "$TYTO" --state "$tmp/none" watch /proc/fs /proc/sys/fs >"$tmp/none.out" 2>"$tmp/none.err"
guard=$pid
ok "what cannot be watched: it ends" wait_for 30 ended
wait "$guard"
is "with status 1" $? 1
is "one line a path" "$(sort "$tmp/none.err")" "$(printf 'tyto: %s: not watched: this filesystem has no file handles\n' /proc/fs /proc/sys/fs)"

# --- subvolumes ---

grep -qw btrfs /proc/filesystems || modprobe -q btrfs || { skip "subvolumes" "the kernel does not know btrfs"; done_testing; }
loopfs 128M btrfs
is "a filesystem" $? 0
image=${mnt%.mnt}
for v in one two three; do
	btrfs -q subvolume create "$mnt/$v"
	mkdir "$mnt/$v/folder" "$tmp/$v"
	for i in 1 2 3; do echo text >"$mnt/$v/folder/doc$i"; done
done
btrfs -q subvolume create "$mnt/one/inner"
echo text | tee "$mnt/one/inner/doc" >"$mnt/one/inner/first"
btrfs -q subvolume create "$mnt/default"
mkdir "$mnt/default/w" "$tmp/default"
echo text >"$mnt/default/w/doc"
btrfs -q subvolume set-default "$mnt/default"
umount "$mnt"
mounted() { mount -o "loop,subvol=$1" "$image" "$tmp/$1" && later umount -l "$tmp/$1"; }

ok "one is mounted by itself" mounted one
watch_start "$tmp/one"
is "alone it is watched" $? 0
cat "$tmp"/one/folder/doc[12] "$tmp/one/inner/doc" >/dev/null
echo more >>"$tmp/one/folder/doc3"
mv "$tmp/one/folder/doc2" "$tmp/one/folder/moved"
mkdir "$tmp/one/new"
echo text >"$tmp/one/new/doc"
btrfs -q subvolume create "$tmp/one/while"
echo text >"$tmp/one/while/doc"
cat "$tmp/one/folder/moved" >/dev/null
ok "another one of the filesystem is mounted beside it" mounted two
cat "$tmp"/two/folder/doc[123] >/dev/null
cat "$tmp/one/folder/doc1" >/dev/null
watch_stop
is "a file is read twice" "$(used "$tmp/one/folder/doc1")" 2
is "read under the old name" "$(used "$tmp/one/folder/doc2")" 1
is "the rename is seen" "$(accesses ".verb == \"rename\" and .to == \"$tmp/one/folder/moved\"")" 1
is "read under the new name" "$(used "$tmp/one/folder/moved")" 1
is "written" "$(accesses ".verb == \"write\" and .path == \"$tmp/one/folder/doc3\"")" 1
is "in a folder that was made" "$(accesses ".verb == \"write\" and .path == \"$tmp/one/new/doc\"")" 1
is "in a subvolume below it" "$(used "$tmp/one/inner/doc")" 1
is "the other one is not watched" "$(seen "$tmp/two/")" 0
is "the object is device and inode of the file" "$(jq -r "select(.path == \"$tmp/one/folder/doc1\") | .object" "$records" | sed 's/:[0-9]*$//' | sort -u)" \
	"$(stat -c %d:%i "$tmp/one/folder/doc1")"
is "no gap but of the subvolume that came" "$(accesses '.verb == "gap" and .cause != "mount"')" 0

state=$tmp/state2
watch_start "$tmp/one/inner" "$tmp/two/folder"
is "a subvolume in one, a folder of the other" $? 0
cat "$tmp/one/inner/first" "$tmp/one/folder/doc3" "$tmp"/two/folder/doc[12] >/dev/null
ok "the first is unmounted, nothing holds it for long" wait_for 20 umount "$tmp/one"
cat "$tmp/two/folder/doc3" >/dev/null
echo text >"$tmp/two/folder/made"
ok "it is mounted again, and read until the gap is over" \
	eval 'mounted one && timeout 20 python3 "$lib/opens.py" --each 0.002 "$tmp/again" 1.5 "$tmp/one/inner/doc"'
cat "$tmp/two/folder/doc3" >/dev/null
watch_stop
accounted "the first, mounted again: recorded, or in the gap" --at-most 1 --cause mount,unmount "$records" "$tmp/again"
is "before it was unmounted" "$(used "$tmp/one/inner/first")" 1
is "what lies beside it is not watched" "$(used "$tmp/one/folder/doc3")" 0
is "the folder of the other" "$(used "$tmp/two/folder/doc1"):$(used "$tmp/two/folder/doc2"):$(used "$tmp/two/folder/doc3")" 1:1:2
is "made in it" "$(accesses ".verb == \"write\" and .path == \"$tmp/two/folder/made\"")" 1

umount "$tmp/one" "$tmp/two"
mount -o loop "$image" "$tmp/default" && later umount -l "$tmp/default"
is "another subvolume is the default" "$(ls "$tmp/default")" w
state=$tmp/state3
watch_start "$tmp/default/w"
is "the default one is watched" $? 0
cat "$tmp/default/w/doc" >/dev/null
watch_stop
is "its document" "$(used "$tmp/default/w/doc")" 1
ok "verify" "$TYTO" --state "$state" verify
done_testing
