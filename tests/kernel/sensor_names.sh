#!/bin/bash
# The name service and Tyto's own state lie on the filesystem that is watched, inside of what is watched even: users' opens go on, nothing waits for
# itself, nothing is lost, and our own accesses are not recorded. Also while the name service stands still.
if [ -z "${IN_NAMESPACE:-}" ]; then
	# In a chroot the root is no mount point whose propagation could be changed.
	propagation=private
	unshare -m --propagation private true 2>/dev/null || propagation=unchanged
	exec env IN_NAMESPACE=1 unshare -m --propagation $propagation bash "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need unshare

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w" "$w/names"
chmod 755 "$mnt" "$w"
for i in 1 2 3 4; do echo text >"$w/doc$i"; done
{ cat /etc/passwd; echo "clerk:x:41001:41001::/:/bin/sh"; } >"$w/names/passwd"
{ cat /etc/group; echo "clerk:x:41001:"; } >"$w/names/group"
printf 'passwd: files\ngroup: files\n' >"$w/names/nsswitch.conf"
{ cat "$w/names/passwd"; echo "engineer:x:41002:41002::/:/bin/sh"; } >"$w/names/table" # more than the files know
chmod -R a+rX "$w"
for f in passwd group nsswitch.conf; do
	mount --bind "$w/names/$f" "/etc/$f" || skip_all "the kernel refuses bind mounts"
	later umount "/etc/$f"
done
# glibc asks it at /var/run/nscd/socket; a /run of our own, where nobody else's is in the way.
mount -t tmpfs -o mode=755 none "$(realpath /var/run)" || skip_all "the kernel refuses mounts"
later umount "$(realpath /var/run)"
mkdir -p /var/run/nscd
start python3 "$lib/nscd.py" /var/run/nscd/socket "$w/names/table" >"$tmp/nscd"
nscd=$pid
ok "a name service that reads what is watched" wait_for 5 grep -q ready "$tmp/nscd"

state=$w/state
watch_start "$w"
is "the state inside of what is watched: watched" $? 0
work() { # SECONDS LOG UID
	timeout $(($1 + 20)) python3 "$lib/opens.py" --each 0.01 --uid "$3" "$tmp/$2" "$1" "$w"/doc[1-4] &
	workers+=($!)
	later end_pid $!
}
named() { "$TYTO" --state "$state" events --json --verb read | grep -q "\"person\":\"$1\""; }
before=$(grep -c asked "$tmp/nscd")
workers=()
work 4 clerk 41001
work 4 engineer 41002
users 4 "$w"
wait "${workers[@]}"
users_end "names and state on what is watched"
ok "the clerk is named" wait_for 5 named clerk
ok "the engineer, by a service that reads what is watched" wait_for 5 named engineer
ok "which was asked" grep -q "asked 41002" "$tmp/nscd"

# It stands still while somebody comes whom nobody has asked for yet.
kill -STOP "$nscd"
later kill -CONT "$nscd"
workers=()
for uid in 41003 41004 41005; do work 3 still-$uid $uid; done
cp "$tmp/opens" "$tmp/opens1"
users 3 "$w"
wait "${workers[@]}"
users_end "the name service stands still"
kill -CONT "$nscd"
ok "afterwards they are recorded" wait_for 30 named uid:41005
# What waited for it while it stood is answered only now, to nobody: until it has nothing left to do. What it reads after the watch is nobody's loss.
quiet() {
	local n
	n=$(grep -c asked "$tmp/nscd")
	sleep 1
	[ "$n" = "$(grep -c asked "$tmp/nscd")" ]
}
wait_for 30 quiet
asked=$(grep -c asked "$tmp/nscd")
watch_stop
for uid in 41003 41004 41005; do accounted "while it stood still: uid $uid" --uid $uid "$records" "$tmp/still-$uid"; done
accounted "the clerk: every access" --uid 41001 "$records" "$tmp/clerk"
accounted "the engineer: every access" --uid 41002 "$records" "$tmp/engineer"
accounted "the others" --uid 0 "$records" "$tmp/opens" "$tmp/opens1"
is "each uid by its own name" "$(jq -r 'select((.uid // 0) > 41000) | "\(.uid) \(.person)"' "$records" | sort -u | tr '\n' ,)" \
	"41001 clerk,41002 engineer,41003 uid:41003,41004 uid:41004,41005 uid:41005,"
is "own accesses are not recorded" "$(accesses ".path // \"\" | contains(\"/w/state\")")" 0
is "nor those of the keeper to the accounts" "$(jq -r 'select(.path // "" | contains("/names/passwd")) | .program // "?"' "$records" | grep -c tyto)" 0
ok "those of the name service are" test "$(accesses '(.path // "" | contains("/names/table")) and .verb == "read"')" -ge $((asked - before))
is "no gap" "$(accesses '.verb == "gap"')" 0
ok "verify" "$TYTO" --state "$state" verify
done_testing
