#!/bin/bash
# The keeper's socket before strangers: what they may ask, how many of them come in, how long they may say nothing, frames that are none.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"
need /usr/bin/python3 setpriv jq

loopfs 16M ext4 || skip_all "this kernel mounts no loop devices"
watch_start "$mnt"
is "watched" $? 0
socket=/run/tyto/$(printf %s "$(realpath "$state")" | sha256sum | cut -c 1-16).sock
ok "the socket stands where it is said to" test -S "$socket"
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
leaves() { "$TYTO" --state "$state" status --json | jq .records; }

cat >"$tmp/ask.py" <<'PY'
"""ask.py SOCKET JSON…: one connection each; prints what is answered."""
import json, socket, struct, sys
for text in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(sys.argv[1])
    body = text.encode()
    s.sendall(struct.pack(">IB", len(body) + 1, 1) + body)
    head = s.recv(5, socket.MSG_WAITALL)
    if len(head) < 5:
        print("closed")
        continue
    n = struct.unpack(">I", head[:4])[0] - 1
    print(s.recv(n, socket.MSG_WAITALL).decode())
PY
chmod 644 "$tmp/ask.py"
ask() { as "$1" timeout 30 /usr/bin/python3 "$tmp/ask.py" "$socket" "${@:2}"; }
stranger=$(ask 20001 '{"do":"status"}')
is "a stranger gets the status" "$(jq .lost <<<"$stranger")" 0
is "without a path or name" "$(jq -c '.watching' <<<"$stranger") $(grep -c "$tmp" <<<"$stranger")" "[] 0"
is "and nothing else" "$(ask 20001 '{"do":"events"}' '{"do":"who","path":"/"}' '{"do":"import","title":"x"}' '{"do":"config","setting":"x"}' '{"do":"rotate"}' '{"do":"unmask"}' |
	jq -r .error | grep -c '^not permitted')" 6
before=$(leaves)

# Frames that are none.
cat >"$tmp/bad.py" <<'PY'
import os, socket, struct, sys
bad = [b"\0\0\0\0\1", b"\xff\xff\xff\xff\1", struct.pack(">I", 65537) + b"\1" + b" " * 65536, b"GET / HTTP/1.0\r\n\r\n", struct.pack(">IB", 5, 2) + b"abcd",
       struct.pack(">IB", 5, 1) + b"{]{]", struct.pack(">IB", 5, 99) + b"abcd", struct.pack(">IB", 40001, 1) + b"[" * 40000, struct.pack(">IB", 1, 1)]
answered = 0
for b in bad:
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(sys.argv[1])
    try:
        s.sendall(b)
        s.shutdown(socket.SHUT_WR)
        answered += b"error" in s.recv(4096)
    except (BrokenPipeError, ConnectionResetError):
        answered += 1
print(answered, len(bad))
PY
chmod 644 "$tmp/bad.py"
is "each bad frame is refused" "$(as 20001 timeout 60 /usr/bin/python3 "$tmp/bad.py" "$socket")" "9 9"
ok "the keeper is the same" kill -0 "$(role_pid @keeper)"

# One who takes every place, and says nothing.
cat >"$tmp/hold.py" <<'PY'
import socket, sys, time
held = []
for i in range(60):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(0.05)
    s.connect(sys.argv[1])
    held.append(s)
time.sleep(0.5)
def is_open(s):
    try:
        return s.recv(1) != b""
    except (TimeoutError, socket.timeout):
        return True
    except OSError:
        return False
print(sum(map(is_open, held)), flush=True)
end = time.monotonic() + 25
while time.monotonic() < end and any(map(is_open, held)):
    time.sleep(0.2)
print(sum(map(is_open, held)), flush=True)
PY
chmod 644 "$tmp/hold.py"
start as 20001 /usr/bin/python3 "$tmp/hold.py" "$socket" >"$tmp/held"
ok "one takes what he gets" wait_for 20 test -s "$tmp/held"
is "six places, no more" "$(head -n 1 "$tmp/held")" 6
is "another is served meanwhile" "$(ask 20002 '{"do":"status"}' | jq .lost)" 0
ok "root writes meanwhile" eval 'echo "{\"time\":\"2026-05-04T10:00:00Z\",\"verb\":\"read\",\"path\":\"/srv/a\"}" | timeout 20 "$TYTO" --state "$state" import -'
ok "who says nothing is sent away" wait_for 30 eval '[ "$(wc -l <"$tmp/held")" = 2 ]'
is "all of them" "$(tail -n 1 "$tmp/held")" 0
is "of the stranger nothing was recorded" "$(leaves)" $((before + 1))
long=$(printf 'x%.0s' {1..600})
like "a reason has a limit" "$(timeout 20 /usr/bin/python3 "$tmp/ask.py" "$socket" "{\"do\":\"events\",\"unmask\":\"$long\"}")" "at most 512 bytes"
watch_stop
is "nothing lost" "$(accesses '.verb == "gap"')" 0
ok "verify" "$TYTO" --state "$state" verify -q
done_testing
