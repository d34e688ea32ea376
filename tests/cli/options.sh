#!/bin/bash
# Options, help, errors and exit statuses, as a user of git or journalctl would expect them.
. "$(dirname "$0")/../lib.sh"
need python3
state=$tmp/state
export TYTO_STATE=$state
run() { # COMMAND…: $rc, $out, $err
	timeout 30 "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}
usage() { # WHAT REGEX COMMAND…: exit 2, one line on stderr, nothing on stdout
	local what=$1 regex=$2
	shift 2
	run "$@"
	is "$what: exit 2, nothing printed" "$rc $out" "2 "
	is "$what: one line" "$(wc -l <"$tmp/err")" 1
	like "$what: says so" "$err" "$regex"
}

cat >"$tmp/a.jsonl" <<'EOF'
{"time":"2026-03-01T10:00:00Z","person":"clerk","verb":"read","path":"/srv/a.odt"}
{"time":"2026-03-01T11:00:00Z","person":"sales","verb":"write","path":"/srv/b.odt"}
{"time":"2026-03-01T12:00:00Z","person":"clerk","verb":"read","path":"/srv/c.odt"}
EOF
ok "import" "$TYTO" import "$tmp/a.jsonl"

first=$("$TYTO" events -n 1)
like "the first record" "$first" '/srv/a\.odt'
for form in "events -n1" "-n1 events" "events --limit=1" "events --limit 1" "-n 1 events -q" "events -qn1" "-- events"; do
	# shellcheck disable=SC2086 # words on purpose
	run "$TYTO" $form
	is "\`$form\` succeeds" "$rc" 0
	is "\`$form\` begins with it" "$(head -n 1 <<<"$out")" "$first"
done
is "options before the command, state as an option" "$(TYTO_STATE='' "$TYTO" --state "$state" events -n1)" "$first"
is "--state wins over the environment" "$(TYTO_STATE=/nonexistent "$TYTO" events "--state=$state" -n1)" "$first"
is "-r turns the order" "$("$TYTO" events -r | tac)" "$("$TYTO" events)"
run "$TYTO" who -- --not-an-option
is "after -- a word is no option" "$rc $out" "0 "

usage "unknown option" 'unknown option --bogus' "$TYTO" events --bogus
usage "unknown letter" 'unknown option -z' "$TYTO" events -z
usage "an option of another command" 'unknown option --again' "$TYTO" events --again
usage "unknown command" 'no command `evnts`' "$TYTO" evnts
usage "no command" 'which command' "$TYTO"
usage "no value" '--state needs a value' "$TYTO" events --state
for o in path client person object document label reason state since limit; do
	usage "an empty --$o" "--$o needs a value: " "$TYTO" events "--$o" ""
	usage "an empty --$o=" "--$o needs a value: " "$TYTO" events "--$o="
done
for c in who import watch "people import" "evidence export"; do
	# shellcheck disable=SC2086 # words on purpose
	usage "$c of nothing" "tyto ${c%% *}.: an argument is empty" "$TYTO" $c ""
done
usage "a value too much" '--json takes no value' "$TYTO" events --json=yes
usage "not a number" '--limit x: expected a number' "$TYTO" events -n x
usage "a negative number" 'expected a number' "$TYTO" events --limit=-1
usage "a number beyond 64 bits" 'expected a number' "$TYTO" events -n 99999999999999999999
usage "not a time" '--since yesterdayish: expected a date' "$TYTO" events --since yesterdayish
usage "unknown verb" '--verb fly' "$TYTO" events --verb fly
usage "not a document" 'expected sha256:' "$TYTO" events --document 123
usage "import without files" 'needs FILE' "$TYTO" import
usage "who without a document" 'needs PATH' "$TYTO" who
usage "unknown action" 'expected export, proof or checkpoint' "$TYTO" evidence frobnicate
usage "an action missing" 'tyto key' "$TYTO" key
usage "words where none are taken" 'takes no arguments' "$TYTO" status now
usage "a setting that is wrong" 'line 1' "$TYTO" status --config <(echo nonsense)

run "$TYTO" events --json --bogus
is "an error under --json: exit 2" "$rc" 2
like "an error under --json is one object" "$err" '^\{"error":".*--bogus.*"\}$'
run "$TYTO" events --state "$tmp/nothing" --json
is "a failure under --json: exit 1" "$rc" 1
ok "a failure under --json is one object" python3 -c 'import json,sys; assert list(json.load(open(sys.argv[1])))==["error"]' "$tmp/err"

run "$TYTO" --version
like "--version" "$rc $out" '^0 tyto [0-9]+\.[0-9]+'
run "$TYTO" --help
is "--help" "$rc $err" "0 "
like "--help: examples come before the list of commands" "$out" 'Examples.*Commands.*Options'
ok "--help fits into 120 columns" awk 'length > 120 { exit 1 }' "$tmp/out"
run "$TYTO" help who
like "help COMMAND" "$rc $out" '^0 who had this document'

# Every command's help; every option of it stands in the manual, and every option of the manual in a help.
for c in $("$TYTO" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	run "$TYTO" "$c" --help
	is "$c --help" "$rc $err" "0 "
	like "$c --help: examples first, then usage" "$out" "^[^
]*

Examples
.*
Usage
  tyto $c"
	is "$c --help: nothing stands behind the ends of its lines" "$(grep -c ' $' "$tmp/out")" 0
	cat "$tmp/out" >>"$tmp/helps"
done
sed -n 's/^  [ -].[ ,] --\([a-z-]*\).*/\1/p; s/^ *-., --\([a-z-]*\) .*/\1/p' "$tmp/helps" | sort -u >"$tmp/help.options"
grep -oE 'Fl -[a-z][a-z-]*' "$top/man/tyto.1" | sed 's/^Fl -//' | sort -u >"$tmp/man.options"
is "the manual has the options of the help, and no others" "$(cat "$tmp/man.options")" "$(cat "$tmp/help.options")"
ok "there are some" test "$(wc -l <"$tmp/help.options")" -gt 15

# Colour: only on a terminal, never with NO_COLOR.
esc=$'\033'
run "$TYTO" events
ok "no colour into a file" test "${out/$esc/}" = "$out"
need script
colour=$(script -qec "$TYTO events" /dev/null </dev/null)
plain=$(NO_COLOR=1 script -qec "$TYTO events" /dev/null </dev/null)
ok "colour on a terminal" test "${colour/$esc/}" != "$colour"
ok "NO_COLOR" test "${plain/$esc/}" = "$plain"

run "$TYTO" events --person nobody-at-all
is "an empty answer is an answer" "$rc $out" "0 "
run "$TYTO" import "$tmp/a.jsonl" "$tmp/missing"
is "unreadable inputs: exit 3" "$rc" 3
"$TYTO" events | head -n 1 >"$tmp/one"
is "a closed pipe is quiet" "${PIPESTATUS[0]} $(cat "$tmp/one")" "0 $first"
run bash -c "\"$TYTO\" events >/dev/full"
is "a full disk is not" "$rc" 1
like "and said" "$err" 'results could not be written: No space'
start "$TYTO" events -f
wait_for 10 catches "$pid" 2
kill -INT "$pid"
wait "$pid"
is "events -f ends on SIGINT" "$?" 130
done_testing
