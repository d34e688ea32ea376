#!/bin/bash
# What rules know beside a record, from the log alone: people from the day on which each was known, a person's own past; in pieces or at once, with the baseline
# or without it, the same alerts.
. "$(dirname "$0")/../lib.sh"
need python3 jq
echo "rules = $top/rules/shipped" >"$tmp/conf"
tyto() { timeout 120 "$TYTO" --config "$tmp/conf" "$@"; }
states=0
fresh() { state=$tmp/state.$((++states)); export TYTO_STATE=$state; }
table() { tyto -q alerts --all --json | jq -c '[.person,.time,.severity,.rule,([.rules[].rule]|sort|join("+")),.status]'; }

# DAY FIRST-HOUR N STEP PERSON KEY=VALUE…: N documents of a day.
cat >"$tmp/make.py" <<'EOP'
import datetime, json, sys
out = []
def read(day, hour, n, step, person, first=0, **k):
    t = datetime.datetime(2026, 9, 1) + datetime.timedelta(days=day, hours=hour)
    for i in range(n):
        e = dict(time=(t + datetime.timedelta(seconds=i * step)).isoformat() + "Z", host="files", person=person, person_by="opener", verb="read", seen="access",
            path=f"/srv/share/{person}/d{first + i}.docx", via="smb", client="192.0.2." + str(10 + len(person)))
        e.update(k)
        out.append(e)
def save(name):
    out.sort(key=lambda e: e["time"])
    open(f"{sys.argv[1]}/{name}", "w").write("".join(json.dumps(e) + "\n" for e in out))
    out.clear()
team = ["sales", "sales1", "sales2", "sales3", "leaver"]
for d in range(24):
    for p in team: read(d, 8, 10 + d % 5, 1200, p)
    # Reads everything, every night, by nobody's hand.
    read(d, 2, 300, 2, "nightly", via="local", client="127.0.0.1")
save("month")
read(24, 8, 60, 300, "leaver", first=100)
read(24, 8, 60, 300, "sales3", first=100)
save("notice")
read(25, 8, 230, 120, "sales1", first=200)
save("peers")
read(26, 9, 40, 60, "sales2", first=300, via="ssh", program="/usr/bin/cp")
save("program")
read(50, 9, 1, 1, "leaver")
save("left")
read(51, 9, 58, 10, "sales", label="confidential", first=400)
save("labelled")
EOP
python3 "$tmp/make.py" "$tmp"
cat >"$tmp/people.csv" <<'EOR'
person,unit,role,joined,leaves,announced
sales,sales/north,clerk,2020-01-01,,
sales1,sales/north,clerk,2020-01-01,,
sales2,sales/north,clerk,2020-01-01,,
sales3,sales/north,clerk,2020-01-01,,
leaver,sales/north,clerk,2020-01-01,2026-10-05,2026-09-20
nightly,it,service account,,,
EOR
pieces="month notice peers program left labelled"

fresh
tyto import -q --people "$tmp/people.csv" "$tmp/month"
is "an ordinary month, with a nightly account that reads everything: nothing" "$(table)" ""
for p in notice peers program left labelled; do tyto import -q "$tmp/$p"; done
want='["leaver","2026-09-25T12:05:00Z","high","Unusual volume after notice was given","Unusual volume after notice was given"]
["sales1","2026-09-26T14:38:00Z","medium","Many more documents than any peer","Many more documents than any peer"]
["sales2","2026-09-27T09:29:00Z","medium","Documents read by a program that this person never used","Documents read by a program that this person never used"]
["leaver","2026-10-21T09:00:00Z","high","Account of somebody who left was used","Account of somebody who left was used"]
["sales","2026-10-22T09:08:10Z","high","Many labelled documents read by one person","Many labelled documents read by one person"]'
is "each is found by what is known of the person" "$(table | jq -c '.[:5]' | sort)" "$(sort <<<"$want")"
table >"$tmp/alerts"
fresh
tyto import -q --people "$tmp/people.csv" $(for p in $pieces; do echo "$tmp/$p"; done)
is "at once: the same" "$(table)" "$(cat "$tmp/alerts")"
tyto -q alerts --all --json >"$tmp/before"
is "the baseline is the owner's alone" "$(stat -c %a "$state/alerts/baseline")" 600

