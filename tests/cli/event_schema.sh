#!/bin/bash
# docs/event.schema.json against what src/event writes, and against wrong records that both must refuse.
. "$(dirname "$0")/../lib.sh"
build=${TYTO_BUILD:-$top/build}
echo_tool=$build/tests/tools/event-echo
office=$build/bench/office-gen
need "$echo_tool" "$office" python3

# check FILE WANT: every line of FILE is (valid|invalid); the first one that is not is shown.
cat >"$tmp/check.py" <<'P'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
v = jsonschema.Draft202012Validator(schema)
if sys.argv[2] == 'keys':
    print('\n'.join(sorted(schema['properties'])))
    sys.exit()
n = 0
for line in open(sys.argv[3], encoding='utf-8'):
    n += 1
    error = next(v.iter_errors(json.loads(line)), None)
    if (error is None) != (sys.argv[2] == 'valid'):
        print(line, error.message if error else 'is valid')
        sys.exit(1)
sys.exit(n == 0)
P
check() { python3 "$tmp/check.py" "$top/docs/event.schema.json" "$@"; }

ok "the schema is one" check keys
is "the schema's keys are those of the table" "$(check keys)" "$("$echo_tool" --keys | LC_ALL=C sort)"

cat >"$tmp/all.jsonl" <<'R'
{"time":"2026-11-25T14:56:20.123456789Z","end":"2026-11-25T14:56:21Z","host":"files","person":"clerk","person_by":"session","uid":1001,"login_uid":1002,"verb":"rename","seen":"access","path":"/srv/a","to":"/srv/b","object":"2049:18446744073709551615:0","document":"sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff","label":"restricted","bytes":4096,"covered":18446744073709551615,"count":3,"program":"/usr/bin/mv","command":"mv a b","pid":4294967295,"parents":["/bin/bash","/usr/sbin/sshd"],"parent_command":"-bash","cwd":"/srv","via":"ssh","client":"192.0.2.7","peer":"2001:db8::1","port":65535,"container":"0123abcd","allowed":false,"confirmed":"opaque","cause":"disk_full","late":true,"source":9,"refers":4}
{"time":"1990-01-01T00:00:00+09:00","verb":"gap","cause":"overflow"}
{"time":"2026-11-25T14:56:20Z","verb":"read","host_b64":"/w==","person_b64":"/w==","path_b64":"L/8=","to_b64":"/w==","program_b64":"/w==","command_b64":"/w==","parents_b64":["/w==","YQ=="],"parent_command_b64":"/w==","cwd_b64":"/w==","client_b64":"/w==","peer_b64":"/w==","container_b64":"/w=="}
{"time":"2026-11-25T14:56:20Z","verb":"open","path":"a\n\u0000\u001b\ud83e\udd89\u2028"}
R
ok "one record with every key is read and written" eval '"$echo_tool" <"$tmp/all.jsonl" >"$tmp/all.out"'
ok "what is written is valid" check valid "$tmp/all.out"
is "four records, each a line" "$(wc -l <"$tmp/all.out")" 4
is "written again it is the same" "$("$echo_tool" <"$tmp/all.out" | sha256sum)" "$(sha256sum <"$tmp/all.out")"
is "bytes that are not UTF-8 stand beside their stand-in" \
	"$(python3 -c 'import json,sys; r=[json.loads(l) for l in sys.stdin][2]; print(r["path_b64"], r["path"], len(r["parents"]))' <"$tmp/all.out")" "L/8= /� 2"

"$office" --days 2 --records 3000 >"$tmp/office.jsonl"
ok "an office's records are read" eval '"$echo_tool" <"$tmp/office.jsonl" >"$tmp/office.out"'
is "none is lost" "$(wc -l <"$tmp/office.out")" "$(wc -l <"$tmp/office.jsonl")"
ok "and valid as they are written" check valid "$tmp/office.out"

# Records that neither the schema nor the reader takes.
r='{"time":"2026-11-25T14:56:20Z","verb":"read"'
cat >"$tmp/wrong.jsonl" <<R
[]
{"time":1795618580,"verb":"read"}
{"time":"yesterday","verb":"read"}
{"time":"2026-11-25T14:56:20","verb":"read"}
{"time":"2026-11-25T14:56:20Z","verb":"steal"}
$r,"seen":""}
$r,"person":7}
$r,"person":null}
$r,"path":["x"]}
$r,"path_b64":"L_8="}
$r,"path_b64":"L/8"}
$r,"uid":-1}
$r,"uid":4294967296}
$r,"pid":1.5}
$r,"port":65536}
$r,"bytes":18446744073709551616}
$r,"bytes":"1"}
$r,"object":"1:2"}
$r,"object":"01:2:3"}
$r,"document":"sha256:00"}
$r,"label":"secret"}
$r,"parents":[]}
$r,"parents":["1","2","3","4","5","6","7","8","9"]}
$r,"via":"telnet"}
$r,"allowed":1}
$r,"late":"yes"}
$r,"confirmed":"maybe"}
$r,"cause":"bad luck"}
$r,"person_by":"guess"}
$r,"host":"$(printf 'x%.0s' {1..1025})"}
$r,"path":"$(printf 'x%.0s' {1..4097})"}
$r,"command":"$(printf 'x%.0s' {1..513})"}
R
ok "wrong records are invalid" check invalid "$tmp/wrong.jsonl"
"$echo_tool" <"$tmp/wrong.jsonl" >"$tmp/wrong.out" 2>"$tmp/wrong.err"
is "the reader refuses each of them" "$(wc -l <"$tmp/wrong.err") $(wc -c <"$tmp/wrong.out")" "$(wc -l <"$tmp/wrong.jsonl") 0"

# Keys of others: no property of ours, so invalid here, but kept.
printf '%s,"ticket":"A-7","seq":3}\n' "$r" >"$tmp/more.jsonl"
ok "a key of somebody else is none of the schema's" check invalid "$tmp/more.jsonl"
is "and is handed back; seq is not" "$("$echo_tool" <"$tmp/more.jsonl")" "$r,\"ticket\":\"A-7\"}"
printf '%s}\n{"time":"2026-11-25T14:56:20Z"}\n' '{"verb":"read"' >"$tmp/short.jsonl"
ok "time and verb are required" check invalid "$tmp/short.jsonl"
done_testing
