#!/bin/bash
# tyto trace: copies, fragments, converted files, tables, archives, mails, standard input; what is shared, what is unknown, what cannot be read; JSON, page, masking.
# limit: 600
. "$(dirname "$0")/../lib.sh"
need python3 jq
share=$tmp/share
state=$tmp/state
leaks=$tmp/leaks
mkdir -p "$share/offers" "$share/tables" "$leaks"
trace() { timeout 120 "$TYTO" trace --state "$state" "$@" 2>"$tmp/err"; }
# traced FILE…: its JSON in $tmp/json; then: of FILTER
traced() { trace --json "$@" >"$tmp/json"; rc=$?; }
of() { jq -r "$1" "$tmp/json" 2>&1; }
documents() { for f; do echo "sha256:$(sha256sum <"$f" | cut -d' ' -f1)"; done; }

cat >"$tmp/make.py" <<'P'
# A share with documents of their own words, a form that many fill in, two versions, tables; and leaks made of them.
import base64, os, random, sys, zipfile
share, leaks = sys.argv[1:]
rng = random.Random(7)
SYLLABLES = [c + v for c in 'bdfgklmnprstvz' for v in ('a', 'e', 'i', 'o', 'u', 'an', 'or', 'el')]
words = [''.join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 3))) for _ in range(3000)]
def sentence(r):
    return ' '.join(r.choice(words) for _ in range(r.randint(8, 18))).capitalize() + '.'
def text(seed, n=60):
    r = random.Random(seed)
    return '\n'.join(' '.join(sentence(r) for _ in range(3)) for _ in range(n)) + '\n'
