#!/bin/bash
# kill -9 of guard, sensor and keeper at random moments under load: nothing acknowledged is lost, verify passes, what nobody recorded stands in
# gaps, no open fails or waits for more than 500 ms. TYTO_KILLS: how often (20). TYTO_SEED: the same moments again.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "fanotify needs root"
need python3 mkfs.ext4
loopfs 64M ext4 || skip_all "this kernel mounts no loop devices"
share=$mnt
loopfs 64M ext4 || skip_all "this kernel mounts no loop devices"
control=$mnt
chmod 777 "$share" "$control"
chmod 755 "$tmp"
kills=${TYTO_KILLS:-20}

python3 "$top/tests/kernel/lib/kill.py" "$TYTO" "$share" "$tmp/state" "$tmp" "$kills" "$control" >"$tmp/out" 2>&1
rc=$?
grep '^#' "$tmp/out"
of() { grep "^$1: " "$tmp/out"; }
is "the run itself ended well" "$rc $(grep -vE '^(#|[a-z]+: )' "$tmp/out")" "0 "
is "$kills kills: what was acknowledged is there, unchanged" "$(of acknowledged)" ""
is "verify passes after each" "$(of verify)" ""
is "commands beside it never failed" "$(of reader)" ""
is "what was killed is started again" "$(of restart)" ""
is "without its guard nobody goes on" "$(of orphans)" ""
is "no open failed or took more than 500 ms" "$(of opens)" ""
is "every access is recorded or stands in a gap" "$(of silent)" ""
[ "$tests_failed" = 0 ] || tail -n 20 "$tmp/watch.log" | sed 's/^/# /'
[ "${KEEP:-}" ] && cp -r "$tmp/out" "$tmp/state" "$tmp"/load-* "$tmp/watch.log" "$KEEP"
done_testing
