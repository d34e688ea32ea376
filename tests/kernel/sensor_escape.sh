#!/bin/bash
# Ways around the watched path, each counted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w" "$mnt/out" "$mnt/bound" "$mnt/out/dir"
for f in alias hard bind newns moved reopen handle script; do echo text >"$w/$f"; done
printf '#!/bin/sh\n:\n' >"$w/script"
chmod 755 "$w/script"
for f in in linked dir/deep never; do echo text >"$mnt/out/$f"; done
ln "$w/hard" "$mnt/out/hard"
ln -s "$w/alias" "$mnt/out/alias"
watch_start "$w"
is "watched" $? 0

cat "$mnt/out/in" "$mnt/out/linked" "$mnt/out/never" >/dev/null # from here on ignored
cat "$mnt/out/alias" "$mnt/out/hard" >/dev/null
mount --bind "$w" "$mnt/bound" && later umount "$mnt/bound"
cat "$mnt/bound/bind" >/dev/null
unshare -m --propagation unchanged sh -c 'mount --bind "$1" "$2" && cat "$2/newns"; umount "$2"' sh "$w" "$mnt/out/dir" >/dev/null
mv "$w/moved" "$mnt/out/moved"
cat "$mnt/out/moved" >/dev/null
mv "$mnt/out/in" "$w/in"
cat "$w/in" >/dev/null
ln "$mnt/out/linked" "$w/linked"
cat "$mnt/out/linked" >/dev/null
mv "$mnt/out/dir" "$w/dir"
cat "$w/dir/deep" >/dev/null
"$w/script"
python3 - "$w/reopen" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_PATH)
os.read(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY), 4)
PY
"$workload" --op handle --count 3 "$w/handle" >"$tmp/handle"
watch_stop

used() { accesses "(.verb == \"open\" or .verb == \"read\") and (.path // \"\" | test(\"/$1\$\"))"; }
for f in alias bind newns moved in linked dir/deep reopen; do is "$f" "$(used "$f")" 1; done
is "a hard link made before, outside" "$(used hard)" 1
is "by handle" "$(used handle)" "$(jq .opens "$tmp/handle")"
ok "a script that is run" test "$(used script)" -ge 1
is "what was never inside is not recorded" "$(used never)" 0
done_testing
