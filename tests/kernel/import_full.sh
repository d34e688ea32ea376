#!/bin/bash
# An import meets a full disk: it says where it stopped and how to go on, and what goes on records each record once. Alone, through a keeper, and after
# a kill and an interruption.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "loop devices need root"
need python3 mkfs.ext4 fallocate
loopfs 110M ext4 || skip_all "this kernel mounts no loop devices"
disk=$mnt
loopfs 32M ext4 || skip_all "this kernel mounts no loop devices"
share=$mnt
chmod 777 "$share"

python3 - >"$tmp/year.jsonl" <<'PY'
import random
r = random.Random(7)
for i in range(150000): # every second one a day late: recorded at once, before those that wait for their turn
    print('{"time":"2025-%02d-%02dT%02d:%02d:%02dZ","verb":"read","person":"clerk%d","path":"/srv/%x-%d"}' % (
        i // 13000 + 1, max(1, i // 470 % 27 + 1 - i % 2), i // 20 % 24, i % 60, r.randrange(60), i % 97, r.getrandbits(64), i))
PY
fill() { rm -f "$disk/ballast"; fallocate -l $(($(df --output=avail -B1 "$disk" | tail -n 1) - $1)) "$disk/ballast"; } # BYTES that stay free
room() { rm -f "$disk/ballast"; }
once() { # every record of the file, each once
	"$TYTO" events --json >"$tmp/events" && python3 - "$tmp" <<'PY'
import json, sys
want = sorted(json.loads(l)["path"] for l in open(sys.argv[1] + "/year.jsonl"))
got = sorted(e["path"] for e in map(json.loads, open(sys.argv[1] + "/events")) if e["path"].startswith("/srv/") and "source" in e)
twice = sum(a == b for a, b in zip(got, got[1:]))
print(len(want), len(got), twice)
sys.exit(want != got)
PY
}
lost() { "$TYTO" status --json | python3 -c 'import json,sys; s=json.load(sys.stdin); print(s["lost"], s["gaps"])'; }
fresh() { export TYTO_STATE=$disk/state$1; }
import() { timeout 120 "$TYTO" import "$@" "$tmp/year.jsonl" >"$tmp/out" 2>"$tmp/err"; }
stands() { sed -n 's/.*stopped: \([0-9]*\) records stand.*/\1/p' "$tmp/err"; }

fresh 1
fill 3000000
import
is "nothing fits: exit" $? 1
like "says so" "$(cat "$tmp/err")" 'stopped: nothing of it is recorded; the same command begins anew'
room
fill 11000000
import
is "a full disk ends the import: exit" $? 1
like "says why" "$(cat "$tmp/err")" 'disk is full|No space left'
like "where it stopped, and how to go on" "$(cat "$tmp/err")" 'stopped: [0-9]+ records stand; .tyto import --resume. with the same files goes on behind them'
n=$(stands)
ok "some stand ($n)" test "${n:-0}" -gt 1000
is "as many as it says" "$("$TYTO" events --json | wc -l)" "$n"
ok "verify passes with the disk full" "$TYTO" verify
room
import
is "the same command again records nothing twice: exit" $? 3
like "but says how" "$(cat "$tmp/err")" "year.jsonl: an import was stopped when $n of its records stood: --resume goes on behind them, --again records all anew"
is "nothing was added" "$("$TYTO" events --json | wc -l)" "$n"
import --resume
is "--resume: exit" $? 0
like "counts all" "$(cat "$tmp/err")" '150000 records imported, none refused'
ok "each record once" once
ok "verify passes" "$TYTO" verify
is "an import that was stopped lost nothing, and left no gap" "$(lost)" "0 0"
import --resume
is "now it is imported: exit" $? 3
like "and that is said" "$(cat "$tmp/err")" 'was imported already'

# Interrupted, then killed, then to its end.
rm -rf "$disk"/state*
fresh 2
"$TYTO" import -q "$tmp/year.jsonl" 2>"$tmp/err" &
pid=$!
wait_for 20 eval '[ "$("$TYTO" status --json | sed -n "s/.*\"records\":\([0-9]*\).*/\1/p")" -gt 1000 ]'
kill -INT "$pid"
wait "$pid"
is "interrupted: exit" $? 130
like "says how to go on" "$(cat "$tmp/err")" 'stopped: [0-9]+ records stand'
n=$(stands)
"$TYTO" import -q --resume "$tmp/year.jsonl" 2>"$tmp/err" &
pid=$!
wait_for 20 eval '[ "$("$TYTO" status --json | sed -n "s/.*\"records\":\([0-9]*\).*/\1/p")" -gt '"${n:-0}"' ]'
kill -KILL "$pid"
wait "$pid" 2>/dev/null
import --resume
rc=$?
grep -q "imported already" "$tmp/err" && rc=0 # it was killed when all stood, and only the index was behind
is "resumed after a kill: exit" "$rc" 0
ok "each record once" once
ok "verify passes" "$TYTO" verify

# Through a keeper, which goes on watching.
rm -rf "$disk"/state*
fresh 3
"$TYTO" watch "$share" >/dev/null 2>"$tmp/watch.log" &
watch=$!
later end_pid "$watch"
if wait_for 20 grep -q "^tyto: watching" "$tmp/watch.log"; then
	fill 11000000
	import
	is "through the keeper: exit" $? 1
	like "says so" "$(cat "$tmp/err")" 'the disk is full: not all of it was recorded'
	like "and how to go on" "$(cat "$tmp/err")" 'stopped: [0-9]+ records stand'
	room
	ok "with room again" wait_for 10 eval '"$TYTO" status --json | grep -q "\"full\":false"'
	import --resume
	is "--resume: exit" $? 0
	ok "each record once" once
	end_pid "$watch"
	ok "verify passes" "$TYTO" verify
else
	skip "through the keeper" "$(tail -n 1 "$tmp/watch.log")"
fi
[ "$tests_failed" = 0 ] || sed 's/^/# /' "$tmp/err" "$tmp/watch.log"
done_testing
