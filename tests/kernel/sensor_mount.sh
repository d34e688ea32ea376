#!/bin/bash
# Mounts: what is mounted below a watched tree is found and marked, with a gap until then; bind mounts, overlays, second mounts and other mount
# namespaces are no way around; nothing holds an unmount up, and what is mounted again is watched again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need mkfs.ext4 unshare

filesystem() { # NAME: an image with six documents, in $tmp/NAME.img
	loopfs 32M ext4 || skip_all "this kernel mounts no loop devices"
	mkdir -p "$mnt/dir/in" "$mnt/rest"
	for f in 1 2 3 4 5 6; do echo text >"$mnt/doc$f"; done
	echo text >"$mnt/dir/inner"
	echo text >"$mnt/dir/in/other"
	echo text >"$mnt/rest/outer"
	umount "$mnt"
	mv "${mnt%.mnt}" "$tmp/$1.img"
}
filesystem second
filesystem third
loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w" "$w/sub" "$w/sub2" "$w/bound" "$w/bound2" "$w/hidden" "$mnt/out" "$mnt/away" "$tmp/other" "$tmp/over" "$tmp/elsewhere" "$mnt/up" "$mnt/work"
for f in 1 2 3 4 5 6 lower lower2 newns deep; do echo text >"$w/doc$f"; done
mkdir "$mnt/out/in"
for f in 1 2 3 in/other; do echo text >"$mnt/out/$f"; done
mount -o loop "$tmp/third.img" "$tmp/other"
later umount "$tmp/other"

