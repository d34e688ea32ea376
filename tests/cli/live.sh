#!/bin/bash
# Commands beside a running watch: its records by the schema and through another state, import through the keeper, interruption; the demo.
# limit: 300
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "fanotify needs root"
need python3 jq setpriv mkfs.ext4
run() { # COMMAND…: $rc, $out, $err
	timeout 90 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}

# The demo, as root and as an ordinary user, leaves nothing behind.
traces() { # what it could leave: files, mounts, processes, sockets (its own /run/tyto: others run beside this)
	find /tmp /var/tmp -maxdepth 1 -name 'tyto-demo*'
	find "$tmp/run" -mindepth 1
	grep -c tyto-demo /proc/mounts
	pgrep -f 'tyto-demo\.' | wc -l
}
mkdir "$tmp/run"
alone=private # where / is no mount of its own (a chroot) its propagation cannot be changed
unshare -m --propagation private true 2>/dev/null || alone=unchanged
if [ -z "$(pgrep -f 'tyto-demo\.')" ]; then
	mkdir "$tmp/home" && chmod 777 "$tmp/home"
	before=$(traces)
	for who in "" "setpriv --reuid 12345 --regid 12345 --clear-groups"; do
		# shellcheck disable=SC2086
		run unshare -m --propagation "$alone" sh -c 'mkdir -p /run/tyto && mount --bind "$0" /run/tyto && exec "$@"' "$tmp/run" \
			$who env HOME="$tmp/home" "$TYTO" demo
		as=${who:+an ordinary user}
		is "demo as ${as:-root}: exit 0" "$rc" 0
		like "demo as ${as:-root}: ends with how to go on" "$out" 'To go on with a real share'
		like "demo as ${as:-root}: shows the damage found" "$out" 'NOT INTACT: first bad record .*exit status 4'
		like "demo as ${as:-root}: shows the index built again" "$out" 'The index is deleted .*\$ tyto who .*Losses.*indexed [1-9][0-9]*; waiting 0'
		like "demo as ${as:-root}: ends with the losses" "$out" 'Losses.*\$ tyto status.*lost  *0 records.*To go on with a real share'
		is "demo as ${as:-root}: no colour into a file" "$(grep -c $'\033' "$tmp/out")" 0
		wait_for 5 eval '[ "$(traces)" = "$before" ]'
		is "demo as ${as:-root}: leaves nothing behind" "$(traces)" "$before"
		is "demo as ${as:-root}: nor at home" "$(ls -A "$tmp/home")" ""
	done
	like "an ordinary user is told that it goes through import" "$out" 'Not root: .*`tyto import`'
	"$TYTO" demo >"$tmp/out" 2>&1 &
	pid=$!
	wait_for 60 grep -q '^3\. ' "$tmp/out" # the share is made and watched
	wait_for 10 catches "$pid" 2
	kill -INT "$pid"
	ok "the demo interrupted ends" wait_for 10 eval "! kill -0 $pid"
	wait "$pid"
	is "with 130" "$?" 130
	wait_for 5 eval '[ "$(traces)" = "$before" ]'
	is "and leaves nothing behind" "$(traces)" "$before"
else
	skip "the demo" "another one runs here"
fi

loopfs 32M ext4 || skip_all "this kernel mounts no loop devices"
chmod 777 "$mnt"
state=$tmp/state
export TYTO_STATE=$state
"$TYTO" watch --json "$mnt" "$mnt/../${mnt##*/}/" "$mnt" >"$tmp/live.jsonl" 2>"$tmp/watch.log" &
watch=$!
later end_pid "$watch"
ok "watch starts" wait_for 20 grep -q "^tyto: watching" "$tmp/watch.log"
is "a folder that was named three times is one" "$(grep '^tyto: watching' "$tmp/watch.log")" "tyto: watching $mnt (fanotify)"
as() { setpriv --reuid 41001 --regid 41001 --clear-groups "$@"; }
as mkdir "$mnt/共有"
odd=$mnt/共有/$(printf 'a\nb\xff\x1b[31m')
as sh -c 'echo x >"$1"; cat "$1"; mv "$1" "$1.2"; chmod 600 "$1.2"; ln "$1.2" "$1.3"; rm "$1.2"' sh "$odd" >/dev/null
as sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo $i >"$1/f$i"; cat "$1/f$i"; done' sh "$mnt" >/dev/null
ok "all of it is recorded" wait_for 15 grep -q '/f9"' "$tmp/live.jsonl"
sleep 1
cat >"$tmp/valid.py" <<'EOF2'
import json, sys, jsonschema
v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
n = 0
for line in open(sys.argv[2], encoding="utf-8"):
    v.validate(json.loads(line)); n += 1
