#!/bin/bash
# Ways around the watched path, each counted, each with the right person. More of them, on several filesystems: sensor_fs.sh, sensor_mount.sh.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need setpriv unshare "$workload"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
out=$mnt/out
mkdir -p "$w/goes/in" "$w/swapped" "$out/comes/two/three" "$mnt/bound" "$out/dir" "$out/swap"
for f in alias hard bind newns userns moved script chroot passed inherited goes/in/doc swapped/inside parted truncated after; do echo text >"$w/$f"; done
for f in in linked dir/deep never swap/outside comes/two/three/doc; do echo text >"$out/$f"; done
printf '#!/bin/sh\n:\n' >"$w/script"
cp /bin/true "$w/program"
chmod 755 "$w/script" "$w/program"
chmod -R a+rX "$mnt"
chmod 777 "$out" "$w" "$out/comes" "$w/goes"
chown -R 20001 "$out"/* "$w"/*
ln "$w/hard" "$out/hard"
ln "$w/parted" "$out/parted"
ln -s "$w/alias" "$out/alias"
as() { setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"; }
look() { as 20001 cat "$@" >/dev/null; }
watch_start "$w"
is "watched" $? 0

for i in 1 2 3; do look "$out/in" "$out/linked" "$out/never" "$out/swap/outside" "$out/comes/two/three/doc"; done # from here on ignored
look "$out/alias" "$out/hard"
mount --bind "$w" "$mnt/bound" && later umount "$mnt/bound"
look "$mnt/bound/bind"
unshare -m --propagation unchanged sh -c 'mount --bind "$1" "$2" && setpriv --reuid 20001 cat "$2/newns"; umount "$2"' sh "$w" "$out/dir" >/dev/null
as 20001 unshare -Ur cat "$w/userns" >/dev/null || userns=no
as 20001 mv "$w/moved" "$out/moved"
look "$out/moved"
as 20001 mv "$w/goes" "$out/gone"
look "$out/gone/in/doc"
as 20001 mv "$out/in" "$w/in"
look "$w/in"
as 20001 ln "$out/linked" "$w/linked"
look "$out/linked"
as 20001 mv "$out/dir" "$w/dir"
look "$w/dir/deep"
rm "$w/parted" # it has a name outside
wait_for 1 false
look "$out/parted"
as 20001 "$w/script"
as 20001 "$w/program"
timeout 20 python3 - "$mnt" <<'PY'
import ctypes, os, socket, sys, time
mnt = sys.argv[1]
def become(uid): os.setgroups([]); os.setgid(uid); os.setuid(uid)
def child(work):
    pid = os.fork()
    if pid == 0:
        try: work()
        except BaseException as e: print(e, file=sys.stderr); os._exit(1)
        os._exit(0)
    return pid

def other_root():
    os.chroot(mnt); os.chdir("/"); become(20001)
    os.close(os.open("/w/chroot", os.O_RDONLY))
here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def reader():
    become(20002)
    _, fds, _, _ = socket.recv_fds(there, 1, 1)
    time.sleep(1.3); os.read(fds[0], 64); time.sleep(0.5) # who was two within a second is nobody when looked up late
pids = [child(other_root), child(reader)]
fd = os.open(mnt + "/w/passed", os.O_RDONLY)
socket.send_fds(here, [b"x"], [fd])
os.close(fd)
fd = os.open(mnt + "/w/inherited", os.O_RDONLY)
def heir(): become(20003); time.sleep(1.3); os.read(fd, 64); time.sleep(0.5)
pids.append(child(heir))
open("/proc/sys/vm/drop_caches", "w").write("2") # a truncate of what is not in memory is seen, too
def cutter():
    become(20001); time.sleep(1.3)
    os.truncate(mnt + "/w/truncated", 1); time.sleep(0.3)
    os.close(os.open(mnt + "/w/after", os.O_RDONLY)); time.sleep(0.3)
pids.append(child(cutter))
# Folders change places: what was outside is inside, and the other way round.
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, (mnt + "/w/swapped").encode(), -100, (mnt + "/out/swap").encode(), 2):
    sys.exit(os.strerror(ctypes.get_errno()))
os.close(fd)
sys.exit(any([os.waitpid(p, 0)[1] for p in pids]))
PY
is "passed on, inherited, in another root" $? 0
look "$w/swapped/outside" "$out/swap/inside"
# At once after the move, for a while: what is missed lies in the gap.
as 20001 mv "$out/comes" "$w/came"
chmod 777 "$tmp"
python3 "$lib/opens.py" --uid 20001 --each 0.001 "$tmp/came" 1 "$w/came/two/three/doc"
"$workload" --op passed --count 4 --uid 20001 "$w/alias" >"$tmp/passed"
watch_stop

used() { accesses "(has(\"refers\") | not) and (.verb == \"open\" or .verb == \"read\") and .uid == ${2:-20001} and (.path // \"\" | test(\"/$1\$\"))"; }
for f in "w/bind" "w/newns" "moved" "in" "linked" "dir/deep" "gone/in/doc" "w/chroot" "swapped/outside" "swap/inside" parted; do is "$f" "$(used "$f")" 1; done
is "a symbolic link from outside" "$(used alias)" 1
is "a hard link made before, outside" "$(used hard)" 1
if [ "${userns:-}" ]; then skip "in a user namespace: the host's uid" "the kernel refuses user namespaces"; else is "in a user namespace: the host's uid" "$(used userns)" 1; fi
ok "a script that is run" test "$(used script)" -ge 1
ok "a program that is run" test "$(accesses '.uid == 20001 and (.path // "" | endswith("/w/program")) and (.verb | IN("open", "read", "exec"))')" -ge 1
is "what was never inside is not recorded" "$(used never)" 0
accounted "a folder that came in, three levels deep" --at-most 0.5 --cause tree,mount --uid 20001 "$records" "$tmp/came"
# What fanotify does not see: status says so, and this is what it looks like.
is "a descriptor passed on: its opener" "$(used w/passed 0)" 1
is "the reader, who was there to be asked, late" "$(jq -r 'select((.path // "" | endswith("/w/passed")) and .uid == 20002) | .verb + " " + (.person_by // "none")' "$records")" "read late"
is "inherited: its opener" "$(used inherited 0)" 1
is "the heir, late" "$(jq -r 'select((.path // "" | endswith("/inherited")) and .uid == 20003) | .verb + " " + (.person_by // "none")' "$records")" "read late"
by() { jq -r "select(.path // \"\" | endswith(\"/w/$1\")) | .verb + \" \" + (.uid | tostring) + \" \" + (.person_by // \"none\")" "$records"; }
is "truncated without a descriptor: who is looked up late" "$(by truncated)" "write 20001 late"
is "what he opens next is not" "$(by after)" "read 20001 $([ -z "$(jq -r 'select(.login_uid) | .uid' "$records" | head -n 1)" ] && echo acting || echo login)"
like "status lists it" "$("$TYTO" status --json --state "$state" | jq -r '.blind_spots[]')" "descriptor that another process opened"
ok "README lists it" grep -q "descriptor" "$top/README.md"
ok "verify" "$TYTO" --state "$state" verify
[ "${KEEP:-}" ] && cp "$records" "$KEEP"
done_testing
