#!/bin/bash
# Who is behind plain processes: short-lived ones looked up when they are gone, threads with credentials of their own, containers,
# programs at forged paths, lost messages.
. "$(dirname "$0")/lib/who.bash"
need python3 setpriv unshare

who_start
who_needs_connector

# 2,000 children that exit at once, of a parent with a uid of its own. They are looked up by number when all are gone.
cat >"$TMP/forks.py" <<'EOF'
import os, sys
os.setuid(41002)
pids = []
for i in range(2000):
    p = os.fork()
    if p == 0:
        os._exit(0)
    os.waitpid(p, 0)
    pids.append(p)
print(os.getpid(), *pids, sep="\n")
EOF
/usr/bin/python3 "$TMP/forks.py" >"$TMP/pids"
PARENT=$(head -n 1 "$TMP/pids")
PYTHON=$(readlink -f /usr/bin/python3)
GOOD=0
while read -r p; do
	ask "late $p"
	case $ANSWER in
	*"\"ppid\":$PARENT,"*'"uid":41002,'*"\"program\":\"$PYTHON\""*) GOOD=$((GOOD + 1)) ;;
	*) WRONG=$ANSWER ;;
	esac
done < <(tail -n +2 "$TMP/pids")
ANSWER="$GOOD right; ${WRONG:-}"
ok "2,000 children that exited at once" test "$GOOD" = 2000

# Short-lived programs: right or absent.
WRONG=0
KNOWN=0
for i in {1..100}; do
	setpriv --reuid 41003 --clear-groups /bin/true &
	p=$!
	wait $p
	ask "late $p"
	has program '"/usr/bin/true"' && KNOWN=$((KNOWN + 1)) || { has program '"/usr/bin/setpriv"' || lacks program || WRONG=$((WRONG + 1)); }
	has uid 41003 || WRONG=$((WRONG + 1))
done
ANSWER="$KNOWN known, $WRONG wrong"
echo "# short-lived programs: $ANSWER of 100"
# How many are known depends on how soon we run after the exec.
ok "100 short-lived programs: never a wrong one" test "$WRONG" = 0 -a "$KNOWN" -ge 1

# A thread that took another fsuid; its process did not.
cat >"$TMP/threads.py" <<'EOF'
import ctypes, os, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def work():
    libc.syscall(122, 41003)  # setfsuid, of this thread alone
    open(os.environ["TMP"] + "/tids", "w").write(f"{os.getpid()} {threading.get_native_id()}\n")
    time.sleep(60)
threading.Thread(target=work, daemon=True).start()
time.sleep(60)
EOF
touch "$TMP/tids"
chmod 666 "$TMP/tids"
TMP=$TMP /usr/bin/python3 "$TMP/threads.py" &
own $!
wait_for 10 test -s "$TMP/tids"
read -r PID TID <"$TMP/tids"
ask "held $TID"
ok "a thread with a fsuid of its own" all uid=41003 "tgid=$PID"
ask "held $PID"
ok "its process has kept the other" all uid=0 "tgid=$PID"

# A name with everything in it.
mkdir -p "$TMP/a b"
cp /bin/sleep "$TMP/a b/x) S 1 (y"
"$TMP/a b/x) S 1 (y" 60 &
PID=$!
own $PID
wait_for 5 runs $PID "$TMP/a b/x) S 1 (y"
ask "held $PID"
ok "brackets and blanks in a program's name" all uid=0 "ppid=$$" "program=\"$TMP/a b/x) S 1 (y\""
rm "$TMP/a b/x) S 1 (y"
ask "held $PID"
ok "still its name after it was deleted" all "program=\"$TMP/a b/x) S 1 (y\""

# In a user namespace anybody can mount any program at sshd's or smbd's path.
cat >"$TMP/forge.sh" <<EOF
mount --bind /bin/sleep /usr/sbin/smbd && echo \$\$ >$TMP/forged && exec /usr/sbin/smbd 60
EOF
touch "$TMP/forged"
chmod 666 "$TMP/forged"
if [ -x /usr/sbin/smbd ] && setpriv --reuid 41001 --regid 41001 --clear-groups unshare -Urm true 2>/dev/null; then
	setpriv --reuid 41001 --regid 41001 --clear-groups unshare -Urm bash "$TMP/forge.sh" &
	own $!
	PID=$(pid_file "$TMP/forged")
	wait_for 5 grep -q "^smbd" "/proc/$PID/comm"
	ask "held $PID"
	ok "a program mounted at smbd's path is no smbd" all uid=41001 smb=false 'via="local"' 'program="/usr/sbin/smbd"'
else
	TEST_N=$((TEST_N + 1))
	echo "ok $TEST_N # SKIP no smbd here, or the kernel refuses user namespaces"
fi

# A control group named as a container's.
ID=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
GROUP=
for root in /sys/fs/cgroup/unified /sys/fs/cgroup/pids /sys/fs/cgroup; do
	[ -e "$root/cgroup.procs" ] && mkdir "$root/docker-$ID.scope" 2>/dev/null && GROUP=$root/docker-$ID.scope && break
done
test_end() { [ -z "$GROUP" ] || rmdir "$GROUP"; }
if [ "$GROUP" ]; then
	bash -c "echo \$\$ >$GROUP/cgroup.procs; exec sleep 60" &
	PID=$!
	own $PID
	wait_for 5 grep -q "$PID" "$GROUP/cgroup.procs"
	wait_for 5 runs "$PID" /usr/bin/sleep
	ask "held $PID"
	ok "a container's id" all uid=0 "container=\"$ID\"" 'program="/usr/bin/sleep"'
	bash -c "echo \$\$ >$GROUP/cgroup.procs; exec bash -c ':; :'" &
	PID=$!
	wait $PID
	ask "late $PID"
	ok "a container's id of what is gone: right or absent" eval 'has container "\"$ID\"" || lacks container'
else
	TEST_N=$((TEST_N + 1))
	echo "ok $TEST_N # SKIP the kernel refuses control groups"
fi
ask "held 2"
ok "a kernel thread is nobody" all !uid !via !program !client
who_stop

# Lost messages: everything is forgotten and read again.
who_start -b 4096
ask "held $$"
BEFORE=$ANSWER
kill -STOP "${OWN_PIDS[-1]}"
for i in {1..200}; do /bin/true; done
bash -c "echo \$\$ >$TMP/changed; exec setpriv --reuid 41001 --clear-groups sleep 60" &
own $!
LATER=$!
wait_for 5 runs "$LATER" /usr/bin/sleep
kill -CONT "${OWN_PIDS[-2]}"
ask stats
ok "lost messages are counted" test "${ANSWER//*\"lost\":0,*/none}" != none
ask "held $LATER"
ok "after a loss who acts is read anew" all uid=41001 'program="/usr/bin/sleep"' "ppid=$$"
ask "held $$"
ok "and what was known before is the same" test "$ANSWER" = "$BEFORE"
who_stop
plan