mounted() { # DEVICE PLACE FILES LOG [OPTION…]: mounts it and is there at once
	mount "${@:5}" "$1" "$2" && later umount "$2" && timeout 20 python3 "$lib/opens.py" --each 0.002 "$tmp/$4" 1.5 $2/$3
}
gap_at() { # CAUSE BEGIN END: a gap with this cause begins before END and ends after BEGIN (ns)
	python3 - "$records" "$@" <<-'PY'
	import calendar, json, sys, time
	def ns(t):
	    head, _, frac = t.rstrip("Z").partition(".")
	    return calendar.timegm(time.strptime(head, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int((frac + "000000000")[:9])
	begin, end = map(int, sys.argv[3:])
	found = [(ns(e["time"]), ns(e["end"])) for e in map(json.loads, open(sys.argv[1])) if e["verb"] == "gap" and e["cause"] == sys.argv[2]]
	if not any(a <= end and begin <= b for a, b in found):
	    sys.exit(f"none in {end - begin} ns from there: {[((a - begin) / 1e9, (b - begin) / 1e9) for a, b in found]}")
	PY
}
now() { date +%s%N; }
first() { head -n 1 "$tmp/$1" | cut -d" " -f2; } # access of a log
used() { accesses "(.verb == \"open\" or .verb == \"read\") and (.path // \"\") == \"$1\""; }

watch_start "$w"
is "watched" $? 0
users 120 "$w/doc1" "$w/doc2" "$w/doc3"
cat "$mnt"/out/[1-3] "$mnt/out/in/other" "$tmp/other/doc1" "$tmp/other/dir/inner" "$tmp/other/dir/in/other" >/dev/null # not watched: from here on ignored

# The kernel refuses it once something is mounted below.
unshare -Urm sh -c 'mount -t tmpfs none "$2" && mkdir "$2/up" "$2/work" "$2/m" && mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work,userxattr" "$2/m" &&
	cat "$2/m/docdeep"' sh "$w" "$tmp/over" >"$tmp/unprivileged" 2>&1

at_mount=$(now)
ok "a filesystem is mounted below" mounted "$tmp/second.img" "$w/sub" "doc[1-3]" sub -o loop
at_mount+=" $(first sub)"
at_unmount=$(now)
ok "it is unmounted, nothing holds it for long" wait_for 20 umount "$w/sub"
at_unmount+=" $(now)"
ok "it is mounted again at another place" mounted "$tmp/second.img" "$w/sub2" "doc[4-6]" sub2 -o loop
ok "another's folder is bound below" mounted "$tmp/other/dir" "$w/bound" inner bound --bind
cat "$tmp/other/dir/in/other" "$tmp/other/rest/outer" >/dev/null
ok "an ignored folder of the same filesystem is bound below" mounted "$mnt/out" "$w/bound2" "[1-3]" bound2 --bind
cat "$mnt/out/in/other" >/dev/null

mount --bind "$w" "$tmp/elsewhere" && later umount "$tmp/elsewhere"
cat "$tmp/elsewhere/doc4" >/dev/null
mount -o loop "$tmp/second.img" "$mnt/away" && later umount "$mnt/away" # the same filesystem once more, outside
cat "$mnt/away/dir/inner" >/dev/null
unshare -m --propagation unchanged sh -c 'mount --bind "$1" "$2" && cat "$2/docnewns"; umount "$2"' sh "$w" "$tmp/other" >/dev/null
userns=
unshare -Urm sh -c 'cat "$1/docnewns"' sh "$w" >/dev/null 2>&1 && userns=yes

if mount -t overlay overlay -o "lowerdir=$w,upperdir=$mnt/up,workdir=$mnt/work" "$tmp/over" 2>/dev/null; then
	later umount "$tmp/over"
	for i in 1 2 3 4 5; do cat "$tmp/over/doclower"; done >/dev/null
	echo more >>"$tmp/over/doclower2" # copied up: read below
	overlay=yes
fi
: >"$tmp/users.stop"
users_end "beside the mounts"
cp "$tmp/opens" "$tmp/opens1"
watch_stop
is "the mount is in a gap" "$(gap_at mount $at_mount 2>&1)" ""
is "the unmount too" "$(gap_at unmount $at_unmount 2>&1)" ""
for log in sub sub2 bound bound2; do accounted "$log: recorded once the gap is over" --at-most 1 --cause mount,unmount "$records" "$tmp/$log"; done
for f in 1 2 3; do is "doc$f of the first filesystem: every access" "$(used "$w/doc$f")" "$(grep -c "^read.*/doc$f\$" "$tmp/opens1")"; done
is "the bound folder by its own path: recorded too" "$(used "$w/bound/in/other")" 1
is "the ignored folder by its own path, too" "$(used "$w/bound2/in/other")" 1
is "what lies beside the bound folder is not watched" "$(accesses '.path // "" | endswith("/outer")')" 0
is "through a bind mount" "$(used "$w/doc4")" 1
if [ "$userns" ]; then
	is "in other mount and user namespaces" "$(used "$w/docnewns")" 2
else
	is "in another mount namespace" "$(used "$w/docnewns")" 1
	skip "in a user namespace" "the kernel refuses user namespaces"
fi
is "the second mount of one that was watched" "$(used "$w/sub2/dir/inner")" 1
if [ "${overlay:-}" ]; then
	is "through an overlay: 5 reads of the lower file" "$(used "$w/doclower")" 5
	is "copied up: read once" "$(used "$w/doclower2")" 1
else
	skip "through an overlay" "the kernel refuses overlay mounts"
fi
if [ "$(cat "$tmp/unprivileged")" = text ]; then
	is "through an overlay in a user namespace" "$(used "$w/docdeep")" 1
else
	skip "through an overlay in a user namespace" "the kernel refuses: $(head -c 80 "$tmp/unprivileged" | tr '\n' ' ')"
fi

# The watch ends and starts again on the same state: what was done meanwhile lies in the gap.
watch_start "$w"
is "watched again" $? 0
users 20 "$w/doc5"
end_pid "$guard"
wait_for 2 false
watch_start "$w"
is "and again" $? 0
wait_for 1 false
: >"$tmp/users.stop"
users_end "beside a restart"

# The watched filesystem itself goes and comes back.
for place in "$w/sub2" "$w/bound" "$w/bound2" "$mnt/away" "$tmp/over" "$tmp/elsewhere"; do umount "$place" 2>/dev/null; done
image=${mnt%.mnt}
at_unmount=$(now)
ok "the watched filesystem is unmounted, nothing holds it for long" wait_for 20 umount "$mnt"
at_unmount+=" $(now)"
ok "the sensor says so" wait_for 5 grep -q "$mnt: unmounted" "$tmp/watch.err"
at_mount=$(now)
ok "and mounted again" mounted "$image" "$mnt" "w/doc6" again -o loop
at_mount+=" $(first again)"
# A process in it holds it after a lazy unmount.
(
	cd "$w" && : >"$tmp/inside" && wait_for 10 test -e "$tmp/lazy" && cat docdeep >/dev/null
) &
inside=$!
later end_pid "$inside"
wait_for 5 test -e "$tmp/inside"
ok "a lazy unmount" umount -l "$mnt"
wait_for 1 false
: >"$tmp/lazy"
wait "$inside"
watch_stop
accounted "over a restart: each access is recorded or in the gap" --at-most 5 --cause restart,mount,unmount "$records" "$tmp/opens"
is "the unmount is in a gap" "$(gap_at unmount $at_unmount 2>&1)" ""
is "the mount is in a gap" "$(gap_at mount $at_mount 2>&1)" ""
accounted "mounted again: recorded once the gap is over" --at-most 1 --cause restart,mount,unmount "$records" "$tmp/again"
is "after a lazy unmount by whoever is inside" "$(used "$w/docdeep")" "$((1 + $(grep -c '^text' "$tmp/unprivileged")))"
ok "verify" "$TYTO" --state "$state" verify
done_testing
