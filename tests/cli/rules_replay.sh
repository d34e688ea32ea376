#!/bin/bash
# tyto rules replay: what today's rules would raise over the recorded past, and nothing is recorded.
. "$(dirname "$0")/../lib.sh"
need python3 jq
export TYTO_STATE=$tmp/state
test_rules "$tmp/rules"
echo "rules = $tmp/rules" >"$tmp/conf"
tyto() { timeout 60 "$TYTO" --config "$tmp/conf" "$@"; }
python3 - >"$tmp/past" <<'EOP'
import datetime, json
def reads(n, who, start, folder):
    t = datetime.datetime.fromisoformat(start)
    for i in range(n):
        yield dict(time=(t + datetime.timedelta(seconds=i)).isoformat() + "Z", host="files", person=who, person_by="session", verb="read", seen="access",
            path=f"{folder}/d{i}.odt", program="/usr/bin/cp", via="ssh")
for e in [*reads(60, "clerk", "2026-03-02T09:00:00", "/a"), *reads(40, "sales", "2026-03-03T09:00:00", "/b"), *reads(250, "clerk", "2026-04-02T09:00:00", "/c"),
        *reads(60, "sales", "2026-04-03T09:00:00", "/d")]:
    print(json.dumps(e))
EOP
# Recorded while no rules were in force.
echo "rules = /nowhere/at/all" >"$tmp/none.conf"
timeout 60 "$TYTO" --config "$tmp/none.conf" import -q "$tmp/past"
leaves() { "$TYTO" status --json | jq .leaves; }
before=$(leaves)
tyto rules replay --json >"$tmp/out" 2>"$tmp/err"
is "exit 0" $? 0
is "a line a rule that fired" "$(jq -c '[.rule,.severity,.hits,[.persons[]|[.person,.hits,.first]]]' "$tmp/out")" \
'["Many documents read by one person (hour)","high",1,[["clerk",1,"2026-04-02T09:03:19Z"]]]
["Many documents read by one person (minutes)","high",3,[["clerk",2,"2026-03-02T09:00:49Z"],["sales",1,"2026-04-03T09:00:49Z"]]]'
like "how many alerts that would be" "$(cat "$tmp/err")" '410 records: 2 of [0-9]+ rules fired; they would raise 3 alerts \(0 critical, 3 high'
is "nothing was recorded" "$(leaves)" "$before"
is "and nothing raised" "$(tyto -q alerts --all --json)" ""
is "--since and --until" "$(tyto rules replay --json --since 2026-04-01 --until 2026-04-03 2>/dev/null | jq -c '[.rule,.hits]')" \
'["Many documents read by one person (hour)",1]
["Many documents read by one person (minutes)",1]'
is "the window before --since counts" "$(tyto rules replay --json --since 2026-03-02T09:00:30Z --until 2026-03-03 2>/dev/null | jq -c '[.rule,.hits]')" \
'["Many documents read by one person (minutes)",1]'
cat >"$tmp/own.yml" <<'EOP'
title: More than thirty
name: reads
logsource: {product: tyto}
detection: {s: {verb: read}, condition: s}
---
title: Thirty in a minute
level: low
correlation: {type: event_count, rules: [reads], group-by: [person], timespan: 1m, condition: {gte: 30}}
EOP
is "other rules, before they are in force" "$(tyto rules replay --json "$tmp/own.yml" 2>/dev/null | jq -c '[.rule,.severity,(.persons|length)]')" \
'["Thirty in a minute","low",2]'
like "for people" "$(tyto rules replay 2>/dev/null)" 'high +Many documents read by one person \(minutes\): 3 firings, 2 persons.* clerk +2 +first 2026-03-02 09:00:49'
echo "privacy.mask = yes" >>"$tmp/conf"
is "masked" "$(tyto rules replay --json 2>/dev/null | grep -c 'clerk\|sales')" 0
tyto rules replay /nowhere/at/all.yml >/dev/null 2>"$tmp/err"
is "rules that are not there: exit 1" $? 1
like "and a line" "$(cat "$tmp/err")" '/nowhere/at/all.yml: No such file'
done_testing
