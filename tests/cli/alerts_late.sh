#!/bin/bash
# The same records give the same alerts in whatever order they come: in one import, file by file, backwards, mixed, beside a running watch's past; and
# never two alerts for one case.
. "$(dirname "$0")/../lib.sh"
need python3 jq
alert_rules
# What an alert is, but for its number: which came first is how they came.
seen() {
	tyto -q alerts --all --json | jq -c 'select(.joined|not)|[.time,.person,.severity,.status,.title,.changed,([.rules[].rule]|sort),(.documents|length)]' | sort
}
# In order FILE…: each by itself, into a new state.
one_by_one() {
	local f
	fresh
	for f; do tyto import -q "$tmp/$f" || return 1; done
}

records 60 clerk 2026-03-02T09:00:00 1 read /srv/a >"$tmp/a"
records 60 sales 2026-03-09T09:00:00 1 read /srv/b >"$tmp/b"
records 3 clerk 2026-03-10T10:00:00 60 export /srv/c restricted >"$tmp/c"
records 700 engineer 2026-03-20T00:00:00 60 read /srv/d >"$tmp/d"
records 60 clerk 2026-04-20T09:00:00 1 read /srv/e >"$tmp/e"
# Half of a grab in each of two sources: only both are one.
records 30 trainee 2026-03-15T09:00:00 2 read /srv/f >"$tmp/f"
records 30 trainee 2026-03-15T09:00:01 2 read /srv/g >"$tmp/g"

fresh
tyto import -q "$tmp"/[a-g]
seen >"$tmp/want"
is "in one import: five persons' cases, one of them two" "$(wc -l <"$tmp/want")" 5
one_by_one a b c d e f g
is "file by file" "$(seen)" "$(cat "$tmp/want")"
one_by_one g f e d c b a
is "backwards" "$(seen)" "$(cat "$tmp/want")"
one_by_one d g a e c f b
is "mixed" "$(seen)" "$(cat "$tmp/want")"
ok "the log verifies" tyto verify
seen >"$tmp/got"
rm -rf "$state/alerts"
is "the table is a view of it" "$(seen)" "$(cat "$tmp/got")"
records 1 nobody 2026-05-01T09:00:00 1 read /srv/z >"$tmp/z"
records 1 nobody 2026-02-01T09:00:00 1 read /srv/z >"$tmp/y"
tyto import -q "$tmp/z"
before=$(tyto -q alerts --all --json | jq -c '[.id,.status,.why]' | sort)
tyto import -q "$tmp/y"
is "another late record changes nothing" "$(tyto -q alerts --all --json | jq -c '[.id,.status,.why]' | sort)" "$before"

# A late part that lies between two cases: they were one all along.
records 60 clerk 2026-03-20T09:00:00 1 read /srv/k >"$tmp/k"
records 60 clerk 2026-03-02T09:00:00 1 read /srv/a >"$tmp/first"
records 60 clerk 2026-03-11T09:00:00 1 read /srv/m >"$tmp/middle"
fresh
tyto import -q "$tmp/first" "$tmp/middle" "$tmp/k"
seen >"$tmp/want"
one_by_one first k middle
is "two cases that a late one joins are one" "$(seen)" "$(cat "$tmp/want")"
is "the other says so" "$(tyto -q alerts --all --json | jq -c 'select(.joined)|[.id,.joined,.status]')" '[2,1,"closed"]'
is "what it counted is all there" "$(tyto -q alerts --all --json | jq -c 'select(.joined|not)|[(.documents|length),.rules[0].hits]')" '[150,3]'

# More of a case that was there already grows it; what a person closed as expected stays quiet, and is counted.
fresh
tyto import -q "$tmp/first"
records 200 clerk 2026-03-02T08:00:00 1 read /srv/before >"$tmp/earlier"
tyto import -q "$tmp/earlier"
is "an earlier grab is the same case, which began earlier" \
	"$(tyto -q alerts --json | jq -c '[.id,.time,.severity,.status,(.rules|length)]')" '[1,"2026-03-02T08:00:49Z","high","open",2]'
tyto alerts close 1 --reason expected
records 60 clerk 2026-03-12T09:00:00 1 read /srv/a >"$tmp/after"
records 60 clerk 2026-03-05T09:00:00 1 read /srv/a >"$tmp/late"
tyto import -q "$tmp/after"
tyto import -q "$tmp/late"
is "expected: quiet in any order, and counted" "$(tyto -q alerts --all --json | jq -c '[.id,.status,.quieted]')" '[1,"closed",2]'

# Without rules a late record is recorded, and that is all.
fresh
tyto import -q "$tmp/e"
echo "rules = /nowhere/at/all" >"$tmp/none.conf"
timeout 60 "$TYTO" --config "$tmp/none.conf" import -q "$tmp/a"
is "without rules nothing is raised" "$(tyto -q alerts --all --json | jq -r .id | tr '\n' ' ')" "1 "
done_testing
