#!/bin/bash
# 200 documents copied under `tyto watch` by cp, tar, rsync and sftp over a real sshd, and smbclient from a real smbd, each by another account: an alert of that person soon after
# the 50th document was read; the record, imported, raises the same. What it took is printed; bench/RESULTS.md has figures.
# limit: 320
WHO_NS=1
WHO_LIMIT=300
ACCOUNTS="clerk engineer sales support buyer"
. "$(dirname "$0")/lib/who.bash"
. "$(dirname "$0")/lib/watch.bash"
. "$(dirname "$0")/lib/samba.bash"
SMB_PORT=$PORT
. "$(dirname "$0")/lib/sshd.bash"
need jq rsync tar setpriv mkfs.ext4
test_end() {
	cd /
	umount /etc/sudoers 2>/dev/null
	umount "$TMP/share" || umount -l "$TMP/share" # the loop mount
	umount "$TMP/share"                           # what it hides
	accounts_end
}
sshd_start no

truncate -s 64M "$TMP/image"
mkfs.ext4 -q "$TMP/image" && mount -o loop "$TMP/image" "$TMP/share" || skip_all "this kernel mounts no loop devices"
mkdir "$TMP/share/offers" "$TMP/taken"
for i in $(seq 200); do echo "offer $i" >"$TMP/share/offers/offer $i.txt"; done
chmod 755 "$TMP/share" "$TMP/share/offers"
chmod 777 "$TMP/taken"
echo "rules = $(cd "$BUILD/.." && pwd)/rules/shipped" >"$TMP/conf"
ok "watch starts" watch_start --config "$TMP/conf" "$TMP/share"

alerts() { timeout 60 "$TYTO" -q alerts --all --json --state "${1:-$STATE}" --config "$TMP/conf"; }
of='select(.person==$p and .severity!="low")'

# copy PERSON COMMAND…: from a copy's begin until its person's alert is listed; $SEEN[PERSON] is when that was.
declare -A SEEN
copy() {
	local p=$1 until=$((SECONDS + 45))
	shift
	"$@" >"$TMP/copy.log" 2>&1 &
	local pid=$!
	own $pid
	until [ -n "$(alerts | jq -c --arg p "$p" "$of")" ]; do
		[ "$SECONDS" -lt "$until" ] || { sed 's/^/# /' "$TMP/copy.log"; break; }
		sleep 0.05
	done
	[ "$SECONDS" -lt "$until" ] && SEEN[$p]=$(date +%s.%N)
	wait "$pid"
	[ -n "${SEEN[$p]:-}" ]
}
local_as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
by_smb() {
	cd "$TMP" || return
	PORT=$SMB_PORT smb "$far" 198.51.100.1 clerk "recurse on; prompt off; cd offers; lcd $TMP/taken/smb; mget *"
}
by_sftp() { echo "get -r $TMP/share/offers $TMP/taken/sftp" | sftp "${OPTS[@]}" -o BindAddress=192.0.2.7 -P "$PORT" -b - sales@192.0.2.1; }
mkdir "$TMP/taken/smb"

ok "cp: an alert" copy support local_as support cp -r "$TMP/share/offers" "$TMP/taken/cp"
ok "tar: an alert" copy buyer local_as buyer tar czf "$TMP/taken/offers.tgz" -C "$TMP/share" offers
ok "rsync: an alert" copy engineer rsync -a -e "ssh ${OPTS[*]} -b 192.0.2.7 -p $PORT" "engineer@192.0.2.1:$TMP/share/offers" "$TMP/taken/rsync"
ok "sftp: an alert" copy sales by_sftp
ok "smbclient: an alert" copy clerk by_smb

# Everything is recorded: 200 documents a person, by the way that was taken.
reads() { timeout 60 "$TYTO" events --json --verb read --state "$STATE" --config "$TMP/conf" | jq -r 'select(.person!=null)|[.person,.path]|@tsv' | sort -u | wc -l; }
all_read() { [ "$(reads)" -ge 1000 ]; }
ok "all is recorded" wait_for 60 all_read
sshd_stop
alerts >"$TMP/alerts.live"
watch_stop
alerts >"$TMP/alerts.live"

is() { [ "$2" = "$3" ] && ok "$1" true || { ANSWER="got $2, expected $3"; ok "$1" false; }; }
for row in "cp support local" "tar buyer local" "rsync engineer ssh" "sftp sales ssh" "smbclient clerk smb"; do
	read -r how p via <<<"$row"
	is "$how: 200 documents by $p, via $via" "$(events --arg p "$p" --arg v "$via" 'select(.verb=="read" and .person==$p and .via==$v)|.path' | sort -u | wc -l)" 200
	is "$how: nothing by another way" "$(events --arg p "$p" --arg v "$via" 'select(.verb=="read" and .person==$p and .via!=$v)|.path' | wc -l)" 0
	is "$how: one alert of this person" "$(jq -c --arg p "$p" "$of" "$TMP/alerts.live" | wc -l)" 1
	is "$how: its documents are those" "$(jq -r --arg p "$p" "$of"'|.documents[].path' "$TMP/alerts.live" | grep -cv "^$TMP/share/offers")" 0
	python3 - "$TMP/events" "$p" "${SEEN[$p]:-}" "$how" <<-'PY'
		import datetime, json, sys
		path, person, seen, how = sys.argv[1:]
		first = {}
		for line in open(path):
		    e = json.loads(line)
		    if e.get('person') == person and e['verb'] == 'read':
		        t, _, frac = e['time'].rstrip('Z').partition('.')
		        t = datetime.datetime.fromisoformat(t + '+00:00').timestamp() + float('0.' + (frac or '0'))
		        first[e['path']] = min(t, first.get(e['path'], t))
		times = sorted(first.values())
		if seen and len(times) >= 50:
		    print(f'# timing {how}: alert listed {float(seen) - times[49]:.2f} s after the 50th document was read, {float(seen) - times[0]:.2f} s after the first; 200 took {times[-1] - times[0]:.2f} s')
	PY
done

# The record, imported into a state of its own, raises the same.
"$TYTO" import -q --state "$TMP/again" --config "$TMP/conf" "$TMP/events" 2>"$TMP/import.err" || sed 's/^/# /' "$TMP/import.err"
alerts "$TMP/again" >"$TMP/alerts.again"
same='select(.person!=null)|[.person,.rule,.severity,.time,([.rules[]|[.rule,.hits]]|sort),([.documents[].path]|sort)]'
is "imported: alerts of five persons" "$(jq -r 'select(.person!=null)|.person' "$TMP/alerts.again" | sort -u | tr '\n' ' ')" "buyer clerk engineer sales support "
is "imported: the same persons, rules, times and documents" "$(jq -c "$same" "$TMP/alerts.again" | sort | cut -c1-3000)" "$(jq -c "$same" "$TMP/alerts.live" | sort | cut -c1-3000)"
verifies() { "$TYTO" verify -q --state "$STATE" >"$TMP/verify.log" 2>&1; }
ok "the log verifies" verifies
plan
