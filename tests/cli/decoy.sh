#!/bin/bash
# `tyto decoy`: decoys follow the share, open in every reader, hold none of its words; records made elsewhere find them; a decoy that turns up is said to be one.
. "$(dirname "$0")/../lib.sh"
need python3 jq pdftotext
echo "rules = $top/rules/shipped" >"$tmp/conf"
export TYTO_STATE=$tmp/state
tyto() { timeout 120 "$TYTO" --config "$tmp/conf" "$@"; }
share=$tmp/share
cat >"$tmp/make.py" <<'EOP'
import math, os, random, sys, time
share = sys.argv[1]
r = random.Random(7)
now = time.time()
sizes = dict(docx=(10.5, .8, 8000), xlsx=(9.8, .9, 7000), pdf=(11, 1, 3000), txt=(7, 1, 80), csv=(8, 1.2, 200))
formats = ["docx"] * 40 + ["xlsx"] * 20 + ["pdf"] * 25 + ["txt"] * 10 + ["csv"] * 5
words = ["Offer", "Invoice", "Quarterly", "Contract", "Forecast", "Zanzibar"]
def put(path, size, age):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(r.randbytes(size))
    os.utime(path, (now - age, now - age))
for i in range(500):
    f = r.choice(formats)
    mu, sigma, least = sizes[f]
    name = f"{r.choice(words)}_{r.choice(words)}-{r.randint(2019, 2026)}-{r.randint(1, 12):02d}_v{r.randint(1, 4)}.{f}"
    put(f"{share}/{r.choice(['sales', 'sales/2025', 'it'])}/{name}", int(r.lognormvariate(mu, sigma)) + least, r.expovariate(1 / (300 * 86400)) + 86400)
for i in range(60):
    put(f"{share}/人事/勤務表_{2020 + i % 6}年{1 + i % 12}月.xlsx", r.randint(8000, 30000), r.uniform(86400, 900 * 86400))
for i in range(60):
    put(f"{share}/werk/PRÜFBERICHT {i:04d} ENTWURF.odt", r.randint(6000, 90000), r.uniform(86400, 900 * 86400))
put(f"{share}/it/disk.iso", 100, 0)
os.chmod(f"{share}/werk", 0o750)
EOP
python3 "$tmp/make.py" "$share"
find "$share" -type f | sort >"$tmp/before"
touch -d 2025-01-01 "$share/sales"
when=$(stat -c %Y "$share/sales")
tyto decoy "$share" -n 80 --json >"$tmp/planted" 2>"$tmp/err"
is "planted" $? 0
is "as many as asked" "$(wc -l <"$tmp/planted")" 80
like "what is not imitated is said" "$(cat "$tmp/err")" '1 documents? of other formats'
is "what stood there stands" "$(comm -23 "$tmp/before" <(find "$share" -type f | sort))" ""
is "a folder's time is as it was" "$(stat -c %Y "$share/sales")" "$when"
is "twice the same name or content: never" "$(jq -r .document "$tmp/planted" | sort -u | wc -l)" 80

cat >"$tmp/compare.py" <<'EOP'
import json, os, re, subprocess, sys, zipfile
before = [l.rstrip("\n") for l in open(sys.argv[1]) if not l.endswith(".iso\n")]
decoys = [json.loads(l)["path"] for l in open(sys.argv[2])]
def ks(a, b): # the largest distance of the two distributions
    a, b = sorted(a), sorted(b)
    return max(abs(sum(x <= v for x in a) / len(a) - sum(x <= v for x in b) / len(b)) for v in a + b)
n, m = len(before), len(decoys)
critical = 1.628 * ((n + m) / (n * m)) ** .5 # level 0.01
size = ks([os.stat(p).st_size for p in before], [os.stat(p).st_size for p in decoys])
date = ks([os.stat(p).st_mtime for p in before], [os.stat(p).st_mtime for p in decoys])
ext = lambda p: p.rsplit(".", 1)[1]
kinds = sorted({ext(p) for p in before})
chi = sum((sum(ext(p) == k for p in decoys) - e) ** 2 / e for k in kinds for e in [m * sum(ext(p) == k for p in before) / n])
bound = {5: 15.09, 6: 16.81}[len(kinds) - 1 if len(kinds) - 1 in (5, 6) else 5] # level 0.01
print("sizes", "same" if size < critical else f"differ: {size:.3f} >= {critical:.3f}")
print("dates", "same" if date < critical else f"differ: {date:.3f} >= {critical:.3f}")
print("formats", "same" if chi < bound else f"differ: {chi:.2f} >= {bound}")
print("future", sum(os.stat(p).st_mtime > __import__("time").time() for p in decoys))
# Names: the neighbours' shape, with letters as one class.
shape = lambda p: re.sub(r"[^\W\d_]+", lambda w: "A" if w.group().isupper() else "Aa" if w.group()[0].isupper() else "a" if w.group().isascii() else "漢",
    re.sub(r"\d", "9", os.path.basename(p)))
