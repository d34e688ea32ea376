# sshd.bash — a real sshd on 192.0.2.1 in this test's network namespace; clients come from 192.0.2.7. Sourced after lib/who.bash with WHO_NS=1.
#
#   sshd_start PAM(yes|no) [SUBSYSTEM]     on $PORT; sshd_stop ends it and takes the next port
#   "${OPTS[@]}"                           options of every client
need /usr/sbin/sshd ssh sftp scp sudo ssh-keygen ip

PORT=2222
ip link set lo up
ip addr add 192.0.2.7/32 dev lo
ip addr add 192.0.2.1/32 dev lo
accounts
test_end() {
	umount /etc/sudoers 2>/dev/null
	accounts_end
}
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$TMP/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$TMP/key"
cp "$TMP/key.pub" "$TMP/authorized"
chmod 644 "$TMP/authorized"
printf 'ALL ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$TMP/sudoers"
chmod 440 "$TMP/sudoers"
mount --bind "$TMP/sudoers" /etc/sudoers

sshd_start() { # sshd_start PAM(yes|no) [SUBSYSTEM]
	cat >"$TMP/sshd_config" <<-EOF
		Port $PORT
		ListenAddress 0.0.0.0
		HostKey $TMP/host_key
		AuthorizedKeysFile $TMP/authorized
		StrictModes no
		UsePAM $1
		PermitRootLogin yes
		PidFile none
		PrintMotd no
		Subsystem sftp ${2:-/usr/lib/openssh/sftp-server}
	EOF
	/usr/sbin/sshd -D -e -f "$TMP/sshd_config" 2>"$TMP/sshd.log" &
	SSHD=$!
	own $SSHD
	wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
}
sshd_stop() {
	kill "$SSHD"
	wait "$SSHD"
	PORT=$((PORT + 1))
}
OPTS=(-q -i "$TMP/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o IdentitiesOnly=yes -F none)
