#!/bin/bash
# The simulated office of eval/: the same seed gives the same bytes, an import takes every record and person, and the mass copies' records fit in beside the month's.
. "$(dirname "$0")/../lib.sh"
need python3 jq
office() { PERSONS=20 DAYS=4 SEED=$1 timeout 120 python3 "$top/eval/office_month.py" "$2" 2>"$tmp/office.log"; }
ok "a small office" office one "$tmp/a"
ok "again" office one "$tmp/b"
ok "the same bytes" diff -rq "$tmp/a" "$tmp/b"
ok "another seed" office two "$tmp/c"
ok "differs" test -n "$(cmp "$tmp/a/month.jsonl" "$tmp/c/month.jsonl")"
is "ten copies" "$(jq -r .kind "$tmp/a/truth.jsonl" | sort -u | wc -l)" 10
events=$(cat "$tmp/a/month.jsonl" "$tmp/a/thefts.jsonl" | wc -l)
ok "imported, files merged by time" timeout 120 "$TYTO" import --state "$tmp/state" --people "$tmp/a/people.jsonl" "$tmp/a/month.jsonl" "$tmp/a/thefts.jsonl"
is "every record" "$("$TYTO" status --json --state "$tmp/state" | jq .records)" "$events"
is "none is late" "$("$TYTO" events --json --state "$tmp/state" | grep -c '"late"')" 0
taken=$(jq -r '.documents[][1]' "$tmp/a/truth.jsonl" | sort -u | wc -l)
is "what was taken is what was read" "$(jq -r 'select(.verb=="read")|.path' "$tmp/a/thefts.jsonl" | grep -v '/old.zip$' | sort -u | wc -l)" "$taken"
done_testing
