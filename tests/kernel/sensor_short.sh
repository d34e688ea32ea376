#!/bin/bash
# Processes that are gone at once, and many opens in parallel: all counted, each with its actor.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w"
for i in $(seq 100); do echo text >"$w/many$i"; done
echo text >"$w/brief"
watch_start "$w"
is "watched" $? 0
"$workload" --op read --by brief --count 2000 "$w/brief" >"$tmp/brief"
"$workload" --op open --by forks --workers 4 --count 50 "$w"/many* >"$tmp/many"
watch_stop
is "2,000 short processes" "$(jq .opens "$tmp/brief")" 2000
is "each is counted" "$(accesses '.verb != "gap" and (.path // "" | endswith("/brief"))')" 2000
is "each with its actor" "$(accesses '(.path // "" | endswith("/brief")) and ([has("pid", "program", "uid")] | all | not)')" 0
is "20,000 opens" "$(jq .opens "$tmp/many")" 20000
is "each is counted, too" "$(accesses '.verb != "gap" and (.path // "" | test("/many[0-9]+$"))')" 20000
is "nothing lost" "$(accesses '.verb == "gap"')" 0
done_testing
