"""Detectors: 10,000 values of each among look-alikes; precision and recall of each. See eval/README.md.

    eval/detectors.py [DETECTOR…]          VALUES=10000 SEED=20251125
"""
import collections, os, sys
import numbers_ as N
from common import Work, finish, rng, scan, table, verdict, write

SEED = os.environ.get('SEED', '20251125')
VALUES = int(os.environ.get('VALUES', '10000'))
A_FILE = 100
WANTED = .99

WIDE = {c: c + 0xfee0 for c in range(0x21, 0x7f)}


def wide(s):
    return s.translate(WIDE)


# A detector: value(r, ja) -> text; context words (English, Japanese) that stand before it; heads of columns; wide: may stand in full-width letters; bad: nearly valid.
class D:
    def __init__(self, value, en, ja, head, wide=True, bad=None, log=None, also=()):
        self.value, self.en, self.ja, self.head, self.wide, self.bad, self.log, self.also = value, en, ja, head, wide, bad, log or head[0], also


def plain(f):
    return lambda r, ja: f(r)


def bank(r, ja):
    (b, s), n = r.choice(N.BANKS), N.digits(r, 7)
    return r.choice([f'{b} {s} 普通 {n}', f'{b}{s} 普通預金 {n}', f'{b} {s} 当座 {n}', f'普通 口座番号 {n}', f'普通預金口座 {n}'])


def post(r, ja):
    zone, _ = N.address(r)
    return r.choice([f'〒{zone}-{N.digits(r, 4)}', f'{zone}-{N.digits(r, 4)}'])


def zip_with_mark(r, ja):
    zone, _ = N.address(r)
    return f'{zone}-{N.digits(r, 4)}'


def corp(r, ja):
    s = N.corporate(r)
    return r.choice([s, s, 'T' + s, f'{s[0]}-{s[1:5]}-{s[5:9]}-{s[9:]}'])


def corp_bad(r):
    s = N.corporate(r)
    return N.other_digit(r, s[0]).replace('0', '9' if s[0] != '9' else '1') + s[1:]


def my_bad(r):
    s = N.my_number(r)
    return s[:-1] + N.other_digit(r, s[-1])


def jwt_bad(r):
    return '.'.join((N.pick(r, N.BASE62, 20), N.pick(r, N.BASE62, 40), N.pick(r, N.BASE62, 43)))


