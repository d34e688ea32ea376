# samba.bash — a real smbd with the share $TMP/share and the users clerk and engineer, in this test's network namespace; two clients in namespaces
# with addresses of their own: $near 192.0.2.2 (server 192.0.2.1), $far 198.51.100.2 (server 198.51.100.1). Sourced after lib/who.bash with WHO_NS=1.
#
#   smb NAMESPACE ADDRESS USER COMMANDS     one smbclient session; what it says stands in $TMP/out
need smbd smbclient smbpasswd ip nsenter
PORT=4450
accounts
mkdir -p "$TMP/share" "$TMP/samba/private" "$TMP/samba/run"
mount -t tmpfs -o size=64m share "$TMP/share"
test_end() {
	cd /
	umount "$TMP/share"
	accounts_end
}

# The server stands in our own network namespace, each client in one more.
ip link set lo up
client() { # client NAME ADDRESS SERVER: leaves its namespace's pid in $NAME
	unshare -n sleep "$((${WHO_LIMIT:-120} - 10))" &
	own $!
	printf -v "$1" %s $!
	wait_for 5 bash -c "[ \"\$(readlink /proc/$!/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
	ip link add "to-$1" type veth peer name eth0 netns $!
	ip addr add "$3/30" dev "to-$1"
	ip link set "to-$1" up
	nsenter -t $! -n ip addr add "$2/30" dev eth0
	nsenter -t $! -n ip link set eth0 up
}
client near 192.0.2.2 192.0.2.1
client far 198.51.100.2 198.51.100.1

cat >"$TMP/smb.conf" <<EOF
[global]
	server role = standalone server
	workgroup = OFFICE
	smb ports = $PORT
	private dir = $TMP/samba/private
	lock directory = $TMP/samba
	state directory = $TMP/samba
	cache directory = $TMP/samba
	pid directory = $TMP/samba/run
	ncalrpc dir = $TMP/samba/run/ncalrpc
	passdb backend = tdbsam:$TMP/samba/private/passdb.tdb
	log file = $TMP/samba/log
	load printers = no
	disable spoolss = yes
	map to guest = never
	bind interfaces only = no
[share]
	path = $TMP/share
	read only = no
	create mask = 0666
EOF
for u in clerk engineer; do # they may delete each other's files: the folder is open to all
	printf 'secret-%s\nsecret-%s\n' $u $u | smbpasswd -c "$TMP/smb.conf" -L -a -s $u >"$TMP/smbpasswd.log" 2>&1 ||
		{ sed 's/^/# /' "$TMP/smbpasswd.log"; }
done
chmod 777 "$TMP/share"
for f in plan.txt list.txt both.txt; do
	echo "$f" >"$TMP/share/$f"
	chmod 666 "$TMP/share/$f"
done

smbd -F --no-process-group -s "$TMP/smb.conf" >"$TMP/samba/out" 2>&1 &
SMBD=$!
own $SMBD
wait_for 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"

smb() { # smb NAMESPACE ADDRESS USER COMMANDS
	timeout 30 nsenter -t "$1" -n smbclient -s "$TMP/smb.conf" -p $PORT "//$2/share" -U "$3%secret-$3" -c "$4" >"$TMP/out" 2>&1 ||
		sed 's/^/# smbclient: /' "$TMP/out"
}