sys.exit(n < 10)
EOF2
"$TYTO" events --json >"$tmp/events.jsonl"
ok "watch --json fits docs/event.schema.json" python3 "$tmp/valid.py" "$top/docs/event.schema.json" "$tmp/live.jsonl"
ok "events --json, too" python3 "$tmp/valid.py" "$top/docs/event.schema.json" "$tmp/events.jsonl"
plain() { jq -cS 'del(.seq,.refers,.source)' "$@" | sort; }
is "they are the same records" "$(plain "$tmp/live.jsonl" | head -n 12)" "$(plain "$tmp/events.jsonl" | grep -Fxf <(plain "$tmp/live.jsonl") | head -n 12)"
ok "the odd name is there as its bytes" grep -q "$(printf '%s' "$odd" | base64 -w0 | cut -c1-40)" "$tmp/events.jsonl"
ok "another state takes them" "$TYTO" import -q --state "$tmp/second" "$tmp/events.jsonl"
"$TYTO" events --json --state "$tmp/second" >"$tmp/again.jsonl"
is "and gives them back the same, but for seq, refers, source" "$(plain "$tmp/again.jsonl" | sha256sum)" "$(plain "$tmp/events.jsonl" | sha256sum)"

# Import beside it goes through the keeper.
for i in $(seq 50); do printf '{"time":"2026-03-01T10:00:%02dZ","person":"clerk","verb":"read","path":"/srv/%d"}\n' "$((i % 60))" "$i"; done >"$tmp/fifty.jsonl"
run "$TYTO" import "$tmp/fifty.jsonl"
is "import beside a watch" "$rc $err" "0 tyto: 50 records imported, none refused"
is "is answered at once" "$("$TYTO" events --json --path '/srv/*' | wc -l)" 50
is "shown live, too" "$(wait_for 5 eval '[ "$(grep -c "\"/srv/" "$tmp/live.jsonl")" = 50 ]' && echo yes)" yes
run "$TYTO" import "$tmp/fifty.jsonl"
is "the same again: refused" "$rc $(grep -c 'imported already; --again' "$tmp/err")" "3 1"
run "$TYTO" import - <<<'' # nothing
{ echo garbage; cat "$tmp/fifty.jsonl"; } >"$tmp/mixed.jsonl"
run "$TYTO" import "$tmp/mixed.jsonl"
is "a bad line: named, the rest taken" "$rc $(grep -c 'mixed.jsonl, line 1' "$tmp/err") $("$TYTO" events --json --path '/srv/*' | wc -l)" "3 1 100"
python3 -c 'for i in range(200000): print("{\"time\":\"2026-04-01T10:00:00Z\",\"verb\":\"read\",\"path\":\"/long/%d\"}" % i)' >"$tmp/long.jsonl"
"$TYTO" import "$tmp/long.jsonl" >"$tmp/out" 2>"$tmp/err" &
pid=$!
wait_for 20 eval '[ -n "$("$TYTO" events --json -n 1 --path "/long/*" 2>/dev/null)" ]'
kill -INT "$pid"
wait "$pid"
rc=$?
if [ "$rc" = 130 ]; then
	said=$(sed -n 's/^tyto: stopped: \([0-9]*\) records stand.*/\1/p' "$tmp/err")
	is "SIGINT through the keeper: 130, and so many are there" "$rc $("$TYTO" events --json --path '/long/*' | wc -l)" "130 $said"
	run "$TYTO" import "$tmp/long.jsonl"
	like "again: says what to do" "$rc $err" '^3 .*stopped .*--resume.*--again'
else
	is "the import was done before the signal" "$rc $("$TYTO" events --json --path '/long/*' | wc -l)" "0 200000"
fi
is "key rotate goes through the keeper" "$("$TYTO" key rotate -q | wc -l)" 2
is "status beside it" "$("$TYTO" status --json | jq -c '[.running, (.watching|length), .lost]')" "[true,1,0]"
run "$TYTO" doctor
is "doctor: nothing is wrong" "$rc $(grep -c '^wrong' "$tmp/out")" "0 0"
kill -TERM "$watch"
wait "$watch"
is "watch ends in order" "$?" 0
ok "verify" "$TYTO" verify -q
[ "$tests_failed" = 0 ] || tail -n 5 "$tmp/watch.log" | sed 's/^/# /'
done_testing
