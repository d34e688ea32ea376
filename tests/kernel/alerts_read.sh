#!/bin/bash
# `tyto alerts` for a member of the group tyto-read: by way of the keeper, in the queue, whole, and as they come; masked where names are; others are
# refused; and only root closes.
OWN_MOUNTS=${OWN_MOUNTS:-1} # accounts of its own
. "$(dirname "$0")/../lib.sh"
need jq setpriv python3
account auditor 41009 tyto-read
account nobodys 41010
alert_share 70
watch_share "" --config "$tmp/conf"
as() { setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups timeout 60 "$TYTO" "${@:2}" --state "$state" --config "$tmp/conf"; }
reader=auditor
setpriv --reuid "$reader" --regid "$(id -g "$reader")" --init-groups timeout 250 "$TYTO" alerts -f --json --state "$state" --config "$tmp/conf" \
	>"$tmp/reader.json" 2>"$tmp/reader.err" &
follower=$!
later end_pid "$follower"
timeout 250 "$TYTO" alerts --follow --state "$state" --config "$tmp/conf" >"$tmp/root.txt" 2>"$tmp/root.err" &
root=$!
later end_pid "$root"

setpriv --reuid 41007 --regid 41007 --clear-groups cp "$mnt"/clients/*.txt "$tmp/taken"
told() { [ "$(head -n 1 "$tmp/reader.json" | jq -c '[.id,.person,.severity,.status]')" = '[1,"uid:41007","high","open"]' ]; }
ok "a reader who follows is told" wait_for 60 told
root_told() { grep -Eq '^1 +high .* uid:41007 +Many documents read' "$tmp/root.txt"; }
ok "root, too, for people" wait_for 60 root_told
is "a reader sees the queue" "$(as "$reader" alerts --json -q | jq -c '[.id,.person]')" '[1,"uid:41007"]'
like "and one of them whole" "$(as "$reader" alerts show 1)" 'Alert 1  high.*What would have lowered it.*below 50 different documents within 10 minutes'
same() { jq -c 'del(.timeline,.own,.hours)|[.id,.time,.person,.title,(.documents|length)]'; }
is "as root does" "$(as "$reader" alerts show 1 --json | same)" "$(tyto alerts show 1 --json | same)"
for form in ocsf ecs cef; do
	is "as $form, too, as root has it" "$(as "$reader" alerts show 1 --as "$form")" "$(tyto alerts show 1 --as "$form")"
	like "$form: the person" "$(as "$reader" alerts --as "$form" -q)" 'uid:41007'
done
as "$reader" alerts -q --fail-on high >/dev/null
is "the exit status of what is found, by way of the keeper" $? 5
is "the newest first, and so many" "$(as "$reader" alerts -q -r -n 1 --json | jq -c .id)" 1
like "somebody else is refused" "$(as nobodys alerts 2>&1)" 'not permitted: members of the group tyto-read'
like "a reader closes nothing" "$(as "$reader" alerts close 1 --reason mistake 2>&1)" 'only root and the state'
like "there is no other" "$(as "$reader" alerts show 7 2>&1)" 'there is no alert 7'
ok "root closes it" tyto alerts close 1 --reason mistake
closed() { tail -n 1 "$tmp/reader.json" | jq -e '.id == 1 and .status == "closed" and .reason == "mistake"' >/dev/null; }
ok "and those who follow are told" wait_for 60 closed
ok "root is told" wait_for 60 grep -q 'closed: mistake' "$tmp/root.txt"
end_pid "$follower" INT
is "the reader's end is an end" "$(cat "$tmp/reader.err")" ""
end_pid "$watch"

# Names are masked for readers by the keeper's setting.
echo "privacy.mask = yes" >>"$tmp/conf"
: >"$tmp/watch.log" # the first watch's word is not the second's
"$TYTO" watch --state "$state" --config "$tmp/conf" "$mnt" >/dev/null 2>"$tmp/watch.log" &
watch=$!
later end_pid "$watch"
ok "watch starts, masking" wait_for 30 grep -q "^tyto: watching" "$tmp/watch.log"
# (The pause between the watches is an alert of its own, and nobody's.)
like "a reader sees p:NUMBER" "$(as "$reader" alerts --all --json -q | jq -r '.person//empty')" '^p:[0-9]+$'
is "and no name, anywhere" "$({ as "$reader" alerts --all --json; as "$reader" alerts show 1; as "$reader" alerts show 1 --json
	for form in ocsf ecs cef; do as "$reader" alerts --all --as "$form"; done; } 2>&1 | grep -c 41007)" 0
for form in ocsf ecs cef; do like "$form: p:NUMBER" "$(as "$reader" alerts --all --as "$form" -q)" 'p:[0-9]+'; done
done_testing
