#!/bin/bash
# `tyto events` and `tyto who`: every filter against the same choice made by jq; empty answers; the index gone, damaged, cut; following; masks.
. "$(dirname "$0")/../lib.sh"
need python3 jq
state=$tmp/state
export TYTO_STATE=$state
run() { # COMMAND…: $rc, $out, $err
	timeout 30 "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}

python3 - >"$tmp/in.jsonl" <<'EOF2'
import json
persons = ["clerk", "engineer", "sales", "経理", "DOMAIN\\clerk", None]
verbs = ["read", "write", "open", "rename", "delete", "gap"]
vias = ["local", "ssh", "smb", "nfs", None]
labels = ["public", "internal", "confidential", "restricted", None]
for i in range(600):
    r = {"time": f"2026-0{1 + i // 100}-{1 + i % 28:02}T{i % 24:02}:00:{i % 60:02}Z", "verb": verbs[i % 6 if i % 50 else 5]}
    if r["verb"] == "gap":
        r["end"] = r["time"]
    else:
        r["path"] = f"/srv/{['plans', 'clients', '共有'][i % 3]}/{'sub/' * (i % 4)}d{i % 20}.odt"
        if r["verb"] == "rename": r["to"] = f"/srv/archive/d{i % 20}.odt"
        if persons[i % 6 if i % 7 else 0]: r["person"] = persons[i % 6 if i % 7 else 0]
        if vias[i % 5]: r["via"] = vias[i % 5]
        if i % 4 == 0: r["client"] = f"192.0.2.{i % 8}"
        if labels[i % 5]: r["label"] = labels[i % 5]
        if i % 3 == 0: r["document"] = "sha256:" + f"{i % 5:064x}"
        if i % 2 == 0: r["object"] = f"7:{i % 20}:1"
    print(json.dumps(r, ensure_ascii=False))
EOF2
ok "import" "$TYTO" import -q "$tmp/in.jsonl"
"$TYTO" events --json >"$tmp/all.jsonl"
is "all of them are there" "$(wc -l <"$tmp/all.jsonl")" 600
is "in order of time" "$(jq -r .time "$tmp/all.jsonl")" "$(jq -r .time "$tmp/all.jsonl" | sort)"

# Each filter, and combinations: the same records as jq picks from all. picks JQ OPTION…
picks() {
	local want got jq=$1
	shift
	want=$(jq -c "select($jq)" "$tmp/all.jsonl")
	got=$("$TYTO" events --json "$@" 2>"$tmp/err")
	if [ "$got" = "$want" ] && [ -n "$want" ] && [ ! -s "$tmp/err" ]; then
		lib_result 0 "events $* ($(wc -l <<<"$got") records)"
	else
		is "events $*" "$(head -n 3 <<<"$got"; cat "$tmp/err")" "$(head -n 3 <<<"$want")"
	fi
}
picks '.person=="clerk"' --person clerk
picks '.person=="経理"' --person 経理
picks '.person=="DOMAIN\\clerk"' --person 'DOMAIN\clerk'
picks '.person=="clerk" or .person=="sales"' --person clerk --person sales
picks '.path//""|test("^/srv/plans/[^/]*$")' --path '/srv/plans/*'
picks '(.path//""|test("^/srv/plans/")) or (.to//""|test("^/srv/plans/"))' --path '/srv/plans/**'
picks '(.path//""|test("/d7.odt$")) or (.to//""|test("/d7.odt$"))' --path '**/d7.odt'
picks '.path//""|test("^/srv/共有/sub/d..\\.odt$")' --path '/srv/共有/sub/d??.odt'
picks '(.to//""|test("^/srv/archive/"))' --path '/srv/archive/*'
picks '.document=="sha256:'"$(printf %064x 3)"'"' --document "sha256:$(printf %064x 3)"
picks '.object=="7:4:1"' --object 7:4:1
picks '.verb=="rename"' --verb rename
picks '.verb=="read" or .verb=="write"' --verb read,write
picks '.verb=="read" or .verb=="gap"' --verb read --verb gap
for v in local ssh smb nfs; do picks ".via==\"$v\"" --via $v; done
picks '.via=="ssh" or .via=="nfs"' --via ssh,nfs
picks '.client=="192.0.2.4"' --client 192.0.2.4
for l in public internal confidential restricted; do picks ".label==\"$l\"" --label $l; done
picks '.time>="2026-03-01T00:00:00Z"' --since 2026-03-01
picks '.time<"2026-03-05T12:00:00Z"' --until 2026-03-05T12:00:00Z
picks '.time>="2026-02-03T04:00:00Z" and .time<"2026-02-20T00:00:00Z"' --since 2026-02-03T13:00:00+09:00 --until 2026-02-20
picks '.person=="clerk" and .verb=="read" and .via=="smb"' --person clerk --verb read --via smb
picks '(.person=="clerk" or .person=="engineer") and (.path//""|test("^/srv/(plans|clients)")) and .label=="internal"' --person clerk --person engineer \
	--path '/srv/[pc]l*/**' --label internal
picks '.client=="192.0.2.0" and .document=="sha256:'"$(printf %064x 0)"'" and .time>="2026-02-01T00:00:00Z"' --client 192.0.2.0 \
	--document "sha256:$(printf %064x 0)" --since 2026-02-01
is "-n: the first ones" "$("$TYTO" events --json -n 7)" "$(head -n 7 "$tmp/all.jsonl")"
is "-r: all, turned round" "$("$TYTO" events --json -r)" "$(tac "$tmp/all.jsonl")"
is "-r -n: the newest" "$("$TYTO" events --json -rn 5 --person sales)" "$(jq -c 'select(.person=="sales")' "$tmp/all.jsonl" | tac | head -n 5)"
is "-n 0 is no limit" "$("$TYTO" events --json -n0 | wc -l)" 600
is "an age: nothing is as new" "$("$TYTO" events --since 1s --json; echo $?)" 0
is "options anywhere" "$("$TYTO" --json --person sales events --verb read)" "$("$TYTO" events --verb read --person sales --json)"

# Nothing found is an answer.
for o in "--person nobody" "--path /nowhere/**" "--document sha256:$(printf %064x 99)" "--object 9:9:9" "--client 203.0.113.1" "--verb link" "--since 2030-01-01" \
	"--until 1999-01-01" "--person clerk --verb copy"; do
	# shellcheck disable=SC2086 # words on purpose
	run "$TYTO" events $o
	is "events $o: empty, and no complaint" "$rc $out$err" "0 "
done
run "$TYTO" who /nowhere/at/all
is "who, of nothing known: exit 0, nothing on stdout" "$rc $out" "0 "
like "and says so" "$err" '^tyto: nothing is recorded about /nowhere/at/all$'
run "$TYTO" who --json --since 2030-01-01 /srv/plans/d0.odt
is "who, not in that time: exit 0" "$rc $out" "0 "
like "and says so, too" "$err" 'in that time'
run "$TYTO" who -q /nowhere/at/all
is "-q: silence" "$rc $out$err" "0 "

# who: the same sums as jq makes.
sums() { # JQ: person, first, last, count, verbs of the matching records
	jq -c "select($1)" "$tmp/all.jsonl" | jq -sc 'group_by(.person)[] | {person:.[0].person, first:(map(.time)|min), last:(map(.end//.time)|max),
		count:(map(.count//1)|add), verbs:(map(.verb)|unique)}' | sort
}
who() { "$TYTO" who --json "$@" | jq -c '{person, first, last, count, verbs:(.verbs|sort)}' | sort; }
is "who DOCUMENT" "$(who "sha256:$(printf %064x 0)")" "$(sums '.document=="sha256:'"$(printf %064x 0)"'"')"
is "who OBJECT" "$(who 7:4:1)" "$(sums '.object=="7:4:1"')"
is "who OBJECT --until" "$(who 7:4:1 --until 2026-03-01)" "$(sums '.object=="7:4:1" and .time<"2026-03-01T00:00:00Z"')"
ok "who PATH names persons" test "$(who /srv/plans/d0.odt | wc -l)" -gt 1
is "who -n" "$("$TYTO" who --json -n 1 7:4:1 | wc -l)" 1
is "one header, then a line a person" "$("$TYTO" who 7:4:1 | wc -l)" "$((1 + $("$TYTO" who --json 7:4:1 | wc -l)))"
is "a path is also found from where one stands" "$(cd "$tmp" && who "$(dirs=${tmp//[^\/]/}; sed 's|/|../|g' <<<"$dirs")./srv//clients/../plans/d0.odt")" \
	"$(who /srv/plans/d0.odt)"
ln -s /srv "$tmp/link"
is "and through a link, though it is there no more" "$(who "$tmp/link/plans/d0.odt" | wc -l)" "$([ -d /srv ] && who /srv/plans/d0.odt | wc -l)"

# JSON for whoever reads it: one object a line, valid by the schema, errors as objects.
ok "events --json fits docs/event.schema.json" python3 - "$top/docs/event.schema.json" "$tmp/all.jsonl" <<'EOF2'
import json, sys, jsonschema
v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
for line in open(sys.argv[2], encoding="utf-8"): v.validate(json.loads(line))
EOF2
for c in "events --path" "events --verb fly" "events --person" "events extra" "who" "who a b" "who --document x"; do
	# shellcheck disable=SC2086
	run "$TYTO" --json $c
	is "\`--json $c\`: exit 2, nothing on stdout" "$rc $out" "2 "
	is "\`--json $c\`: one object" "$(wc -l <"$tmp/err") $(jq -r 'keys|join(",")' "$tmp/err")" "1 error"
done
run "$TYTO" who --json --state "$tmp/none" /x
is "no state: exit 1, one object" "$rc $(jq -r 'keys|join(",")' "$tmp/err")" "1 error"

# Escape sequences and colour.
run "$TYTO" events
is "no colour into a file" "$(grep -c $'\033' "$tmp/out")" 0
for c in "events" "who 7:4:1" "status" "doctor"; do
	is "$c: not with NO_COLOR on a terminal" "$(NO_COLOR=1 script -qec "$TYTO $c" /dev/null </dev/null | grep -c $'\033')" 0
done

# The index is a view: gone, cut, damaged, unreadable as a database: the same answers, and at most one line on stderr.
answers() { "$TYTO" events --json; "$TYTO" events --json --person clerk -r; who "sha256:$(printf %064x 0)"; who 7:4:1; }
before=$(answers | sha256sum)
same() { # WHAT
	local lines
	answers >"$tmp/answers" 2>"$tmp/err"
	is "$1: the same answers" "$(sha256sum <"$tmp/answers")" "$before"
	"$TYTO" events --json >"$tmp/out" 2>"$tmp/err"
	lines=$(wc -l <"$tmp/err")
	ok "$1: at most one line on stderr ($lines)" test "$lines" -le 1
}
rm -rf "$state/index"
same "index removed"
"$TYTO" import -q - <<<'{"time":"2025-01-01T00:00:00Z","verb":"link","path":"/later"}'
before=$(answers | sha256sum)
same "index built again"
files=$(find "$state/index" -type f -size +0)
ok "there is an index" test -n "$files"
cp -a "$state/index" "$tmp/index.good"
restore() { rm -rf "$state/index"; cp -a "$tmp/index.good" "$state/index"; }
for f in $files; do
	name=$(basename "$f")
	restore
	truncate -s $(($(stat -c %s "$f") / 2)) "$f"
	same "$name cut to half"
	restore
	: >"$f"
	same "$name empty"
	restore
	python3 - "$f" <<'EOF2'
import os, random, sys
n = os.path.getsize(sys.argv[1])
random.seed(n)
with open(sys.argv[1], "r+b") as f:
    for _ in range(30):
        f.seek(random.randrange(n)); f.write(bytes([random.randrange(256)]))
EOF2
	same "$name with 30 bytes overwritten"
	restore
	head -c 5000 /dev/urandom >"$f"
	same "$name is no database"
	restore
	rm "$f"
	same "$name removed"
done
rm -rf "$state/index"
echo nonsense >"$state/index"
chown --reference="$state" "$state/index"
same "a file where the index should be"
rm -f "$state/index"
restore
is "import goes on afterwards" "$("$TYTO" import - <<<'{"time":"2025-01-01T00:00:01Z","verb":"link","path":"/later2"}' 2>&1)" "tyto: 1 record imported, none refused"
is "and is found" "$("$TYTO" events --json --path /later2 | wc -l)" 1

# Following.
follow() { # OPTION…: $pid
	"$TYTO" events -f "$@" >"$tmp/live" 2>"$tmp/live.err" &
	pid=$!
	later end_pid "$pid"
	wait_for 20 eval '[ "$(turns)" -ge 4 ]' # from its first look on it sleeps 0.1 s between two
}
turns() { awk '/^voluntary_ctxt/ { print $2 }' "/proc/$pid/status"; }
add() { "$TYTO" import -q - <<<"{\"time\":\"2026-08-01T00:00:0$1Z\",\"verb\":\"read\",\"person\":\"$2\",\"path\":\"$3\"}"; }
follow --json --person sales --path '/live/**'
add 1 clerk /live/1
add 2 sales /live/2
add 3 sales /other/3
add 4 sales /live/4 # what is shown comes in the log's order: with it /other/3 has been passed over
ok "-f shows what comes" wait_for 5 grep -q /live/4 "$tmp/live"
is "-f filters" "$(jq -r .path "$tmp/live" | tr '\n' ' ')" "/live/2 /live/4 "
kill -INT "$pid"
wait "$pid"
is "-f: 130 on SIGINT, nothing on stderr" "$? $(cat "$tmp/live.err")" "130 "
follow --json -n 2 --person clerk
add 5 clerk /live/5
ok "-f -n: the first, then what comes" wait_for 5 grep -q /live/5 "$tmp/live"
is "three lines" "$(wc -l <"$tmp/live")" 3
kill -TERM "$pid"
wait "$pid"
is "-f: 130 on SIGTERM" "$?" 130
mkfifo "$tmp/fifo"
"$TYTO" events -f >"$tmp/fifo" 2>"$tmp/live.err" &
pid=$!
later end_pid "$pid"
exec 8<"$tmp/fifo"
wait_for 20 eval '[ "$(turns)" -ge 4 ]'
exec 8<&-
ok "-f with a closed pipe ends though nothing comes" wait_for 5 eval "! kill -0 $pid"
wait "$pid"
is "quietly" "$? $(cat "$tmp/live.err")" "0 "
run bash -c "\"$TYTO\" events --json | head -n 1 | wc -l; echo \${PIPESTATUS[0]}"
is "a closed pipe is quiet" "$out$err" "1
0"
run "$TYTO" events -f --state "$tmp/none"
is "-f without a state: exit 1, one line" "$rc $(wc -l <"$tmp/err")" "1 1"

# Masked.
echo "privacy.mask = yes" >"$tmp/mask.conf"
conf="$tmp/mask.conf"
masked() { "$TYTO" "$1" --config "$conf" "${@:2}"; }
run_masked() { run "$TYTO" "$1" --config "$conf" "${@:2}"; }
masked events --json >"$tmp/masked.jsonl"
is "masked: as many records" "$(wc -l <"$tmp/masked.jsonl")" "$("$TYTO" events --json | wc -l)"
is "masked: every person is a number" "$(jq -r '.person//"p:0"' "$tmp/masked.jsonl" | grep -vcE '^p:[0-9]+$')" 0
is "masked: one number a person, one person a number" "$(paste <("$TYTO" events --json | jq -r '.person//"-"') <(jq -r '.person//"-"' "$tmp/masked.jsonl") | sort -u | wc -l)" \
	"$("$TYTO" events --json | jq -r '.person//"-"' | sort -u | wc -l)"
p=$(masked who --json 7:4:1 | jq -r 'select(.person).person' | head -n 1)
like "who: a number" "$p" '^p:[0-9]+$'
is "who, as text: no name" "$(masked who 7:4:1 | grep -cE 'clerk|engineer|sales|経理')" 0
is "--person p:N" "$(masked events --json --person "$p" | jq -r .person | sort -u)" "$p"
run_masked events --person clerk
is "--person NAME is refused" "$rc $out" "1 "
like "with what to write instead" "$err" '^tyto: persons are masked here: expected p:NUMBER, not clerk \(or --unmask --reason TEXT\)$'
run_masked events -f --person clerk
is "-f --person NAME is refused, too" "$rc $out" "1 "
run_masked events --person p:99999
is "a number that nobody has" "$rc $err" "1 tyto: there is no person p:99999"
follow --json --config "$conf" --person "$p"
name=$("$TYTO" events --json --person "$p" -n 1 | jq -r .person)
add 5 nobody /live/5
add 6 "$(sed 's/\\/\\\\/' <<<"$name")" "/home/$(sed 's/\\/\\\\/' <<<"$name")/6"
ok "-f --person p:N" wait_for 5 grep -q "/home/$p/6" "$tmp/live"
is "that person alone, masked" "$(jq -r .person "$tmp/live" | sort -u)" "$p"
end_pid "$pid" INT
is "p:N in --path, as it is shown" "$(masked events --json --path "/home/$p/*" | jq -r .path)" "/home/$p/6"
is "p:N in who PATH" "$(masked who --json "/home/$p/6" | jq -r .person)" "$p"
is "the name in --path gives nothing, nor does a glob that only it fits" \
	"$(for glob in "/home/$name/*" "/home/$name" "/home/${name:0:1}*/*" "**/$name/6" "/home/[${name:0:1}]*/6" "/home/p*[!0-9]/6"; do masked events --json --path "$glob"; done)" ""
is "a glob that fits what is shown does, and -n counts that" "$(masked events --json -n 1 --path "/home/*/6" | jq -r .path)" "/home/$p/6"
for glob in '/home/p*/6' '/home/??*/**' '/home/[!x]*/6' '**/6' "/home/$p"; do
	is "what is shown fits $glob, whatever the name" "$(masked events --json --path "$glob" | jq -r .path | grep -Fx "/home/$p/6")" "/home/$p/6"
done
follow --json --config "$conf" --path "/home/$name/*"
add 7 nobody "/home/$(sed 's/\\/\\\\/' <<<"$name")/7"
wait_for 10 eval '[ -n "$("$TYTO" events --json --path "**/7" -n 1)" ]'
from=$(turns)
ok "the follower has looked several times since" wait_for 20 eval '[ "$(turns)" -ge $((from + 10)) ]' # it sleeps 0.1 s between two looks
is "nor with -f" "$(cat "$tmp/live")" ""
end_pid "$pid" INT
is "nor in who PATH" "$(masked who --json "/home/$name/6" 2>/dev/null)" ""
run_masked events --unmask
is "--unmask without a reason: exit 2" "$rc $out" "2 "
like "says what it needs" "$err" 'needs --reason TEXT'
is "with one: names, and p:N is still taken" "$(masked events --json --unmask --reason "a test" --person "$p" | jq -r .person | sort -u)" "$name"
ok "and it is a record" grep -rqa "unmask by uid $(id -u): a test" "$state/log"
run "$TYTO" events --unmask --reason x -n 1
is "--unmask where nothing is masked: shown all the same" "$rc $(wc -l <"$tmp/out")" "0 1"
is "and one line says so" "$err" "tyto: --unmask: nothing is masked here (privacy.mask = no), and nothing was recorded"
ok "verify" "$TYTO" verify -q
done_testing
