#!/bin/bash
# What commands look like on a terminal of 80 and 100 columns (tmux): nothing is broken inside a word, columns line up with wide characters,
# no file name writes to the terminal.
. "$(dirname "$0")/../lib.sh"
need python3 tmux
state=$tmp/state
python3 - >"$tmp/in.jsonl" <<'EOF2'
import json
b = {"verb": "read", "via": "smb", "client": "192.0.2.7", "program": "/usr/sbin/smbd"}
def put(sec, path, person, **k): print(json.dumps({"time": f"2026-03-01T10:00:{sec:02}Z", **b, "person": person, "path": path, **k}, ensure_ascii=False))
put(0, "/srv/share/plans/site survey 10.odt", "clerk")
put(1, "/srv/share/plans/site survey 10.odt", "経理担当")
put(2, "/srv/共有/設計書/計画.odt", "経理担当", via="local")
put(3, "/srv/share/\x1b[31mred\x1b]0;title\x07\u202egnp.exe", "sales", count=1234)
put(4, "/srv/share/a", "DOMAIN\\a.very.long.account.name", verb="rename", to="/srv/share/archive/contracts/agreement 01.txt")
put(5, "/srv/share/plans/site survey 10.odt", "DOMAIN\\a.very.long.account.name")
put(6, "/srv/share/plans/cafe\u0301.txt", "re\u0301ne\u0301")
EOF2
ok "import" "$TYTO" import -q --state "$state" "$tmp/in.jsonl"
socket=tyto-test-$$
screens=0
later tmux -L "$socket" kill-server # the last one
screen() { # COLUMNS COMMAND…: $shown
	local columns=$1 q
	shift
	printf -v q '%q ' "$@"
	rm -f "$tmp/done"
	socket=tyto-test-$$-$((++screens)) # a server that ends is not asked again
	tmux -L "$socket" -f /dev/null new-session -d -x "$columns" -y 100 "env LC_ALL=C.UTF-8 TZ=UTC TYTO_STATE=$state $q; touch $tmp/done; sleep 20"
	wait_for 15 test -e "$tmp/done"
	sleep 0.2
	shown=$(tmux -L "$socket" capture-pane -p | sed 's/[[:space:]]*$//')
	tmux -L "$socket" kill-server
}
# Column of the first place where TEXT stands in each line of $shown that has it, wide characters counted as two.
columns_of() { # TEXT
	python3 -c 'import sys, unicodedata
width = lambda s: sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)
print(*sorted({width(l[:l.index(sys.argv[1])]) for l in sys.stdin if sys.argv[1] in l}))' "$1" <<<"$shown"
}
lines_begin() { # REGEX: every line of $shown begins so
	[ -z "$(grep -vE "$1" <<<"$shown" | grep .)" ]
}
for w in 80 100; do
	screen $w "$TYTO" events --verb read --until 2026-03-01T10:00:03Z
	is "events, $w columns: verbs stand below each other" "$(columns_of ' read ')" 32
	ok "events, $w columns: a line is a record, or goes on below the person" lines_begin '^(2026-| {21}[^ ])'
	screen $w "$TYTO" events
	is "events, $w columns: seven records" "$(grep -c ^2026- <<<"$shown")" 7
	ok "events, $w columns: fields are whole" lines_begin '^(2026-| {21}(/|→ |smb|from|×))'
	like "events, $w columns: escape sequences are shown, not sent" "$shown" 'x1b\[31mred\\x1b\]0;title\\x07\\xe2\\x80\\xaegnp.exe'
	screen $w "$TYTO" who "/srv/share/plans/site survey 10.odt"
	is "who, $w columns: the times stand below each other" "$(columns_of 2026-03-01)" "$(columns_of FIRST)"
	ok "who, $w columns: nothing is broken" lines_begin '^(PERSON|clerk|経理担当|DOMAIN| +2026-03-01.* read$)'
	for c in status doctor verify; do
		screen $w "$TYTO" $c
		"$TYTO" $c --state "$state" >"$tmp/plain"
		ok "$c, $w columns: no line is too long" awk -v w=$w 'length > w { exit 1 }' <<<"$shown"
		is "$c, $w columns: the same words as in a file, none broken" "$(tr -s ' \n' '\n' <<<"$shown" | grep -v '^[0-9.]*$')" "$(tr -s ' \n' '\n' <"$tmp/plain" | grep -v '^[0-9.]*$')"
	done
	for c in --help "import --help" "verify --help"; do
		# shellcheck disable=SC2086 # words on purpose
		screen $w "$TYTO" $c
		# shellcheck disable=SC2086
		is "$c, $w columns: no word is broken" "$(tr -s ' \n' '\n' <<<"$shown")" "$("$TYTO" $c | tr -s ' \n' '\n')"
	done
done

# Alerts and rules: a title that does not fit stands below, whole.
mkdir "$tmp/rules"
cat >"$tmp/rules/a-file-of-rules.yml" <<'EOF2'
title: Read by somebody
logsource: {product: tyto}
detection: {s: {verb: read}, condition: s}
level: high
---
title: Documents read from a client address from which this person never came before
logsource: {product: tyto}
detection: {s: {NoSuchField: read}, condition: s}
EOF2
echo "rules = $tmp/rules" >"$tmp/conf"
records_state=$state
state=$tmp/alerted
"$TYTO" import -q --state "$state" --config "$tmp/conf" "$tmp/in.jsonl"
sed -i '1s/Read by somebody/A document was read by somebody whose name is longer than most/' "$tmp/rules/"*.yml
python3 - >"$tmp/more.jsonl" <<'EOF2'
import json
print(json.dumps({"time": "2026-03-02T10:00:00Z", "verb": "read", "person": "buyer", "path": "/srv/share/b"}))
EOF2
"$TYTO" import -q --state "$state" --config "$tmp/conf" "$tmp/more.jsonl"
for w in 80 100; do
	for c in "alerts --all" "alerts show 1" "rules check $tmp/rules" "rules replay"; do
		# shellcheck disable=SC2086
		screen $w "$TYTO" -q --config "$tmp/conf" $c
		# shellcheck disable=SC2086
		"$TYTO" -q --config "$tmp/conf" --state "$state" $c >"$tmp/plain" 2>&1
		ok "$c, $w columns: something is shown" test -s "$tmp/plain"
		is "$c, $w columns: no word is broken" "$(tr -s ' \n' '\n' <<<"$shown")" "$(tr -s ' \n' '\n' <"$tmp/plain")"
	done
done
screen 80 "$TYTO" --config "$tmp/conf" -q alerts --all
like "a title that fits stands beside its person" "$shown" 'clerk +Read by somebody'
is "one that does not stands below, whole" "$(grep -A1 ' buyer$' <<<"$shown" | tail -n 1)" "      A document was read by somebody whose name is longer than most"
state=$records_state

is "into a file, a record is a line" "$("$TYTO" events --state "$state" | wc -l)" 7
is "and has no colour" "$("$TYTO" events --state "$state" | grep -c $'\033')" 0
done_testing
