#!/bin/bash
# A real Samba share under `tyto watch`: every record has the right person, via smb, and the client's address.
WHO_NS=1
. "$(dirname "$0")/lib/who.bash"
. "$(dirname "$0")/lib/watch.bash"
. "$(dirname "$0")/lib/samba.bash"
need jq

mkdir "$TMP/share/many"
for i in $(seq 200); do echo "document $i" >"$TMP/share/many/$i.txt"; done
head -c 3000000 /dev/urandom >"$TMP/share/large.bin"
chmod -R a+rwX "$TMP/share"
ok "watch starts on the share" watch_start "$TMP/share"

cd "$TMP"
echo new >"$TMP/new.txt"
smb "$near" 192.0.2.1 clerk "get plan.txt $TMP/got1; put $TMP/new.txt written.txt; rename written.txt renamed.txt"
smb "$far" 198.51.100.1 engineer "get list.txt $TMP/got2; del renamed.txt; get large.bin $TMP/got3"
smb "$near" 192.0.2.1 clerk "get both.txt $TMP/got4; logon engineer secret-engineer; tcon share; get plan.txt $TMP/got5; put $TMP/new.txt second.txt"
mkdir "$TMP/loot"
smb "$far" 198.51.100.1 engineer "recurse on; prompt off; cd many; lcd $TMP/loot; mget *"
watch_stop

is() { [ "$2" = "$3" ] && ok "$1" true || { ANSWER="got $2, expected $3"; ok "$1" false; }; }
CLERK='.person=="clerk" and .person_by=="opener" and .via=="smb" and .client=="192.0.2.2"'
NEAR_ENGINEER='.person=="engineer" and .person_by=="opener" and .via=="smb" and .client=="192.0.2.2"'
ENGINEER='.person=="engineer" and .person_by=="opener" and .via=="smb" and .client=="198.51.100.2"'
path() { echo ".path==\"$TMP/share/$1\""; }
is "all 200 documents came" "$(ls "$TMP/loot" | wc -l)" 200
is "a read by the clerk" "$(count "$(path plan.txt) and .verb==\"read\" and $CLERK")" 1
is "a write by the clerk" "$(count "$(path written.txt) and .verb==\"write\" and $CLERK")" 1
is "the engineer's read, from another address" "$(count "$(path list.txt) and .verb==\"read\" and $ENGINEER")" 1
is "a large file, read in pieces" "$(count "$(path large.bin) and .verb==\"read\" and $ENGINEER")" 1
is "two users over one connection: the first" "$(count "$(path both.txt) and .verb==\"read\" and $CLERK")" 1
is "two users over one connection: the second" "$(count "$(path plan.txt) and .verb==\"read\" and $NEAR_ENGINEER")" 1
is "the second's write" "$(count "$(path second.txt) and .verb==\"write\" and $NEAR_ENGINEER")" 1
is "200 reads of a mass copy, each with its person" "$(events "select(.verb==\"read\" and (.path|startswith(\"$TMP/share/many/\")) and $ENGINEER) | .path" | sort -u | wc -l)" 200
is "the rename is there" "$(count ".verb==\"rename\" and .to==\"$TMP/share/renamed.txt\" and .via==\"smb\"")" 1
is "the deletion is there" "$(count "$(path renamed.txt) and .verb==\"delete\" and .via==\"smb\"")" 1
is "no rename, creation or deletion is anybody else's" "$(count '(.verb=="rename" or .verb=="delete" or .verb=="create") and .person!=null and .person!="clerk" and .person!="engineer"')" 0
is "nothing is root's or nobody's" "$(count '.via=="smb" and (.person=="root" or .person=="nobody")')" 0
is "nothing was lost" "$("$TYTO" status --json --state "$STATE" | jq .lost)" 0
is "who had the plan" "$("$TYTO" who --json --state "$STATE" "$TMP/share/plan.txt" | jq -r .person | sort | tr '\n' ' ')" "clerk engineer "
ok "verify passes" "$TYTO" verify -q --state "$STATE"
plan