def put(folder, name, data):
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())
def docx(path, body):
    p = ''.join(f'<w:p><w:r><w:t xml:space="preserve">{l}</w:t></w:r></w:p>' for l in body.splitlines())
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr('[Content_Types].xml', '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
        z.writestr('_rels/.rels', '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
            'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>')
        z.writestr('word/document.xml', '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
            + p + '</w:body></w:document>')
for i in range(20):
    put(share, f'offers/offer {i:02}.txt', ('CONFIDENTIAL\n' if i == 3 else '') + text(100 + i))
docx(share + '/offers/plan.docx', text(900))
form = text(500, 6)
for i in range(30):
    put(share, f'form {i:02}.txt', form + f'\nFilled in for {words[i]} {words[i + 50]}: {sentence(random.Random(i))}\n')
old = text(700).splitlines()
new = list(old)
new[40] = sentence(random.Random(1))
put(share, 'contract v1.txt', '\n'.join(old))
put(share, 'contract v2.txt', '\n'.join(new))
rows = [(f'{words[i]} {words[i + 300]}', f'{words[i]}.{words[i + 300]}{i}@{words[i + 600]}.example', f'+81 3-{5000 + i:04}-{1000 + 7 * i % 9000:04}') for i in range(300)]
put(share, 'tables/clients.csv', 'name,mail,phone\n' + ''.join(f'{a},{b},{c}\n' for a, b, c in rows))
for k in range(3):
    other = [(f'{words[i]}', f'{words[i]}{k}{i}@{words[i + 900]}.example', f'+81 6-{4000 + k:04}-{1000 + i:04}') for i in range(200)]
    put(share, f'tables/other {k}.csv', 'name,mail,phone\n' + ''.join(f'{a},{b},{c}\n' for a, b, c in other))
jp = ''.join(chr(0x4e00 + random.Random(5).randint(0, 1) + (i * 7919) % 6000) + 'のをにはがで'[i % 6] for i in range(2000))
put(share, 'offers/見積書.txt', jp)

offer = text(103)
put(leaks, 'copy.bin', open(share + '/offers/offer 03.txt', 'rb').read())
put(leaks, 'fragment.txt', offer[2000:2600])
put(leaks, 'jp.txt', jp[700:800])
put(leaks, 'jp-sjis.txt', jp[700:800].encode('utf-8'))
put(leaks, 'plan.txt', text(900).upper().replace('\n', '\n\n'))
put(leaks, 'form.txt', form)
put(leaks, 'versions.txt', '\n'.join(old[10:30]))
put(leaks, 'v2.txt', '\n'.join(new[36:44]))
r = random.Random(3)
some = rows[:]
r.shuffle(some)
put(leaks, 'table.txt', '\n'.join(f'{i} | {b}' for i, (a, b, c) in enumerate(some[:120])))
put(leaks, 'unknown.txt', text(4242, 5))
put(leaks, 'mail.eml', 'From: a@b.example\nTo: c@d.example\nSubject: as promised\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=xx\n\n--xx\n'
    'Content-Type: text/plain\n\nHere it is:\n\n' + '\n'.join('> ' + l for l in text(105).splitlines()[5:12]) +
    '\n--xx\nContent-Type: text/plain; name="a.txt"\nContent-Disposition: attachment; filename="a.txt"\nContent-Transfer-Encoding: base64\n\n' +
    base64.encodebytes(text(106)[1000:2500].encode()).decode() + '\n--xx--\n')
with zipfile.ZipFile(leaks + '/leak.zip', 'w') as z:
    z.writestr('one.txt', text(107)[500:1500])
    z.writestr('in/two.txt', text(108)[500:1500])
    z.writestr('three.txt', text(9999, 4))
put(leaks, 'damaged.zip', b'PK\x03\x04 this is no zip at all')
put(leaks, 'empty', b'')
mixed = text(110)[3000:4200] + text(111)[3000:3800] + text(112)[3000:3600]
put(leaks, 'mixed.txt', mixed)
P
python3 "$tmp/make.py" "$share" "$leaks" || exit 1

trace "$leaks/copy.bin" >"$tmp/out"
is "without a state: exit 1, one line that says what to do" "$? $(wc -l <"$tmp/err")" "1 1"
echo '{"time":"2025-03-01T10:00:00Z","verb":"read","person":"clerk","path":"/srv/a"}' | "$TYTO" import -q --state "$state" -
trace "$leaks/copy.bin" >"$tmp/out"
is "before the first scan: no answer, but what to do" "$? $(wc -c <"$tmp/out") $(grep -c 'tyto scan PATH' "$tmp/err")" "1 0 1"
ok "scan" "$TYTO" scan -q --state "$state" "$share"

traced "$leaks/copy.bin"
is "a copy under another name: exact" "$rc $(of .verdict) $(of '.matches[0].path') $(of '.matches[0].label')" "0 exact $share/offers/offer 03.txt confidential"
is "with its hash" "$(of .document) $(of '.matches[0].document')" "$(documents "$leaks/copy.bin") $(documents "$leaks/copy.bin")"
traced "$leaks/fragment.txt"
is "a fragment: source" "$rc $(of .verdict) $(of '.matches[0].path')" "0 source $share/offers/offer 03.txt"
ok "all of it is found there" test "$(of '.matches[0].coverage > 0.97')" = true
ok "and nowhere else" test "$(of '.matches[0].distinct > 300')" = true
python3 - "$tmp/json" "$leaks/fragment.txt" "$share/offers/offer 03.txt" >"$tmp/passages" 2>&1 <<'P'
import json, sys
o = json.loads(open(sys.argv[1]).readline())
leak, source = (open(f, 'rb').read() for f in sys.argv[2:])
assert o['matches'][0]['passages']
for p in o['matches'][0]['passages']:
    a, b = leak[slice(*p['leak'])].decode(), source[slice(*p['source'])].decode()
    assert a.split() == b.split() and b == p['text'], (a, b, p)
print('right')
P
is "passages: the offsets are right on both sides" "$(cat "$tmp/passages")" right
traced "$leaks/jp.txt"
is "a fragment in Japanese" "$(of .verdict) $(of '.matches[0].path')" "source $share/offers/見積書.txt"
traced "$leaks/plan.txt"
is "a docx as text, in capitals" "$(of .verdict) $(of '.matches[0].path')" "source $share/offers/plan.docx"
traced "$leaks/table.txt"
is "a table: rows shuffled, a column dropped, another format" "$(of .verdict) $(of '.matches[0].path')" "source $share/tables/clients.csv"
ok "by its identifiers" test "$(of '.matches[0].identifiers >= 120')" = true
traced "$leaks/v2.txt"
is "what only one version says" "$(of .verdict) $(of '.matches[0].path')" "source $share/contract v2.txt"
traced "$leaks/versions.txt"
is "what both versions say: both are named" "$(of .verdict) $(of '[.matches[0].path] + [.matches[0].alternatives[].path] | sort | join(" ")')" \
	"source $share/contract v1.txt $share/contract v2.txt"
traced "$leaks/form.txt"
is "a form: shared" "$rc $(of .verdict)" "0 shared"
is "and nobody is named" "$(of '[.. | .people? // empty] | length')" 0
traced "$leaks/unknown.txt"
is "unknown: none" "$rc $(of .verdict) $(of '.matches | length')" "0 none 0"
traced "$leaks/mixed.txt"
is "three documents mixed: all three" "$(of .verdict) $(of '[.matches[] | select(.verdict == "source") | .path] | sort | join(",")')" \
	"source $share/offers/offer 10.txt,$share/offers/offer 11.txt,$share/offers/offer 12.txt"

# Containers and mails.
traced "$leaks/leak.zip"
is "an archive: a line a part, itself first" "$rc $(of .file | tr '\n' ' ')" "0 $leaks/leak.zip $leaks/leak.zip!/one.txt $leaks/leak.zip!/in/two.txt $leaks/leak.zip!/three.txt "
is "each part has its source" "$(jq -r 'select(.file | endswith("two.txt")) | "\(.verdict) \(.matches[0].path)"' "$tmp/json")" "source $share/offers/offer 08.txt"
is "or none" "$(jq -r 'select(.file | endswith("three.txt")) | .verdict' "$tmp/json")" none
traced "$leaks/mail.eml"
is "a mail that quotes" "$(jq -r 'select(.file | endswith("mail.eml")) | "\(.verdict) \(.matches[0].path)"' "$tmp/json")" "source $share/offers/offer 05.txt"
is "its attachment" "$(jq -r 'select(.file | endswith("a.txt")) | "\(.verdict) \(.matches[0].path)"' "$tmp/json")" "source $share/offers/offer 06.txt"

# Where it comes from, and what cannot be read.
trace --json - <"$leaks/fragment.txt" >"$tmp/json"
is "standard input" "$? $(of .file) $(of .verdict)" "0 - source"
cat "$leaks/fragment.txt" | trace --json - >"$tmp/json"
is "a pipe" "$? $(of .file) $(of .verdict)" "0 - source"
traced "$leaks/nowhere" "$leaks/fragment.txt" "$leaks" "$leaks/copy.bin"
is "one that is not there and a folder: the rest is traced, exit 3" "$rc $(of .verdict | tr '\n' ' ')" "3 source exact "
is "each is named" "$(grep -cE "nowhere: No such file|leaks: Is a directory" "$tmp/err")" 2
traced "$leaks/damaged.zip"
is "one that is damaged: said, exit 3" "$rc $(of .error) $(of .verdict)" "3 corrupt none"
traced "$leaks/empty"
is "an empty one" "$rc $(of .verdict)" "0 none"
trace --json "$leaks/nowhere" >"$tmp/out"
is "none at all: exit 3, an error as JSON" "$? $(wc -c <"$tmp/out") $(jq -r 'keys[]' "$tmp/err")" "3 0 error"
is "two times standard input" "$(trace - - >/dev/null; echo $?)" 2
is "--ocr takes two words" "$(trace --ocr later x >/dev/null; echo $?)" 2

# Deleted and changed since.
cp "$share/offers/offer 07.txt" "$tmp/kept"
rm "$share/offers/offer 07.txt"
traced "$tmp/kept"
is "deleted since the scan: still exact, and gone" "$(of .verdict) $(of '.matches[0].gone') $(of '.matches[0].path')" "exact true $share/offers/offer 07.txt"
"$TYTO" scan -q --state "$state" "$share" >/dev/null
traced "$tmp/kept"
is "and behind the next scan" "$(of .verdict) $(of '.matches[0].gone') $(of '.matches[0].path')" "exact true $share/offers/offer 07.txt"
mv "$share/offers/offer 03.txt" "$share/offers/moved.txt"
"$TYTO" scan -q --state "$state" "$share" >/dev/null
traced "$leaks/fragment.txt"
is "moved: where it is now" "$(of .verdict) $(of '.matches[0].path') $(of '.matches[0].gone')" "source $share/offers/moved.txt null"

# On a terminal and in a file.
trace "$leaks/fragment.txt" >"$tmp/out"
is "the answer begins with the verdict" "$(sed -n 2p "$tmp/out" | cut -c1-14)" "This is from /"
like "the passage stands in its surroundings" "$(cat "$tmp/out")" '\[\[.*\]\]'
is "no colour, no escape sequences" "$(grep -c $'\033' "$tmp/out")" 0
for columns in 80 100 72; do
	TYTO_COLUMNS=$columns trace "$leaks/fragment.txt" | sed "s|$tmp[^ ]*||g" >"$tmp/out"
	is "$columns columns: no line is wider" "$(python3 -c '
import sys, unicodedata
print(max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in l.rstrip("\n")) for l in open(sys.argv[1]) if "sha256:" not in l) <= int(sys.argv[2]))' "$tmp/out" "$columns")" True
done
trace "$leaks/form.txt" >"$tmp/out"
like "shared: said plainly" "$(tr '\n' ' ' <"$tmp/out")" "cannot be said.*nobody is named"
trace "$leaks/unknown.txt" >"$tmp/out"
like "none: said plainly" "$(tr '\n' ' ' <"$tmp/out")" "Nothing of this is known here.*no proof"

