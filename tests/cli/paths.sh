#!/bin/bash
# Where commands write: as root in folders that somebody else may write, never through a link of his; nothing that holds names is open to others.
. "$(dirname "$0")/../lib.sh"
umask 022
state=$tmp/state
for i in $(seq 300); do echo "{\"time\":\"2026-05-04T10:00:00Z\",\"person\":\"p$i\",\"verb\":\"read\",\"path\":\"/srv/f$i\"}"; done >"$tmp/in"
ok "a log" "$TYTO" --state "$state" import "$tmp/in"
is "nothing in the state is open to others" "$(find "$state" -perm /077 | head -n 3)" ""
export_to() { "$TYTO" --state "$state" evidence export "$@"; }

ok "export" export_to --names "$tmp/new"
is "the folder is its maker's alone" "$(stat -c %a "$tmp/new")" 700
is "so are the names" "$(stat -c %a "$tmp/new/names.jsonl")" 600
before=$(find "$tmp/new" -type f -exec sha256sum {} + | sort)
ok "export again, over it" export_to --names "$tmp/new"
is "the same" "$(find "$tmp/new" -type f -exec sha256sum {} + | sort)" "$before"

mkdir "$tmp/target"
ln -s "$tmp/target" "$tmp/link"
ok "a link for the folder is refused" eval '! export_to "$tmp/link"'
mkdir -p "$tmp/trap" && ln -s "$tmp/target" "$tmp/trap/tile"
ok "a link for a folder in it is refused" eval '! export_to "$tmp/trap"'
is "nothing was written behind either" "$(ls -A "$tmp/target")" ""
mkdir "$tmp/files"
echo precious >"$tmp/precious"
ln -s "$tmp/precious" "$tmp/files/checkpoint"
ln "$tmp/precious" "$tmp/files/log.vkey"
mkfifo "$tmp/files/names.jsonl"
ok "links and pipes in place of files are replaced" timeout 20 "$TYTO" --state "$state" evidence export --names "$tmp/files"
is "not followed" "$(cat "$tmp/precious")" precious
is "the files are new ones" "$(stat -c %F "$tmp/files/checkpoint" "$tmp/files/log.vkey" "$tmp/files/names.jsonl" | sort -u)" "regular file"

ln -s "$tmp/precious" "$tmp/out"
proof() { "$TYTO" --state "$state" evidence proof 7 -o "$1"; }
like "-o through a link is refused" "$(proof "$tmp/out" 2>&1)" "out: is a symbolic link"
is "and changes nothing" "$(cat "$tmp/precious")" precious
is "-o through the system's own links works" "$(proof /dev/fd/1 | head -n 1)" "c2sp.org/tlog-proof@v1"
ln -s "$tmp/target" "$tmp/state2"
like "a link for the state is refused" "$("$TYTO" --state "$tmp/state2" import "$tmp/in" 2>&1)" "is not a directory"
is "and what it points to is left alone" "$(stat -c '%a %u' "$tmp/target") $(ls -A "$tmp/target")" "755 $(id -u) "
done_testing
