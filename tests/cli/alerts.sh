#!/bin/bash
# `tyto alerts`: a mass read becomes one alert, which grows, is closed, comes back, and stands in the log: the table is only a view of it.
. "$(dirname "$0")/../lib.sh"
need python3 jq
alert_rules
# Quoted, so that a list of one line is not a number.
table() { tyto -q alerts --all --json "$@"; }

fresh
records 49 clerk 2026-03-02T09:00:00 1 read /srv/share/plans >"$tmp/few"
tyto import -q "$tmp/few"
is "49 documents: nothing" "$(table)" ""
fresh
records 60 clerk 2026-03-02T09:00:00 1 read /srv/share/plans >"$tmp/grab"
tyto import -q "$tmp/grab"
is "60 documents: one alert" "$(table | jq -c '[.id,.severity,.person,.status,.time]')" '[1,"high","clerk","open","2026-03-02T09:00:49Z"]'
is "it says how many, and which records" "$(table | jq -c '[(.events|length),(.documents|length),(.why|length)]')" '[50,50,2]'
like "in sentences with numbers" "$(table | jq -r '.why[]')" '^50 different documents in 50 records.*counted 50 within 49 s, to 2026-03-02T09:00:49Z; fired 1 time'
is "the records are those that events has" \
	"$(table | jq -r '.events[]')" "$(tyto -q events --json --verb read | jq -r .seq | head -n 50)"
like "for people" "$(tyto -q alerts)" 'high +2026-03-02 09:00:49 +clerk +Many documents read'
is "the whole timeline" "$(tyto -q alerts show 1 --json | jq '.timeline|length')" 50
like "and for people" "$(tyto alerts show 1 -v)" '/srv/share/plans/d49.odt'
show=$(tyto alerts show 1)
like "when, by hour" "$show" '2026-03-02 09:00 +60  #'
like "where" "$show" '50 in /srv/share/plans/'
like "not all documents, unless asked" "$show" 'and 30 more \(-v or --json\)'
like "against the own past: there is none" "$show" 'own past, an hour +60 +- +- +no hours with records'
like "what would have lowered it" "$show" 'below 50 different documents within 10 minutes it would not have fired: Many documents read'
is "tags of the rules" "$(table | jq -c '[.attack,.rules[0].attack]')" '[["T1005","T1039"],["T1005","T1039"]]'
is "and their tactics" "$(table | jq -c .tactics)" '["TA0009"]'
like "for people" "$show" 'MITRE ATT&CK T1005 T1039 \(Collection\)'
ok "the log verifies" tyto verify

# More of the same case grows it; a more severe rule of the same person, too.
records 200 clerk 2026-03-02T10:00:00 1 read /srv/share/plans/more >"$tmp/more"
tyto import -q "$tmp/more"
is "still one, grown" "$(table | jq -c '[.id,.status,(.rules|length)]')" '[1,"open",2]'
table >"$tmp/before"
rm -rf "$state/alerts"
is "deleted, the table is the same" "$(table)" "$(cat "$tmp/before")"
records 1 sales 2026-03-02T11:00:00 1 read /srv/share/other >"$tmp/one"
rm -rf "$state/alerts"
tyto import -q "$tmp/one"
is "and nothing is raised anew" "$(table)" "$(cat "$tmp/before")"

# By a person.
ok "closed" tyto alerts close 1 --reason expected
is "closed: as what" "$(table | jq -c '[.id,.status,.reason]')" '[1,"closed","expected"]'
is "not in the queue any more" "$(tyto -q alerts --json)" ""
like "a second time is refused" "$(tyto alerts close 1 --reason theft 2>&1)" 'alert 1 is closed already'
like "another number, too" "$(tyto alerts close 7 --reason theft 2>&1)" 'there is no alert 7'
tyto alerts close 1 >/dev/null 2>&1
is "without a reason: usage" "$?" 2
records 60 clerk 2026-03-04T09:00:00 1 read /srv/share/plans >"$tmp/again"
tyto import -q "$tmp/again"
is "expected: quiet, and counted" "$(table | jq -c '[.id,.status,.quieted]')" '[1,"closed",1]'
records 60 clerk 2026-03-05T09:00:00 1 read /home/boss >"$tmp/elsewhere"
tyto import -q "$tmp/elsewhere"
is "not in another folder" "$(table | jq -c '[.id,.status]' | tr '\n' ' ')" '[1,"closed"] [2,"open"] '

is "-r: the newest first" "$(table -r | jq -r .id | tr '\n' ' ')" "2 1 "
is "--since and --until: when it was raised" "$(table --since 2026-03-04 --until 2026-03-06 | jq -r .id)" 2
is "and so many" "$(table -r -n 1 | jq -r .id)" 2
like "what was quieted is told in the list, too" "$(tyto -q alerts --all)" '\(closed: expected\).* 1 firing since it was closed as expected raised nothing'

