#!/bin/bash
# Who is behind accesses of OpenSSH sessions: ssh … cat, sftp, scp, sudo in between, root's own login, a process left behind; with and
# without login uid.
WHO_NS=1
. "$(dirname "$0")/lib/who.bash"
. "$(dirname "$0")/lib/sshd.bash"

session() { # session USER COMMAND: leaves the pid of what COMMAND executes in $PID; it waits at a fifo
	rm -f "$TMP/pid"
	touch "$TMP/pid"
	chmod 666 "$TMP/pid"
	timeout 60 ssh "${OPTS[@]}" -b 192.0.2.7 -p "$PORT" "$1@192.0.2.1" "$2" </dev/null >/dev/null 2>&1 &
	CLIENT=$!
	own $CLIENT
	PID=$(pid_file "$TMP/pid")
}
session_end() {
	kill "$CLIENT" 2>/dev/null
	wait "$CLIENT" 2>/dev/null
}
mkfifo "$TMP/gate"
chmod 666 "$TMP/gate"
CAT="echo \$\$ >$TMP/pid; exec cat $TMP/gate"
in_ns() { # in_ns NAME: the newest process of that name in our network namespace
	PID=
	wait_for 10 pgrep -n --ns $$ --nslist net -x "$1"
	PID=$(pgrep -n --ns $$ --nslist net -x "$1")
}

FROM='client="192.0.2.7"'
who_start
who_needs_connector
who_stop
for connector in yes no; do
	note="connector: $connector"
	[ $connector = yes ] && who_start || who_start -c
	sshd_start no
	session clerk "$CAT"
	ask "held $PID"
	ok "ssh … cat ($note)" all uid=41001 session_uid=41001 'via="ssh"' "$FROM" 'program="/usr/bin/cat"' !login_uid
	session_end

	session engineer "sudo bash -c '$CAT'"
	ask "held $PID"
	ok "sudo in between: the uid is root's, the session the engineer's ($note)" all uid=0 session_uid=41002 'via="ssh"' "$FROM" !login_uid
	session_end

	session engineer "sudo -u sales bash -c '$CAT'"
	ask "held $PID"
	ok "sudo to somebody else ($note)" all uid=41003 session_uid=41002 'via="ssh"' "$FROM"
	session_end

	session root "$CAT"
	ask "held $PID"
	ok "root's own login ($note)" all uid=0 session_uid=0 'via="ssh"' "$FROM"
	session_end

	head -c 4000000 /dev/zero >"$TMP/large"
	timeout 60 scp "${OPTS[@]}" -l 64 -o BindAddress=192.0.2.7 -P "$PORT" "clerk@192.0.2.1:$TMP/large" "$TMP/copy" >/dev/null 2>&1 &
	CLIENT=$!
	in_ns sftp-server
	ask "held $PID"
	ok "scp ($note)" all uid=41001 session_uid=41001 'via="ssh"' "$FROM" 'program="/usr/lib/openssh/sftp-server"'
	session_end

	timeout 60 scp "${OPTS[@]}" -O -l 64 -o BindAddress=192.0.2.7 -P "$PORT" "clerk@192.0.2.1:$TMP/large" "$TMP/copy" >/dev/null 2>&1 &
	CLIENT=$!
	PID=
	remote_scp() { PID=$(pgrep -n --ns $$ --nslist net -f '^scp -f'); }
	wait_for 10 remote_scp
	ask "held $PID"
	ok "scp by its old protocol ($note)" all uid=41001 session_uid=41001 'via="ssh"' "$FROM" 'program="/usr/bin/scp"'
	session_end

	timeout 60 sftp "${OPTS[@]}" -l 64 -o BindAddress=192.0.2.7 -P "$PORT" "sales@192.0.2.1:$TMP/large" "$TMP/copy" >/dev/null 2>&1 &
	CLIENT=$!
	in_ns sftp-server
	ask "held $PID"
	ok "sftp ($note)" all uid=41003 session_uid=41003 'via="ssh"' "$FROM"
	session_end
	sshd_stop

	sshd_start no internal-sftp
	timeout 60 sftp "${OPTS[@]}" -l 64 -o BindAddress=192.0.2.7 -P "$PORT" "sales@192.0.2.1:$TMP/large" "$TMP/copy" >/dev/null 2>&1 &
	CLIENT=$!
	PID=
	internal() { PID=$(pgrep -n --ns $$ --nslist net -f '^sshd: sales@internal-sftp'); }
	wait_for 10 internal
	internal
	ask "held $PID"
	ok "sftp inside sshd ($note)" all uid=41003 session_uid=41003 'via="ssh"' "$FROM" 'program="/usr/sbin/sshd"'
	session_end

	session clerk "setsid nohup bash -c '$CAT' >/dev/null 2>&1 </dev/null & until [ -s $TMP/pid ]; do sleep 0.05; done"
	wait "$CLIENT" 2>/dev/null
	LEFT=$PID
	ended() { ! pgrep --ns $$ --nslist net -f '^sshd: clerk'; }
	wait_for 10 ended
	ask "held $LEFT"
	if [ $connector = yes ]; then
		ok "left behind after the session's end ($note)" all uid=41001 session_uid=41001 'via="ssh"' "$FROM"
	else
		ok "left behind: what its ancestry still tells ($note)" all uid=41001 !session_uid 'via="local"' !client
	fi
	kill "$LEFT"
	ask "held $SSHD"
	ok "the listener is no session ($note)" all !session_uid !client 'via="local"'
	sshd_stop

	sshd_start yes
	session clerk "$CAT"
	if [ "$(cat "/proc/$PID/loginuid" 2>/dev/null)" = 41001 ]; then
		ask "held $PID"
		ok "login uid set by pam ($note)" all uid=41001 login_uid=41001 session_uid=41001 'via="ssh"' "$FROM"
	else
		TEST_N=$((TEST_N + 1))
		echo "ok $TEST_N # SKIP the kernel or pam does not set a login uid here: $(cat "/proc/$PID/loginuid" 2>&1)"
	fi
	session_end
	sshd_stop

	# A login uid set by hand, as login programs do.
	rm -f "$TMP/pid"; touch "$TMP/pid"; chmod 666 "$TMP/pid"
	bash -c "echo 41002 >/proc/self/loginuid; setpriv --reuid 41001 --regid 41001 --clear-groups bash -c '$CAT'" >/dev/null 2>&1 &
	CLIENT=$!
	own $CLIENT
	PID=$(pid_file "$TMP/pid")
	ask "held $PID"
	ok "login uid without ssh ($note)" all uid=41001 login_uid=41002 !session_uid !client 'via="local"'
	kill "$PID"
	session_end
	who_stop
