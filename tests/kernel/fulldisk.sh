#!/bin/bash
# The disk with the state is full while people work: they go on; the gap is opened in the reserve at once and said by status; with room again it is
# closed with the count of what was lost, and recording goes on. Also when the keeper, or everything, is killed meanwhile.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "fanotify needs root"
need python3 mkfs.ext4 fallocate
loopfs 48M ext4 || skip_all "this kernel mounts no loop devices"
share=$mnt
loopfs 24M ext4 || skip_all "this kernel mounts no loop devices"
disk=$mnt
state=$disk/state
chmod 755 "$tmp"
chmod 777 "$share"

is_status() { [ "$(status "$1")" = "$2" ]; }
# Open in the reserve: state byte 1.
reserve() { [ "$(od -An -tu1 -j8 -N1 "$state/log/reserve" | tr -d ' ')" = "$1" ]; }
gaps() { "$TYTO" events --json --verb gap --state "$state" | python3 -c '
import json, sys
for e in map(json.loads, sys.stdin):
    if e.get("cause") == "disk_full": print(e["time"], e.get("end"), e.get("count", 0))'; }
fill() { rm -f "$disk/ballast"; fallocate -l 64M "$disk/ballast" 2>/dev/null; head -c 64M /dev/zero 2>/dev/null >>"$disk/ballast"; dd if=/dev/zero of="$disk/ballast2" bs=1024 count=65536 2>/dev/null; true; }
room() { rm -f "$disk/ballast" "$disk/ballast2"; }
watch() {
	"$TYTO" watch --state "$state" "$share" >/dev/null 2>>"$tmp/watch.log" &
	watch=$!
	later end_pid "$watch"
	ok "$1" wait_for 20 is_status 'len(s["watching"])' 1
}
load() { # SECONDS NAME
	python3 "$top/tests/kernel/lib/load.py" "$share" "$tmp/$2" "$1" 41001
}
records_grow() { local n; n=$(status 's["records"]'); load 0.5 more; wait_for 5 eval "[ \"\$(status 's[\"records\"]')\" -gt $n ]"; }

watch "watch starts"
load 1 before
ok "records come" records_grow
fill
load 3 during &
load=$!
ok "status says that the disk is full" wait_for 5 is_status 's["disk"]["full"]' True
ok "the gap is open in the reserve at once" reserve 1
ok "verify passes with the disk full" "$TYTO" verify --state "$state"
before=$(status 's["records"]')
wait "$load"
like "people work on: no open failed" "$(tail -n 1 "$tmp/during")" '^end [0-9]+ 0 '
ok "none took more than 500 ms" test "$(tail -n 1 "$tmp/during" | cut -d' ' -f4)" -lt 500000000
lost=$(tail -n 1 "$tmp/during" | cut -d' ' -f2)
echo '{"time":"2026-01-01T00:00:00Z","verb":"read","path":"/srv/x"}' >"$tmp/one.jsonl"
ok "import is refused in one line" eval '! "$TYTO" import --state "$state" "$tmp/one.jsonl" 2>"$tmp/import.err" && grep -q "disk is full" "$tmp/import.err"'
room
ok "with room the gap is closed" wait_for 5 reserve 0
ok "status says so" wait_for 5 is_status 's["disk"]["full"]' False
read -r from to count < <(gaps | tail -n 1)
ok "the gap has the count of what was lost ($count of $lost opens and more)" test "${count:-0}" -gt 0
ok "nothing that was recorded before is gone" test "$(status 's["records"]')" -ge "$before"
ok "recording goes on" records_grow
ok "verify passes" "$TYTO" verify --state "$state"

# The keeper is killed while the disk is full.
fill
load 4 again &
load=$!
ok "full again" wait_for 5 is_status 's["disk"]["full"]' True
sleep 0.5
kill -KILL "$(child keeper)"
sleep 2
ok "the gap is still open" reserve 1
kill -KILL "$(child sensor)"
sleep 1
wait "$load"
like "people work on" "$(tail -n 1 "$tmp/again")" '^end [0-9]+ 0 '
ok "none took more than 500 ms" test "$(tail -n 1 "$tmp/again" | cut -d' ' -f4)" -lt 500000000
room
ok "with room the gap is closed" wait_for 10 reserve 0
ok "recording goes on" records_grow
ok "verify passes" "$TYTO" verify --state "$state"

# Everything is killed while the disk is full.
fill
load 1 third
disown "$watch"
kill -KILL "$watch"
sleep 1
room
watch "a new watch starts"
ok "the gap is closed" wait_for 5 reserve 0
ok "recording goes on" records_grow
ok "verify passes" "$TYTO" verify --state "$state"
sleep 1
end_pid "$watch"
silent() { # every access has a record or stands in a gap
	"$TYTO" events --json --state "$state" >"$tmp/events" && python3 - "$tmp" <<'PY'
import calendar, json, sys, time
def ns(t):
    head, _, frac = t.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(head, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int((frac + "000000000")[:9])
gaps, seen = [], set()
for e in map(json.loads, open(sys.argv[1] + "/events")):
    if e["verb"] == "gap":
        gaps.append((ns(e["time"]), ns(e.get("end", e["time"]))))
    elif "path" in e: # programs that were begun have none
        seen.add((e["path"], "create" if e["verb"] in ("create", "write") else "read"))
        if e["verb"] == "open":
            seen.add((e["path"], "create"))
bad = 0
for log in "before", "during", "again", "third":
    for w in map(str.split, open(f"{sys.argv[1]}/{log}")):
        if w[0] in ("create", "read") and (w[3], w[0]) not in seen and not any(a <= int(w[2]) and int(w[1]) <= b for a, b in gaps):
            bad += 1
            if bad < 4:
                near = sorted(((a - int(w[1])) / 1e9, (b - int(w[1])) / 1e9) for a, b in gaps)
                print(log, w, near)
sys.exit(bad > 0)
PY
}
ok "every access has a record or stands in a gap" silent
[ "$tests_failed" = 0 ] || cat "$tmp/import.err"
[ "$tests_failed" = 0 ] || tail -n 20 "$tmp/watch.log" | sed 's/^/# /'
done_testing