# For scripts: the exit status says whether one that is shown is that severe.
fails() { tyto -q alerts "$@" >/dev/null 2>&1; echo $?; }
is "--fail-on: one is, none is" "$(fails --fail-on medium) $(fails --fail-on high) $(fails --fail-on critical)" "5 5 0"
is "of those shown" "$(fails --held --fail-on low) $(fails show 2 --fail-on high)" "0 5"
is "another word, or nothing to look at: usage" "$(fails --fail-on severe) $(fails -f --fail-on high) $(fails close 2 --reason theft --fail-on high)" "2 2 2"

# Quiet days close a case; what comes later is another one.
records 1 clerk 2026-03-25T09:00:00 1 read /home/boss >"$tmp/later"
tyto import -q "$tmp/later"
is "closed after 14 quiet days" "$(table | jq -c 'select(.id==2)|[.status,.reason,.changed]')" '["closed",null,"2026-03-19T09:00:49Z"]'
table >"$tmp/before"
rm -rf "$state/alerts"
is "the table is still a view" "$(table)" "$(cat "$tmp/before")"
ok "the log verifies" tyto verify

# A day's budget: one of so few persons; the most severe one is shown.
fresh
{ records 700 engineer 2026-03-02T00:00:00 100 read /srv/a && records 60 clerk 2026-03-02T20:00:00 1 read /srv/b; } >"$tmp/two"
tyto import -q "$tmp/two"
is "two on a day: the more severe one is shown" "$(tyto -q alerts --json | jq -c '[.person,.severity]')" '["clerk","high"]'
is "the other is held back, and listed" "$(tyto -q alerts --held --json | jq -c '[.person,.severity,.status]')" '["engineer","medium","held"]'

fresh
{ cat "$tmp/conf" && echo "alerts.budget = 1000"; } >"$tmp/all.conf"
timeout 60 "$TYTO" --config "$tmp/all.conf" import -q "$tmp/two"
is "alerts.budget: both are shown" "$(tyto -q alerts --json | jq -c '[.person,.status]' | tr '\n' ' ')" '["clerk","open"] ["engineer","open"] '
is "and nothing is held back" "$(tyto -q alerts --held --json)" ""
fresh
{ cat "$tmp/conf" && echo "alerts.budget = 0"; } >"$tmp/all.conf"
timeout 60 "$TYTO" --config "$tmp/all.conf" import -q "$tmp/two"
is "0: one all the same" "$(tyto -q alerts --json | jq -c .person)" '"clerk"'

# A gap amid much reading is nobody's: it says which gap, and whose reading.
fresh
records 45 clerk 2026-03-02T09:00:00 1 read /srv/share/plans >"$tmp/gap"
echo '{"time":"2026-03-02T09:01:00Z","end":"2026-03-02T09:01:03.2Z","host":"files","verb":"gap","cause":"restart","count":1200}' >>"$tmp/gap"
tyto import -q "$tmp/gap"
is "a restart amid much reading" "$(table | jq -c '[.title,.person,.persons,.gaps]')" \
	'["Gap in the record during unusual volume",null,["clerk"],[{"time":"2026-03-02T09:01:00Z","end":"2026-03-02T09:01:03.200Z","cause":"restart","count":1200}]]'
for show in "show 1" "--all"; do
	# shellcheck disable=SC2086
	like "for people, alerts $show" "$(tyto -q alerts $show)" 'no records from 2026-03-02 09:01:00 until 2026-03-02 09:01:03 \(3\.2 s\): restart, 1,200 lost.* records behind it are of clerk'
done
{ cat "$tmp/conf" && echo "privacy.mask = yes"; } >"$tmp/gap.conf"
is "masked" "$(timeout 60 "$TYTO" --config "$tmp/gap.conf" -q alerts --json | jq -r '.persons[]' | grep -c '^p:[0-9]*$') $(timeout 60 "$TYTO" --config "$tmp/gap.conf" -q alerts show 1 | grep -c clerk)" "1 0"

# In pieces or at once: the same alerts.
fresh
tyto import -q "$tmp/grab" "$tmp/more" "$tmp/again" "$tmp/elsewhere" "$tmp/later"
table | jq -c '[.id,.time,.person,.severity,.status,(.rules|length)]' >"$tmp/whole"
fresh
for piece in grab more again elsewhere later; do tyto import -q "$tmp/$piece"; done
is "piece by piece: the same alerts" "$(table | jq -c '[.id,.time,.person,.severity,.status,(.rules|length)]')" "$(cat "$tmp/whole")"

# More than a rule tells: all that it counted is named, up to 200, and what is not is said.
fresh
records 260 clerk 2026-03-02T09:00:00 1 read /srv/share/plans >"$tmp/many"
tyto import -q "$tmp/many"
is "200 records are named, though a rule names 64" "$(table | jq -c '[(.events|length),(.documents|length),.more]')" '[200,200,null]'
is "they are those that were read" "$(table | jq -r '.events[]' | sort -n)" "$(tyto -q events --json | jq -r .seq | head -n 200 | sort -n)"

# Closed as theft, then something more severe: it comes back.
ok "closed as theft" tyto alerts close 1 --reason theft
records 1 clerk 2026-03-03T09:00:00 1 delete /var/lib/tyto/log >"$tmp/tamper"
tyto import -q "$tmp/tamper"
is "reopened by what is more severe" "$(table | jq -c '[.id,.severity,.status,.reason]')" '[1,"critical","open",null]'

