#!/bin/bash
# OpenSSH sessions under `tyto watch`: ssh … cat, sftp, scp, rsync, sudo and su in between; with and without login uid.
WHO_NS=1
. "$(dirname "$0")/lib/who.bash"
. "$(dirname "$0")/lib/watch.bash"
. "$(dirname "$0")/lib/sshd.bash"
need jq rsync su

mkdir "$TMP/share"
mount -t tmpfs -o size=16m share "$TMP/share"
for f in cat sftp scp rsync sudo su root login late; do echo "$f" >"$TMP/share/$f.txt"; done
chmod -R a+rwX "$TMP/share"
ssh_test_end=$(declare -f test_end)
eval "${ssh_test_end/test_end/sshd_test_end}"
test_end() { umount "$TMP/share"; sshd_test_end; }
ok "watch starts" watch_start "$TMP/share"

run() { timeout 30 ssh "${OPTS[@]}" -b 192.0.2.7 -p "$PORT" "$1@192.0.2.1" "$2" </dev/null >"$TMP/out" 2>&1 || sed 's/^/# ssh: /' "$TMP/out"; }
sshd_start no
run clerk "cat $TMP/share/cat.txt"
echo "get $TMP/share/sftp.txt $TMP/got" | timeout 30 sftp "${OPTS[@]}" -o BindAddress=192.0.2.7 -P "$PORT" -b - clerk@192.0.2.1 >/dev/null 2>&1
timeout 30 scp "${OPTS[@]}" -o BindAddress=192.0.2.7 -P "$PORT" "engineer@192.0.2.1:$TMP/share/scp.txt" "$TMP/got" >/dev/null 2>&1
timeout 30 rsync -e "ssh ${OPTS[*]} -b 192.0.2.7 -p $PORT" "sales@192.0.2.1:$TMP/share/rsync.txt" "$TMP/got" >/dev/null 2>&1
run engineer "sudo cat $TMP/share/sudo.txt"
run engineer "sudo su sales -s /bin/sh -c 'cat $TMP/share/su.txt'"
run root "cat $TMP/share/root.txt"
run clerk "nohup sh -c 'sleep 2; cat $TMP/share/late.txt' >/dev/null 2>&1 &"
sshd_stop
sleep 2.5
sshd_start yes # PAM sets the login uid
run clerk "sudo cat $TMP/share/login.txt"
sshd_stop
watch_stop

is() { [ "$2" = "$3" ] && ok "$1" true || { ANSWER="got $2, expected $3: $(events "select(.path==\"$4\")")"; ok "$1" false; }; }
# one WHAT FILE PERSON BY [JQ]
one() { is "$1" "$(count ".path==\"$TMP/share/$2.txt\" and .verb==\"read\" and .person==\"$3\" and .person_by==\"$4\" and .via==\"ssh\" and .client==\"192.0.2.7\" ${5:-}")" 1 "$TMP/share/$2.txt"; }
one "ssh … cat" cat clerk session 'and .uid==41001'
one "sftp" sftp clerk session
one "scp" scp engineer session
one "rsync" rsync sales session
one "sudo in between: the human is the engineer" sudo engineer session 'and .uid==0'
one "sudo and su in between" su engineer session 'and .uid==41003'
one "root's own login" root root session 'and .uid==0'
one "a process left behind" late clerk session
if [ "$(count ".path==\"$TMP/share/login.txt\" and .login_uid!=null")" = 1 ]; then
	one "with login uid, through sudo" login clerk login 'and .uid==0 and .login_uid==41001'
else
	TEST_N=$((TEST_N + 1))
	echo "ok $TEST_N with login uid, through sudo # SKIP PAM set no login uid here"
fi
is "nothing else was recorded" "$(count '.verb=="read"')" 9
ok "verify passes" "$TYTO" verify -q --state "$STATE"
plan
