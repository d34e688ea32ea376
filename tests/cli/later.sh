#!/bin/bash
# A state that a newer program wrote to: leaves of kinds that this version does not know are no damage; every command that may lack something says so.
. "$(dirname "$0")/../lib.sh"
tool=${TYTO_BUILD:-$top/build}/tests/tools/later-leaf
need python3 "$tool"
export TYTO_STATE=$tmp/state
echo '{"time":"2026-03-01T10:00:00Z","verb":"read","person":"clerk","path":"/srv/a"}' >"$tmp/a"
"$TYTO" import -q "$tmp/a"
says() { # WHAT REGEX COMMAND…: exit 0, and stderr says so
	local what=$1 regex=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err"
	is "$what: exit" $? 0
	like "$what: says so" "$(cat "$tmp/out" "$tmp/err")" "$regex"
}
"$TYTO" events >/dev/null 2>"$tmp/err"
is "nothing is said where nothing is unknown" "$(cat "$tmp/err")" ""
as_owner=()
[ "$(id -u)" != 0 ] || as_owner=(setpriv --reuid "$(stat -c %u "$TYTO_STATE")" --regid "$(stat -c %g "$TYTO_STATE")" --clear-groups)
ok "leaves of later kinds" "${as_owner[@]}" "$tool" "$TYTO_STATE" 60 name:31 255
says verify '3 of them are of a kind that a newer tyto wrote' "$TYTO" verify
says "verify --json" '"ok":true.*"unknown":3' "$TYTO" verify --json
says events '3 leaves of the log are of kinds that a newer tyto wrote' "$TYTO" events
is "events: the record is there" "$(grep -c /srv/a "$tmp/out")" 1
says who '3 leaves of the log' "$TYTO" who /srv/a
says status 'not understood +3 leaves' "$TYTO" status
says "status --json" '"unknown":3' "$TYTO" status --json
rm -rf "$TYTO_STATE/index"
says "import goes on behind them" '1 record imported' "$TYTO" import --again "$tmp/a"
is "and all is indexed" "$("$TYTO" status --json | python3 -c 'import json,sys; s=json.load(sys.stdin); print(s["indexed"] == s["leaves"], s["records"])')" "True 2"
says "names are exported with the log" '' "$TYTO" evidence export --names "$tmp/export"
like "the later one with them" "$(cat "$tmp/export/names.jsonl")" '"kind":31,"number":1'
says "an outside checker" '3 leaves of kinds that format 1.0 does not have' python3 "$top/tests/oracle/check_log.py" "$TYTO_STATE"
done_testing
