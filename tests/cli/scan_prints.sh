#!/bin/bash
# tyto scan: fingerprints of every document, made again where they are missing or damaged; what is of outside origin.
. "$(dirname "$0")/../lib.sh"
need python3 sqlite3
share=$tmp/share
state=$tmp/state
mkdir -p "$share/laws"
scan() { "$TYTO" scan --state "$state" "$@"; }
counted() { sed -n 's/^documents *//p' "$tmp/out"; }
prints() { "$TYTO" status --json --state "$state" | python3 -c 'import json,sys; print(json.load(sys.stdin)["fingerprints"][sys.argv[1]])' "$1"; }
doctor() { "$TYTO" doctor --state "$state" | grep -A1 ' trace ' | tr -s ' \n' ' '; }
# Paths that are of outside origin, in order.
public() {
	scan --json "$@" >"$tmp/json" 2>&1
	python3 -c 'import json,sys
print(" ".join(sorted(o["path"][len(sys.argv[2]) + 1:] for o in map(json.loads, open(sys.argv[1])) if o.get("public"))))' "$tmp/json" "$share"
}

python3 - "$share" <<'P'
import os, sys, zipfile
os.chdir(sys.argv[1])
offer = 'The offer for the northern branch stands until the end of the month, and %s may change it only in writing and with a witness.\n'
open('a.txt', 'w').write(offer % 'the seller')
open('copy.txt', 'w').write(offer % 'the seller')
open('b.txt', 'w').write(offer % 'the buyer')
open('short.txt', 'w').write('yes\n')
open('empty.txt', 'w').write('')
open('laws/act.txt', 'w').write('Any person may inspect the register during the hours that section twelve lays down.\n')
with zipfile.ZipFile('box.zip', 'w') as z:
    z.writestr('m.txt', 'Minutes of the meeting that the board held on the sale of the northern branch and of its stock.')
with zipfile.ZipFile('laws/forms.zip', 'w') as z:
    z.writestr('f.txt', 'I declare that the particulars above are complete and true, and that I have left nothing out.')
P

scan "$share" >"$tmp/out" 2>"$tmp/err"
is "a scan makes fingerprints of every text, parts included" "$? $(prints documents) $(cat "$tmp/err")" "0 5 "
ok "which take room" test "$(prints disk)" -gt 400 -a "$(prints disk8)" -gt 400
like "doctor counts them" "$(doctor)" "^ok trace 9 documents are known, the text of 5 can be traced"
scan "$share" >"$tmp/out"
is "unchanged, they are not made again" "$(counted)" "8: 0 read, 8 unchanged"

rm -rf "$state/documents/prints"
like "missing, doctor says so" "$(doctor)" "^warning trace 6 documents have no fingerprints.*scan again"
scan "$share" >"$tmp/out"
like "and the next scan makes them, and says so" "$(cat "$tmp/out")" "8 documents were read again to make fingerprints"
is "all of them" "$(prints documents)" 5
for store in prints prints8 pictures; do
	truncate -s 20 "$state/documents/$store/manifest"
	like "$store damaged: doctor says so" "$(doctor)" "^warning trace .*damaged"
	scan "$share" >"$tmp/out" 2>"$tmp/err"
	is "$store damaged: made anew, and said" "$? $(prints documents) $(cat "$tmp/err")" "0 5 tyto: fingerprints were damaged: they are made anew"
done
truncate -s 20 "$state/documents/identifiers/manifest"
scan "$share" >"$tmp/out" 2>"$tmp/err"
is "identifiers damaged: made anew, and said" "$? $(counted) $(cat "$tmp/err")" \
	"0 8: 8 read, 0 unchanged; 2 parts of containers tyto: identifiers were damaged: they are made anew"
# As an older version left them.
python3 - "$state/documents/prints" <<'P'
import os, struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
d = sys.argv[1]
name = next(n for n in os.listdir(d) if n.startswith('journal-') and os.path.getsize(os.path.join(d, n)))
b = bytearray(open(os.path.join(d, name), 'rb').read())
frame = 0
while frame < len(b):
    n = struct.unpack_from('<I', b, frame + 4)[0]
    at, end = frame + 12, frame + 12 + n
    while at < end:
        struct.pack_into('<I', b, at + 32, 0)
        varints = 2 * struct.unpack_from('<I', b, at + 40)[0]
        at += 44
        while varints:
            varints -= b[at] < 128
            at += 1
    struct.pack_into('<I', b, frame + 8, crc32c(b[frame + 12:end]))
    frame = end
open(os.path.join(d, name), 'r+b').write(b)
P
scan "$share" >"$tmp/out" 2>"$tmp/err"
like "of another version: made again" "$(cat "$tmp/err" "$tmp/out")" "^documents .*trace +8 documents were read again"

scan --public "$share/laws" "$share" >"$tmp/out"
like "--public marks what is below" "$(cat "$tmp/out")" "public +3 marked as of outside origin"
is "containers with their parts" "$(public "$share")" "laws/act.txt laws/forms.zip laws/forms.zip!/f.txt"
ok "as the schema has it" python3 -c 'import json,sys,jsonschema
v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
[v.validate(json.loads(l)) for l in open(sys.argv[2])]' "$top/docs/document.schema.json" "$tmp/json"
cp "$share/laws/act.txt" "$share/copied.txt"
is "a copy elsewhere is of the same origin" "$(public "$share")" "copied.txt laws/act.txt laws/forms.zip laws/forms.zip!/f.txt"
is "read again, it stays so" "$(public --again "$share")" "copied.txt laws/act.txt laws/forms.zip laws/forms.zip!/f.txt"
rm "$state"/documents/documents.db*
is "also when the table is made anew from the log" "$(public "$share")" "copied.txt laws/act.txt laws/forms.zip laws/forms.zip!/f.txt"
scan --not-public "$share/laws/act.txt" >"$tmp/out"
like "--not-public takes it back, given alone" "$(cat "$tmp/out")" "^documents +1: .*public +0 marked as of outside origin, 1 taken back"
is "in every place" "$(public "$share")" "laws/forms.zip laws/forms.zip!/f.txt"
is "both at once: of outside origin" "$(public --public "$share/laws" --not-public "$share/copied.txt" "$share")" \
	"copied.txt laws/act.txt laws/forms.zip laws/forms.zip!/f.txt"
scan --public "$share/nowhere" "$share" >"$tmp/out" 2>"$tmp/err"
is "a folder that is not there is said" "$? $(cat "$tmp/err")" "1 tyto: $share/nowhere: No such file or directory"
scan >"$tmp/out" 2>"$tmp/err"
is "no path at all: usage" "$?" 2
ok "the log is whole" "$TYTO" verify --state "$state"
done_testing