known = {}
for p in before: known.setdefault(os.path.dirname(p), set()).add(shape(p))
odd = [p for p in decoys if shape(p) not in known[os.path.dirname(p)]]
print("names", "like the neighbours'" if len(odd) <= m // 20 else odd[:4])
words = re.compile("Invoice|Quarterly|Forecast|Zanzibar|Offer|Contract|勤務表|PRÜFBERICHT")
print("words", sum(bool(words.search(os.path.basename(p))) for p in decoys))
bad = []
for p in decoys:
    if ext(p) in ("docx", "xlsx", "odt"):
        z = zipfile.ZipFile(p)
        if z.testzip(): bad.append(p)
        if ext(p) == "odt" and z.infolist()[0].filename != "mimetype": bad.append(p)
    if ext(p) == "pdf":
        r = subprocess.run(["pdftotext", p, "-"], capture_output=True, text=True)
        if r.returncode or r.stderr or len(r.stdout) < 30: bad.append(p)
print("broken", bad)
EOP
is "sizes, dates, formats, names and insides" "$(python3 "$tmp/compare.py" "$tmp/before" "$tmp/planted")" "sizes same
dates same
formats same
future 0
names like the neighbours'
words 0
broken []"

# The inventory reads them like any other document; nothing in it says what they are.
tyto scan -q --json "$share" >"$tmp/scan" 2>/dev/null
jq -r .path "$tmp/planted" | sort >"$tmp/paths"
is "each is read, with text" "$(jq -r 'select(.text_chars>30)|.path' "$tmp/scan" | sort | comm -12 - "$tmp/paths" | wc -l)" 80
is "none has a label or a finding" "$(jq -rn --rawfile p "$tmp/paths" '($p|split("\n")) as $d | inputs | select(.path as $x | $d|index($x)) | select(.label or ((.findings//{})|length>0)) | .path' "$tmp/scan")" ""
is "the inventory does not tell them apart" "$(grep -c decoy "$tmp/scan")" 0
is "the list has them all" "$(tyto -q decoy list --json | jq -r .state | sort | uniq -c | tr -s ' ')" " 80 there"
is "the list is its owner's alone" "$(stat -c '%a' "$TYTO_STATE/decoys/list")" 600

# Records made elsewhere: a decoy is known by its path, or by its content.
one=$(jq -r .path "$tmp/planted" | head -n 1)
two=$(jq -r .document "$tmp/planted" | tail -n 1)
cat >"$tmp/records" <<EOR
{"time":"2026-03-02T09:00:00Z","person":"clerk","verb":"read","path":"$share/it/none.docx","via":"smb"}
{"time":"2026-03-02T09:00:01Z","person":"backup","verb":"read","path":"$one","via":"local"}
{"time":"2026-03-02T09:00:02Z","person":"sales","verb":"rename","path":"$one","to":"$share/it/x.docx","via":"smb"}
{"time":"2026-03-02T09:00:03Z","person":"engineer","verb":"read","path":"/home/engineer/x","document":"$two","via":"local"}
EOR
ok "imported" tyto import -q "$tmp/records"
is "two alerts, of high severity, shown though the day's budget is one" "$(tyto -q alerts --json | jq -c '[.person,.severity,.rule,.status]' | tr '\n' ' ')" '["sales","high","Decoy opened","open"] ["engineer","high","Decoy opened","open"] '
tyto -q alerts --all --json >"$tmp/alerts"
rm -rf "$TYTO_STATE/alerts" "$TYTO_STATE/decoys"
printf '{"time":"2026-03-02T09:00:04Z","person":"manager","verb":"open","seen":"open","path":"%s","via":"smb"}\n' "$one" >"$tmp/more"
tyto import -q "$tmp/more"
is "lists deleted: nothing is raised anew, and decoys are still decoys" "$(tyto -q alerts --all --json | jq -r .person | tr '\n' ' ')" "sales engineer manager "

# One turns up outside.
leak=$tmp/leak.${one##*.}
cp "$one" "$leak"
is "a decoy traced: said" "$(tyto -q trace --json "$leak" | jq -c '[.verdict,.matches[0].decoy,(.matches[0].path==$p)]' --arg p "$one")" '["exact",true,true]'
like "and for people" "$(tyto trace "$leak" 2>/dev/null | tr -s ' \n' ' ')" 'It is a decoy: nobody had a reason to open it'

# Away with them.
mv "$(jq -r .path "$tmp/planted" | sed -n 2p)" "$tmp/moved"
echo changed >"$(jq -r .path "$tmp/planted" | sed -n 3p)"
is "what became of them" "$(tyto -q decoy list --json | jq -r .state | sort | uniq -c | tr -s ' ' | tr '\n' ' ')" " 1 changed  1 missing  78 there "
ok "one" tyto -q decoy remove "$one"
ok "is gone" test ! -e "$one"
like "another document is none" "$(tyto decoy remove "$(head -n 1 "$tmp/before")" 2>&1)" 'is no decoy'
ok "the rest" tyto -q decoy remove --all
is "none stands" "$(tyto -q decoy list)" ""
is "nothing else is touched, and what was written over stays" "$(find "$share" -type f | sort | comm -23 - "$tmp/before")" "$(jq -r .path "$tmp/planted" | sed -n 3p)"
ok "the log verifies" tyto verify

# Replayed: who opened a copy before a scan had read it; also when the decoys are gone.
mkdir "$tmp/copied"
for i in 1 2 3 4 5; do echo "a note of some length, number $i" >"$tmp/copied/note-$i.txt"; done
export TYTO_STATE=$tmp/state2
ok "planted" tyto -q decoy "$tmp/copied"
cp "$(tyto -q decoy list --json | jq -r .path | head -n 1)" "$tmp/copied/copy.txt"
object=$(timeout 120 "$TYTO" --config "$tmp/conf" --state "$tmp/other" scan -q --json "$tmp/copied/copy.txt" | jq -r .object)
at() { date -u -d "$1 seconds ago" +%Y-%m-%dT%H:%M:%SZ; }
cat >"$tmp/records" <<EOR
{"time":"$(at 60)","person":"engineer","verb":"write","path":"$tmp/copied/copy.txt","object":"$object","via":"local"}
{"time":"$(at 40)","person":"clerk","verb":"read","path":"$tmp/copied/copy.txt","object":"$object","via":"local"}
EOR
tyto import -q "$tmp/records"
opened() { tyto rules replay -q --json | jq -c 'select(.rule=="Decoy opened")|[.persons[].person]|sort'; }
is "before a scan nothing is known of it" "$(opened)" ""
ok "scanned" tyto scan -q "$tmp/copied"
is "then it is" "$(opened)" '["clerk","engineer"]'
ok "decoys removed" tyto -q decoy remove --all
is "it was one then" "$(opened)" '["clerk","engineer"]'
export TYTO_STATE=$tmp/state

mkdir "$tmp/empty"
like "nothing to imitate" "$(tyto decoy "$tmp/empty" 2>&1)" 'no document there that could be imitated'
tyto decoy remove >/dev/null 2>&1
is "usage" $? 2

# Whoever is not root plants his own.
if [ "$(id -u)" = 0 ]; then
	mkdir "$tmp/own"
	for i in 1 2 3 4 5; do echo "a note $i" >"$tmp/own/note-$i.txt"; done
	chown -R 41007 "$tmp/own"
	ok "without root" setpriv --reuid 41007 --regid 41007 --clear-groups env TYTO_STATE="$tmp/own/.state" "$TYTO" --config "$tmp/conf" decoy -q "$tmp/own"
	is "3 at least" "$(setpriv --reuid 41007 --regid 41007 --clear-groups env TYTO_STATE="$tmp/own/.state" "$TYTO" --config "$tmp/conf" decoy list -q | wc -l)" 3
	# Nothing is made through a link that leads out of the share.
	mkdir "$tmp/linked" "$tmp/outside"
	for i in 1 2 3; do echo "b $i" >"$tmp/outside/note-$i.txt"; done
	ln -s "$tmp/outside" "$tmp/linked/in"
	like "links are not followed" "$(tyto decoy "$tmp/linked" 2>&1)" 'no document there'
fi
done_testing
