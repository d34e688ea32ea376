#!/bin/bash
# The names table beside the commands: the same answers with it, without it and with a damaged one, one line about the damage, and built anew by the next import.
. "$(dirname "$0")/../lib.sh"
need python3
state=$tmp/state

records() { # FROM TO
	python3 - "$1" "$2" <<'PY'
import json, sys, time
for i in range(int(sys.argv[1]), int(sys.argv[2])):
    t = 1735689600 + i * 3600
    print(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)), "verb": "read", "seen": "access", "person": f"clerk{i % 7}",
                      "path": f"/srv/records/folder {i % 11}/r{i}", "object": f"8:{i}:1", "program": "/usr/bin/cat", "via": "local"}))
PY
}
ask() { # the answers to $tmp/answers, what was said to $tmp/said
	{
		"$TYTO" events --json --since 2025-01-01 --person clerk3 --state "$state"
		"$TYTO" events --json --since 2025-01-01 --path '/srv/records/folder 4/*' --state "$state"
		"$TYTO" who --json '/srv/records/folder 2' --state "$state"
		"$TYTO" who --json /srv/records/nothing --state "$state"
	} >"$tmp/answers" 2>"$tmp/said"
}
same() {
	ask
	cmp "$tmp/answers" "$tmp/want"
}
runs() { find "$state/names" -name 'run-*' | wc -l; }
damage() { # every run, somewhere in each block but the first
	python3 - "$state"/names/run-* <<'PY'
import os, sys
for name in sys.argv[1:]:
    with open(name, "r+b") as f:
        for at in range(4096 + 40, os.path.getsize(name), 4096):
            f.seek(at)
            f.write(b"\xa5\x5a")
PY
}

records 0 3000 >"$tmp/a.jsonl"
ok "an import" "$TYTO" import -q --state "$state" "$tmp/a.jsonl"
is "it leaves a table of names" "$(runs)" 1
mv "$state/names" "$tmp/aside"
ask
cp "$tmp/answers" "$tmp/want"
ok "answers without the table" test "$(wc -l <"$tmp/want")" -gt 600
is "a table that is not there is nothing to speak of" "$(grep -v 'nothing is recorded' "$tmp/said")" ""
mv "$tmp/aside" "$state/names"
ok "with the table: the same" same
is "and nothing is said" "$(grep -v 'nothing is recorded' "$tmp/said")" ""

damage
ok "with a damaged table: the same" same
like "a line says so" "$(head -n 1 "$tmp/said")" "names/run-.*expected its number and sum; all names are read instead"
is "one a command" "$(grep -c 'all names are read instead' "$tmp/said")" 4
"$TYTO" who --json '/srv/records/folder 2' --state "$state" >/dev/null 2>"$tmp/said"
is "the status is that of an answer" "$?" 0
records 3000 3010 >"$tmp/b.jsonl"
like "the next import meets it too" "$("$TYTO" import -q --state "$state" "$tmp/b.jsonl" 2>&1)" "all names are read instead"
is "and builds it anew" "$(runs) $(find "$state/names" -name damaged | wc -l)" "1 0"
mv "$state/names" "$tmp/aside"
ask
cp "$tmp/answers" "$tmp/want"
mv "$tmp/aside" "$state/names"
ok "the same again" same
is "and nothing more is said" "$(grep -v 'nothing is recorded' "$tmp/said")" ""

for f in "$state"/names/run-*; do truncate -s -4096 "$f"; done
ok "with a cut table: the same" same
like "a line says so" "$(cat "$tmp/said")" "all names are read instead"
rm -rf "$state/names"
printf 'no folder' >"$state/names"
ok "with a file in its place: the same" same
rm -f "$state/names"
ok "the log verifies, whatever the table was" "$TYTO" verify --state "$state"
done_testing
