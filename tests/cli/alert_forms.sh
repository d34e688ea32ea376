#!/bin/bash
# `tyto alerts --as ocsf|ecs|cef`: names that others' parsers stumble over come back whole, and masked ones stay masked in every form. The keys are checked against
# the published schemas by eval/alert_forms.py.
. "$(dirname "$0")/../lib.sh"
need python3 jq
alert_rules
printf 'rules = %s\nprivacy.mask = yes\n' "$tmp/rules" >"$tmp/masked"
export TYTO_STATE=$tmp/state
masked() { timeout 60 "$TYTO" --config "$tmp/masked" "$@"; }

cat >"$tmp/make.py" <<'EOP'
import json
who = "ev|e=\\\r\nBcc: all\t\"x\"\u2028"
for i in range(60):
    print(json.dumps(dict(time=f"2026-03-02T09:00:{i:02}Z", host="fi|l=es", person=who, person_by="session", verb="read", seen="access",
        path=f"/home/{who}/pl|a=n\\s\n/d{i}.odt", program="/usr/bin/cp", via="ssh", label="confidential", document="sha256:" + "%064x" % i)))
for i in range(60):
    print(json.dumps(dict(time=f"2026-03-02T10:00:{i:02}Z", host="files", person="clerk", person_by="session", verb="read", seen="access",
        path_b64=__import__("base64").b64encode(b"/srv/clerk/\xff\xfe%d" % i).decode(), path=f"/srv/clerk/{i}")))
EOP
python3 "$tmp/make.py" >"$tmp/in"
ok "imported" tyto import -q "$tmp/in"

is "ocsf: the person, whole" "$(tyto -q alerts show 1 --as ocsf | jq -r '.evidences[0].user.name')" $'ev|e=\\\r\nBcc: all\t"x"\u2028'
is "ocsf: class, type, version" "$(tyto -q alerts --as ocsf | jq -c '[.class_uid,.type_uid-.activity_id,.metadata.version]' | sort -u)" '[2004,200400,"1.8.0"]'
is "ocsf: 60 documents with hashes" "$(tyto -q alerts show 1 --as ocsf | jq '[.evidences[].file.hashes[0].value|values]|unique|length')" 60
is "ocsf, ecs: the rule's tags" "$(tyto -q alerts show 1 --as ocsf | jq -c '[.finding_info.attacks[].technique.uid|values]') $(tyto -q alerts show 1 --as ecs | jq -c .threat.technique.id)" \
	'["T1005","T1039"] ["T1005","T1039"]'
is "and its tactic" "$(tyto -q alerts show 1 --as ocsf | jq -c '[.finding_info.attacks[].tactic|values]') $(tyto -q alerts show 1 --as ecs | jq -c '[.threat.tactic.id,.threat.tactic.name]')" \
	'[{"uid":"TA0009","name":"Collection"}] [["TA0009"],["Collection"]]'
is "ecs: the person, whole" "$(tyto -q alerts show 1 --as ecs | jq -r '.user.name')" $'ev|e=\\\r\nBcc: all\t"x"\u2028'
is "ecs: version, kind" "$(tyto -q alerts --as ecs | jq -c '[.ecs.version,.event.kind]' | sort -u)" '["9.4.0","alert"]'
is "an object a line" "$(tyto -q alerts --all --as ecs | wc -l) $(tyto -q alerts --all --as ocsf | wc -l) $(tyto -q alerts --all --as cef | wc -l)" "2 2 2"

# A reader of CEF that knows the format's rules alone.
cat >"$tmp/cef.py" <<'EOP'
import json, re, sys
for line in sys.stdin.buffer:
    line = line.decode()  # well-formed UTF-8, or it fails here
    assert line.endswith("\n") and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", line[:-1]), line
    head, rest, at = [], line[:-1], 0
    assert rest.startswith("CEF:0|")
    while len(head) < 7:
        m = re.match(r"((?:[^\\|]|\\[\\|])*)\|", rest[at:])
        assert m, rest[at:]
        head.append(re.sub(r"\\(.)", r"\1", m[1]))
        at += m.end()
    rest = rest[at:]
    starts = [m for m in re.finditer(r"(?:^| )([A-Za-z0-9]+)=", rest) if not re.search(r"(?<!\\)(\\\\)*\\$", rest[:m.end() - 1])]
    fields = {}
    for i, m in enumerate(starts):
        value = rest[m.end():starts[i + 1].start() if i + 1 < len(starts) else len(rest)]
        assert not re.search(r"(?<!\\)(?:\\\\)*=", value), value
        fields[m[1]] = re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], value)
    print(json.dumps(dict(head=head, **fields)))
EOP
tyto -q alerts --all --as cef | python3 "$tmp/cef.py" >"$tmp/cef" 2>"$tmp/cef.err"
is "cef: another's parser reads both" "$(wc -l <"$tmp/cef")$(cat "$tmp/cef.err")" 2
is "cef: person and host; control characters become spaces" "$(jq -sr '.[0]|.suser,.dvchost' "$tmp/cef")" $'ev|e=\\\nBcc: all "x"\u2028\nfi|l=es'
like "cef: the path, escaped" "$(jq -sr '.[0].filePath' "$tmp/cef")" $'pl\|a=n\\\\s\n/d0\.odt$'
is "cef: head" "$(jq -sc '.[0].head|[.[0],.[1],.[2],.[6]]' "$tmp/cef")" '["CEF:0","Tyto","Tyto","8"]'
is "cef: numbers" "$(jq -sc '.[0]|[.externalId,.cnt,.cn1,.cs1]' "$tmp/cef")" '["1","60","60","open"]'
is "cef: the rule's tags" "$(jq -sc '.[0]|[.cs3Label,.cs3]' "$tmp/cef")" '["MITRE ATT&CK","T1005 T1039"]'
is "cef: its tactic" "$(jq -sc '.[0]|[.cs4Label,.cs4]' "$tmp/cef")" '["MITRE ATT&CK tactics","TA0009"]'
is "cef: bytes that are no text" "$(jq -sr '.[1].fname' "$tmp/cef")" $'\ufffd\ufffd0'

# Masked, in every form; also in paths.
for form in ocsf ecs cef; do
	is "$form: no name where persons are masked" "$({ masked -q alerts --all --as "$form"; masked -q alerts show 1 --as "$form"; } | grep -c 'Bcc\|clerk"\|suser=clerk')" 0
	like "$form: but a number" "$(masked -q alerts show 1 --as "$form")" 'p:[0-9]+'
done
like "another form is refused" "$(tyto alerts --as xml 2>&1)" 'expected ocsf, ecs or cef'
tyto alerts --as xml >/dev/null 2>&1
is "as a usage error" "$?" 2
done_testing
