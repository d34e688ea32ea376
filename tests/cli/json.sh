#!/bin/bash
# docs/json.md against what the commands print: every key that comes is on the page with its type, and those that are always there are.
. "$(dirname "$0")/../lib.sh"
need python3
export TYTO_STATE=$tmp/state
cat >"$tmp/check.py" <<'PY'
import base64, json, re, sys
page, command = open(sys.argv[1], encoding="utf-8").read(), sys.argv[2]
section = next(s for s in page.split("\n## ")[1:] if f"`{command}`" in s.split("\n", 1)[0])
rows = {k: (t, when) for k, t, when in re.findall(r"^\| `([\w.]+)` \| (\w+) \| ?(.*?) ?\|$", section, re.M)}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(\d{3}){1,3})?Z")
TYPES = {"number": lambda v: type(v) is int and 0 <= v < 1 << 64, "bool": lambda v: type(v) is bool, "text": lambda v: type(v) is str,
         "list": lambda v: type(v) is list and all(type(x) is str for x in v), "time": lambda v: type(v) is str and TIME.fullmatch(v),
         "base64": lambda v: type(v) is str and base64.b64decode(v, validate=True)}
def flat(o, at=""):
    for k, v in o.items():
        yield from flat(v, at + k + ".") if isinstance(v, dict) else [(at + k, v)]
assert rows, "no table"
n = 0
for line in sys.stdin:
    got = dict(flat(json.loads(line)))
    n += 1
    for k, v in got.items():
        assert k in rows, f"{k} is not on the page"
        assert TYPES[rows[k][0]](v), f"{k}: {v!r} is no {rows[k][0]}"
    for k, (_, when) in rows.items():
        assert k in got or not when.startswith("always"), f"{k} is missing in {line}"
assert n, "nothing was printed"
PY
# prints STATUS COMMAND-AS-ON-THE-PAGE ARGUMENT…
prints() {
	local want=$1 page=$2
	shift 2
	"$TYTO" "$@" --json >"$tmp/out" 2>"$tmp/err"
	is "$page: exit" $? "$want"
	ok "$page: as on the page" python3 "$tmp/check.py" "$top/docs/json.md" "$page" <"$tmp/out"
}
cat >"$tmp/in" <<'R'
{"time":"2026-03-01T10:00:00Z","verb":"read","person":"clerk","path":"/srv/a","via":"smb"}
{"time":"2026-03-01T10:00:01.5Z","verb":"read","uid":1001,"path":"/srv/a"}
not a record
R
prints 3 "tyto import" import "$tmp/in"
printf 'person,unit\nclerk,sales\n,nobody\n' >"$tmp/staff.csv"
prints 3 "tyto people import" people import "$tmp/staff.csv"
is "people import: the counts" "$(cat "$tmp/out")" '{"people":1,"refused":1}'
is "and on stderr nothing but errors" "$(grep -cv '^{"error":' "$tmp/err")" 0
prints 0 "tyto who" who /srv/a
is "who: one that is known, one by uid" "$(grep -c '"person":' "$tmp/out") $(grep -c '"person_basis":"uid:1001"' "$tmp/out")" "1 1"
prints 0 "tyto verify" verify
prints 0 "tyto status" status
# With an outbox: a server that is not there.
printf 'notify.webhook.url = http://127.0.0.1:1/\n' >"$tmp/notify.conf"
"$TYTO" --config "$tmp/notify.conf" notify run --once >/dev/null 2>&1
prints 0 "tyto status" status
like "with how telling stands" "$(cat "$tmp/out")" '"notify":\{"running":false'
prints 0 "tyto key show" key show
prints 0 "tyto config check" config check
"$TYTO" doctor --json >"$tmp/out" 2>&1
ok "tyto doctor: as on the page" python3 "$tmp/check.py" "$top/docs/json.md" "tyto doctor" <"$tmp/out"
is "config show: texts" "$("$TYTO" config show --json | python3 -c 'import json,sys; print({type(v).__name__ for v in json.load(sys.stdin).values()})')" "{'str'}"
cp -a "$TYTO_STATE" "$tmp/bad"
printf '\377' | dd of="$(echo "$tmp"/bad/log/journal-*)" bs=1 seek=60 conv=notrunc 2>/dev/null
TYTO_STATE=$tmp/bad prints 4 "tyto verify" verify
"$TYTO" who --json >"$tmp/out" 2>"$tmp/err"
is "an error: exit" $? 2
is "an error is one object on stderr" "$(python3 -c 'import json,sys; print(*[list(json.loads(l)) for l in sys.stdin])' <"$tmp/err")" "['error']"
# The twins, and the exit statuses that the page and the manual name.
twins=$(python3 -c 'import json,sys; print(*sorted(k[:-4] for k in json.load(open(sys.argv[1]))["properties"] if k.endswith("_b64")))' "$top/docs/event.schema.json")
is "the twins of the page are those of the schema" "$(sed -n '/has a twin/,/readable stand-in/p' "$top/docs/json.md" | sed 's/The key itself.*//' | grep -o '`[a-z_]*`' | tr -d '`' | sort | xargs)" "$twins"
is "the manual names the same exit statuses" "$(sed -n '/^.Sh EXIT STATUS/,/^.Sh EXAMPLES/s/^.It \(Li \)\{0,1\}\([0-9]*\)$/\2/p' "$top/man/tyto.1" | xargs)" \
	"$(sed -n '/^## Exit/,/^## `/s/^| \([0-9]*\) |.*/\1/p' "$top/docs/json.md" | xargs)"
done_testing