# Rules that cannot be read cost no record, and the next import finds what was missed.
fresh
echo "rules = /dev/null/rules" >"$tmp/broken"
like "rules that cannot be read are said" "$(timeout 60 "$TYTO" --config "$tmp/broken" import "$tmp/grab" 2>&1)" 'alerts: /dev/null/rules: .*60 records imported|60 records imported.*alerts: /dev/null/rules'
is "no alert" "$(table)" ""
tyto import -q "$tmp/one"
is "found by the next one" "$(table | jq -c '[.id,.person,.time]')" '[1,"clerk","2026-03-02T09:00:49Z"]'

# Masked: no name, anywhere.
echo "privacy.mask = yes" >"$tmp/masked"
masked() { timeout 60 "$TYTO" --config "$tmp/masked" -q alerts "$@"; }
is "masked" "$(masked --json | jq -r .person)" "$(masked | grep -o 'p:[0-9]*' | head -n 1)"
is "nowhere the name" "$({ masked; masked --json; masked show 1; masked show 1 --json; } | grep -c clerk)" 0

echo "rules = /nowhere/at/all" >"$tmp/none.conf"
like "without rules there are no alerts" "$(TYTO_STATE=$tmp/none timeout 60 "$TYTO" --config "$tmp/none.conf" import -q "$tmp/grab"; TYTO_STATE=$tmp/none timeout 60 "$TYTO" alerts 2>&1)" '^tyto: 0 alerts'
# Rules that ask a number of each record, and a percentile: both are named.
fresh
mkdir "$tmp/asks"
cat >"$tmp/asks/asks.yml" <<'EOP'
title: Large reads
name: large
logsource: {product: tyto}
detection: {s: {verb: read, bytes|gte: 4096, tyto.day_documents|gt: 2}, either: {path|contains: /srv/}, o: {port|gte: 7}, condition: s and not o and (either or o)}
---
title: Many large ones
tags: [attack.t1048.003, attack.exfiltration, attack.T1039, attack.g0001]
level: high
correlation: {type: value_count, rules: [large], group-by: [person], timespan: 1h, condition: {field: path, gte: 5}}
---
title: Read
name: readp
logsource: {product: tyto}
detection: {s: {verb: read}, condition: s}
---
title: Mostly large
level: high
correlation: {type: value_percentile, rules: [readp], group-by: [person], timespan: 1h, condition: {field: bytes, percentile: 90, gte: 5000}}
---
title: One that is large
level: high
logsource: {product: tyto}
detection: {s: {verb: read, bytes|gte: 7000}, condition: s}
EOP
records 9 clerk 2026-03-02T09:00:00 1 read /srv/share/plans | sed 's/"verb"/"bytes": 8000, "verb"/' >"$tmp/large"
timeout 60 "$TYTO" --config <(echo "rules = $tmp/asks") import -q "$tmp/large"
is "a number that each record must reach, and how many; only what no way goes round" "$(tyto -q alerts show 1 --json | jq -r '.lower[]' | sort)" \
	"below 4096 of bytes, or at most 2 different documents on the day, or, beyond that, below 5 different documents within an hour it would not have fired: Many large ones
below 5000 at percentile 90 of bytes within an hour it would not have fired: Mostly large
below 7000 of bytes it would not have fired: One that is large"
is "tags that are techniques" "$(table | jq -c .attack)" '["T1048.003","T1039"]'

# A rule of two parts: all documents are named, not just those that completed a part; both numbers are told.
fresh
python3 - >"$tmp/new" <<'EOP'
import datetime, json
def put(t, path):
    print(json.dumps(dict(time=t.isoformat() + "Z", host="files", person="clerk", person_by="opener", verb="read", seen="access", path=path, program="/usr/sbin/smbd",
        client="192.0.2.7", via="smb")))
start = datetime.datetime(2026, 3, 2, 9)
for day in range(20):
    for i in range(5):
        put(start + datetime.timedelta(days=day, minutes=i), f"/srv/share/usual-{i}.odt")
for i in range(120):
    put(start + datetime.timedelta(days=20, seconds=4 * i), f"/srv/share/{'abcd'[i % 4]}/d{i}.odt")
EOP
timeout 60 "$TYTO" --config <(echo "rules = $top/rules/shipped/mass_read_new.yml") import -q "$tmp/new"
is "new to the person: one alert, by the 100th document" "$(table | jq -c '[.severity,.title,.time]')" '["medium","Many documents that one person had never read","2026-03-22T09:06:36Z"]'
like "with its documents" "$(table | jq -r '.documents|length')" '^9[89]$'
like "in a sentence" "$(table | jq -r '.why[1]')" '^Many documents that one person had never read: 2 of its parts within 7 minutes, to'
like "what would have lowered it: both" "$(tyto -q alerts show 1 --json | jq -r '.lower[]')" \
	'^below 100 different documents within 10 minutes, or below 3 different folders with documents new to the person within 10 minutes it would not have fired: Many'
done_testing
