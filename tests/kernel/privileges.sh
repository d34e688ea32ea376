#!/bin/bash
# What each process may do is what THREAT-MODEL.md says.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib/sensor.sh"

loopfs 64M ext4
is "a filesystem" $? 0
mkdir "$mnt/w"
echo text >"$mnt/w/a"
watch_start "$mnt/w"
is "watched" $? 0
sensor=$(role_pid @sensor)
keeper=$(role_pid @keeper)
field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
bits() { # NUMBER…: as a capability mask, of those that this root has
	local m=0 b
	for b; do m=$((m | 1 << b)); done
	printf '%016x' $((m & 0x$(field self CapEff)))
}
mine=$(bits 0 1 2 3 4 5 6 7 8 9 {10..40})
kept="21 19 2 14 12 23 24 5 8 0 3 4 1 7 6"
is "the sensor: SYS_ADMIN, SYS_PTRACE, DAC_READ_SEARCH, IPC_LOCK" "$(field "$sensor" CapPrm) $(field "$sensor" CapEff)" "$(bits 21 19 2 14) $(bits 21 19 2 14)"
is "and what it started could get none" "$(field "$sensor" CapBnd)" "0000000000000000"
is "the keeper: none" "$(field "$keeper" CapPrm) $(field "$keeper" CapEff)" "0000000000000000 0000000000000000"
is "the keeper is not root" "$(field "$keeper" Uid | grep -cw 0)" 0
# shellcheck disable=SC2086
is "the guard: what these need at their start" "$(field "$guard" CapPrm)" "$(bits $kept)"
for role in sensor keeper; do
	is "$role: every thread under a filter of system calls" \
		"$(cat /proc/"${!role}"/task/*/status | sed -n 's/^Seccomp:[[:space:]]*//p' | sort -u)" 2
	is "$role: no new privileges" "$(field "${!role}" NoNewPrivs)" 1
done
is "guard: under a filter of system calls" "$(field "$guard" Seccomp)" 2
ok "more than these is given up" test "$mine" != "$(bits $kept)"
cat "$mnt/w/a" >/dev/null
watch_stop
is "and it records" "$(accesses '.verb == "read"')" 1
done_testing
