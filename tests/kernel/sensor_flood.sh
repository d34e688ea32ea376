#!/bin/bash
# A user floods a watched folder with files: every one of them is counted or stands in a gap, the sensor's memory is bounded by what it has to know of
# each file, and other people's opens go on.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need python3 jq setpriv
files=100000

[ "$(id -u)" = 0 ] || skip_all "fanotify needs root"
mnt=$tmp/mnt
mkdir "$mnt"
mount -t tmpfs -o "size=256m,nr_inodes=$((files + 1000))" flood "$mnt" || skip_all "the kernel refuses a tmpfs"
later umount "$mnt"
w=$mnt/w
mkdir "$w"
chmod 1777 "$w"
echo text >"$w/doc"
state=$tmp/state
watch_start "$w"
is "watched" $? 0
memory() { awk -v what="^$1" '$0 ~ what { print $2 }' "/proc/$(role_pid @sensor)/status"; }
before=$(memory VmHWM)
cat >"$tmp/flood.py" <<'P'
import os, sys
folder, n = sys.argv[1], int(sys.argv[2])
for i in range(n):
    if i % 1000 == 0:
        os.mkdir(f'{folder}/{i // 1000}')
    os.close(os.open(f'{folder}/{i // 1000}/{i}', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
P
# Somebody else works meanwhile.
users 100 "$w"
timeout 120 setpriv --reuid 20001 --regid 20001 --clear-groups /usr/bin/python3 "$tmp/flood.py" "$w" $files
is "a user makes $files files" $? 0
touch "$tmp/users.stop"
users_end "others work on"
# All is taken in: the record stands still.
still() { local n; n=$(status 's["records"]'); sleep 1; [ "$(status 's["records"]')" = "$n" ]; }
ok "all of it is taken in" wait_for 60 still
grown=$(($(memory VmHWM) - before))
ok "the sensor grew by $grown kB at most: 512 bytes a file and 64 MB" test "$grown" -le $((files / 2 + 65536))
watch_stop
cat >"$tmp/lost.py" <<'PY'
# Creations that are neither recorded nor within a gap, by the time at which the file was made.
import datetime, json, os, sys
seen, gaps = set(), []
ns = lambda t: int(datetime.datetime.fromisoformat(t[:26].rstrip('Z') + '+00:00').timestamp() * 1e9)
for e in map(json.loads, open(sys.argv[2])):
    if e['verb'] == 'create':
        seen.add(e['path'])
    elif e['verb'] == 'gap':
        gaps.append((ns(e['time']), ns(e.get('end', e['time'])), e['cause']))
made = [os.path.join(d, f) for d, _, fs in os.walk(sys.argv[1]) for f in fs if f != 'doc']
lost = [p for p in made if p not in seen]
outside = [p for p in lost if not any(a - 1e8 <= os.stat(p).st_ctime_ns <= b + 1e8 for a, b, _ in gaps)]
print(f'# {len(made) - len(lost)} of {len(made)} creations recorded, {len(lost)} within gaps: {sorted({c for _, _, c in gaps}) or "none"}')
print(f'# outside of every gap: {len(outside)} {outside[:3]}')
sys.exit(len(outside) > 0 or len(made) != int(sys.argv[3]))
PY
ok "every creation is recorded, or lies within a gap" python3 "$tmp/lost.py" "$w" "$records" $files
python3 "$tmp/lost.py" "$w" "$records" $files | head -n 1
is "of whom" "$(jq -r 'select(.verb == "create" and (.path | test("/w/[0-9]+/[0-9]+$"))) | .person // "absent"' "$records" | sort -u | grep -v absent)" "uid:20001"
ok "the log verifies" "$TYTO" verify -q --state "$state"
done_testing
