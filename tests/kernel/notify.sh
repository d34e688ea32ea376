#!/bin/bash
# Under `tyto watch`: a mass copy is told to a webhook within seconds, by a process that the guard starts and starts again; a server that is away never holds up the record.
. "$(dirname "$0")/../lib.sh"
need jq setpriv python3 openssl
share 64M
d=$tmp/servers
mkdir "$d" "$mnt/clients" "$tmp/taken"
chmod 777 "$mnt/clients" "$tmp/taken"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$d/server.key" -out "$d/server.pem" -days 2 -subj "/CN=localhost" >/dev/null 2>&1
start python3 "$(dirname "$0")/../cli/notify_servers.py" "$d"
ok "servers" wait_for 30 test -e "$d/ports"
. "$d/ports"
test_rules "$tmp/rules"
printf 'rules = %s\nnotify.webhook.url = http://127.0.0.1:%s/\nnotify.wait = 1\nnotify.timeout = 3\n' "$tmp/rules" "$http" >"$tmp/conf"
for i in $(seq 200); do echo "offer $i" >"$mnt/clients/offer-$i.txt"; done
tyto() { timeout 60 "$TYTO" "$@" --state "$state" --config "$tmp/conf"; }
begin() {
	: >"$tmp/watch.log"
	"$TYTO" watch --state "$state" --config "$tmp/conf" "$@" "$mnt" >/dev/null 2>"$tmp/watch.log" &
	watch=$!
	later end_pid "$watch"
	ok "watch starts" wait_for 20 grep -q "^tyto: watching" "$tmp/watch.log"
}
told() { [ "$(jq -r .body "$d/http.log" 2>/dev/null | jq -r .person | sort -u | tr '\n' ' ')" = "$1" ]; }
grab() { setpriv --reuid "$1" --regid "$1" --clear-groups cp "$mnt"/clients/*.txt "$tmp/taken"; rm -f "$tmp"/taken/*; }

begin
running() { [ "$(tyto status --json | jq .notify.running)" = true ]; }
ok "the notifier runs" wait_for 30 running
from=$(date +%s%N)
grab 41007
ok "200 copies: told" wait_for 30 told "uid:41007 "
echo "# $((($(date +%s%N) - from) / 1000000)) ms from the first copy to the webhook"
is "once" "$(jq -r .body "$d/http.log" | jq -c '[.kind,.id]' | sort | uniq -d)" ""
notifier=$(child notifier)
is "the keeper's account, no capability, a filter" "$(awk '/^(Uid|CapEff|Seccomp):/ { print $2 }' "/proc/$notifier/status" | tr '\n' ' ')" "$(stat -c %u "$state") 0000000000000000 2 "
courier=$(pgrep -P "$notifier" tyto-notify)
is "the courier has another account, and no capability" "$(awk '/^(Uid|CapEff|Seccomp):/ { print $2 }' "/proc/$courier/status" | tr '\n' ' ')" "65533 0000000000000000 2 "

# Killed, it is started again; what was raised meanwhile is told.
kill -9 "$notifier"
again() { [ -n "$(child notifier)" ] && [ "$(child notifier)" != "$notifier" ] && running; }
ok "killed: started again" wait_for 30 again
kill -9 "$(pgrep -P "$(child notifier)" tyto-notify)"
ok "its courier killed: both are started again" wait_for 30 running

# A server that never answers: the record goes on.
echo slow >"$d/http.mode"
before=$(status 's["records"]')
tyto alerts close 1 --reason mistake
for i in $(seq 20); do cat "$mnt/clients/offer-$i.txt" >/dev/null; done
more() { [ "$(status 's["records"]')" -gt "$before" ]; }
ok "beside a server that is stuck, accesses are recorded" wait_for 20 more
from=$SECONDS
end_pid "$watch"
ok "and the watch ends within seconds" test $((SECONDS - from)) -le 10
rm "$d/http.mode"
begin
closed() { jq -r .body "$d/http.log" | jq -e 'select(.kind=="closed" and .reason=="mistake")' >/dev/null; }
ok "the next watch tells what was not sent" wait_for 60 closed
end_pid "$watch"

begin --no-notify
is "--no-notify: nobody tells" "$(child notifier)" ""
end_pid "$watch"
echo "notify.mail.server = mail.example.org" >>"$tmp/conf"
begin
like "settings that are wrong are said" "$(cat "$tmp/watch.log")" 'notify.mail.from: expected an address; nobody is told of alerts'
is "and the record goes on" "$(child notifier)" ""
end_pid "$watch"
ok "the log verifies" tyto verify
done_testing
