#!/bin/bash
# 100,000 opens and more, by processes that are gone at once and by such that stay, of several users at the same time, in threads that change their
# user: each counted, each with its actor.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need xargs "$workload"

loopfs 256M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w" "$w/tree"
for i in $(seq 250); do echo text >"$w/many$i"; done
for i in $(seq 10); do echo text >"$w/brief$i"; echo text >"$w/thread$i"; done
python3 -c 'import sys
for i in range(20000): open(f"{sys.argv[1]}/{i}", "w").write("text")' "$w/tree"
chmod -R a+rX "$w"
watch_start "$w"
is "watched" $? 0

# At the same time: long-lived processes of four users, short-lived ones of four more, threads that bear two users' ids, one process over 20,000 files.
timeout 100 "$workload" --op read --by forks --workers 4 --count 75 --uid 20001,20002,20003,20004 "$w"/many* >"$tmp/many" &
many=$!
for uid in 20005 20006 20007 20008; do
	timeout 100 "$workload" --op read --by brief --count 100 --uid $uid "$w"/brief* >"$tmp/brief-$uid" &
	brief+=($!)
done
timeout 100 "$workload" --op open --by threads --creds fs --workers 4 --count 50 --uid 20011,20012 "$w"/thread* >"$tmp/thread" &
thread=$!
find "$w/tree" -type f -print0 | setpriv --reuid 20009 --clear-groups xargs -0 -n 5000 cat >/dev/null
wait "$many" "${brief[@]}" "$thread"
"$TYTO" --state "$state" status --json >"$tmp/status"
watch_stop

of() { accesses "(.verb == \"open\" or .verb == \"read\") and (.refers | not) and .uid == $2 and (.path // \"\" | test(\"/$1\"))"; }
is "the workloads made 101,000 opens, 20,000 of them cat" "$(jq -s 'map(.opens) | add' "$tmp/many" "$tmp/thread" "$tmp"/brief-* | awk '{ print $1 + 20000 }')" 101000
for uid in 20001 20002 20003 20004; do is "long-lived, uid $uid" "$(of 'many[0-9]+$' $uid)" 18750; done
for uid in 20005 20006 20007 20008; do is "short-lived, uid $uid" "$(of 'brief[0-9]+$' $uid)" 1000; done
for uid in 20011 20012; do is "threads, fsuid $uid" "$(of 'thread[0-9]+$' $uid)" 1000; done
is "20,000 files by xargs cat" "$(of 'tree/' 20009)" 20000
is "each of them once" "$(jq -r 'select(.uid == 20009 and (.path // "" | test("/tree/"))) | .path' "$records" | sort -u | wc -l)" 20000
is "nobody else" "$(accesses '(.verb == "open" or .verb == "read") and (.uid < 20001 or .uid > 20012)')" 0
is "each with its actor" "$(accesses '(.verb == "open" or .verb == "read") and ([has("pid", "program", "uid", "person", "person_by")] | all | not)')" 0
is "nobody by another's name" "$(accesses '(.verb == "open" or .verb == "read") and (has("login_uid") | not) and .person != "uid:\(.uid)"')" 0
is "nothing lost" "$(accesses '.verb == "gap"')" 0
is "status says so" "$(jq .lost "$tmp/status")" 0
[ "${KEEP:-}" ] && cp "$records" "$KEEP"
done_testing
