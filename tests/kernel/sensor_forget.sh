#!/bin/bash
# What is gone is forgotten: files that were removed, replaced by a rename or removed while open do not stay in memory; what has another name does.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w"
for i in 1 2 3; do echo text >"$w/twice$i"; ln "$w/twice$i" "$mnt/outside$i"; done
watch_start "$w"
is "watched" $? 0
timeout 60 python3 - "$w" <<'PY'
import os, sys
w = sys.argv[1]
for i in range(1000):  # as editors save
    open(w + "/.new", "w").close(); os.rename(w + "/.new", w + "/saved")
for i in range(1000):
    open(f"{w}/brief{i}", "w").close(); os.unlink(f"{w}/brief{i}")
held = []
for i in range(200):
    held.append(open(f"{w}/held{i}", "w")); os.unlink(f"{w}/held{i}")
for i in 1, 2, 3: os.unlink(f"{w}/twice{i}")
PY
is "2,200 files are made and gone" $? 0
objects() { "$TYTO" --state "$state" status --json | jq .sensor.objects; }
few() { sleep 1; [ "$(objects)" -eq 5 ]; }
most=0
for i in 1 2 3 4 5 6 7 8 9 10; do
	sleep 1
	n=$(objects)
	[ "$n" -gt "$most" ] && most=$n
	[ "$most" -gt 2000 ] && break
done
ok "they were known for a while ($most)" test "$most" -gt 2000
ok "then the folder, the saved file and three with another name are left" wait_for 40 few
cat "$mnt"/outside[1-3] >/dev/null
watch_stop
is "by which they are still watched" "$(accesses '.verb == "read" and (.path // "" | test("/twice[1-3]$"))')" 3
is "each deletion is recorded" "$(accesses '.verb == "delete"')" 1203
is "each new name" "$(accesses '.verb == "rename"')" 1000
done_testing