DETECTORS = {
    'payment_card': D(plain(N.card), ['card', 'paid with card', 'charge the card', 'Visa/Mastercard no.'], ['カード番号', 'クレジットカード', '決済カード'], ('card number', 'カード番号'), bad=N.card_bad, log='pan'),
    'iban': D(plain(N.iban), ['IBAN', 'transfer to', 'account'], ['IBAN', '送金先', '海外送金口座'], ('IBAN', 'IBAN'), bad=N.iban_bad),
    'email': D(plain(N.email), ['write to', 'e-mail', 'sent by', 'cc'], ['メール', '連絡先', '送信者'], ('e-mail', 'メールアドレス'), bad=N.email_bad),
    'phone': D(lambda r, ja: N.phone(r, bare=True), ['phone', 'tel.', 'mobile', 'call'], ['電話', 'TEL', '携帯', '電話番号'], ('phone', '電話番号'), bad=N.phone_bad),
    'my_number': D(lambda r, ja: N.spaced12(r, N.my_number(r)), ['My Number', 'individual number (My Number)'], ['マイナンバー', '個人番号'], ('My Number', '個人番号'), bad=my_bad),
    'jp_corporate_number': D(corp, ['Corporate Number', 'corporate number (Japan)'], ['法人番号', '登録番号', '適格請求書発行事業者登録番号'], ('corporate number', '法人番号'), bad=corp_bad),
    'jp_pension_number': D(plain(N.pension), ['basic pension number', 'pension number'], ['基礎年金番号', '年金番号'], ('pension number', '基礎年金番号')),
    'jp_drivers_license': D(plain(N.license), ["driver's license no.", 'driving licence number'], ['運転免許証番号', '免許証番号'], ("driver's license number", '運転免許証番号'), log='drivers_license_number'),
    'passport': D(plain(N.passport), ['passport no.', 'passport number', 'Passport'], ['旅券番号', 'パスポート番号'], ('passport number', '旅券番号')),
    'bank_account_jp': D(bank, ['bank account', 'pay to'], ['振込先', '口座', 'お振込先'], ('bank account', '振込先口座')),
    'postal_code_jp': D(post, ['postal code (Japan)', 'postcode', '〒'], ['郵便番号', '〒'], ('postal code', '郵便番号')),
    'address_jp': D(lambda r, ja: N.address(r)[1], ['address', 'deliver to'], ['住所', 'お届け先', '所在地'], ('address', '住所'), wide=False),
    'us_ssn': D(plain(N.ssn), ['SSN', 'social security number'], ['社会保障番号', 'SSN'], ('SSN', 'SSN'), bad=N.ssn_bad),
    'eu_vat': D(plain(N.vat), ['VAT ID', 'VAT no.', 'USt-IdNr.'], ['VAT番号', 'EU VAT番号'], ('VAT number', 'VAT番号'), bad=lambda r: N.vat(r, good=False)),
    'ip_address': D(plain(N.ip), ['from', 'host', 'client address'], ['接続元', 'IPアドレス', 'サーバ'], ('IP address', 'IPアドレス'), wide=False, bad=N.ip_bad),
    'birth_date': D(N.birth, ['date of birth', 'born', 'DOB', 'birthday'], ['生年月日', '誕生日'], ('date of birth', '生年月日')),
    'secret_aws': D(plain(N.aws), ['aws_access_key_id =', 'key'], ['アクセスキー'], ('access key', 'アクセスキー'), wide=False),
    'secret_github': D(plain(N.github), ['GITHUB_TOKEN=', 'token'], ['トークン'], ('token', 'トークン'), wide=False, bad=lambda r: N.github(r, good=False)),
    'secret_npm': D(plain(N.npm), ['//registry.npmjs.org/:_authToken=', 'token'], ['トークン'], ('token', 'トークン'), wide=False),
    'secret_slack': D(plain(N.slack), ['SLACK_BOT_TOKEN=', 'token'], ['トークン'], ('token', 'トークン'), wide=False),
    'secret_stripe': D(plain(N.stripe), ['STRIPE_SECRET=', 'api_key:'], ['APIキー'], ('API key', 'APIキー'), wide=False),
    'secret_gcp': D(plain(N.gcp), ['key=', 'GOOGLE_API_KEY='], ['APIキー'], ('API key', 'APIキー'), wide=False),
    'secret_jwt': D(plain(N.jwt), ['Authorization: Bearer', 'jwt'], ['トークン'], ('token', 'トークン'), wide=False, bad=jwt_bad),
    'secret_private_key': D(plain(N.private_key), ['the key:'], ['秘密鍵:'], ('key', '秘密鍵'), wide=False),
}


# Look-alikes: name -> text. None is a value of any detector but by chance.
def stamp(r):
    return '20%02d-%02d-%02dT%02d:%02d:%02d' % (r.randint(18, 25), r.randint(1, 12), r.randint(1, 28), r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))


def uuid(r):
    h = N.pick(r, '0123456789abcdef', 32)
    return f'{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}'


