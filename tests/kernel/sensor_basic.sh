#!/bin/bash
# Every access once, with what it was: counted against what was made.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w"
for f in a b wronly rdwr folded long mapped; do echo text >"$w/$f"; done
exec 7>>"$w/before" 8>>"$mnt/outside"
watch_start "$w"
is "watched" $? 0

cat "$w/a" >/dev/null
echo more >"$w/made"
echo more >&7
mv "$mnt/outside" "$w/came"
mv "$w/made" "$w/renamed"
ln "$w/renamed" "$w/linked"
chmod 600 "$w/b"
rm "$w/linked"
timeout 30 python3 - "$w" <<'PY'
import mmap, os, sys, time
w = os.fsencode(sys.argv[1])
def at(name): return w + b"/" + name
os.close(os.open(at(b"wronly"), os.O_WRONLY))
fd = os.open(at(b"rdwr"), os.O_RDWR); os.read(fd, 4); os.close(fd)
fd = os.open(at(b"rdwr"), os.O_WRONLY); os.close(fd)
for i in range(50):
    fd = os.open(at(b"folded"), os.O_RDONLY); os.read(fd, 4); os.close(fd); time.sleep(0.02)
fd = os.open(at(b"long"), os.O_RDONLY); time.sleep(0.7); os.read(fd, 4); os.close(fd)
fd = os.open(at(b"mapped"), os.O_RDONLY); m = mmap.mmap(fd, 4, prot=mmap.PROT_READ); os.close(fd); m[0]; m.close()
for name in (b"new\nline", b"bad\xff\xfe", b"n" * 255):
    os.close(os.open(at(name), os.O_CREAT | os.O_WRONLY, 0o600))
PY
is "the accesses are made" $? 0
echo more >&8
exec 7>&- 8>&-
watch_stop

on() { accesses "(.path // \"\" | endswith(\"/$1\")) and .verb == \"$2\""; }
is "read" "$(on a read)" 1
is "written, opened before it was watched" "$(on before write)" 1
is "written, opened before it was moved in" "$(on came write)" 1
is "rename, with both names" "$(accesses '.verb == "rename" and (.to | endswith("/renamed")) and (.path | endswith("/made"))')" 1
is "link, with both names" "$(accesses '.verb == "link" and (.to | endswith("/linked"))')" 1
is "create" "$(on made create)" 1
is "permission" "$(on b permission)" 1
is "delete" "$(on linked delete)" 1
is "opened for writing, nothing written: open" "$(on wronly open),$(on wronly read),$(on wronly write)" 1,0,0
is "opened twice, read once" "$(on rdwr open),$(on rdwr read),$(on rdwr write)" 1,1,0
is "fifty reads" "$(on folded read)" 50
is "held long: open, then read that refers to it" "$(on long open),$(jq -s '[.[] | select(.refers)] | length' "$records")" 1,1
is "mapped: seen by its open" "$(jq -s '[.[] | select((.path // "" | endswith("/mapped")) and .seen == "open")] | length' "$records")" 1
is "no bytes, no covered" "$(accesses 'has("bytes") or has("covered")')" 0
is "an object and a pid in each" "$(accesses '(.path // "" | contains("/w/")) and ([has("object", "pid")] | all | not)')" 0
# What is not held is looked up late: the program of a process that is gone may be absent, and is never a wrong one.
is "program and uid in each that was held" \
	"$(accesses '(.path // "" | contains("/w/")) and (.verb | IN("open", "read", "write")) and ([has("program", "uid")] | all | not)')" 0
is "a newline in a name" "$(accesses '.verb == "create" and (.path // "" | endswith("/new\nline"))')" 1
is "a name of 255 bytes" "$(accesses '.verb == "create" and (.path // "" | test("/n{255}$"))')" 1
is "invalid UTF-8 comes back byte for byte" \
	"$(jq -rs '[.[] | select(.verb == "create" and .path_b64)][0].path_b64 // ""' "$records" | base64 -d | tail -c 5 | od -An -tx1 | tr -d ' \n')" 626164fffe
ok "verify" "$TYTO" --state "$state" verify
done_testing
