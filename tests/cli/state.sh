#!/bin/bash
# States as they should not be, and the proofs: whose they are, other versions, missing and damaged parts, checkpoints kept elsewhere, keys.
# limit: 400
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "whose files are whose needs root"
need python3 jq setpriv
cd "$tmp" || exit 1
run() { # COMMAND…: $rc, $out, $err
	timeout 60 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}
account=$(id -u tyto 2>/dev/null || echo 65534)
record() { printf '{"time":"2026-03-01T10:00:%02dZ","person":"clerk","verb":"read","path":"/srv/%s"}\n' "$1" "$2"; }
record 1 a >one.jsonl
for i in $(seq 59); do record "$i" "b$i"; done >many.jsonl
printf 'person,aliases\nclerk,c2\n' >people.csv
ok "a state" "$TYTO" import -q --state good many.jsonl
sum() { (cd "$1" && find . -not -path './index/*' -type f -exec sha256sum {} + | sort); }
copy() { rm -rf "$1"; cp -a good "$1"; } # NAME

# Every command on a state: exit status, one line on stderr that matches, nothing on stdout, nothing changed. meets STATE STATUS REGEX COMMAND…
meets() {
	local state=$1 status=$2 regex=$3 before after
	shift 3
	[ -d "$state" ] && before=$(sum "$state")
	run "${who[@]}" "$TYTO" "$@" --state "$state"
	[ -d "$state" ] && after=$(sum "$state")
	if [ "$rc" = "$status" ] && [ -z "$out" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && [[ $err =~ $regex ]] && [ "${before:-}" = "${after:-}" ]; then
		lib_result 0 "$state: $1 ${2:-}: exit $status and why"
	else
		is "$state: $*" "exit $rc, stdout: $out, stderr: $err, state changed: $([ "${before:-}" = "${after:-}" ] && echo no || echo yes)" "exit $status, $regex"
	fi
}
who=()
reads=("events" "who /srv/a" "status" "verify" "evidence checkpoint" "evidence export $tmp/exported" "evidence proof 0")
writes=("key rotate" "import --again one.jsonl" "people import people.csv")
all_meet() { # STATE STATUS REGEX
	local c
	for c in "${reads[@]}" "${writes[@]}"; do
		# shellcheck disable=SC2086 # words on purpose
		meets "$1" "$2" "$3" $c
	done
	[ ! -e "$tmp/exported" ] || { lib_result 1 "$1: an export all the same"; rm -rf "$tmp/exported"; }
}
readers_meet() {
	local c
	# shellcheck disable=SC2086
	for c in "${reads[@]}"; do meets "$1" "$2" "$3" $c; done
}
writers_meet() {
	local c
	# shellcheck disable=SC2086
	for c in "${writes[@]}"; do meets "$1" "$2" "$3" $c; done
}

readers_meet missing 1 '^tyto: .*missing: No such file or directory \(nothing has been recorded'
ok "asking makes no state" test ! -e missing
touch file
all_meet file 1 '^tyto: (state directory )?file( is not a directory|: Not a directory)$'
mkdir foreign && echo x >foreign/notes && chown -R "$account" foreign
all_meet foreign 1 '^tyto: foreign.*(VERSION)'
is "nothing is left in a foreign folder" "$(ls -A foreign)" notes
copy newer
echo "tyto-state 9" >newer/VERSION
all_meet newer 1 '^tyto: newer is a state of version 9, this program knows up to 1: use a newer tyto$'
copy unversioned
echo nonsense >unversioned/VERSION
all_meet unversioned 4 '^tyto: unversioned/VERSION: expected "tyto-state 1"$'
copy other
chown -R 12345 other
writers_meet other 1 "^tyto: state directory other belongs to uid 12345; expected the keeper's account \(uid $account\)"
copy roots
chown -R 0 roots
writers_meet roots 1 "^tyto: state directory roots belongs to root and is not empty; expected the keeper's account"
chmod 755 "$tmp"
who=(setpriv --reuid 12345 --regid 12345 --clear-groups)
readers_meet good 1 '^tyto: state directory good(: Permission denied| cannot be read, and no keeper answers)'
writers_meet good 1 '^tyto: state directory good belongs to uid '"$account"', not to uid 12345'
run "${who[@]}" "$TYTO" watch --state good "$tmp"
is "watch without root: exit 1, one line" "$rc $out$(wc -l <"$tmp/err")" "1 1"
like "and says why" "$err" '^tyto: `tyto watch` needs root'
who=()
copy lost
rm -rf lost/log
all_meet lost 4 '^tyto: lost/log: No such file or directory, but its key is there: expected the log'
copy keyless
rm keyless/keys/log.key
writers_meet keyless 1 '^tyto: keyless/keys/log.key: there is no key file$'
copy openkey
chmod 0644 openkey/keys/log.key
writers_meet openkey 1 '^tyto: openkey/keys/log.key: .*only its owner can read \(mode 0600\)$'
copy rootkey
chown 0 rootkey/keys/log.key
writers_meet rootkey 1 '^tyto: rootkey/keys/log.key: the key file cannot be opened$'
copy badkey
head -c 200 /dev/urandom >badkey/keys/log.key
writers_meet badkey 1 '^tyto: badkey/keys/log.key: the key file does not hold an Ed25519 key in PEM form$'
copy otherkey
"$TYTO" import -q --state second one.jsonl
cat second/keys/log.key >otherkey/keys/log.key
writers_meet otherkey 4 '^tyto: otherkey/keys/log.key: expected the key of the first line of log.vkey$'
for s in keyless openkey rootkey badkey; do
	is "$s: reading and checking need no key" "$("$TYTO" events --state $s | wc -l) $("$TYTO" verify -q --state $s | head -c 7)" "59 intact:"
	run "$TYTO" doctor --state $s
	is "$s: doctor says that it is wrong" "$rc $(grep -c '^wrong *key ' "$tmp/out")" "1 1"
done
for s in other unversioned newer lost foreign file; do
	run "$TYTO" doctor --state $s
	is "$s: doctor: exit 1, something is wrong" "$rc $(grep -cE '^wrong ' "$tmp/out" | sed 's/[1-9]/some/')" "1 some"
done
run "$TYTO" doctor --json --state good
is "doctor --json: an object a check" "$(jq -r .check "$tmp/out" | tr '\n' ' ')" "root sensor kernel account state key disk clock record trace rules people keeper notify "
run "$TYTO" doctor --state missing
is "doctor on a new machine: nothing is wrong" "$rc" 0

# Watch: what it cannot watch.
meets good 1 '^tyto: /nonexistent/share: No such file or directory$' watch /nonexistent/share
meets good 1 "^tyto: $tmp/one.jsonl is not a folder" watch "$tmp/one.jsonl"
meets good 1 '/nonexistent/share: No such file' watch "$tmp" /nonexistent/share
mkdir share
meets newer 1 'state of version 9' watch "$tmp/share"
meets other 1 'belongs to uid 12345' watch "$tmp/share"
meets lost 4 'expected the log' watch "$tmp/share"
meets foreign 1 'foreign.*VERSION' watch "$tmp/share"
for s in keyless openkey rootkey badkey; do meets $s 1 "^tyto: $s/keys/log.key: the(re is no key file| key file )" watch "$tmp/share"; done
copy cut
truncate -s 0 "cut/log/$(cd good/log && ls journal-*)"
meets cut 4 '^tyto: log/journal-' watch "$tmp/share"
is "no process is left" "$(pgrep -fc "@(guard|keeper|sensor).*$tmp")" 0

# A link to the state, a relative one, one with a slash at its end are the same state.
ln -s good link
is "a link to the state" "$("$TYTO" events --state link/ | sha256sum)" "$("$TYTO" events --state ./good | sha256sum)"
long=$tmp/$(printf 'd%.0s' {1..200})/$(printf 'e%.0s' {1..200})
mkdir -p "$(dirname "$long")"
ok "a state at a long path" "$TYTO" import -q --state "$long" one.jsonl
is "is read there" "$("$TYTO" events --state "$long" | wc -l)" 1
ok "an empty folder made beforehand is taken over" eval 'mkdir before && "$TYTO" import -q --state before one.jsonl && [ "$(stat -c %a%u before)" = "700$account" ]'
run "$TYTO" import --state /proc/tyto one.jsonl
is "where no folder can be made: exit 1" "$rc $(wc -l <"$tmp/err")" "1 1"
run "$TYTO" verify some-package --state good
is "a package to verify: not there yet, exit 2" "$rc $(wc -l <"$tmp/err")" "2 1"

# Damage: exit 4 and the first bad record, in text and as JSON; nobody repairs it.
journal=$(cd good/log && ls journal-*)
for at in 30 50 90; do
	copy damaged
	python3 - "damaged/log/$journal" "$at" <<'EOF2'
import os, sys
at = os.path.getsize(sys.argv[1]) * int(sys.argv[2]) // 100
with open(sys.argv[1], "r+b") as f:
    f.seek(at); b = f.read(1)[0]; f.seek(at); f.write(bytes([b ^ 1]))
EOF2
	run "$TYTO" verify --json --state damaged
	bad=$(jq -r '"\(.ok) \(.first_bad // "none")"' "$tmp/out")
	is "one bit at $at %: exit 4" "$rc" 4
	like "one bit at $at %: the first bad record" "$bad" '^false [0-9]+$'
	run "$TYTO" verify --state damaged
	is "one bit at $at %: in words, too" "$rc $(wc -l <"$tmp/out") $err" "4 1 "
	like "one bit at $at %: with the place" "$out" "^NOT INTACT: first bad record ${bad#false }, log/$journal byte [0-9]+: "
	meets damaged 4 "^tyto: log/$journal" import --again one.jsonl
done
for part in checkpoint log.vkey "$journal" names-000000; do
	copy damaged
	rm "damaged/log/$part"
	run "$TYTO" verify --json --state damaged
	is "$part removed: exit 4" "$rc $(jq .ok "$tmp/out")" "4 false"
	copy damaged
	truncate -s $(($(stat -c %s "damaged/log/$part") / 2)) "damaged/log/$part"
	run "$TYTO" verify --json --state damaged
	is "$part cut in half: exit 4" "$rc $(jq .ok "$tmp/out")" "4 false"
	copy damaged
	cat "second/log/$part" >"damaged/log/$part" 2>/dev/null
	run "$TYTO" verify --json --state damaged
	is "$part of another log: exit 4" "$rc $(jq .ok "$tmp/out")" "4 false"
done

# What is kept elsewhere: checkpoints, keys.
ok "a checkpoint is kept" "$TYTO" evidence checkpoint --state good -o early.checkpoint
is "on stdout it is the same" "$("$TYTO" evidence checkpoint --state good)" "$(cat early.checkpoint)"
cp good/log/log.vkey kept.vkey
copy old
for i in 1 2 3; do record "$i" "later$i"; done | "$TYTO" import -q --state good -
"$TYTO" evidence checkpoint --state good -o late.checkpoint
check() { # STATUS WHAT OPTION…
	local status=$1 what=$2
	shift 2
	run "$TYTO" verify "$@"
	is "$what: exit $status" "$rc $(cat "$tmp/out" "$tmp/err" | wc -l | sed 's/[12]/said/')" "$status said"
}
check 0 "a log that grew since a checkpoint" --state good --since-checkpoint early.checkpoint
check 0 "its present checkpoint" --state good --since-checkpoint late.checkpoint
check 0 "an old copy by itself" --state old
check 4 "the log rolled back" --state old --since-checkpoint late.checkpoint
like "the log rolled back: says so" "$out" '^NOT INTACT: '
"$TYTO" evidence checkpoint --state second -o second.checkpoint
check 4 "a checkpoint of another log" --state good --since-checkpoint second.checkpoint
record 9 forked | "$TYTO" import -q --state old -
for i in 1 2 3 4 5 6 7 8; do record "$i" "forked$i"; done | "$TYTO" import -q --state old -
check 0 "a fork by itself" --state old
check 4 "a fork that has grown beyond" --state old --since-checkpoint late.checkpoint
sed 's/^\([0-9]*\)$/999999/' late.checkpoint >forged.checkpoint
check 4 "a checkpoint that nobody signed" --state good --since-checkpoint forged.checkpoint
echo garbage >garbage
for f in garbage /dev/null missing-file "$tmp"; do
	run "$TYTO" verify --state good --since-checkpoint "$f"
	is "--since-checkpoint $f: exit $rc, one line" "$((rc == 1 || rc == 4)) $(cat "$tmp/out" "$tmp/err" | wc -l)" "1 1"
	run "$TYTO" verify --state good --log-key "$f"
	is "--log-key $f: exit 1, one line that names it" "$rc $(wc -l <"$tmp/err") $(grep -cF "${f##*/}" "$tmp/err")" "1 1 1"
done
check 0 "with the kept key" --state good --log-key kept.vkey
is "the kept key: not only self-consistent" "$("$TYTO" verify --json --state good --log-key kept.vkey | jq -r .trust)" "given key"
is "without it, it says so" "$("$TYTO" verify --json --state good | jq -r .trust) / $("$TYTO" verify --state good | grep -c ^self-consistent)" "self-consistent only / 1"
check 4 "with the key of another log" --state good --log-key second/log/log.vkey
before=$("$TYTO" key show --state good)
ok "rotate" "$TYTO" key rotate -q --state good
is "a new key is first, the old one behind it" "$("$TYTO" key show --state good | tail -n +2)" "$before"
is "key show --json" "$("$TYTO" key show --json --state good | jq -c .in_use | tr '\n' ' ')" "true false "
is "it is another key" "$("$TYTO" key show --state good | sort -u | wc -l)" 2
check 0 "after a rotation" --state good
check 0 "after a rotation, since a checkpoint of the old key" --state good --since-checkpoint late.checkpoint
check 0 "after a rotation, with the key that was kept before: the old one vouches for the new one" --state good --log-key kept.vkey

# Export and proofs; tests/cli/oracle.sh lets programs of others check them.
ok "export" "$TYTO" evidence export -q exported --state good
ok "has what C2SP's layout has" test -s exported/checkpoint -a -s exported/log.vkey -a -d exported/tile/0
ok "and no names" eval '! grep -rqaE "clerk|$(printf clerk | base64)" exported'
ok "unless they are asked for" eval '"$TYTO" evidence export -q --names named --state good && grep -q "$(printf clerk | base64)" named/names.jsonl'
run "$TYTO" evidence export exported --state good
is "a second time into the same folder" "$rc" 0
mkdir -p full && echo x >full/notes
run "$TYTO" evidence export full --state good
is "a folder that holds something else keeps it" "$rc $(cat full/notes)" "0 x"
run "$TYTO" evidence export "$tmp/one.jsonl/x" --state good
is "where no folder can be: exit 1, one line" "$rc $(wc -l <"$tmp/err")" "1 1"
size=$("$TYTO" status --json --state good | jq .leaves)
run "$TYTO" evidence proof 0 --state good
like "a proof" "$rc $out" '^0 c2sp.org/tlog-proof@v1'
ok "of the last record, into a file" eval '"$TYTO" evidence proof $((size - 1)) -o last.proof --state good && [ -s last.proof ]'
run "$TYTO" evidence proof "$size" --state good
is "of one that there is not: exit 1, one line" "$rc $out$(wc -l <"$tmp/err")" "1 1"
for s in -1 x 99999999999999999999 ""; do
	run "$TYTO" evidence proof --state good -- "$s"
	is "of \"$s\": exit 2, one line" "$rc $out$(wc -l <"$tmp/err")" "2 1"
done
run "$TYTO" evidence checkpoint -o /nonexistent/x --state good
is "a file that cannot be written: exit 1, one line" "$rc $(wc -l <"$tmp/err")" "1 1"
run bash -c "\"$TYTO\" evidence proof 0 --state good >/dev/full"
is "a full disk: exit 1" "$rc" 1

# Status without a watch: valid JSON with the contract's keys.
is "status --json" "$("$TYTO" status --json --state good | jq -c '[has("watching","records","indexed","queue","lost","gaps","version")] | all')" true
is "status --json: checkpoint and disk" "$("$TYTO" status --json --state good | jq -c '[(.checkpoint.size == .leaves), (.disk.log > 0), (.watching == [])] | all')" true

# Settings.
run "$TYTO" config check --config garbage
is "a bad setting: exit 1, its line named" "$rc $(grep -c 'garbage, line 1: expected ' "$tmp/err")" "1 1"
run "$TYTO" config check --config missing-file
is "a file that is named and missing: exit 1, one line" "$rc $(wc -l <"$tmp/err")" "1 1"
printf 'state = %s/good\nprivacy.mask = yes\n' "$tmp" >tyto.conf
is "the file's state" "$(unset TYTO_STATE; "$TYTO" events --config tyto.conf --json | jq -r .person | sort -u)" "$("$TYTO" events --json --config tyto.conf --state good | jq -r .person | sort -u)"
is "config show --json" "$("$TYTO" config show --json --config tyto.conf --state x | jq -r '."privacy.mask" + " " + .state')" "yes x"
# Below disk.reserve the index waits and the record goes on; questions are answered from the record, and the index catches up.
printf 'disk.reserve = 100000G\n' >reserve.conf
run "$TYTO" import --config reserve.conf --state short many.jsonl
is "below the reserve: recorded, and said once" "$rc $(grep -c '^tyto: index waits: less than disk.reserve is free; the record goes on$' "$tmp/err")" "0 1"
is "nothing of it is indexed" "$("$TYTO" status --json --state short | jq -c '[.indexed, .records]')" "[0,59]"
is "it is answered all the same" "$("$TYTO" events --state short | wc -l) $("$TYTO" who --json --state short /srv/b7 | jq -c '[.person, .count]')" '59 ["clerk",1]'
run "$TYTO" doctor --config reserve.conf --state short
is "doctor says so" "$rc $(grep -c '^wrong *disk ' "$tmp/out")" "1 1"
ok "with room again" "$TYTO" import -q --state short one.jsonl
is "the index has caught up" "$("$TYTO" status --json --state short | jq -c '[.indexed > 60, .records]')" "[true,60]"
run "$TYTO" config show --config tyto.conf
is "config show is a file that config check takes" "$(cp out shown.conf && "$TYTO" config check --config shown.conf >/dev/null 2>&1; echo $?)" 0
done_testing
