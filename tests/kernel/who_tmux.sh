#!/bin/bash
# What runs below a tmux server: who started it is kept, the client is the one that is attached, while exactly one is.
WHO_NS=1
. "$(dirname "$0")/lib/who.bash"
need /usr/sbin/sshd ssh tmux ssh-keygen ip script

PORT=2322
ip link set lo up
ip addr add 192.0.2.7/32 dev lo
ip addr add 192.0.2.8/32 dev lo
ip addr add 192.0.2.1/32 dev lo
accounts
test_end() {
	[ "${SERVER:-}" ] && kill "$SERVER" 2>/dev/null
	accounts_end
}
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$TMP/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$TMP/key"
cat >"$TMP/sshd_config" <<EOF
Port $PORT
ListenAddress 0.0.0.0
HostKey $TMP/host_key
AuthorizedKeysFile $TMP/key.pub
StrictModes no
UsePAM no
PidFile none
PrintMotd no
EOF
chmod 644 "$TMP/key.pub"
who_start
who_needs_connector
/usr/sbin/sshd -D -e -f "$TMP/sshd_config" 2>"$TMP/sshd.log" &
own $!
wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"

SOCKET=$TMP/home/clerk/socket
attach() { # attach FROM COMMAND: a terminal session that stays; its ssh in $CLIENT
	timeout 60 ssh -tt -q -i "$TMP/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o IdentitiesOnly=yes \
		-F none -b "$1" -p "$PORT" clerk@192.0.2.1 "TERM=xterm $2" < <(exec sleep 60) >"$TMP/terminal" 2>&1 &
	CLIENT=$!
	own $CLIENT
}
clients() { # clients NUMBER: so many are attached
	wait_for 10 bash -c "[ \"\$(setpriv --reuid 41001 --regid 41001 --clear-groups tmux -S $SOCKET list-clients 2>/dev/null | wc -l)\" = $1 ]"
	sleep 1.2 # the answer may be a second old
}

touch "$TMP/pid"
chmod 666 "$TMP/pid"
attach 192.0.2.7 "tmux -f /dev/null -S $SOCKET new-session 'echo \$\$ >$TMP/pid; exec sleep 60'"
FIRST=$CLIENT
PID=$(pid_file "$TMP/pid")
clients 1
SERVER=$(ps -o ppid= -p "$PID" | tr -d ' ')
ask "held $PID"
ok "one attached" all uid=41001 session_uid=41001 'via="ssh"' 'client="192.0.2.7"' 'program="/usr/bin/sleep"'

attach 192.0.2.8 "tmux -S $SOCKET attach"
SECOND=$CLIENT
clients 2
ask "held $PID"
ok "two attached: the client is not known" all uid=41001 session_uid=41001 'via="ssh"' !client

kill "$FIRST"
wait "$FIRST" 2>/dev/null
clients 1
ask "held $PID"
ok "the second stays: it is the client" all uid=41001 session_uid=41001 'via="ssh"' 'client="192.0.2.8"'

kill "$SECOND"
wait "$SECOND" 2>/dev/null
clients 0
ask "held $PID"
ok "nobody attached: the user is known, the client is not" all uid=41001 session_uid=41001 'via="ssh"' !client

CONSOLE="setpriv --reuid 41001 --regid 41001 --clear-groups env TERM=xterm tmux -S $SOCKET attach"
timeout 50 script -qc "$CONSOLE" /dev/null < <(exec sleep 50) >/dev/null 2>&1 &
own $!
clients 1
ask "held $PID"
ok "somebody at the console attached: no client" all uid=41001 session_uid=41001 'via="ssh"' !client
who_stop
plan
