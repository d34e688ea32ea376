#!/bin/bash
# Who had which version: persons read, change, move and delete a document under a watch; a leak says from which version it is, and who had that one.
# limit: 600
. "$(dirname "$0")/../lib.sh"
need jq setpriv sqlite3
share 64M
dir=$mnt/share
mkdir "$dir" && chmod 777 "$dir"
as() { setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"; }
hash() { sha256sum <"$1" | cut -d' ' -f1; }
known() { [ "$(sqlite3 "file:$state/documents/documents.db?mode=ro" "SELECT count(*) FROM document WHERE hash=x'$1' AND seq>=0" 2>/dev/null)" = 1 ]; }
recorded() { "$TYTO" events --json --state "$state" --verb "$1" | jq -e "select(.uid == $2)" | grep -q .; }
traced() { timeout 120 "$TYTO" trace --json --state "$state" "$@" 2>"$tmp/err" >"$tmp/json"; }
of() { jq -r "$1" "$tmp/json" 2>&1; }
people() { of '[.matches[0].people[] | .person // .person_basis] | sort | join(" ")'; }
# text SEED: words that are in no other text.
text() {
	python3 - "$1" <<'P'
import random, sys
r = random.Random(sys.argv[1])
w = [''.join(r.choice('bdfgklmnprst') + r.choice('aeiou') for _ in range(r.randint(1, 4))) for _ in range(400)]
for _ in range(30):
    print(' '.join(r.choice(w) for _ in range(14)).capitalize() + '.')
P
}
text a >"$tmp/a"
text b >"$tmp/b"
text c >"$tmp/c"
cat "$tmp/a" "$tmp/b" >"$tmp/v1"
cat "$tmp/a" "$tmp/c" >"$tmp/v2"
cp "$tmp/v1" "$dir/plan.txt"
text other >"$dir/other.txt"
chmod 666 "$dir"/*
watch_share
ok "what is there at the start becomes known" wait_for 60 known "$(hash "$tmp/v1")"

as 41001 cat "$dir/plan.txt" >/dev/null
as 41006 cat "$dir/other.txt" >/dev/null
ok "the first reader is recorded" wait_for 20 recorded read 41001
as 41003 sh -c "cat '$tmp/v2' >'$dir/plan.txt'"
ok "changed, and quiet: the new version is known" wait_for 90 known "$(hash "$tmp/v2")"
as 41002 cat "$dir/plan.txt" >/dev/null
as 41002 cat "$dir/plan.txt" >/dev/null
as 41003 mv "$dir/plan.txt" "$dir/moved.txt"
as 41004 cat "$dir/moved.txt" >/dev/null
ok "the last reader is recorded" wait_for 20 recorded read 41004

sed -n 5,12p "$tmp/b" >"$tmp/leak1"
sed -n 5,12p "$tmp/c" >"$tmp/leak2"
sed -n 5,12p "$tmp/a" >"$tmp/both"
traced "$tmp/leak1"
is "beside the watch: what the first version said" "$(of .verdict) $(of '.matches[0].document')" "source sha256:$(hash "$tmp/v1")"
is "its reader, and nobody else" "$(people)" "uid:41001"
traced "$tmp/leak2"
is "what the second version says" "$(of .verdict) $(of '.matches[0].document')" "source sha256:$(hash "$tmp/v2")"
is "who wrote it, read it, and read it where it was moved" "$(people)" "uid:41002 uid:41003 uid:41004"
is "where it is now" "$(of '.matches[0].path') $(of '.matches[0].gone')" "$dir/moved.txt null"
is "its passages are read again" "$(of '.matches[0].passages[0].text | length > 100')" true
traced "$tmp/both"
is "what both say: both versions" "$(of .verdict) $(of '[.matches[0].document] + [.matches[0].alternatives[].document] | sort | join(" ")')" \
	"source $(printf 'sha256:%s\n' "$(hash "$tmp/v1")" "$(hash "$tmp/v2")" | sort | tr '\n' ' ' | sed 's/ $//')"
is "and everybody who had one of them" "$(people)" "uid:41001 uid:41002 uid:41003 uid:41004"

echo "privacy.mask = yes" >"$tmp/conf"
traced --config "$tmp/conf" "$tmp/leak1"
like "masked: a number" "$(people)" "^p:[0-9]+$"
traced --config "$tmp/conf" --unmask --reason "case 12" "$tmp/leak1"
is "--unmask beside the watch: the name, for a reason" "$(people)" "uid:41001"
ok "which is recorded" wait_for 5 grep -rqa "case 12" "$state/log"

as 41005 rm "$dir/moved.txt"
ok "the deletion is recorded" wait_for 20 recorded delete 41005
traced "$tmp/v2"
is "deleted: a copy is still known" "$(of .verdict) $(of '.matches[0].document')" "exact sha256:$(hash "$tmp/v2")"
is "as gone, with the place where it was last" "$(of '.matches[0].gone') $(of '.matches[0].path')" "true $dir/moved.txt"
like "who had it, and who deleted it" "$(people)" "^uid:41002 uid:41003 uid:41004 uid:41005$"
is "deleting is not having read" "$(of '.matches[0].people[] | select((.person // .person_basis) == "uid:41005") | .verbs | join(",")') $(of '.matches[0].had')" "delete 3"

end_pid "$watch"
traced "$tmp/v2"
is "without a watch the same" "$(of .verdict) $(people)" "exact uid:41002 uid:41003 uid:41004 uid:41005"
traced "$tmp/leak2"
like "a fragment of what is deleted" "$(of .verdict) $(of '.matches[0].gone')" "^(source true|shared .*|none .*)$"
ok "verify passes" "$TYTO" verify --state "$state"
done_testing