HEX = '0123456789abcdef'
LOOKALIKES = {
    'order number': lambda r, ja: ('注文番号 ' if ja else 'order number ') + r.choice([N.digits(r, r.randint(8, 17), '123456789'), f'{N.digits(r, 3)}-{N.digits(r, 7)}-{N.digits(r, 7)}', f'PO-20{N.digits(r, 6)}-{N.digits(r, 5)}']),
    'hash': lambda r, ja: ('ハッシュ ' if ja else 'digest ') + N.pick(r, HEX, r.choice([32, 40, 64])),
    'commit': lambda r, ja: ('コミット ' if ja else 'commit ') + N.pick(r, HEX, r.choice([7, 12, 40])),
    'timestamp': lambda r, ja: ('記録 ' if ja else 'at ') + r.choice([stamp(r) + 'Z', stamp(r).replace('T', ' '), str(r.randint(1500000000, 1760000000)), str(r.randint(1500000000000, 1760000000000)), f'{stamp(r)}.{N.digits(r, 6)}+09:00']),
    'UUID': lambda r, ja: ('識別子 ' if ja else 'id ') + r.choice([uuid(r), uuid(r).upper(), '{' + uuid(r) + '}']),
    'version': lambda r, ja: ('バージョン ' if ja else 'version ') + r.choice([f'{r.randint(0, 20)}.{r.randint(0, 40)}.{r.randint(0, 40)}', f'{r.randint(1, 20)}.{r.randint(0, 40)}.{r.randint(0, 40)}.{r.randint(0, 40)}', f'{r.randint(1, 9)}.{r.randint(0, 40)}-rc{r.randint(1, 9)}']),
    'ISBN': lambda r, ja: 'ISBN ' + r.choice([lambda s: s, lambda s: f'{s[:3]}-{s[3]}-{s[4:8]}-{s[8:12]}-{s[12]}'])(N.ean13(r, r.choice(['978', '979']))),
    'JAN': lambda r, ja: ('JANコード ' if ja else 'barcode ') + N.ean13(r, r.choice(['45', '49'])),
    'tracking number': lambda r, ja: ('お問い合わせ番号 ' if ja else 'tracking number ') + r.choice([f'{N.digits(r, 4)}-{N.digits(r, 4)}-{N.digits(r, 4)}', '1Z' + N.pick(r, N.DIGITS + N.UPPER, 16), N.digits(r, 12), f'{N.pick(r, N.UPPER, 2)}{N.digits(r, 9)}JP']),
    'amount': lambda r, ja: r.choice([f'{r.randint(1000, 99999999):,}円', f'¥{r.randint(1000, 99999999):,}']) if ja else r.choice([f'EUR {r.randint(100, 9999999):,}.{N.digits(r, 2)}', f'${r.randint(100, 9999999):,}.{N.digits(r, 2)}']),
    'MAC address': lambda r, ja: 'MAC ' + ':'.join('%02x' % r.randint(0, 255) for _ in range(6)),
    'part number': lambda r, ja: ('型番 ' if ja else 'part ') + r.choice([f'{N.pick(r, N.UPPER, 2)}-{N.digits(r, 3)}-{N.digits(r, 4)}', f'{N.digits(r, 3)}-{N.digits(r, 4)}{r.choice(N.UPPER)}', f'{N.pick(r, N.UPPER, 3)}{N.digits(r, 6)}']),
    'coordinates': lambda r, ja: ('座標 ' if ja else 'at ') + f'{r.randint(24, 45)}.{N.digits(r, 6)}, {r.randint(123, 145)}.{N.digits(r, 6)}',
    'date range': lambda r, ja: f'20{r.randint(10, 25)}年{r.randint(1, 12)}月{r.randint(1, 28)}日まで' if ja else f'until 20{r.randint(10, 25)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}',
    'base64': lambda r, ja: ('署名 ' if ja else 'signature ') + N.pick(r, N.BASE62 + '+/', r.choice([44, 64, 88])),
    'place': lambda r, ja: r.choice(['京都府警の発表', '大阪府知事の会見', '東京都の予算案', '北海道産の小麦', '神奈川県内の三社']) if ja else r.choice(['the Tokyo office', 'a Kyoto supplier', 'our Osaka team']),
    'extension': lambda r, ja: f'内線{N.digits(r, 4)}' if ja else f'ext. {N.digits(r, 4)}',
    'URL': lambda r, ja: f'https://{r.choice(N.COMPANY)}.example/{N.pick(r, HEX, 8)}/{N.digits(r, r.randint(5, 12))}',
}
SENTENCE_EN = ['Please check {} before the audit.', 'We noted {} in the minutes.', 'The record says {}, see the annex.', '{} was confirmed yesterday', 'Note: {}; nothing else changed.', 'For reference ({}).']
SENTENCE_JA = ['監査の前に{}を確認してください。', '議事録には{}とあります。', '{}を昨日確認しました。', '参考：{}。', '備考　{}', '（{}）は変更なし。']


