#!/bin/bash
# tyto rules: shipped rules fire when they must and only then; rules from outside are answered in one line each.
. "$(dirname "$0")/../lib.sh"
need jq
export TYTO_STATE=$tmp/state
shipped=$(dirname "$0")/../../rules/shipped
ok "shipped rules: each beside its events" "$TYTO" rules test "$shipped"
ok "shipped rules: all run" "$TYTO" rules check "$shipped"
is "none is passed over" "$("$TYTO" rules check --json "$shipped" 2>/dev/null | jq -r .state | sort -u)" runs

mkdir "$tmp/r"
cat >"$tmp/r/a.yml" <<'EOF'
title: never
logsource: {product: windows}
detection: {s: {EventID: 1}, condition: s}
---
title: missing
logsource: {product: linux, category: file_access}
detection: {s: {NoSuchField: 1}, condition: s}
---
title: odd
logsource: {product: tyto}
detection: {s: {path|magic: 1}, condition: s}
EOF
"$TYTO" rules check --json "$tmp/r" >"$tmp/out" 2>"$tmp/err"
is "no rule broken: exit 0" $? 0
is "each rule's state" "$(jq -r .state "$tmp/out" | tr '\n' ' ')" "never never unsupported "
like "the missing field is named" "$(jq -r .why "$tmp/out")" 'missing field NoSuchField'
like "the construct is named" "$(jq -r .why "$tmp/out")" 'modifier magic'

echo "rules = $tmp/r" >"$tmp/conf"
is "without a path: what the settings name" "$("$TYTO" --config "$tmp/conf" rules check -q --json | jq -r .title | tr '\n' ' ')" "never missing odd "
printf 'rules = %s\nrules = /nowhere/at/all\n' "$tmp/r" >"$tmp/conf"
ok "one that is not there is none" "$TYTO" --config "$tmp/conf" rules list
"$TYTO" rules check /nowhere/at/all >/dev/null 2>"$tmp/err"
is "one that is asked for is missing" $? 1
like "and is named" "$(cat "$tmp/err")" '/nowhere/at/all: No such file'
like "a device is no file of rules" "$("$TYTO" rules check /dev/null 2>&1)" '/dev/null: expected a file of rules, or a folder'
like "nor for a replay" "$(echo '{"time":"2026-03-02T09:00:00Z","verb":"read","path":"/a"}' | "$TYTO" import -q - 2>&1; "$TYTO" rules replay /dev/null 2>&1)" '/dev/null: expected a file of rules'
printf 'a: &a [x]\nb: [*a, *a]\n' >"$tmp/r/b.yml"
head -c 10485760 /dev/zero | tr '\0' '#' >"$tmp/r/c.yml"
"$TYTO" rules check "$tmp/r" >"$tmp/out" 2>"$tmp/err"
is "broken rules: exit 3" $? 3
is "a line a rule" "$(wc -l <"$tmp/out")" 5
like "aliases are refused" "$(cat "$tmp/out")" 'no aliases'
like "10 MB are refused" "$(cat "$tmp/out")" 'at most 1 MiB'

cat >"$tmp/r/d.yml" <<'EOF'
title: reads
logsource: {product: tyto}
detection: {s: {verb: read}, condition: s}
EOF
echo '{"case":"write","fires":true,"events":[{"time":"2026-03-01T10:00:00Z","verb":"write","path":"/a"}]}' >"$tmp/r/d.test.jsonl"
"$TYTO" rules test "$tmp/r/d.yml" >"$tmp/out" 2>&1
is "a rule that does not fire when it must: exit 1" $? 1
like "and says so" "$(cat "$tmp/out")" 'did not fire, and must'
# State is bounded, and an import says when it was full.
cat >"$tmp/each.yml" <<'EOF'
title: reads
name: reads
logsource: {product: tyto}
detection: {s: {verb: read}, condition: s}
---
title: Each document
correlation: {type: event_count, rules: [reads], group-by: [path], timespan: 1d, condition: {gte: 2}}
EOF
echo "rules = $tmp/each.yml" >"$tmp/conf"
for i in $(seq 70000); do echo "{\"time\":\"2026-03-02T09:00:00Z\",\"verb\":\"read\",\"path\":\"/a$i\"}"; done >"$tmp/many"
like "full: said" "$("$TYTO" --config "$tmp/conf" --state "$tmp/state3" import "$tmp/many" 2>&1)" 'detection state was full 4464 times'
head -n 60000 "$tmp/many" >"$tmp/fewer"
like "not full: not said" "$("$TYTO" --config "$tmp/conf" --state "$tmp/state2" import "$tmp/fewer" 2>&1)" '^tyto: 60000 records imported, none refused$'
"$TYTO" rules nonsense >/dev/null 2>&1
is "usage" $? 2
done_testing
