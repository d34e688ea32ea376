#!/bin/bash
# People on the server itself under `tyto watch`: names by NSS, unknown uids, uid 0, aliases; who may read; masked names.
WHO_NS=1
. "$(dirname "$0")/lib/who.bash"
. "$(dirname "$0")/lib/watch.bash"
need jq setpriv python3

accounts
echo "auditor:x:41009:41009::/:/bin/sh" >>"$TMP/passwd"
echo "tyto-read:x:41900:auditor" >>"$TMP/group"
mkdir "$TMP/share"
mount -t tmpfs -o size=16m share "$TMP/share"
test_end() { umount "$TMP/share"; accounts_end; rmdir "${CG:-/nonexistent}" 2>/dev/null; }
mkdir -p "$TMP/share/home/clerk"
for f in one two three stranger root alias box home/clerk/letter; do echo "$f" >"$TMP/share/$f.txt"; done
chmod -R a+rwX "$TMP/share"
# Without rules: which are in force would be a record, too.
printf 'privacy.mask = yes\nrules = /nowhere/at/all\n' >"$TMP/masked.conf"
printf 'privacy.mask = no\nrules = /nowhere/at/all\n' >"$TMP/plain.conf"
chmod 644 "$TMP"/*.conf
CONF=$TMP/plain.conf

as() { local u=$1; shift; setpriv --reuid "$u" --regid "$u" --clear-groups -- "$@"; }
tyto() { "$TYTO" "$1" --config "$CONF" --state "$STATE" "${@:2}" 2>"$TMP/err"; }
is() { [ "$2" = "$3" ] && ok "$1" true || { ANSWER="got $2, expected $3; $(tail -n 2 "$TMP/err")"; ok "$1" false; }; }
reads() { tyto events --json --verb read --path "$TMP/share/$1" | jq -r "$2"; } # reads FILE JQ
recorded() { [ -n "$(reads "$1" .path)" ]; }

ok "watch starts" watch_start --config "$CONF" "$TMP/share"
as 41001 cat "$TMP/share/one.txt" "$TMP/share/home/clerk/letter.txt" >"$TMP/out"
as 41002 cat "$TMP/share/two.txt" >"$TMP/out"
as 41003 cat "$TMP/share/three.txt" >"$TMP/out"
as 47777 cat "$TMP/share/stranger.txt" >"$TMP/out"
(echo 4294967295 >/proc/self/loginuid) 2>/dev/null
cat "$TMP/share/root.txt" >"$TMP/out"
for f in one two three stranger root; do wait_for 10 recorded "$f.txt"; done
is "the clerk, by name" "$(reads one.txt '.person+" "+.person_by+" "+.via')" "clerk acting local"
is "the engineer, by name" "$(reads two.txt '.person+" "+.person_by')" "engineer acting"
is "sales, by name" "$(reads three.txt '.person+" "+.person_by')" "sales acting"
is "an unknown uid" "$(reads stranger.txt '.person+" "+(.uid|tostring)')" "uid:47777 47777"
if [ "$(reads root.txt .via)" = local ]; then
	is "uid 0 without login or session: no person" "$(reads root.txt 'has("person") or has("person_by")')" false
else
	TEST_N=$((TEST_N + 1))
	echo "ok $TEST_N uid 0 without login or session: no person # SKIP this test itself runs in a session"
fi

echo '{"person":"sales","aliases":["uid:47777"]}' >"$TMP/people.json"
ok "people are imported beside the watch" tyto people import "$TMP/people.json"
as 47777 cat "$TMP/share/alias.txt" >"$TMP/out"
wait_for 10 recorded alias.txt
is "from then on an alias is the person" "$(reads alias.txt .person)" sales

# A container: the host's uid, and its id.
ID=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
CG=/sys/fs/cgroup
[ -e "$CG/cgroup.procs" ] || CG=$CG/cpu
CG=$CG/docker-$ID.scope
if mkdir "$CG" 2>/dev/null && (echo "$BASHPID" >"$CG/cgroup.procs" && as 41002 cat "$TMP/share/box.txt" >"$TMP/out") 2>/dev/null; then
	wait_for 10 recorded box.txt
	is "a container: its id and the host's uid" "$(reads box.txt '.container+" "+(.uid|tostring)')" "$ID 41002"
else
	TEST_N=$((TEST_N + 1))
	echo "ok $TEST_N a container: its id and the host's uid # SKIP the kernel refuses a control group"
fi

# Who may read.
chmod a+rx "$TMP"
is "a member of tyto-read reads" "$(as 41009 "$TYTO" who --config "$CONF" --json --state "$STATE" "$TMP/share/one.txt" 2>"$TMP/err" | jq -r .person)" clerk
ok "others do not" eval '! as 41002 "$TYTO" events --config "$CONF" --state "$STATE" >"$TMP/out" 2>"$TMP/err" && [ ! -s "$TMP/out" ]'
as 41002 "$TYTO" status --config "$CONF" --json --state "$STATE" >"$TMP/status" 2>"$TMP/err"
is "others get status" "$(jq 'has("records")' "$TMP/status")" true
ok "without names" eval '! grep -q "clerk\|$TMP/share" "$TMP/status"'
like() { [[ $2 =~ $3 ]] && ok "$1" true || { ANSWER="got $2"; ok "$1" false; }; }
like "nor that it is starting" "$(as 41002 "$TYTO" status --config "$CONF" --state "$STATE" 2>&1 | head -n 1)" '^watching +what, is told to root and members of the group tyto-read'
like "nor does doctor take what it cannot see for what is not there" "$(as 41002 "$TYTO" doctor --config "$CONF" --state "$STATE" 2>&1 | grep trace)" '^unknown +trace +only root'
ok "a reader imports nobody" eval '! as 41009 "$TYTO" people import --config "$CONF" --state "$STATE" "$TMP/people.json" 2>"$TMP/err"'
ok "nor does a stranger" eval '! as 47777 "$TYTO" people import --config "$CONF" --state "$STATE" "$TMP/people.json" 2>"$TMP/err"'
watch_stop

# Masked names: the keeper's own configuration decides for readers.
CONF=$TMP/masked.conf
ok "watch starts with masked names" watch_start --config "$CONF" "$TMP/share"
as 41001 cat "$TMP/share/one.txt" >"$TMP/out"
wait_for 10 grep -q '"person":' "$TMP/watch.out"
ok "the live record is masked too" eval 'grep -q "\"person\":\"p:" "$TMP/watch.out" && ! grep -q "clerk" "$TMP/watch.out"'
P=$(reads one.txt .person | head -n 1)
ok "a person is p:N" eval '[[ $P =~ ^p:[0-9]+$ ]]'
is "who shows the same" "$(tyto who --json "$TMP/share/one.txt" | jq -r .person)" "$P"
is "--person accepts it" "$(tyto events --json --person "$P" --verb read | jq -r .person | sort -u)" "$P"
is "in a home path too" "$(tyto events --json --person "$P" --verb read | jq -r .path | grep -c "/home/$P/letter.txt")" 1
ok "no name is left" eval '! tyto events --json | grep -q "clerk\|engineer\|\"sales\""'
reader() { as 41009 "$TYTO" "$1" --config "$2" --json --state "$STATE" "${@:3}" 2>"$TMP/err"; }
is "a reader sees the same" "$(reader who "$CONF" "$TMP/share/one.txt" | jq -r .person)" "$P"
is "also with a configuration of his own" "$(reader who "$TMP/plain.conf" "$TMP/share/one.txt" | jq -r .person)" "$P"
is "a reader's --person" "$(reader events "$CONF" --person "$P" --verb read | jq -r .person | sort -u)" "$P"
is "root unmasks with a reason" "$(tyto who --json --unmask --reason "case of root" "$TMP/share/one.txt" | jq -r .person)" clerk
ok "never without one" eval '! tyto who --json --unmask "$TMP/share/one.txt"'
is "a reader unmasks with a reason" "$(reader who "$CONF" --unmask --reason "case of reader" "$TMP/share/one.txt" | jq -r .person)" clerk
watch_stop
python3 "$(dirname "$0")/../oracle/check_log.py" --leaves "$STATE" >"$TMP/leaves" 2>&1
is "both look-ups are records" "$(grep -c '"kind": *8' "$TMP/leaves")" 2
ok "with the reason and the uid that the kernel vouches for" grep -qaF "unmask by uid 41009: case of reader" "$STATE/log/names-000000"
ok "verify passes" tyto verify -q
plan
