#!/bin/bash
# A picture of text that is dropped into a watched folder: known at once, read later, and then its label and findings are known, too.
. "$(dirname "$0")/../lib.sh"
need jq /usr/bin/python3 setpriv
share 64M
/usr/bin/python3 - "$tmp/scan.png" <<'END' || { ok "a picture is drawn (python3-pil)" false; done_testing; }
import sys
from PIL import Image, ImageDraw, ImageFont
lines = ["CONFIDENTIAL", "Delivery list of the northern depot", "Warehouse clerk: clerk.north@depot.example.com",
         "Orders above forty pallets are confirmed by the office", "and a written note is kept for each of them."]
im = Image.new("L", (1240, 900), 255)
ImageDraw.Draw(im).multiline_text((110, 120), "\n".join(lines), fill=20, spacing=14,
                                  font=ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 30))
im.save(sys.argv[1])
END
documents() { "$TYTO" status --json --state "$state" | jq -r ".inventory.$1"; }
at() { [ "$(documents "$1")" = "$2" ]; }
echo "what lies there from the start" >"$mnt/note.txt"
watch_share
ok "what is there becomes known" wait_for 60 at places 1

cp "$tmp/scan.png" "$mnt/incoming.tmp" && mv "$mnt/incoming.tmp" "$mnt/incoming.png"
ok "a picture that was dropped in becomes known" wait_for 60 at places 2
ok "and is read when nothing else is to be done" wait_for 120 eval 'at waiting_ocr 0 && at unlabelled 1'
# A scan that reads no pictures says what is known and adds nothing.
"$TYTO" scan --json --ocr never --state "$state" "$mnt" >"$tmp/known" 2>"$tmp/known.err"
is "a scan beside it has nothing to say against it" "$? $(cat "$tmp/known.err")" "0 "
one() { jq -r "select(.path==\"$mnt/incoming.png\") | $1" "$tmp/known"; }
is "its label is that of the marking in it" "$(one .label)" confidential
is "its findings are there" "$(one '.findings.email')" 1
is "and nobody waits for it" "$(one '.waiting_ocr // false')" false

as() { setpriv --reuid "$1" --regid "$1" --clear-groups -- "${@:2}"; }
chmod 644 "$mnt/incoming.png"
labelled() {
	as 41001 cat "$mnt/incoming.png" >/dev/null
	"$TYTO" events --json --state "$state" --path "$mnt/incoming.png" | jq -e 'select(.verb=="read" and .label=="confidential")'
}
ok "whoever reads it from now on, reads what is confidential" wait_for 60 labelled
is "Tyto's own reading is no record" \
	"$("$TYTO" events --json --state "$state" --path "$mnt/incoming.png" | jq -r 'select(.verb=="read" and .uid!=41001 and (.program // "" | test("tyto"))) | .program')" ""
end_pid "$watch"
ok "verify passes" "$TYTO" verify --state "$state"
done_testing
