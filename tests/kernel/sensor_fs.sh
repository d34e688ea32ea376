#!/bin/bash
# Every way to touch a file, on every filesystem that documents lie on: counted as the workload counts, with the right person.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs btrfs "$workload"

known() { grep -qw "$1" /proc/filesystems || modprobe -q "$1"; }
declare -A place
for fs in ext4 xfs btrfs tmpfs; do
	known $fs || { skip "$fs" "the kernel does not know it"; continue; }
	case $fs in
	tmpfs) mnt=$tmp/tmpfs; mkdir "$mnt" && mount -t tmpfs -o size=32m none "$mnt" && later umount "$mnt" ;;
	xfs) loopfs 320M xfs ;;
	*) loopfs 128M $fs ;;
	esac
	is "$fs: mounted" $? 0 || continue
	place[$fs]=$mnt
done

# Files of their own for each operation, so that records are told apart.
ops=(open open-write read direct mmap sendfile splice copy-range path-reopen fd-reopen uring passed write append write-mmap truncate create tmpfile rename link cat)
as_root=(handle)
makes() { # FOLDER
	local op i
	mkdir "$1" && chmod 777 "$1"
	for op in "${ops[@]}" "${as_root[@]}" mode; do
		for i in 1 2 3; do head -c 8192 /dev/zero >"$1/$op-$i"; done
	done
	chmod 666 "$1"/*
	chown 20001 "$1"/mode-*
}
works() { # FOLDER LOG OP…
	local op
	for op in "${@:3}"; do
		timeout 30 "$workload" --op "$op" --by forks --workers 2 --count 4 --uid 20001,20002 "$1/$op-"[123] >"$2-$op"
	done
}
for fs in "${!place[@]}"; do makes "${place[$fs]}/w"; done
if [ "${place[btrfs]:-}" ]; then
	# A subvolume is another device in the middle of a tree; another filesystem of its kind mounted beside it is none.
	volumes=${place[btrfs]}/w/volumes
	mkdir "$volumes" "$volumes/mounted"
	btrfs -q subvolume create "$volumes/before"
	echo text >"$volumes/before/doc"
	echo text >"${place[btrfs]}/beside"
	loopfs 128M btrfs
	echo text >"$mnt/other"
	mount --bind "$mnt" "$volumes/mounted" && later umount "$volumes/mounted"
fi
watch_start "${place[@]/%//w}"
is "all are watched" $? 0
if [ "${place[btrfs]:-}" ]; then
	cat "$volumes/before/doc" "$volumes/mounted/other" "${place[btrfs]}/beside" >/dev/null
	btrfs -q subvolume create "$volumes/while"
	echo text >"$volumes/while/doc"
	btrfs -q subvolume snapshot "$volumes/before" "$volumes/snapshot"
	python3 "$lib/opens.py" --each 0.002 "$tmp/snapshot" 0.7 "$volumes/snapshot/doc"
fi
for fs in "${!place[@]}"; do
	w=${place[$fs]}/w
	works "$w" "$tmp/$fs" "${ops[@]}"
	timeout 30 "$workload" --op handle --count 4 "$w/handle-"[123] >"$tmp/$fs-handle"
	# Owner and mode are looked at when the change is told: given time to.
	timeout 30 "$workload" --op mode --count 4 --sleep-ms 60 --uid 20001 "$w/mode-"[123] >"$tmp/$fs-mode"
done
watch_stop
[ "${place[btrfs]:-}" ] && umount "$volumes/mounted"
is "no gap but of subvolumes that came" "$(accesses '.verb == "gap" and .cause != "mount"')" 0
if [ "${place[btrfs]:-}" ]; then
	read_at() { accesses "(.verb | IN(\"read\", \"write\")) and (.path // \"\" | endswith(\"$1\"))"; }
	is "btrfs: in a subvolume" "$(read_at volumes/before/doc)" 1
	is "btrfs: in one that was made while watching" "$(read_at volumes/while/doc)" 1
	accounted "btrfs: in a snapshot" --at-most 0.5 --cause mount "$records" "$tmp/snapshot"
	is "btrfs: what is mounted in it" "$(read_at volumes/mounted/other)" 1
	is "btrfs: what lies beside it is not watched" "$(read_at /beside)" 0
	is "btrfs: no object has two documents" "$(jq -r 'select(.path // "" | test("/volumes/.*/doc$")) | .object' "$records" | sort -u | wc -l)" 3
fi
for fs in "${!place[@]}"; do
	w=${place[$fs]}/w
	logs=("${ops[@]}" "${as_root[@]}" mode)
	python3 "$lib/ops.py" "$records" "$w" "${logs[@]/#/$tmp/$fs-}" >"$tmp/wrong" 2>"$tmp/err"
	is "$fs: the comparison ended" "$?" 0 || sed 's/^/# /' "$tmp/err"
	for op in "${logs[@]}"; do
		if grep -q '"error":"\(Invalid argument\|Operation not supported\|Function not implemented\|Operation not permitted\)"' "$tmp/$fs-$op"; then
			skip "$fs: $op" "the kernel refuses: $(jq -r '.workers[0].error' "$tmp/$fs-$op")"
		else
			is "$fs: $op" "$(grep "^$op:" "$tmp/wrong")" ""
		fi
	done
	is "$fs: the object is device and inode of the file" "$(jq -r "select(.path == \"$w/read-1\") | .object" "$records" | sed 's/:[0-9]*$//' | sort -u)" \
		"$(stat -c %d:%i "$w/read-1")"
done

# Alone, each has another way through the sensor; and it goes away while it is watched.
for fs in "${!place[@]}"; do
	w=${place[$fs]}/alone
	state=$tmp/state-$fs
	makes "$w"
	watch_start "$w"
	is "$fs alone: watched" $? 0
	works "$w" "$tmp/alone" read create rename link
	python3 "$top/tests/kernel/lib/opens.py" "$tmp/last" 0.3 "$w/open-1"
	ok "$fs alone: unmounted, nothing holds it for long" wait_for 20 umount "${place[$fs]}"
	ok "$fs alone: which is said" wait_for 5 grep -q "unmounted" "$tmp/watch.err"
	watch_stop
	is "$fs alone" "$(python3 "$lib/ops.py" "$records" "$w" "$tmp"/alone-{read,create,rename,link} 2>&1)" ""
	ok "$fs alone: a gap: unmount" test "$(gaps unmount)" = 1
	accounted "$fs alone: what was done last" --at-most 0.3 --cause unmount "$records" "$tmp/last"
done
done_testing
