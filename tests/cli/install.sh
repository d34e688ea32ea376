#!/bin/bash
# What `make install` puts in place, and that it works from there.
# limit: 600
. "$(dirname "$0")/../lib.sh"
need meson ninja mandoc systemd-analyze systemd-sysusers
to=$tmp/root
# A configuration of its own: the prefix of the tests' build stays as it is. Only the program is built there, without the tests.
ok "configured for /usr" meson setup -Dtests=false --prefix /usr --libdir lib "$tmp/build" "$top"
ok "installed into DESTDIR" env DESTDIR="$to" meson install -C "$tmp/build"
tree=$(cd "$to" && find . -type f | LC_ALL=C sort)
is "the installed files" "$tree" "./usr/bin/tyto
./usr/lib/systemd/system/tyto-notify.service
./usr/lib/systemd/system/tyto.service
./usr/lib/sysusers.d/tyto.conf
./usr/libexec/tyto/tyto-extract
./usr/libexec/tyto/tyto-notify
./usr/share/doc/tyto/ARCHITECTURE.md
./usr/share/doc/tyto/LICENSE
./usr/share/doc/tyto/README.md
./usr/share/doc/tyto/THREAT-MODEL.md
./usr/share/doc/tyto/docs/document.schema.json
./usr/share/doc/tyto/docs/event.schema.json
./usr/share/doc/tyto/docs/json.md
./usr/share/doc/tyto/docs/log-format.md
./usr/share/doc/tyto/docs/log-vectors.json
./usr/share/doc/tyto/docs/notify.md
./usr/share/doc/tyto/docs/rules.md
./usr/share/doc/tyto/docs/trace.md
./usr/share/man/man1/tyto.1
./usr/share/tyto/rules/access_after_notice.test.jsonl
./usr/share/tyto/rules/access_after_notice.yml
./usr/share/tyto/rules/account_left.test.jsonl
./usr/share/tyto/rules/account_left.yml
./usr/share/tyto/rules/archive_of_documents.test.jsonl
./usr/share/tyto/rules/archive_of_documents.yml
./usr/share/tyto/rules/bulk_delete_after_read.test.jsonl
./usr/share/tyto/rules/bulk_delete_after_read.yml
./usr/share/tyto/rules/client_volume.test.jsonl
./usr/share/tyto/rules/client_volume.yml
./usr/share/tyto/rules/decoy_opened.test.jsonl
./usr/share/tyto/rules/decoy_opened.yml
./usr/share/tyto/rules/export_of_documents.test.jsonl
./usr/share/tyto/rules/export_of_documents.yml
./usr/share/tyto/rules/gap_during_volume.test.jsonl
./usr/share/tyto/rules/gap_during_volume.yml
./usr/share/tyto/rules/log_tampering.test.jsonl
./usr/share/tyto/rules/log_tampering.yml
./usr/share/tyto/rules/mass_read_day.test.jsonl
./usr/share/tyto/rules/mass_read_day.yml
./usr/share/tyto/rules/mass_read_hour.test.jsonl
./usr/share/tyto/rules/mass_read_hour.yml
./usr/share/tyto/rules/mass_read_labelled.test.jsonl
./usr/share/tyto/rules/mass_read_labelled.yml
./usr/share/tyto/rules/mass_read_minutes.test.jsonl
./usr/share/tyto/rules/mass_read_minutes.yml
./usr/share/tyto/rules/mass_read_new.test.jsonl
./usr/share/tyto/rules/mass_read_new.yml
./usr/share/tyto/rules/mass_read_peers.test.jsonl
./usr/share/tyto/rules/mass_read_peers.yml
./usr/share/tyto/rules/mass_read_seconds.test.jsonl
./usr/share/tyto/rules/mass_read_seconds.yml
./usr/share/tyto/rules/program_never_used.test.jsonl
./usr/share/tyto/rules/program_never_used.yml
./usr/share/tyto/rules/send_of_documents.test.jsonl
./usr/share/tyto/rules/send_of_documents.yml
./usr/share/tyto/rules/service_interactive.test.jsonl
./usr/share/tyto/rules/service_interactive.yml"
is "nobody else may write them" "$(find "$to" -type f -perm /022)" ""
like "it runs from there" "$("$to/usr/bin/tyto" --version)" '^tyto [0-9]+\.[0-9]+'
echo '{"time":"2026-05-04T10:00:00Z","person":"clerk","verb":"read","path":"/srv/a"}' >"$tmp/in"
ok "and records" "$to/usr/bin/tyto" --state "$tmp/state" import "$tmp/in"
ok "what it recorded verifies" "$to/usr/bin/tyto" --state "$tmp/state" verify -q
ok "the rules that came with it pass" "$to/usr/bin/tyto" rules test "$to/usr/share/tyto/rules"
ok "the manual page reads" eval 'mandoc -T utf8 "$to/usr/share/man/man1/tyto.1" | grep -q "record who touched which document"'
unit=$to/usr/lib/systemd/system/tyto.service
is "the unit starts what was installed" "$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$unit")" /usr/bin/tyto
is "no place is left open" "$(grep -c '@[a-z]*@' "$unit")" 0
# Links between the documents lead somewhere there, or to the sources.
for page in README.md ARCHITECTURE.md THREAT-MODEL.md; do
	for link in $(grep -o '](\([^)#:]*\)' "$to/usr/share/doc/tyto/$page" | cut -c 3-); do [ -e "$top/$link" ] || echo "$page: $link"; done
done >"$tmp/links"
is "every link of the documents leads somewhere" "$(cat "$tmp/links")" ""
mkdir -p "$tmp/units" "$to/etc"
sed "s|/usr/bin/tyto|$to/usr/bin/tyto|" "$unit" >"$tmp/units/tyto.service"
is "systemd-analyze finds nothing wrong" "$(SYSTEMD_UNIT_PATH=$tmp/units: systemd-analyze verify --man=no "$tmp/units/tyto.service" 2>&1 | grep -F tyto.service)" ""
sed "s|/usr/bin/tyto|$to/usr/bin/tyto|" "$to/usr/lib/systemd/system/tyto-notify.service" >"$tmp/units/tyto-notify.service"
is "nor with the one that tells" "$(SYSTEMD_UNIT_PATH=$tmp/units: systemd-analyze verify --man=no "$tmp/units/tyto-notify.service" 2>&1 | grep -F tyto-notify.service)" ""
like "what sends is found from there" "$(printf 'notify.webhook.url = http://127.0.0.1:9/\n' >"$tmp/notify.conf"; "$to/usr/bin/tyto" --config "$tmp/notify.conf" notify test)" \
	'FAILED +webhook: (Failed to connect|tyto-notify, which sends, cannot be started)'
systemd-sysusers --root="$to" >"$tmp/users" 2>&1
is "the accounts" "$(cut -d: -f1 "$to/etc/passwd" 2>/dev/null) $(cut -d: -f1 "$to/etc/group" 2>/dev/null | sort | tr '\n' ' ')" "tyto tyto tyto-read "
done_testing