# The baseline is a view: lost, or damaged, it is made again.
fresh
tyto import -q --people "$tmp/people.csv" "$tmp/month"
for p in notice peers program left labelled; do
	case $p in
	notice) rm "$state/alerts/baseline" ;;
	peers) printf 'x' | dd of="$state/alerts/baseline" bs=1 seek=40 conv=notrunc 2>/dev/null ;;
	program) rm -r "$state/alerts" ;;
	esac
	tyto import -q "$tmp/$p"
done
is "lost and damaged in between: the same" "$(table)" "$(cat "$tmp/alerts")"

# What came late is looked at with what was known then: days' documents, what was new, who left.
fresh
tyto import -q --people "$tmp/people.csv" "$tmp/month"
for p in labelled left program peers notice; do tyto import -q "$tmp/$p"; done
# (A peer's busy day that was not known yet counts for nothing then: sales1 is found earlier.)
is "backwards: the same" "$(table | jq -c '[.[0],.[2:5]]' | sort)" "$(jq -c '[.[0],.[2:5]]' "$tmp/alerts" | sort)"
is "tyto rules replay finds them, too" "$(tyto rules replay --json 2>/dev/null | jq -c 'select(.severity!="low")|[.rule,([.persons[].person]|join(" "))]' | sort)" '["Account of somebody who left was used","leaver"]
["Documents read by a program that this person never used","sales2"]
["Many labelled documents read by one person","sales"]
["Many more documents than any peer","sales1"]
["Unusual volume after notice was given","leaver"]'
is "of a time, too" "$(tyto rules replay --json --since 2026-09-25 --until 2026-09-26 2>/dev/null | jq -c 'select(.severity!="low")|[.rule,([.persons[].person]|join(" "))]' | sort)" \
	'["Unusual volume after notice was given","leaver"]'

# People are known from their place in the log on.
fresh
tyto import -q "$tmp/month" "$tmp/notice"
is "nobody is known to leave, and 300 documents a night are a person's" "$(table | jq -r '.[0]' | sort -u)" nightly
tyto people import -q "$tmp/people.csv"
is "rows that come later raise nothing of the past" "$(table | jq -r '.[0]' | sort -u)" nightly
tyto import -q "$tmp/left"
is "and count from there on" "$(table | jq -r 'select(.[0]=="leaver")[4]')" "Account of somebody who left was used"
# Came back.
printf '{"person":"leaver","unit":"sales/north","joined":"2026-10-20"}\n' >"$tmp/back.jsonl"
fresh
tyto import -q --people "$tmp/people.csv" "$tmp/month"
tyto people import -q "$tmp/back.jsonl"
tyto import -q "$tmp/left"
is "a newer row: is back" "$(table)" ""

# By name: the nightly account without a row.
fresh
grep nightly "$tmp/month" >"$tmp/nights"
printf 'decoy.excused = nightly, clamav\n' >>"$tmp/conf"
tyto import -q "$tmp/nights"
is "named in decoy.excused: nothing" "$(table)" ""
printf 'rules = %s\n' "$top/rules/shipped" >"$tmp/conf"
grep -v nightly "$tmp/month" | sed 's/"sales"/"nightly"/' | head -n 1 >"$tmp/one"
tyto import -q "$tmp/one"
sed 's/2026-09-/2026-10-/' "$tmp/nights" >"$tmp/nights2"
tyto import -q "$tmp/nights2"
is "not named any more: a person" "$(table | jq -r '.[0]' | sort -u)" nightly
ok "the log verifies" tyto verify
done_testing
