#!/bin/bash
# Who is behind accesses through a real smbd: two users, two clients with addresses of their own, two users over one connection.
# Every open is held by fanotify while the actor is looked up; creations, deletions and renames are looked up late.
WHO_NS=1
. "$(dirname "$0")/lib/who.bash"
. "$(dirname "$0")/lib/samba.bash"

${WHO_NET:+nsenter --net=/proc/self/fd/$WHO_NET} "$WHO_PRINT" -w "$TMP/share" < <(exec sleep 110) >"$TMP/seen" 2>"$TMP/who.err" &
own $!
wait_for 10 grep -q ready "$TMP/seen" || skip_all "fanotify is refused: $(cat "$TMP/who.err")"

cd "$TMP"
echo new >"$TMP/new.txt"
smb "$near" 192.0.2.1 clerk "get plan.txt $TMP/got1; put $TMP/new.txt written.txt; rename written.txt renamed.txt; del renamed.txt"
smb "$far" 198.51.100.1 engineer "get list.txt $TMP/got2; put $TMP/new.txt other.txt"
SECOND="get plan.txt $TMP/got4; put $TMP/new.txt second.txt"
smb "$near" 192.0.2.1 clerk "get both.txt $TMP/got3; logon engineer secret-engineer; tcon share; $SECOND"
# Turn about, as fast as it goes, with creations and deletions.
TURNS="put $TMP/new.txt turn1"
for i in 2 3 4 5 6; do
	[ $((i % 2)) = 0 ] && u=engineer || u=clerk
	TURNS="$TURNS; del turn$((i - 1)); logon $u secret-$u; tcon share; put $TMP/new.txt turn$i"
done
chmod 666 "$TMP/share"/* 2>/dev/null
smb "$near" 192.0.2.1 clerk "$TURNS"
sleep 1

seen() { # seen VERB PATH NUMBER: the line of the NUMBERth such event of an smbd, which may still be on its way
	local i
	for i in $(seq 200); do
		[ "$(grep -F "\"verb\":\"$1\"" "$TMP/seen" | grep -cF "$2\"")" -ge "${3:-1}" ] && break
		sleep 0.1
	done
	ANSWER=$(grep -F "\"verb\":\"$1\"" "$TMP/seen" | grep -F "$2\"" | sed -n "${3:-1}p")
}
NEAR='client="192.0.2.2"'
FAR='client="198.51.100.2"'
SMB='via="smb" smb=true program="/usr/sbin/smbd"'
ok "both clients got their files" test -s "$TMP/got1" -a -s "$TMP/got2" -a -s "$TMP/got3"
seen open share/plan.txt
ok "a read by the clerk" all uid=41001 $SMB "$NEAR" !login_uid
seen open share/list.txt
ok "a read by the engineer from another address" all uid=41002 $SMB "$FAR"
seen open share/written.txt
ok "a write by the clerk" all uid=41001 $SMB "$NEAR"
seen open share/other.txt
ok "a write by the engineer" all uid=41002 $SMB "$FAR"
# Late: right or absent, never somebody else.
right_or_absent() { # right_or_absent UID KEY=VALUE…
	local uid=$1
	shift
	all "$@" && { has uid "$uid" || has uid 0 || lacks uid; }
}
seen create written.txt
ok "its creation, looked up late" right_or_absent 41001 $SMB "$NEAR"
seen rename renamed.txt
ok "its new name, looked up late" right_or_absent 41001 $SMB "$NEAR"
seen delete renamed.txt
ok "its deletion, looked up late" right_or_absent 41001 $SMB "$NEAR"
seen open share/both.txt
ok "two users over one connection: the first" all uid=41001 $SMB "$NEAR"
FIRST=${ANSWER##*\"tgid\":}
FIRST=${FIRST%%,*}
if grep -q "secret-engineer\|NT_STATUS" "$TMP/out"; then
	sed 's/^/# /' "$TMP/out"
fi
ANSWER=$(grep -F '"verb":"open"' "$TMP/seen" | grep -F "\"tgid\":$FIRST," | grep -F 'share/plan.txt"' | tail -n 1)
ok "two users over one connection: the second, in the same smbd" all uid=41002 $SMB "$NEAR"
seen create second.txt
ok "the second's creation is never the first's" right_or_absent 41002 $SMB "$NEAR"
RIGHT=0
WRONG=0
SMBDS=
for i in 1 2 3 4 5 6; do
	seen open "share/turn$i"
	[ $((i % 2)) = 0 ] && u=41002 || u=41001
	all uid=$u $SMB "$NEAR" && RIGHT=$((RIGHT + 1))
	tgid=${ANSWER##*\"tgid\":}
	SMBDS="$SMBDS ${tgid%%,*}"
	seen create "turn$i"
	right_or_absent $u $SMB "$NEAR" || WRONG=$((WRONG + 1))
	[ $i = 6 ] && continue
	seen delete "turn$i"
	right_or_absent $u $SMB "$NEAR" || WRONG=$((WRONG + 1))
done
ANSWER="$RIGHT right, $WRONG wrong, smbd$SMBDS"
ok "two users turn about over one connection: every open" test "$RIGHT" = 6
ok "in one smbd" test "$(tr ' ' '\n' <<<"$SMBDS" | sort -u | grep -c .)" = 1
ok "creations and deletions are never the other's" test "$WRONG" = 0
OTHERS=$(grep -F '"smb":true' "$TMP/seen" | grep -F '"verb":"open"' | grep -vc '"uid":41001\|"uid":41002\|"uid":0,')
ANSWER=$OTHERS
ok "no open of an smbd without its user" test "$OTHERS" = 0
plan
