#!/bin/bash
# `tyto alerts show`: the person's numbers against the own past and against others of the unit, counted again by a script that knows the records alone; in two time zones.
. "$(dirname "$0")/../lib.sh"
need python3 jq
alert_rules
fresh
cat >"$tmp/people" <<'EOF2'
{"person":"clerk","unit":"sales/north","role":"clerk"}
{"person":"sales","unit":"sales/north","role":"clerk"}
{"person":"buyer","unit":"sales/north","role":"clerk"}
{"person":"trainee","unit":"sales/north","role":"clerk"}
{"person":"engineer","unit":"sales/south","role":"engineer"}
EOF2
# Ten days of a little reading, some of it twice; on the eleventh clerk copies 60 documents, beside others' work of that day. Writing does not count.
python3 - "$tmp/records" <<'EOF2'
import datetime, json, random, sys
r = random.Random(5)
out = []
def put(t, person, path, verb="read"):
    out.append(dict(time=t.isoformat() + "Z", host="files", person=person, person_by="session", verb=verb, seen="access", path=path, program="/usr/bin/cp", via="ssh"))
for day in range(11):
    for person, most in (("clerk", 9), ("sales", 12), ("buyer", 7), ("engineer", 200)):
        if person == "buyer" and day == 10:
            continue
        for i in range(r.randint(2, most)):
            put(datetime.datetime(2026, 3, 1 + day, r.randint(7, 17), r.randint(0, 59), r.randint(0, 59)), person, f"/srv/share/{r.choice('ab')}/d{r.randint(1, most)}.odt")
    put(datetime.datetime(2026, 3, 1 + day, 8), "clerk", f"/srv/share/w{day}.odt", "write")
for i in range(60):
    put(datetime.datetime(2026, 3, 11, 14, 0, i % 60), "clerk", f"/srv/share/plans/d{i}.odt")
    if i < 25:
        put(datetime.datetime(2026, 3, 11, 15, 20, i), "trainee", f"/srv/share/plans/d{i}.odt")
with open(sys.argv[1], "w") as f:
    for e in sorted(out, key=lambda e: e["time"]):
        f.write(json.dumps(e) + "\n")
EOF2
ok "people" tyto people import -q "$tmp/people"
ok "records" tyto import -q "$tmp/records"
cat >"$tmp/count.py" <<'EOF2'
import collections, datetime, json, sys
records = [json.loads(line) for line in open(sys.argv[1])]
zone = datetime.timezone(datetime.timedelta(hours=int(sys.argv[2])))
alert = json.load(open(sys.argv[3]))
def local(e):
    return datetime.datetime.fromisoformat(e["time"].replace("Z", "+00:00")).astimezone(zone)
def count(person, of):
    c = collections.defaultdict(set)
    for e in records:
        if e["person"] == person and e["verb"] == "read":
            c[of(local(e))].add(e["path"])
    return {k: len(v) for k, v in c.items()}
hour, day = (lambda t: t.replace(minute=0, second=0)), (lambda t: t.date())
def compared(now, past):
    past = sorted(past)
    return dict(now=now, **(dict(median=past[(len(past) - 1) // 2], most=past[-1]) if past else {}), of=len(past))
first, last = min(local(e) for e in alert["timeline"]), max(local(e) for e in alert["timeline"])
def own(of):
    c = count("clerk", of)
    return compared(max(n for k, n in c.items() if of(first) <= k <= of(last)), [n for k, n in c.items() if k < of(first)])
mine = count("clerk", day)
hours = [[k.astimezone(datetime.timezone.utc).strftime("%FT%TZ"), n] for k, n in sorted(count("clerk", hour).items()) if hour(first) <= k <= hour(last)]
busiest = max((k for k in mine if k >= day(first)), key=lambda k: mine[k])
others = [count(p, day)[busiest] for p in ("sales", "buyer", "trainee") if busiest in count(p, day)]
print(json.dumps(dict(own=dict(days=30, hour=own(hour), day=own(day)), unit="sales/north", persons=3, day=compared(mine[busiest], others), hours=hours), sort_keys=True))
EOF2
id=$(tyto -q alerts --all --json | jq 'select(.person=="clerk")|.id')
for zone in "UTC 0" "Asia/Tokyo 9" "America/Bogota -5"; do
	read -r name hours <<<"$zone"
	TZ=$name tyto -q alerts show "$id" --json >"$tmp/alert"
	is "own past and unit, by the hours and days of $name" "$(jq -cS '{own,unit:.peers.unit,persons:.peers.persons,day:.peers.day,hours:[.hours[]|[.hour,.documents]]}' "$tmp/alert")" \
		"$(python3 "$tmp/count.py" "$tmp/records" "$hours" "$tmp/alert" | jq -cS .)"
done
show=$(tyto -q alerts show "$id")
like "for people: the own past" "$show" 'own past, an hour +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ hours with records'
like "and the unit" "$show" 'the unit, that day +[0-9]+ +[0-9]+ +[0-9]+ +2 of 3 others in sales/north'

# Who is in no unit is compared with nobody.
fresh
tyto import -q "$tmp/records"
is "without units: no peers" "$(tyto -q alerts show "$id" --json | jq -c '[.person,.peers]')" '["clerk",null]'
done_testing