done

# Short-lived programs of a session, looked up after they are gone.
who_start
sshd_start no
session clerk "for i in 1 2 3 4 5 6 7 8 9 10; do rm -f $TMP/none & echo \$!; wait; done >$TMP/home/clerk/pids; $CAT"
GOOD=0
FIRST=
for p in $(cat "$TMP/home/clerk/pids"); do
	ask "late $p"
	all uid=41001 session_uid=41001 'via="ssh"' "$FROM" >/dev/null && GOOD=$((GOOD + 1)) || FIRST=$ANSWER
done
ANSWER="$GOOD of 10; $FIRST"
ok "ten that are gone" test "$GOOD" = 10
session_end
who_stop

# Started after the session, which has forwarded connections of its own by now: its client is the one that came in on sshd's port.
OPTS+=(-L "127.0.0.1:9922:192.0.2.1:$PORT" -R 127.0.0.1:9923:127.0.0.1:1)
session root "$CAT"
wait_for 10 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9922'
exec {FORWARDED}<>/dev/tcp/127.0.0.1/9922
read -r -t 10 -u "$FORWARDED" _
for options in "" -c; do
	who_start $options
	ask "held $PID"
	ok "a session with forwarded connections, seen later${options:+, no connector}" all uid=0 session_uid=0 'via="ssh"' "$FROM"
	who_stop
done
exec {FORWARDED}>&-
session_end
unset "OPTS[-1]" "OPTS[-1]" "OPTS[-1]" "OPTS[-1]"
sshd_stop

# IPv6.
if ip -6 addr add 2001:db8::7/128 dev lo nodad 2>/dev/null && ip -6 addr add 2001:db8::1/128 dev lo nodad; then
	sed -i 's/^ListenAddress.*/ListenAddress ::/' "$TMP/sshd_config"
	sed -i "s/^Port.*/Port $PORT/" "$TMP/sshd_config"
	who_start
	/usr/sbin/sshd -D -e -f "$TMP/sshd_config" 2>"$TMP/sshd.log" &
	SSHD=$!
	own $SSHD
	wait_for 10 bash -c "exec 3<>/dev/tcp/2001:db8::1/$PORT"
	rm -f "$TMP/pid"
	touch "$TMP/pid"
	chmod 666 "$TMP/pid"
	timeout 60 ssh "${OPTS[@]}" -b 2001:db8::7 -p "$PORT" clerk@2001:db8::1 "$CAT" </dev/null >/dev/null 2>&1 &
	CLIENT=$!
	own $CLIENT
	PID=$(pid_file "$TMP/pid")
	ask "held $PID"
	ok "a client with an IPv6 address" all uid=41001 session_uid=41001 'via="ssh"' 'client="2001:db8::7"'
	session_end
	who_stop
	sshd_stop
else
	TEST_N=$((TEST_N + 1))
	echo "ok $TEST_N # SKIP the kernel has no IPv6"
fi
plan
