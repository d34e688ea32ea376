#!/bin/bash
# Beside a running watch: records of last month raise what they would have raised; rules are read again by themselves and on SIGHUP; a broken one is named
# and stops no other; which are in force is in the record.
. "$(dirname "$0")/../lib.sh"
need jq setpriv python3
share 64M
test_rules "$tmp/all"
mkdir "$tmp/rules"
chmod 755 "$tmp/rules"
cp "$tmp"/all/mass_read_*.yml "$tmp/rules"
echo "rules = $tmp/rules" >"$tmp/conf"
n=$("$TYTO" rules list -q "$tmp/rules" | wc -l)
mkdir "$mnt/plans"
chmod 777 "$mnt/plans"
for i in $(seq 20); do echo "plan $i" >"$mnt/plans/plan-$i.txt"; done
tyto() { timeout 60 "$TYTO" "$@" --state "$state" --config "$tmp/conf"; }
# In a session of its own: of a watch with a terminal SIGHUP may be the terminal's end.
setsid "$TYTO" watch --state "$state" --config "$tmp/conf" "$mnt" >/dev/null 2>"$tmp/watch.log" &
watch=$!
later end_pid "$watch"
ok "watch starts" wait_for 30 grep -q "^tyto: watching" "$tmp/watch.log"
in_force() { tyto status --json | jq -c '[.rules.all,.rules.run,.rules.broken]'; }
forced() { [ "$(in_force)" = "$1" ]; }
ok "status: the rules in force" wait_for 30 forced "[$n,$n,0]"
like "and since when" "$(tyto status --json | jq -r .rules.since)" '^20'
first=$(tyto status --json | jq -r .rules.sha256)
like "for people" "$(tyto status)" "alerts +0 open.*rules +$n of $n run; in force since 20.* \(set [0-9a-f]{12}\)"

# Late records.
python3 - >"$tmp/past" <<'EOP'
import datetime, json
t = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=30)
for i in range(60):
    print(json.dumps(dict(time=(t + datetime.timedelta(seconds=i)).isoformat().replace("+00:00", "Z"), host="other", person="clerk", person_by="session",
        verb="read", seen="access", path=f"/srv/a/d{i}.odt", program="/usr/bin/cp", via="ssh")))
EOP
cat "$mnt/plans/plan-1.txt" >/dev/null
seen() { [ "$(tyto events --json --verb read | wc -l)" -ge 1 ]; }
ok "something was read just now" wait_for 30 seen
ok "last month's records" tyto import -q "$tmp/past"
raised() { [ "$(tyto -q alerts --all --json | jq -c '[.person,.status]')" = '["clerk","closed"]' ]; }
ok "raise their alert, and 14 quiet days have closed it" wait_for 60 raised

# The keeper is killed while late records wait: the next one goes on with them, and raises nothing twice.
sed 's/"clerk"/"sales"/' "$tmp/past" >"$tmp/past2"
tyto import -q "$tmp/past2"
kill -9 "$(child keeper)"
both() { [ "$(tyto -q alerts --all --json | jq -r .person | sort | tr '\n' ' ')" = "clerk sales " ]; }
ok "killed while they wait: raised all the same, once" wait_for 60 both
ok "another keeper has the rules" wait_for 30 forced "[$n,$n,0]"

# A new rule, and a broken one beside it.
cat >"$tmp/rules/own.yml" <<'EOP'
title: Plans read
level: medium
logsource: {product: tyto}
detection: {s: {verb: read, path|contains: /plans/}, condition: s}
EOP
printf 'title: broken\nlogsource: {product: tyto}\ndetection: {s: {verb: read}, condition: s and (}\n' >"$tmp/rules/wrong.yml"
ok "the rules are read again by themselves" wait_for 60 forced "[$((n + 2)),$((n + 1)),1]"
is "a line names the broken one" "$(grep -c "$tmp/rules/wrong.yml:.*this rule is not in force" "$tmp/watch.log")" 1
like "doctor says so, too" "$(tyto doctor)" "warning +rules +$((n + 1)) of $((n + 2)) detection rules run.* 1 are broken"
setpriv --reuid 41007 --regid 41007 --clear-groups cp "$mnt/plans/plan-7.txt" /dev/null
fired() { tyto -q alerts --all --json | jq -e 'select(.person=="uid:41007" and .title=="Plans read")' >/dev/null; }
ok "the new one fires" wait_for 60 fired
nobody() { tyto -q alerts --all --json | jq -e 'select(.rules|length > 1)' >/dev/null; }
rm "$tmp/rules/wrong.yml"
sed -i 's/gte: 50/gte: 51/' "$tmp/rules/mass_read_minutes.yml"
kill -HUP "$(child keeper)"
ok "on SIGHUP" wait_for 60 forced "[$((n + 1)),$((n + 1)),0]"
sed -i 's/gte: 51/gte: 52/' "$tmp/rules/mass_read_minutes.yml"
at_hup=$(tyto status --json | jq -r .rules.sha256)
kept=$(child keeper)
kill -HUP "$watch"
changed() { [ "$(tyto status --json | jq -r .rules.sha256)" != "$at_hup" ]; }
ok "on SIGHUP to the guard, too" wait_for 60 changed
is "which goes on, with the same keeper" "$(kill -0 "$watch" && child keeper)" "$kept"
second=$(tyto status --json | jq -r .rules.sha256)
ok "another set" test "$first" != "$second"
ok "nothing was raised for what was read before" test "$(tyto -q alerts --all --json | wc -l)" = 3
end_pid "$watch"
is "it is in the record" "$(tyto status --json | jq -r .rules.sha256)" "$second"
rm -rf "$state/alerts"
tyto -q alerts >/dev/null
is "and only a view is elsewhere" "$(tyto status --json | jq -c '[.rules.sha256,.alerts.open]')" "[\"$second\",1]"
ok "the log verifies" tyto verify

# A terminal that is closed ends a watch that was started on it.
cat >"$tmp/terminal.py" <<'EOP'
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"tyto: watching" not in said:
    said += os.read(fd, 4096)
os.close(fd)
for _ in range(300):
    if os.waitpid(pid, os.WNOHANG)[0]:
        sys.exit(0)
    time.sleep(0.1)
os.kill(pid, 15)
sys.exit(1)
EOP
ok "the end of its terminal is the end of a watch" timeout 90 python3 "$tmp/terminal.py" "$TYTO" watch --state "$state" --config "$tmp/conf" "$mnt"
done_testing
