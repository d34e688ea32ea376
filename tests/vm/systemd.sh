#!/bin/bash
# The service under a real systemd: VM_INIT=systemd scripts/vm 6.12 tests/vm/systemd.sh
. "$(dirname "$0")/../lib.sh"
[ "$(ps -o comm= -p 1)" = systemd ] || skip_all "systemd is not the first process here"
[ "$(systemd-detect-virt)" != none ] || skip_all "this is no guest: nothing is installed on the machine itself"
need meson systemctl journalctl jq setpriv
ok "installed" eval 'cd "$top" && install -m 755 "$TYTO" /usr/bin/tyto && sed "s|@bindir@|/usr/bin|; s|@statedir@|/var/lib/tyto|" packaging/tyto.service.in >/etc/systemd/system/tyto.service &&
	install -m 644 packaging/tyto.sysusers /usr/lib/sysusers.d/tyto.conf && systemd-sysusers tyto.conf'
mkdir -p /srv/share && mount -t tmpfs -o mode=755 share /srv/share && later umount /srv/share
echo text >/srv/share/plan
mkdir -p /etc/systemd/system/tyto.service.d
printf '[Service]\nEnvironment=WATCH=/srv/share\n' >/etc/systemd/system/tyto.service.d/watch.conf
ok "systemd reads it" systemctl daemon-reload
state() { systemctl show -P "$1" tyto; }
as() { setpriv --reuid "$1" --clear-groups "${@:2}"; }
reads() { tyto events --json --verb read | jq -s "[.[] | select(.path == \"/srv/share/plan\" and .uid == $1) | .count // 1] | add // 0"; }
recorded() { [ "$(reads "$1")" = "$2" ]; }

ok "it starts, and is ready only then" timeout 90 systemctl start tyto ||
	{ systemctl status --no-pager tyto; systemctl list-jobs --no-pager; journalctl -u tyto --no-pager | tail -n 30; } 2>&1 | sed 's/^/# /'
as 41001 cat /srv/share/plan >/dev/null # at once: ready means recorded
is "it is active" "$(state ActiveState)/$(state SubState)" active/running
PATH=/usr/bin:$PATH
ok "an access right after the start is recorded" wait_for 10 recorded 41001 1
is "status answers" "$(tyto status --json | jq -r '.watching[0], .lost, .gaps' | tr '\n' ' ')" "/srv/share 0 0 "
is "the state is the account's" "$(stat -c '%a %U %G' /var/lib/tyto)" "700 tyto tyto"
main=$(state MainPID)
children=$(cat "/proc/$main/task/$main/children")
is "guard, sensor, keeper" "$(wc -w <<<"$children")" 2
for p in $main $children; do
	is "$(tr '\0' ' ' <"/proc/$p/cmdline" | cut -d ' ' -f 2) gains no privileges, is filtered" "$(sed -n 's/^NoNewPrivs:\t//p; s/^Seccomp:\t//p' "/proc/$p/status" | tr '\n' ' ')" "1 2 "
	is "memory of $p" "$([ "$(sed -n 's/^VmLck:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$p/status")" -gt 0 ] && echo locked)" "$(tr '\0' ' ' <"/proc/$p/cmdline" | grep -q @keeper || echo locked)"
	is "mounts of $p are everybody's" "$(readlink "/proc/$p/ns/mnt")" "$(readlink /proc/1/ns/mnt)"
done
# A second copy of the name: a process table fed by the proc connector gives the actor of what is not held.
as 41002 sh -c 'exec 3</srv/share/plan; cat <&3 >/dev/null'
chmod 777 /srv/share
as 41002 touch /srv/share/made
as 41002 rm /srv/share/made
deleted() { [ "$(tyto events --json --verb delete | jq -r 'select(.path == "/srv/share/made") | .uid')" = 41002 ]; }
ok "who deleted is known: the proc connector works behind the unit's limits" wait_for 10 deleted

ok "it restarts" systemctl restart tyto
as 41003 cat /srv/share/plan >/dev/null
ok "an access right after the restart is recorded" wait_for 10 recorded 41003 1
is "the gap of the restart is there" "$(tyto events --json --verb gap | jq -s length)" 1
new=$(state MainPID)
kill -KILL "$new"
again() { [ "$(state ActiveState)" = active ] && [ "$(state MainPID)" != "$new" ] && [ "$(state MainPID)" != 0 ]; }
ok "killed, it is started again" wait_for 60 again
as 41004 cat /srv/share/plan >/dev/null
ok "and records" wait_for 10 recorded 41004 1
ok "it stops" systemctl stop tyto
is "in order" "$(state Result)" success
ok "/run/tyto is kept for other records" test -d /run/tyto
is "no process is left" "$(pgrep -c -x tyto)" 0
cat /srv/share/plan >/dev/null
ok "opens are free again" timeout 2 cat /srv/share/plan
ok "verify" tyto verify -q
is "no secret and no record in the journal" "$(journalctl -u tyto --no-pager | grep -c '/srv/share/plan')" 0
journalctl -u tyto --no-pager | tail -n 15 | sed 's/^/# /'
echo "# $(systemd-analyze security --no-pager tyto.service 2>&1 | tail -n 1)"
done_testing
