#!/bin/bash
# Deleted documents: what is recorded afterwards bears their name; one that is open somewhere stays watched, and is let go once it is closed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w" "$mnt/out"
for f in folded held outside; do echo text >"$w/$f"; done
ln "$w/outside" "$mnt/out/outside"
watch_start "$w"
is "watched" $? 0
objects() { "$TYTO" --state "$state" status --json | jq .sensor.objects; }
before=$(objects) # the folder and three files

for i in 1 2 3; do cat "$w/folded" >/dev/null; done
rm "$w/folded" # while its window is open
exec 7<"$w/held"
rm "$w/held"
rm "$w/outside"
sleep 13 # one look has found them open
cat /proc/self/fd/7 >/dev/null
cat "$mnt/out/outside" >/dev/null
exec 7<&-
ok "those that are gone are let go" wait_for 40 eval '[ "$(objects)" -le '$((before - 2))' ]'
watch_stop
used() { accesses "(.verb == \"open\" or .verb == \"read\") and (.path // \"\" | endswith(\"/$1\")) and (has(\"refers\") | not)"; }
is "what was done before is counted, with its name" "$(used folded)" 3
is "opened through /proc after it was deleted" "$(used held)" 2
is "a link outside is watched still" "$(used outside)" 1
is "nothing without a name" "$(accesses '(.verb == "open" or .verb == "read") and (has("path") | not)')" 0
is "nothing lost" "$(accesses '.verb == "gap"')" 0
done_testing
