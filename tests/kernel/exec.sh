#!/bin/bash
# exec records: what was begun by processes that have touched watched documents, and by their descendants; nobody else's.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
python=/usr/bin/python3 # the program itself, no script before it
need $python

loopfs 64M ext4
is "a filesystem" $? 0
w=$mnt/w
mkdir "$w" "$mnt/out"
for i in $(seq 40); do echo text >"$w/doc$i"; done
echo text >"$mnt/out/other"
watch_start "$w"
is "watched" $? 0
cp /bin/true "$tmp/untouched" && cp /bin/dash "$tmp/brief"

# 1. the program that reads a document, with its arguments
cat "$w/doc1" >/dev/null
# 2. begun after touching, by the same process and by descendants; the arguments bear blanks, bytes that are no text, and 600 bytes
(cd /usr && $python - "$w/doc2" "$tmp" <<'PY'
import os, subprocess, sys
open(sys.argv[1]).read()
stay = "sleep 0.05; :" # long enough to be looked at
subprocess.run([b"/bin/sh", b"-c", stay.encode(), b"a b", b"\xff\xfe"])
subprocess.run(["/bin/sh", "-c", f"(/bin/sh -c '{stay}' grandchild); :"])
subprocess.run(["/bin/sh", "-c", stay, "\u00e9" * 300])
os.execv("/bin/sh", ["/bin/sh", "-c", stay, "last"])
PY
)
# 3. who touched nothing, and what was only read outside
"$tmp/untouched" secret
$python -c 'import subprocess, sys; open(sys.argv[1]).read(); subprocess.run([sys.argv[2], "outside"])' "$mnt/out/other" "$tmp/untouched"
# 4. many like executions are two records and a count; many different ones are bounded
$python - "$w/doc3" "$tmp/brief" <<'PY'
import subprocess, sys
open(sys.argv[1]).read()
for i in range(30): subprocess.run([sys.argv[2], "-c", "sleep 0.02; :", "same"])
for i in range(60): subprocess.run([sys.argv[2], "-c", "sleep 0.02; :", str(i)])
PY
# 5. one program directly behind another, gone at once
$python - "$w/doc4" "$tmp" <<'PY'
import os, sys
open(sys.argv[1]).read()
for i in range(20):
    if os.fork() == 0:
        os.execv("/usr/bin/env", ["env", "/usr/bin/env", "/usr/bin/env", "/bin/true", "chain"])
    os.wait()
PY
sleep 0.5
watch_stop

execs() { jq -s "[.[] | select(.verb == \"exec\" and ($1))] | length" "$records"; }
one() { jq -rs "[.[] | select(.verb == \"exec\" and ($1))][0] | $2" "$records"; }
is "the reader's own, once" "$(execs ".command == \"cat $w/doc1\"")" 1
is "its program" "$(one ".command == \"cat $w/doc1\"" .program)" "$(readlink -f /bin/cat)"
is "it began before it read" "$(jq -s "([.[] | select(.verb == \"exec\" and .command == \"cat $w/doc1\")][0].time) < ([.[] | select(.path == \"$w/doc1\" and .verb == \"read\")][0].time)" "$records")" true
is "the reader of the second" "$(execs ".command == \"$python - $w/doc2 $tmp\"")" 1
is "a child, arguments that are no text" "$(one '.command_b64' .command_b64 | base64 -d | od -An -tx1 | tr -d ' \n')" "$(printf '/bin/sh -c sleep 0.05; : a b \377\376' | od -An -tx1 | tr -d ' \n')"
is "a grandchild" "$(execs '.command == "/bin/sh -c sleep 0.05; : grandchild"')" 1
is "600 bytes are cut to 512, at a whole character" "$(one '.command and (.command | startswith("/bin/sh -c sleep 0.05; : é"))' '.command | utf8bytelength')" 511 # 25 and 243 × 2
is "the same process" "$(execs '.command == "/bin/sh -c sleep 0.05; : last"')" 1
is "program, pid, uid, cwd in each of these" \
	"$(execs '(.command // "" | startswith("/bin/sh -c sleep")) and ([has("program", "pid", "uid", "cwd")] | all | not)')" 0
is "where" "$(one '.command == "/bin/sh -c sleep 0.05; : last"' .cwd)" /usr
is "whose child" "$(one '.command == "/bin/sh -c sleep 0.05; : grandchild"' .parent_command | cut -d ' ' -f 1)" /bin/sh
is "its parents" "$(one '.command == "/bin/sh -c sleep 0.05; : grandchild"' '[.parents[] | split("/")[-1]] | map(select(startswith("python"))) | length')" 1
is "nobody else's" "$(execs ".program == \"$tmp/untouched\"")" 0
is "30 like ones: two records that sum up" "$(jq -s '[.[] | select(.verb == "exec" and (.command // "" | endswith("brief -c sleep 0.02; : same"))) | .count // 1] | [length, add] | @csv' "$records" | tr -d '"')" 2,30
is "60 different ones: all counted" "$(accesses ".verb == \"exec\" and .program == \"$tmp/brief\"")" 90
ok "in few records" test "$(execs ".program == \"$tmp/brief\"")" -le 20
# Of four programs within a few milliseconds only what is certain has a program and a command; each is told.
is "all that were begun are told, and no more" "$(accesses '.verb == "exec"')" $((1 + 10 + 1 + 2 * 90 + 1 + 4 * 20))
ok "no program with another's command" test "$(execs '(.command // "" | startswith("/bin/true")) != (.program // "" | endswith("/true"))')" = 0
is "no object, no path, no bytes" "$(execs 'has("object") or has("path") or has("bytes") or has("seen")')" 0
is "nothing lost" "$(accesses '.verb == "gap"')" 0
ok "verify" "$TYTO" --state "$state" verify
done_testing
