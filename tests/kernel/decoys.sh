#!/bin/bash
# Decoys under `tyto watch`: planted beside the running keeper, found by whoever opens one, whatever it is called by then; excused accounts and Tyto's own
# reading raise nothing.
. "$(dirname "$0")/../lib.sh"
need jq setpriv python3
share 64M
printf 'rules = %s\n' "$top/rules/shipped" >"$tmp/conf"
mkdir "$mnt/plans"
chmod 777 "$mnt/plans"
for i in 1 2 3 4 5 6 7 8 9; do # what is read by programs that Tyto starts
	head -c 9000 /dev/urandom >"$mnt/plans/offer-$((2010 + i)).pdf"
	head -c 9000 /dev/urandom >"$mnt/plans/offer-$((2010 + i)).docx"
done
chown 41007:41007 "$mnt"/plans/*
chmod 640 "$mnt"/plans/*
for i in $(seq 60); do
	head -c $((400 + i * 37)) /dev/urandom | base64 >"$mnt/plans/offer-$((2020 + i % 6))-$i.txt"
	chown 41007:41007 "$mnt/plans/offer-$((2020 + i % 6))-$i.txt"
	chmod 640 "$mnt/plans/offer-$((2020 + i % 6))-$i.txt"
done
tyto() { timeout 60 "$TYTO" "$@" --state "$state" --config "$tmp/conf"; }
as() { setpriv --reuid "$1" --regid 41007 --clear-groups "${@:2}"; }

watch_share "" --config "$tmp/conf"

ok "planted beside the keeper" tyto decoy -q "$mnt" -n 12
tyto decoy -q list --json >"$tmp/list"
is "twelve" "$(jq -r .state "$tmp/list" | sort | uniq -c | tr -s ' ')" " 12 there"
mapfile -t decoy < <(jq -r .path "$tmp/list" | grep 'txt$')
is "of three formats" "$(jq -r .path "$tmp/list" | sed 's/.*\.//' | sort -u | tr '\n' ' ')" "docx pdf txt "
is "owner and mode are the neighbours'" "$(jq -r .path "$tmp/list" | xargs -d '\n' stat -c '%u:%g %a' | sort -u)" "41007:41007 640"
is "the list is nobody else's" "$(stat -c %a "$state" "$state/decoys" "$state/decoys/list" | tr '\n' ' ')" "700 700 600 "
is "a reader of the share sees no difference: as many files" "$(ls "$mnt/plans" | wc -l)" 90

raised() { [ -n "$(tyto -q alerts --all --json)" ]; }
of() { tyto -q alerts --all --json | jq -c "select(.person==\"$1\")"; }
seen_by() { [ -n "$(of "$1")" ]; }
reads_by() { [ "$(tyto events --json --person "$1" | wc -l)" -ge "$2" ]; }

ok "list reads them" tyto -q decoy list
as 41007 cat "$mnt"/plans/offer-*-1.txt >/dev/null
ok "an ordinary document is read" wait_for 30 reads_by uid:41007 1
is "planting, listing and ordinary reading raise nothing" "$(tyto -q alerts --all --json)" ""

begin=$(date +%s%N)
as 41007 cat "${decoy[0]}" >/dev/null
ok "a decoy is read: an alert" wait_for 30 raised
took=$((($(date +%s%N) - begin) / 1000000))
echo "# $took ms from the read to the alert's being listed"
ok "within 5 s, or 20 where the machine is loaded" test "$took" -le $(($(cut -d. -f1 /proc/loadavg) > 2 * $(nproc) ? 20000 : 5000))
is "severity high, of the person" "$(tyto -q alerts --json | jq -c '[.person,.severity,.rule,.status]')" '["uid:41007","high","Decoy opened","open"]'
ok "said to be expected" tyto alerts close 1 --reason expected
as 41007 cat "${decoy[1]}" >/dev/null
again() { [ -n "$(tyto -q alerts --json | jq -c 'select(.person=="uid:41007" and .status=="open")')" ]; }
ok "the next one is an alert all the same" wait_for 30 again

# Renamed, it is still a decoy: by its object.
as 41007 mv "${decoy[2]}" "$mnt/plans/other-name"
as 41008 cat "$mnt/plans/other-name" >/dev/null
ok "opened under another name, by another person" wait_for 30 seen_by uid:41008
ok "no budget holds it back" eval '[ "$(of uid:41008 | jq -r .status)" = open ]'

# A copy elsewhere: by its content, once the scan beside the keeper has read it; who opened it before then is found then.
echo "what others read before" >"$mnt/plans/was-other.txt"
chmod 666 "$mnt/plans/was-other.txt"
as 41020 cat "$mnt/plans/was-other.txt" >/dev/null
ok "an ordinary document is read by another" wait_for 30 reads_by uid:41020 1
as 41007 cp "${decoy[3]}" "$mnt/plans/early.txt"
as 41014 cat "$mnt/plans/early.txt" >/dev/null
ok "the copy is opened at once" wait_for 30 reads_by uid:41014 1
is "which says nothing of its content" "$(tyto events --json --person uid:41014 | jq -c .document | sort -u)" null
ok "known by the scan: an alert about who opened it before" wait_for 120 seen_by uid:41014
is "of the same severity, and by the same rule" "$(of uid:41014 | jq -c '[.severity,.rule,.status,(.documents|length)]')" '["high","Decoy opened","open",1]'
as 41007 cp "${decoy[3]}" "$mnt/plans/copied.txt"
known() {
	as 41009 head -c 1 "$mnt/plans/copied.txt" >/dev/null
	tyto events --json --path "$mnt/plans/copied.txt" | grep -q '"document":'
}
ok "the copy's content becomes known" wait_for 90 known
as 41010 cat "$mnt/plans/copied.txt" >/dev/null
ok "the copy is opened: an alert" wait_for 30 seen_by uid:41010
# Killed while the opening of another copy waits for its scan: the next keeper finds it, once.
as 41007 cp "${decoy[4]}" "$mnt/plans/was-other.txt"
as 41015 cat "$mnt/plans/was-other.txt" >/dev/null
ok "opened" wait_for 30 reads_by uid:41015 1
kill -9 "$(child keeper)"
ok "found all the same" wait_for 120 seen_by uid:41015
is "once" "$(of uid:41015 | wc -l)" 1
is "who read what stood there before, days or minutes ago, read no decoy" "$(of uid:41020)" ""

# Excused by name; root's own scan.
printf 'decoy.excused = uid:41011\n' >>"$tmp/conf"
end_pid "$watch"
"$TYTO" watch --state "$state" --config "$tmp/conf" "$mnt" >/dev/null 2>"$tmp/watch2.log" &
watch=$!
later end_pid "$watch"
ok "watch again" wait_for 30 grep -q "^tyto: watching" "$tmp/watch2.log"
as 41011 cat "${decoy[0]}" >/dev/null
ok "it is recorded" wait_for 30 reads_by uid:41011 1
tyto -q alerts --all --json | jq -c '[.id,.person,.severity]' | sort >"$tmp/before"
ok "scanned" tyto -q scan "$mnt"
as 41012 cat "${decoy[0]}" >/dev/null
ok "and somebody else after it" wait_for 30 seen_by uid:41012
is "the excused account and the scan raised nothing" "$(tyto -q alerts --all --json | jq -c '[.id,.person,.severity]' | sort | grep -v 41012)" "$(cat "$tmp/before")"

ok "removed" tyto -q decoy remove --all
is "none stands" "$(tyto -q decoy list)" ""
ok "they are gone, but what was moved or copied" eval '[ ! -e "${decoy[0]}" ] && [ ! -e "${decoy[1]}" ] && [ -e "$mnt/plans/copied.txt" ]'
as 41013 cat "$mnt/plans/copied.txt" >/dev/null
ok "read after removal" wait_for 30 reads_by uid:41013 1
is "no decoy any more" "$(of uid:41013)" ""
end_pid "$watch"
ok "the log verifies" tyto verify
tyto -q alerts --all --json >"$tmp/before"
rm -rf "$state/decoys" "$state/alerts"
is "all of it is in the log: the same list" "$(tyto -q decoy list --json)" ""
is "and the same alerts" "$(tyto -q alerts --all --json)" "$(cat "$tmp/before")"
done_testing
