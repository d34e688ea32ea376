#!/bin/bash
# What each process may do is what THREAT-MODEL.md says, seen from /proc; a silent share still has signs of life in its record.
. "$(dirname "$0")/../lib.sh"
share 32M

began=$(date +%s)
watch_share
field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' '; } # PID FIELD
keeper=$(child keeper)
sensor=$(child sensor)
account=$(id -u tyto 2>/dev/null || echo 65534)
group=$(id -g tyto 2>/dev/null || echo 65534)

is "the keeper runs as its account" "$(field "$keeper" Uid)" "$account $account $account $account"
is "and its group" "$(field "$keeper" Gid)" "$group $group $group $group"
is "in no other group" "$(field "$keeper" Groups | tr -d ' ')" ""
for set in CapInh CapPrm CapEff CapAmb; do is "the keeper has no capabilities ($set)" "$(field "$keeper" $set)" 0000000000000000; done
is "the keeper gains no privileges" "$(field "$keeper" NoNewPrivs)" 1
if [ -e /proc/sys/kernel/seccomp/actions_avail ]; then
	is "all its threads stand behind the filter of system calls" "$(sed -n 's/^Seccomp:\t//p' "/proc/$keeper"/task/*/status | sort -u)" 2
else
	skip "all its threads stand behind the filter of system calls" "the kernel has no seccomp filters"
fi
is "the sensor gains no privileges" "$(field "$sensor" NoNewPrivs)" 1
listed() { # capabilities of THREAT-MODEL.md as a mask
	python3 - "$top/THREAT-MODEL.md" <<'PY'
import re, sys
numbers = {"CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "KILL": 5, "NET_ADMIN": 12, "IPC_LOCK": 14, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_NICE": 23,
           "SYS_RESOURCE": 24, "BPF": 39, "PERFMON": 38}
text = open(sys.argv[1]).read()
line = re.search(r"Capabilities that the sensor keeps:(.*?)\. ", text, re.S).group(1)
words = re.findall(r"\b[A-Z]+_[A-Z_]+\b", line)
print(f"{sum(1 << numbers[n] for n in words):016x}")
PY
}
for set in CapPrm CapEff; do is "the sensor has the listed capabilities ($set)" "$(field "$sensor" $set)" "$(listed)"; done
is "and gives none on (CapBnd)" "$(field "$sensor" CapBnd)" 0000000000000000
is "the state is its account's alone" "$(stat -c '%a %u %g' "$state")" "700 $account $group"
is "so is the key" "$(find "$state/keys" -type f -exec stat -c '%a %u' {} + | sort -u)" "600 $account"
is "nothing in the state is anybody else's" "$(find "$state" \( -perm /077 -type f -o ! -uid "$account" \) | head -n 3)" ""
holds() { find "/proc/$1/fd" -lname "*fanotify*" | grep -q .; }
ok "the sensor holds the group" holds "$sensor"
ok "nobody else does" eval '! holds "$keeper" && ! holds "$watch"'

# Silence.
sleep $((began + 23 - $(date +%s)))
is "nobody came: no record" "$(status 's["records"]')" 0
is "nothing was lost" "$(status '(s["lost"], s["gaps"])')" "(0, 0)"
is "what is recorded is signed" "$(status 's["checkpoint"]["size"] == s["leaves"]')" True
kill -TERM "$watch"
wait "$watch"
is "watch ends in order" "$?" 0
python3 "$top/tests/oracle/check_log.py" --leaves "$state" >"$tmp/leaves" 2>&1
is "signs of life: at the start, every 10 s, at the stop" "$(python3 - "$tmp/leaves" <<'PY'
import json, sys
leaves = [json.loads(l) for l in open(sys.argv[1]) if l.startswith("{")]
beats = [l["fields"] for l in leaves if l["kind"] == 3]
ups = [b["uptime"] / 1e9 for b in beats]
print(*[b["phase"] for b in beats], all(9.5 < b - a < 12.5 for a, b in zip(ups[:-2], ups[1:-1])))
PY
)" "1 2 2 3 True"
ok "verify passes" "$TYTO" verify --state "$state"
[ "$tests_failed" = 0 ] || { head -c 1500 "$tmp/leaves"; tail "$tmp/watch.log"; } | sed 's/^/# /'
done_testing