def line(r, ja, what, log):
    if log:
        return f'{stamp(r)}.{N.digits(r, 3)}Z app[{r.randint(100, 9999)}] {r.choice(["INFO", "WARN", "DEBUG"])} {what}'
    return r.choice(SENTENCE_JA if ja else SENTENCE_EN).format(what)


def lookalike(r, ja):
    name = r.choice(sorted(LOOKALIKES))
    return name, LOOKALIKES[name](r, ja)


def distinct(r, d, ja, seen):
    while True:
        v = d.value(r, ja)
        if v not in seen:
            seen.add(v)
            return v


def value_file(name, d, i):
    """(file name, text, lines with their kind, {detector: count}) of the i-th file of a detector: prose, table or log in turn; every second one Japanese."""
    r = rng(SEED, name, i)
    ja, form = i % 2 == 1, ('prose', 'table', 'log')[i // 2 % 3]
    seen, lines = set(), []
    pem = name == 'secret_private_key'
    if form == 'table' and pem:
        form = 'log'
    if form == 'table':
        sep = r.choice([',', '\t'])
        q = lambda s: f'"{s}"' if sep in s else s
        head = ['番号', '日付', d.head[1], '金額', '識別子'] if ja else ['no', 'date', d.head[0], 'amount', 'id']
        lines.append(('head', sep.join(head)))
    for k in range(A_FILE):
        v = distinct(r, d, ja, seen)
        kind = f'{form} {"ja" if ja else "en"}'
        if d.wide and r.random() < .1:
            v, kind = wide(v), kind + ' full-width'
        if form == 'table':
            lines.append((kind, sep.join(q(c) for c in (str(1000 + k), stamp(r)[:10], v, f'{r.randint(1, 9999)}.{N.digits(r, 2)}', N.pick(r, HEX, 12)))))
            continue
        if form == 'log':
            what = f'{d.log.replace(" ", "_")}={v if not pem else v.replace(chr(10), chr(92) + "n")}' if not ja or d.log != d.head[0] or name.startswith('secret') else f'{d.head[1]}={v}'
            lines.append((kind, line(r, ja, what, True)))
        elif pem:
            lines.append((kind, f'{(d.ja if ja else d.en)[0]}\n{v}\n'))
        else:
            word = r.choice(d.ja if ja else d.en)
            glue = r.choice(['：', ' ', '']) if ja and word[-1] > '~' and word != '〒' and not name.startswith('secret') else '' if word[-1] in '=〒' else ' '
            if word == '〒' and v[0] == '〒':
                word = ''
            lines.append((kind, line(r, ja, word + glue + v, False)))
        if r.random() < .5:
            n, t = lookalike(r, ja)
            lines.append((f'look-alike {n}', line(r, ja, t, form == 'log')))
    return f'{name}/{i:04d}.{"csv" if form == "table" and sep == "," else "tsv" if form == "table" else "log" if form == "log" else "txt"}', lines, {name: A_FILE}


def near_file(name, d, i):
    """Values that only their definition refuses, with all the context of right ones."""
    r = rng(SEED, 'near', name, i)
    ja, log = i % 2 == 1, i % 4 > 1
    lines = []
    for _ in range(A_FILE):
        v = d.bad(r)
        lines.append((f'nearly {name}', line(r, ja, f'{r.choice(d.ja if ja else d.en)} {v}', log)))
    return f'near/{name}-{i:03d}.txt', lines, {}


def plain_file(i):
    r = rng(SEED, 'lookalikes', i)
    ja, log = i % 2 == 1, i % 4 > 1
    lines = []
    for _ in range(5 * A_FILE):
        n, t = lookalike(r, ja)
        if r.random() < .05:
            t = wide(t)
            n += ' full-width'
        lines.append((f'look-alike {n}', line(r, ja, t, log)))
    return f'lookalikes/{i:04d}.{"log" if log else "txt"}', lines, {}


def files(wanted):
    for name, d in DETECTORS.items():
        if name not in wanted:
            continue
        for i in range(-(-VALUES // A_FILE)):
            yield value_file(name, d, i)
        if d.bad:
            for i in range(max(1, VALUES // A_FILE // 10)):
                yield near_file(name, d, i)
    for i in range(max(1, VALUES // A_FILE * 2)):
        yield plain_file(i)


def text_of(lines):
    return '\n'.join(t for _, t in lines) + '\n'


def counted(found):
    return {k: v for k, v in (found.get('findings') or {}).items() if v}


def main():
    wanted = sys.argv[1:] or list(DETECTORS)
    right, false, missed = collections.Counter(), collections.Counter(), collections.Counter()
    unknown = collections.Counter()
    confusion = collections.Counter() # (what was drawn, what was found instead)
    wrong, n_files, n_bytes = [], 0, 0
    with Work() as top:
        where = os.path.join(top, 'set')
        drawn = {}
        for name, lines, want in files(wanted):
            t = text_of(lines)
            write(os.path.join(where, name), t)
            drawn[name] = (lines, want)
            n_files, n_bytes = n_files + 1, n_bytes + len(t.encode())
        got = {os.path.relpath(p, where): d for p, d in scan(where).items()}
        absent = [n for n in drawn if n not in got]
        for name, (lines, want) in drawn.items():
            found = counted(got.get(name, {}))
            for det in set(found) | set(want):
                if det not in DETECTORS:
                    unknown[det] += found[det]
                    continue
                f, w = found.get(det, 0), want.get(det, 0)
                right[det] += min(f, w)
                false[det] += max(0, f - w)
                missed[det] += max(0, w - f)
                if f > w:
                    confusion[(name.split('/')[0], det)] += f - w
                if f != w:
                    wrong.append((name, det))
        errors = explain(top, drawn, wrong)
    print(f'{n_files} files, {n_bytes / 1e6:.1f} MB, {VALUES} values a detector, seed {SEED}; {len(absent)} files without an answer\n')
    rows, ok = [], not absent
    for det in wanted:
        p = right[det] / (right[det] + false[det]) if right[det] + false[det] else 0
        r = right[det] / (right[det] + missed[det]) if right[det] + missed[det] else 0
        good = p >= WANTED and r >= WANTED
        ok = ok and good
        rows.append((det, right[det] + missed[det], right[det], missed[det], false[det], f'{p:.4f}', f'{r:.4f}', verdict(good)))
    table(('detector', 'drawn', 'found', 'missed', 'false', 'precision', 'recall', f'≥ {WANTED} each'), rows)
    for det, n in unknown.items():
        print(f'found under a name that is not in the contract: {det} {n}')
    if confusion:
        print('\nFalse findings by the files they were in:\n')
        table(('in files of', 'false findings of', 'count'), [(a, b, n) for (a, b), n in confusion.most_common(30)])
    if errors:
        print('\nErrors, from lines read alone (at most 12 files a detector):\n')
        for (det, kind, what), examples in sorted(errors.items(), key=lambda x: -len(x[1]))[:60]:
            print(f'- {det} {what} in "{kind}": {len(examples)}, e.g. ' + ' | '.join(e.replace('\n', '\\n')[:150] for e in examples[:3]))
    finish(ok)


def explain(top, drawn, wrong):
    """Reads wrong files again, a line a file. (A column's head is put above each of its lines.)"""
    where, by_det, lines = os.path.join(top, 'lines'), collections.Counter(), {}
    for name, det in wrong:
        by_det[det] += 1
        if by_det[det] > 12:
            continue
        head = drawn[name][0][0] if drawn[name][0][0][0] == 'head' else None
        for i, (kind, text) in enumerate(drawn[name][0]):
            if kind == 'head':
                continue
            f = f'{name.replace("/", "_")}.{i}{os.path.splitext(name)[1]}'
            write(os.path.join(where, f), (head[1] + '\n' if head else '') + text + '\n')
            lines.setdefault(f, (kind, text, drawn[name][1], set()))[3].add(det)
    errors = collections.defaultdict(list)
    if not lines:
        return errors
    for path, d in scan(where).items():
        kind, text, want, dets = lines.get(os.path.relpath(path, where), ('', '', {}, set()))
        found = counted(d)
        for det in dets:
            w = 1 if det in want and not kind.startswith('look-alike') else 0
            f = found.get(det, 0)
            if f != w:
                errors[(det, kind, 'missed' if f < w else 'false')].append(text)
    return errors


if __name__ == '__main__':
    main()
