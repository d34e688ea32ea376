#!/bin/bash
# The inventory under a real watch: known at the start, kept current, and records say which content was accessed. Tyto's own reading is no record.
. "$(dirname "$0")/../lib.sh"
need jq setpriv mkfs.ext4
loopfs 64M ext4
share=$mnt/share
mkdir "$share" && chmod 777 "$share"
chmod 755 "$mnt"
state=$tmp/state
for ((i = 0; i < 300; i++)); do echo "document $i" >"$share/$i.txt"; done
chmod 666 "$share"/*
as() { setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"; }
places() { "$TYTO" status --json --state "$state" | jq -e ".inventory.places >= $1"; }
events() { "$TYTO" events --json --state "$state" --path "$share/$1"; }
hash() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }
read_known() { # FILE UID: read by UID, and recorded with its content
	as "$2" cat "$share/$1" >/dev/null
	wait_for 3 eval "events $1 | jq -c 'select(.verb==\"read\" and .uid==$2 and .document)' | grep -q ."
}

"$TYTO" watch --json --state "$state" "$share" >"$tmp/watch.out" 2>"$tmp/watch.err" &
watch=$!
later end_pid "$watch"
wait_for 30 grep -q '^tyto: watching' "$tmp/watch.err" || { sed 's/^/# /' "$tmp/watch.err"; skip_all "this kernel cannot be watched"; }
ok "what is there at the start becomes known" wait_for 60 places 300
is "no access of our own is a record" "$("$TYTO" events --json --state "$state" | jq -c 'select(.verb=="read" or .verb=="open")' | wc -l)" 0

as 41001 cat "$share/7.txt" >/dev/null
wait_for 10 eval "events 7.txt | jq -c 'select(.verb==\"read\")' | grep -q ."
is "a read says which content" "$(events 7.txt | jq -r 'select(.verb=="read").document' | sort -u)" "$(hash "$share/7.txt")"

before=$(hash "$share/8.txt")
as 41001 sh -c "echo changed >'$share/8.txt'"
as 41002 cat "$share/8.txt" >/dev/null
wait_for 10 eval "events 8.txt | jq -c 'select(.verb==\"write\")' | grep -q ."
wait_for 10 eval "events 8.txt | jq -c 'select(.verb==\"read\" and .uid==41002)' | grep -q ."
is "just written: the content is not guessed" "$(events 8.txt | jq -r 'select(.verb=="read" and .uid==41002).document // "-"' | sort -u)" "-"
as 41001 sh -c "echo new >'$share/new.tmp'; mv '$share/new.tmp' '$share/new.txt'; mkdir '$share/dir'; mv '$share/9.txt' '$share/dir/nine.txt'; rm '$share/10.txt'"
sleep 14 # until writes are folded no more, and it has been quiet
ok "written and quiet: scanned, and known again" wait_for 15 read_known 8.txt 41003
is "by its new content" "$(events 8.txt | jq -r 'select(.verb=="read" and .uid==41003 and .document).document' | head -n 1)" "$(hash "$share/8.txt")"
ok "which is another" test "$before" != "$(hash "$share/8.txt")"
ok "a new one that got its name by a rename" wait_for 15 read_known new.txt 41003
"$TYTO" scan --json --state "$state" "$share" >"$tmp/scan.json" 2>"$tmp/scan.err"
is "a scan beside the watch has nothing to add" "$? $(cat "$tmp/scan.err")" "0 "
is "what is gone is gone, what moved is there" \
	"$(jq -r 'select(.gone or (.path|endswith("nine.txt"))) | (.path|split("/")|last) + " " + ((.gone // false)|tostring)' "$tmp/scan.json")" "nine.txt false"
is "and the scan lists what is there" "$(jq -r 'select(.document).path' "$tmp/scan.json" | wc -l)" 300

# Without its keeper, without itself: it goes on.
scanner=$(pgrep -f "@scanner --state $state" | head -n 1)
kill -KILL "$scanner" 2>/dev/null
ok "a scanner that was killed is started again" wait_for 20 eval "pgrep -f '@scanner --state $state' | grep -qv '^$scanner\$'"
as 41001 sh -c "echo 'what was written after it was killed is read, too' >'$share/after.txt'"
ok "and goes on" wait_for 60 read_known after.txt 41004
ok "with fingerprints" wait_for 20 eval '"$TYTO" status --json --state "$state" | jq -e ".fingerprints.documents >= 1"'
is "only what it was told to is ours: no reads but of people" \
	"$("$TYTO" events --json --state "$state" | jq -r 'select(.verb=="read" and (.program|endswith("/tyto"))) | .path' | head -n 3)" ""
end_pid "$watch"
ok "verify passes" "$TYTO" verify --state "$state"
like "everything ended with the watch" "$(pgrep -f -- "--state $state" || echo none)" "^none$"
done_testing
