#!/bin/bash
# `tyto notify`: real servers on the loopback get mails, webhooks and syslog; servers that are dead, slow, broken or hostile cost nothing but time; a restart loses nothing and
# tells nothing twice; what cannot be sent is a dead letter, and said.
. "$(dirname "$0")/../lib.sh"
need python3 jq openssl
d=$tmp/servers
mkdir "$d"
(cd "$d" && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=test CA" &&
	openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=localhost" &&
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >ext &&
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.pem) >"$tmp/openssl.log" 2>&1
chmod 644 "$d/ca.pem"
start python3 "$(dirname "$0")/notify_servers.py" "$d"
ok "servers" wait_for 30 test -e "$d/ports"
. "$d/ports"
printf 'pass word\n' >"$tmp/password"
printf 'token-1' >"$tmp/token"
printf 'a key' >"$tmp/key"
chmod 600 "$tmp/password" "$tmp/token" "$tmp/key"

test_rules "$tmp/rules"
base="rules = $tmp/rules
notify.ca_file = $d/ca.pem
notify.timeout = 3
notify.wait = 1
notify.tries = 3"
mail="notify.mail.server = localhost:$smtp
notify.mail.from = tyto@example.org
notify.mail.to = clerk@example.org, sales@example.org
notify.mail.user = user
notify.mail.password_file = $tmp/password"
hook="notify.webhook.url = https://localhost:$https/hook?a=b
notify.webhook.token_file = $tmp/token
notify.webhook.key_file = $tmp/key"
syslog="notify.syslog.server = localhost:$syslog"
conf() { printf '%s\n' "$base" "$@" >"$tmp/conf"; }
tyto() { timeout 120 "$TYTO" --config "$tmp/conf" "$@"; }
begin() { start "$TYTO" --config "$tmp/conf" notify run 2>/dev/null; }
states=0
fresh() { export TYTO_STATE=$tmp/state.$((++states)); rm -f "$d"/*.log "$d"/*.mode; }
mode() { echo "$2" >"$d/$1.mode"; }
lines() { local n=0; [ -e "$d/$1.log" ] && n=$(wc -l <"$d/$1.log"); echo "$n"; }
cat >"$tmp/mail.py" <<'EOP'
import email, email.policy, json, sys
for line in open(sys.argv[1]):
    d = json.loads(line)
    m = email.message_from_string(d["data"], policy=email.policy.default)
    print(json.dumps(dict(to=d["to"], user=d["user"], tls=d["tls"], headers=[k.lower() for k in m.keys()], subject=m["Subject"], text=m.get_content(),
        longest=max(map(len, d["data"].split("\r\n"))), bare=d["data"].replace("\r\n", "").count("\n"))))
EOP
mails() { python3 "$tmp/mail.py" "$d/$1.log"; }
# N PERSON MINUTE: a mass read; each person another alert.
reads() {
	python3 - "$@" <<'EOP'
import json, sys
n, who, at = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for i in range(n):
    print(json.dumps(dict(time=f"2026-03-{2 + at:02}T09:{i // 60:02}:{i % 60:02}Z", host="files", person=who, person_by="session", verb="read", seen="access",
        path=f"/srv/share/{who}/d{i}.odt", program="/usr/bin/cp", via="ssh")))
EOP
}

# --- test ---
fresh
conf "$mail" "$hook" "$syslog"
ok "config check" tyto config check
is "test: a line a way" "$(tyto notify test | cut -d: -f1)" "sent     mail clerk@example.org
sent     mail sales@example.org
sent     webhook
sent     syslog"
is "mails: over TLS, after a login" "$(mails smtp | jq -c '[.to,.tls,.user]')" '["TO:<clerk@example.org>",true,"user"]
["TO:<sales@example.org>",true,"user"]'
is "webhook: path, token" "$(jq -c '[.path,.headers.Authorization,.headers["Content-Type"]]' "$d/https.log")" '["/hook?a=b","Bearer token-1","application/json"]'
like "its signature is the body's, by somebody else's HMAC" "$(jq -r '.headers["X-Tyto-Signature"]' "$d/https.log")" \
	"^sha256=$(jq -rj .body "$d/https.log" | openssl dgst -sha256 -hmac 'a key' -r | cut -d' ' -f1)\$"
like "syslog: RFC 5424" "$(xxd -r -p "$d/syslog.log" 2>/dev/null || python3 -c 'import sys;print(bytes.fromhex(open(sys.argv[1]).readline()).decode())' "$d/syslog.log")" \
	'^<108>1 20[0-9-]*T[0-9:]*\.[0-9]*Z [!-~]+ tyto - TEST - .*nothing has happened'
is "test --to" "$(tyto notify test --to webhook --json | jq -c '[.way,.sent]')" '["webhook",true]'
mode https later
mode smtp drop
tyto notify test >"$tmp/out"
is "one fails: exit 1" "$?" 1
is "and each is told" "$(cut -c1-20 "$tmp/out")" "FAILED   mail clerk@
FAILED   mail sales@
FAILED   webhook: HT
sent     syslog: wri"
# Servers that do what servers do not do: each costs its timeout and no more, and the next try finds a courier that works.
conf "$mail" "$syslog" "notify.timeout = 1"
for what in drop garbage slow huge; do
	mode smtp "$what"
	is "mail: a server that answers with $what" "$(tyto notify test --to mail | cut -c1-6 | sort -u)" FAILED
	rm "$d/smtp.mode"
	[ "$what" = huge ] && continue
	mode syslog "$what"
	is "syslog: the same" "$(tyto notify test --to syslog | cut -c1-6)" FAILED
	rm "$d/syslog.mode"
done
mode syslog close
like "syslog: taken, and closed at once: not taken to be sent" "$(tyto notify test --to syslog)" 'FAILED +syslog: the connection was closed right after the message'
rm "$d/syslog.mode"
conf "notify.syslog.server = localhost:1" "notify.webhook.url = https://localhost:1/" "notify.mail.server = localhost:1" "notify.mail.from = a@b" "notify.mail.to = c@d"
is "servers that are not there" "$(tyto notify test | cut -c1-6 | tr '\n' ' ')" "FAILED FAILED FAILED "
conf "notify.syslog.server = no-such-host.invalid" "notify.timeout = 2"
like "names that are none" "$(tyto notify test)" 'FAILED +syslog: .*([Rr]esolve|timed out|name)'
conf
like "nothing configured: said" "$(tyto notify test 2>&1)" 'nothing to try: none of notify.mail, notify.webhook and notify.syslog is set'
like "run: nothing to do" "$(tyto notify run 2>&1)" 'nothing to do'
sed -i "s|^notify.ca_file.*|notify.ca_file = /etc/ssl/certs/ca-certificates.crt|" "$tmp/conf"
printf '%s\n' "$mail" "$hook" "$syslog" >>"$tmp/conf"
rm -f "$d"/*.mode "$d"/*.log
is "a certificate of nobody we know: nothing is sent, by any way" "$(tyto notify test | cut -c1-6 | sort -u)$(lines smtp)$(lines https)$(lines syslog)" "FAILED000"
conf "${mail/localhost/127.0.0.1}"
ok "an address in the certificate" tyto notify test
conf "${mail/localhost:$smtp/localhost:$smtps}" "notify.mail.tls = tls"
ok "mail: TLS from the start" tyto notify test
conf "$mail"
mode smtp tls-less
like "a server without STARTTLS gets no password and no mail" "$(tyto notify test)" 'FAILED'
rm "$d/smtp.mode"
printf 'wrong\n' >"$tmp/password"
like "a wrong password" "$(tyto notify test)" 'FAILED.*denied'
printf 'pass word\n' >"$tmp/password"
for transport in udp unix; do
	conf "notify.syslog.transport = $transport" "notify.syslog.server = $([ $transport = udp ] && echo "127.0.0.1:$udp" || echo "$d/log.sock")" "notify.syslog.form = cef" \
		"notify.syslog.facility = 4"
	ok "syslog: $transport" tyto notify test
done
ok "both came" wait_for 20 test -s "$d/udp.log" -a -s "$d/local.log"
like "with facility 4, as CEF" "$(python3 -c 'import sys;print(bytes.fromhex(open(sys.argv[1]).readline()).decode())' "$d/udp.log")" '^<36>1 .* - .*CEF:0\|Tyto\|Tyto\|'

is "a state that is not there: exit 1, and one line" "$(timeout 20 "$TYTO" --config "$tmp/conf" --state "$tmp/none" notify dead 2>&1 | grep -c 'No such file') $(timeout 20 "$TYTO" \
	--config "$tmp/conf" --state "$tmp/none" notify dead >/dev/null 2>"$tmp/err"; echo $?) $(wc -l <"$tmp/err")" "1 1 1"

# --- settings ---
bad() { # WHAT LINES…
	local what=$1
	shift
	conf "$@"
	like "config check: $what" "$(tyto config check 2>&1)" "$what"
	is "  and its status" "$(tyto config check >/dev/null 2>&1; echo $?)" 1
}
bad 'https://' 'notify.webhook.url = http://example.org/x'
bad 'https://' 'notify.webhook.url = https://user:pass@example.org/x'
bad 'https://' 'notify.webhook.url = file:///etc/passwd'
bad 'on this machine alone' "${mail/localhost:$smtp/mail.example.org}" 'notify.mail.tls = none'
bad 'over TLS alone' "$mail" 'notify.mail.tls = none'
bad 'expected addresses' "$mail" 'notify.mail.to = clerk@example.org> RCPT'
bad 'notify.mail.from' "notify.mail.server = localhost" "notify.mail.to = clerk@example.org"
bad 'low, medium, high' 'notify.min_severity = severe'
bad 'tls, udp or unix' "$syslog" 'notify.syslog.transport = tcp'
conf "$hook"
chmod 644 "$tmp/token"
like "a secret that all can read is refused" "$(tyto notify test 2>&1)" 'webhook.token_file.*chmod 0600'
printf 'two\nlines' >"$tmp/token"
chmod 600 "$tmp/token"
like "and one of two lines" "$(tyto notify test 2>&1)" 'one line of text'
printf 'token-1' >"$tmp/token"
conf "notify.webhook.url = http://127.0.0.1:$http/x"
ok "plain HTTP to this machine itself" tyto notify test

# --- telling ---
fresh
conf "$mail" "$hook" "$syslog"
reads 60 clerk 0 >"$tmp/in"
ok "imported" tyto import -q "$tmp/in"
ok "told" tyto notify run --once
is "by every way, once" "$(lines smtp) $(lines https) $(lines syslog)" "2 1 1"
like "subject" "$(mails smtp | jq -r .subject | head -n 1)" '^\[tyto\] high: Many documents read by one person \(minutes\) \(alert 1, clerk\)$'
text=$(mails smtp | jq -r .text | head -n 60)
like "numbers, and what to do" "$text" '50 in 50 records.*tyto alerts show 1'
is "no path, no document" "$(cat "$d"/smtp.log "$d"/https.log; mails smtp | grep -c '/srv/share\|odt')" "$(cat "$d"/smtp.log "$d"/https.log)
0"
is "the webhook's JSON" "$(jq -r .body "$d/https.log" | jq -c '[.kind,.id,.severity,.status,.person,.masked,.documents,.show]')" \
	'["raised",1,"high","open","clerk",false,50,"tyto alerts show 1"]'
is "its name for this message is the header's" "$(jq -r '.headers["Idempotency-Key"]' "$d/https.log")" "$(jq -r .body "$d/https.log" | jq -r .message)"
ok "again: nothing" tyto notify run --once
is "is told twice" "$(lines smtp) $(lines https) $(lines syslog)" "2 1 1"
# It grows by numbers: not told; by severity: told; closed: told.
reads 200 clerk 1 >"$tmp/in"
tyto import -q "$tmp/in"
tyto notify run --once
is "a case that grows in numbers alone is not told again" "$(lines https)" 1
echo '{"time":"2026-03-04T09:00:00Z","host":"files","person":"clerk","person_by":"session","verb":"delete","path":"/var/lib/tyto/log"}' >"$tmp/in"
tyto import -q "$tmp/in"
tyto notify run --once
is "one that becomes more severe is" "$(jq -r .body "$d/https.log" | jq -c '[.kind,.severity]' | tail -n 1)" '["grown","critical"]'
tyto alerts close 1 --reason theft
tyto notify run --once
is "and what somebody said of it" "$(jq -r .body "$d/https.log" | jq -c '[.kind,.status,.reason]' | tail -n 1)" '["closed","closed","theft"]'
reads 60 engineer 5 >"$tmp/in"
tyto import -q "$tmp/in"
conf "$hook" "notify.min_severity = critical"
tyto notify run --once
is "below notify.min_severity: nothing" "$(lines https)" 3
conf "$hook"
reads 1 sales 6 >"$tmp/in"
tyto import -q "$tmp/in"
tyto notify run --once
is "the setting again lower: it is told" "$(jq -r .body "$d/https.log" | jq -c '[.kind,.person]' | tail -n 1)" '["raised","engineer"]'

# What is closed when telling begins is the past; what is open is told.
fresh
conf "$hook"
reads 60 clerk 0 >"$tmp/in"
reads 60 engineer 1 >>"$tmp/in"
tyto import -q "$tmp/in"
tyto alerts close 1 --reason mistake
tyto notify run --once
is "the first time: those that are open" "$(jq -r .body "$d/https.log" | jq -r .person)" engineer

# --- names that bite ---
fresh
conf "$mail" "$hook" "$syslog"
python3 - >"$tmp/in" <<'EOP'
import json
for i in range(60):
    print(json.dumps(dict(time=f"2026-03-02T09:00:{i:02}Z", host="fi\r\nles", person="eve\r\nBcc: thief@example.org\r\n\r\n.\r\nQUIT\u202e佐藤", person_by="session",
        verb="read", seen="access", path=f"/srv/\r\nX-Evil: 1\r\n/d{i}.odt")))
EOP
tyto import -q "$tmp/in"
ok "told" tyto notify run --once
is "one mail each: no header more, no line that is not ours" "$(mails smtp | jq -c '[.headers|length,(index("bcc"))],.bare' | sort -u)" "$(printf '0\n[11,null]')"
like "visible in the subject" "$(mails smtp | jq -r .subject | head -n 1)" 'eve\\x0d\\x0aBcc: thief'
is "recipients as configured" "$(mails smtp | jq -r .to)" "TO:<clerk@example.org>
TO:<sales@example.org>"
is "lines of a mail are short" "$(mails smtp | jq '.longest <= 998' | sort -u)" true
is "one frame, one line of syslog" "$(lines syslog) $(grep -c '0a\|0d' <(sed 's/../& /g' "$d/syslog.log" | tr ' ' '\n' | grep -x '0a\|0d'))" "1 0"
is "JSON has it whole" "$(jq -r .body "$d/https.log" | jq -r '.person|startswith("eve\r\nBcc: thief")')" true

# Masked.
fresh
conf "$mail" "$hook" "$syslog" "privacy.mask = yes"
reads 60 clerk-the-name 0 >"$tmp/in"
tyto import -q "$tmp/in"
tyto notify run --once
is "masked: a number, in all of them" "$(mails smtp | jq -r .subject | grep -c 'p:[0-9]') $(jq -r .body "$d/https.log" | jq -r .person | grep -c '^p:[0-9]*$')" "2 1"
is "nowhere the name" "$({ mails smtp; cat "$d/https.log"; python3 -c 'import sys;print(bytes.fromhex(open(sys.argv[1]).read()).decode())' "$d/syslog.log"; } | grep -c clerk-the-name)" 0

# --- servers that are away, and worse ---
fresh
conf "$hook"
mode https later
reads 60 clerk 0 >"$tmp/in"
tyto import -q "$tmp/in"
begin
run=$pid
dead() { [ "$(tyto -q notify dead --json | wc -l)" = "$1" ]; }
ok "503 three times: a dead letter" wait_for 60 dead 1
is "tried as often as notify.tries says" "$(lines https)" 3
is "and why" "$(tyto -q notify dead --json | jq -c '[.alert,.kind,.way,.tries,.answer]')" '[1,"raised","webhook",3,"HTTP 503"]'
like "for people" "$(tyto -q notify dead)" 'alert 1 raised +webhook +\(3 tries: HTTP 503\)'
like "status says so" "$(tyto status)" 'notify +0 sent, 1 DEAD'
is "and as JSON" "$(tyto status --json | jq -c '[.notify.running,.notify.dead,.notify.waiting]')" '[true,1,0]'
like "doctor too" "$(tyto doctor)" 'warning +notify +1 messages.*given up'
like "two at once: the second is refused" "$(tyto notify run 2>&1)" 'another process tells'
rm "$d/https.mode"
like "there is no dead letter 99" "$(tyto notify retry 99 2>&1)" 'no dead letter 99'
ok "retry" tyto notify retry "$(tyto -q notify dead --json | jq .id)"
sent() { [ "$(tyto status --json | jq .notify.sent)" = "$1" ]; }
ok "is sent, by the one that runs" wait_for 30 sent 1
ok "nothing is dead" dead 0
# Everything else that a server can do; the alert of each comes through in the end.
n=1
for what in drop garbage slow huge; do
	mode https "$what"
	reads 60 "person-$what" $((n + 1)) >"$tmp/in"
	tyto import -q "$tmp/in"
	sleep 2
	rm "$d/https.mode"
	n=$((n + 1))
done
all_sent() { [ "$(tyto status --json | jq '.notify.waiting + .notify.dead')" = 0 ]; }
wait_for 60 all_sent || tyto notify retry --all
ok "none is lost" wait_for 60 all_sent
is "each was told, whatever the server did" "$(jq -r .body "$d/https.log" | jq -r .person | sort -u | tr '\n' ' ')" "clerk person-drop person-garbage person-huge person-slow "
end_pid "$run"
mode https redirect
reads 60 redirected 9 >"$tmp/in"
tyto import -q "$tmp/in"
tyto notify run --once 2>/dev/null
is "a redirect is refused for good, and not followed" "$(tyto -q notify dead --json | jq -c '[.tries,.answer]')" '[1,"HTTP 302: redirects are not followed"]'

# Mail: one recipient is refused for good, the other gets it.
fresh
conf "${mail/clerk@/nobody@}"
reads 60 clerk 0 >"$tmp/in"
tyto import -q "$tmp/in"
tyto notify run --once 2>/dev/null
is "once: exit 1 where something was not sent" "$?" 1
is "one is told, the other is dead" "$(mails smtp | jq -r .to) $(tyto -q notify dead --json | jq -r '.way + " " + (.answer|.[:22])')" "TO:<sales@example.org> mail nobody@example.org refused for good (550)"
conf "$hook"
tyto notify retry --all 2>/dev/null
tyto notify run --once 2>/dev/null
is "a way that is not configured any more" "$(tyto -q notify dead --json | jq -r .answer)" "this way is not configured any more"

# --- restarts ---
fresh
conf "$hook"
mode https slow
reads 60 clerk 0 >"$tmp/in"
tyto import -q "$tmp/in"
begin
sending() { [ -n "$(pgrep -P "$pid" tyto-notify)" ] && [ "$(tyto status --json | jq .notify.waiting)" = 1 ]; }
ok "a letter is under way" wait_for 30 sending
courier=$(pgrep -P "$pid" tyto-notify)
is "the courier: an account of its own, no way back, a filter" "$(awk '/^(Uid|NoNewPrivs|Seccomp|CapEff):/ { print $2 }' "/proc/$courier/status" | tr '\n' ' ')" \
	"$([ "$(id -u)" = 0 ] && echo 65533 || id -u) 0000000000000000 1 2 "
is "it has no file of the state open" "$(ls -l "/proc/$courier/fd" | grep -c "$TYTO_STATE")" 0
end_pid "$pid" KILL
rm "$d/https.mode"
ok "killed in the middle; the next one" tyto notify run --once
is "tells it" "$(jq -r .body "$d/https.log" | jq -r .person | sort -u)" clerk
is "under the same name where it comes twice" "$(jq -r '.headers["Idempotency-Key"]' "$d/https.log" | sort -u | wc -l)" 1
ok "and no more" tyto notify run --once
before=$(lines https)
for i in 1 2 3; do
	reads 60 "person-$i" $((2 * i)) >"$tmp/in"
	tyto import -q "$tmp/in"
	begin
	sleep 0.$((i * 3))
	end_pid "$pid" KILL
done
ok "killed again and again; in the end" tyto notify run --once
is "all are told" "$(jq -r .body "$d/https.log" | jq -r .person | sort -u | tr '\n' ' ')" "clerk person-1 person-2 person-3 "
# The outbox damaged or lost: said, and only what was not told yet is told: what still waited, and what came since.
before=$(lines https)
dd if=/dev/urandom of="$TYTO_STATE/notify/notify.db" bs=4096 count=4 conv=notrunc 2>/dev/null
rm -f "$TYTO_STATE"/notify/notify.db-*
tyto notify run --once >/dev/null 2>"$tmp/err" || tyto notify run --once 2>>"$tmp/err"
ok "a damaged outbox is put aside" test -e "$TYTO_STATE/notify/notify.db.damaged"
is "one line says what that means" "$(grep -c 'the outbox is new: alerts before record [0-9]* have been told and are not told again' "$tmp/err")" 1
is "nothing is told again" "$(lines https)" "$before"
reads 60 waited 8 >"$tmp/in"
tyto import -q "$tmp/in"
mode https later
tyto notify run --once >/dev/null 2>&1
rm "$d/https.mode"
reads 60 since 9 >"$tmp/in"
tyto import -q "$tmp/in"
rm -r "$TYTO_STATE/notify"
rm -f "$d"/https.log
ok "lost while a message waited" tyto notify run --once
is "that one is told, and what came since" "$(jq -r .body "$d/https.log" | jq -r .person | sort -u | tr '\n' ' ')" "since waited "
printf 'tyto-notified/1 99999999\n' >"$TYTO_STATE/notified"
rm -r "$TYTO_STATE/notify"
rm -f "$d"/https.log
ok "a file that cannot be of this log" tyto notify run --once
ok "is not believed: rather twice than never" test "$(lines https)" -gt 2
ok "the log verifies" tyto verify -q
done_testing
