#!/bin/bash
# tyto-notify.service under a real systemd, behind its limits: VM_INIT=systemd scripts/vm 6.12 tests/vm/systemd_notify.sh
. "$(dirname "$0")/../lib.sh"
[ "$(ps -o comm= -p 1)" = systemd ] || skip_all "systemd is not the first process here"
[ "$(systemd-detect-virt)" != none ] || skip_all "this is no guest: nothing is installed on the machine itself"
need systemctl journalctl jq setpriv python3 openssl
here=$(cd "$(dirname "$0")" && pwd)
unit() { sed "s|@bindir@|/usr/bin|; s|@statedir@|/var/lib/tyto|" "$top/packaging/$1.in" >"/etc/systemd/system/$1"; }
ok "installed" eval 'install -m 755 "$TYTO" /usr/bin/tyto && install -D -m 755 "$(dirname "$TYTO")/tyto-notify" /usr/local/libexec/tyto/tyto-notify &&
	unit tyto.service && unit tyto-notify.service && install -m 644 "$top/packaging/tyto.sysusers" /usr/lib/sysusers.d/tyto.conf && systemd-sysusers tyto.conf'
mkdir -p /srv/share /etc/tyto /etc/systemd/system/tyto.service.d "$tmp/servers"
mount -t tmpfs -o mode=755 share /srv/share && later umount /srv/share
for i in $(seq 60); do echo "plan $i" >"/srv/share/$i.txt"; done
printf '[Service]\nEnvironment=WATCH=/srv/share\n' >/etc/systemd/system/tyto.service.d/watch.conf
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/servers/server.key" -out "$tmp/servers/server.pem" -days 2 -subj "/CN=localhost" \
	-addext "subjectAltName=DNS:localhost" >/dev/null 2>&1
start python3 "$here/../cli/notify_servers.py" "$tmp/servers"
ok "servers" wait_for 60 test -e "$tmp/servers/ports"
. "$tmp/servers/ports"
# The authority where any account can read it, the token where root alone can.
install -m 644 "$tmp/servers/server.pem" /etc/tyto/ca.pem
printf token >/etc/tyto/token
chmod 600 /etc/tyto/token
printf 'rules = %s\nnotify.ca_file = /etc/tyto/ca.pem\nnotify.webhook.url = https://localhost:%s/\nnotify.webhook.token_file = /etc/tyto/token\n' \
	"$top/rules/shipped" "$https" >/etc/tyto/tyto.conf
ok "systemd reads it" systemctl daemon-reload
ok "it starts" timeout 120 systemctl start tyto
running() { [ "$(tyto status --json | jq .notify.running)" = true ]; }
ok "and with it who tells" wait_for 60 running
is "an account of its own, no capability, filtered" "$(awk '/^(Uid|CapEff|NoNewPrivs):/ { print $2 }' "/proc/$(systemctl show -P MainPID tyto-notify)/status" | tr '\n' ' ')" \
	"$(id -u tyto) 0000000000000000 1 "
setpriv --reuid 41001 --clear-groups sh -c 'cat /srv/share/*.txt' >/dev/null
told() { jq -r .body "$tmp/servers/https.log" 2>/dev/null | jq -e 'select(.person=="uid:41001")' >/dev/null; }
ok "an alert is told, over TLS" wait_for 60 told
is "with the token that root alone can read" "$(jq -r .headers.Authorization "$tmp/servers/https.log" | sort -u)" "Bearer token"
ok "it stops with the other" systemctl stop tyto
is "in order" "$(systemctl show -P ActiveState tyto-notify) $(systemctl show -P Result tyto-notify)" "inactive success"
is "nobody is left" "$(pgrep -c 'tyto')" 0
# Nobody to be told: it ends, and is no failure.
printf 'rules = %s\n' "$top/rules/shipped" >/etc/tyto/tyto.conf
ok "without notify.*" timeout 120 systemctl start tyto
sleep 1
is "it is done" "$(systemctl show -P ActiveState tyto-notify) $(systemctl show -P Result tyto-notify)" "inactive success"
ok "stops" systemctl stop tyto
journalctl -u tyto-notify --no-pager | tail -n 15 | sed 's/^/# /'
echo "# $(systemd-analyze security --no-pager tyto-notify.service 2>&1 | tail -n 1)"
done_testing