# A page.
trace -q -o "$tmp/page.html" "$leaks/fragment.txt" "$leaks/leak.zip" >"$tmp/out"
is "-q -o: nothing on stdout" "$? $(wc -c <"$tmp/out")" "0 0"
is "only for its owner" "$(stat -c %a "$tmp/page.html")" 600
python3 - "$tmp/page.html" >"$tmp/checked" 2>&1 <<'P'
import html.parser, sys
text = open(sys.argv[1], encoding='utf-8').read()
VOID = {'meta', 'br', 'link'}
class P(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(); self.stack = []; self.seen = set()
    def handle_starttag(self, t, a):
        assert t not in ('script', 'link', 'img', 'iframe', 'object'), t
        assert all(k in ('class', 'lang', 'charset', 'name', 'content', 'http-equiv') for k, v in a), a
        self.seen.add(t)
        if t not in VOID: self.stack.append(t)
    def handle_endtag(self, t):
        assert self.stack.pop() == t, t
p = P(); p.feed(text); p.close()
assert not p.stack and 'mark' in p.seen and 'h2' in p.seen
assert 'moved.txt' in text and 'leak.zip!/one.txt' in text
print('right')
P
is "well formed, nothing from elsewhere" "$(cat "$tmp/checked")" right
like "hash of the leak" "$(cat "$tmp/page.html")" "$(documents "$leaks/fragment.txt")"
ln -s "$tmp/page.html" "$tmp/link.html"
trace -o "$tmp/link.html" "$leaks/fragment.txt" >/dev/null
is "a page is not written through a link" "$?" 1

# Names that do harm.
bad=$(printf '%s/\033]0;x\007<script>\xff\n.txt' "$leaks")
cp "$leaks/fragment.txt" "$bad"
trace "$bad" >"$tmp/out"
is "a hostile name on a terminal" "$? $(grep -c $'[\033\007]' "$tmp/out")" "0 0"
traced "$bad"
is "as JSON" "$(of .verdict) $(of .file_b64 | base64 -d | cmp - <(printf %s "$bad") && echo same)" "source same"
trace -q -o "$tmp/bad.html" "$bad"
is "on a page" "$(grep -c '<script' "$tmp/bad.html")" 0

# Rights.
if [ "$(id -u)" = 0 ]; then
	chmod 644 "$leaks/fragment.txt"
	chmod 755 "$leaks"
	setpriv --reuid 1234 --regid 1234 --clear-groups "$TYTO" trace --state "$state" "$leaks/fragment.txt" >"$tmp/out" 2>"$tmp/err"
	is "somebody else: refused in one line" "$? $(wc -c <"$tmp/out") $(wc -l <"$tmp/err")" "1 0 1"
	like "that says who may" "$(cat "$tmp/err")" "as root, or as the owner of the state"
	chmod 600 "$share/offers/moved.txt"
	traced "$leaks/fragment.txt"
	is "documents that only root may read are compared" "$(of '.matches[0].passages[0].text | length > 100')" true
	is "nothing of root's is left in the state" "$(find "$state" -user 0 ! -path "$state" | wc -l)" "$(find "$state" -maxdepth 0 -user 0 | wc -l)"
fi

# Who had it, from imported records.
python3 - "$share" >"$tmp/records.jsonl" <<'P'
import json, sys
s = sys.argv[1]
def put(t, person, verb, path): print(json.dumps({'time': t, 'person': person, 'verb': verb, 'seen': 'access', 'path': path}))
put('2026-01-10T10:00:00Z', 'clerk', 'write', s + '/offers/moved.txt')
put('2026-02-10T10:00:00Z', 'sales', 'read', s + '/offers/moved.txt')
put('2026-03-10T10:00:00Z', 'engineer', 'read', s + '/offers/moved.txt')
put('2026-03-11T10:00:00Z', 'engineer', 'read', s + '/offers/offer 04.txt')
put('2026-03-12T10:00:00Z', 'mover', 'permission', s + '/offers/moved.txt')
P
ok "import" "$TYTO" import -q --state "$state" "$tmp/records.jsonl"
traced "$leaks/fragment.txt"
is "people, the last access first" "$(of '.matches[0].people | map(.person) | join(" ")') $(of '.matches[0].had')" "mover engineer sales clerk 3"
is "with dates, verbs and counts" "$(of '.matches[0].people[1] | "\(.first) \(.last) \(.verbs | join(",")) \(.count)"')" "2026-03-10T10:00:00Z 2026-03-10T10:00:00Z read 1"
traced --since 2026-03-01 "$leaks/fragment.txt"
is "--since" "$(of '.matches[0].people | map(.person) | join(" ")')" "mover engineer"
trace --since 2026-03-01 "$leaks/fragment.txt" >"$tmp/out"
like "in words" "$(tr -s ' \n' ' ' <"$tmp/out")" "3 persons had it; 1 of them since 2026-03-01; 1 other only moved, deleted or changed the rights of it"
echo "privacy.mask = yes" >"$tmp/conf"
trace --config "$tmp/conf" --json "$leaks/fragment.txt" >"$tmp/json"
is "masked" "$(of '.matches[0].people[] | .person' | grep -cE '^p:[0-9]+$')" 4
is "no name in any output" "$(grep -cE 'engineer|sales|clerk' "$tmp/json")" 0
trace --config "$tmp/conf" --json --unmask "$leaks/fragment.txt" >"$tmp/json"
is "--unmask needs a reason" "$?" 2
trace --config "$tmp/conf" --json --unmask --reason "case 12" "$leaks/fragment.txt" >"$tmp/json"
is "with one, names" "$? $(of '.matches[0].people[1].person')" "0 engineer"
ok "and that is a record" grep -rqa "case 12" "$state/log"
ok "verify passes" "$TYTO" verify -q --state "$state"
done_testing
