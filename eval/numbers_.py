"""Numbers by their public definitions, valid and nearly valid. Written from the definitions: ISO/IEC 7812 (Luhn), ISO 13616 (IBAN registry), ISO 7064,
the ordinance of the Ministry of Internal Affairs for individual numbers (check digit), the National Tax Agency's for corporate numbers, the VIES pages for VAT numbers,
E.164 and the Ministry's area codes, RFC 5321, RFC 7519, RFC 7468. Every function takes a random.Random."""
import base64, json, zlib

DIGITS, UPPER = '0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
BASE62 = DIGITS + UPPER + UPPER.lower()


def digits(r, n, first=DIGITS):
    return r.choice(first) + ''.join(r.choice(DIGITS) for _ in range(n - 1)) if n else ''


def pick(r, alphabet, n):
    return ''.join(r.choice(alphabet) for _ in range(n))


def luhn_sum(s):
    return sum(int(c) if i % 2 == 0 else sum(divmod(int(c) * 2, 10)) for i, c in enumerate(reversed(s))) % 10


def luhn_digit(s):
    return str((10 - luhn_sum(s + '0')) % 10)


def other_digit(r, d):
    return r.choice(DIGITS.replace(d, ''))


# Cards: prefix, length. ISO/IEC 7812; the schemes' published ranges.
def card_digits(r):
    prefix, n = r.choice([(lambda: '4', 16)] * 4 + [(lambda: str(r.randint(51, 55)), 16)] * 2 + [(lambda: str(r.randint(2221, 2720)), 16), (lambda: r.choice(['34', '37']), 15),
                          (lambda: str(r.randint(3528, 3589)), 16), (lambda: r.choice(['6011', '65']), 16), (lambda: r.choice(['36', '38', '300', '305']), 14)])
    p = prefix()
    s = p + digits(r, n - len(p) - 1)
    return s + luhn_digit(s)


def card_groups(r, s):
    sep = r.choice(['', '', ' ', '-'])
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[len(s)]
    out, at = [], 0
    for n in sizes:
        out.append(s[at:at + n])
        at += n
    return sep.join(out)


def card(r):
    return card_groups(r, card_digits(r))


def card_bad(r):
    s = card_digits(r)
    return card_groups(r, s[:-1] + other_digit(r, s[-1]))


# The IBAN registry's structures: n digits, a capitals, c capitals or digits.
IBANS = dict(DE='18n', FR='10n11c2n', GB='4a14n', NL='4a10n', BE='12n', ES='20n', IT='1a10n12c', CH='5n12c', AT='16n', PL='24n', SE='20n', NO='11n', DK='14n', FI='14n', LU='3n13c',
             PT='21n', IE='4a14n', CZ='20n', GR='7n16c', SA='2n18c', AE='19n', HU='24n', MT='4a5n18c', CY='8n16c', LT='16n', LV='4a13c', EE='16n', SK='20n', SI='15n', HR='17n',
             BG='4a6n8c', RO='4a16c', IL='19n', LI='5n12c')


def iban_check(country, bban):
    return '%02d' % (98 - int(''.join(str(int(c, 36)) for c in bban + country + '00')) % 97)


def iban_plain(r):
    country = r.choice(sorted(IBANS))
    bban, n = '', ''
    for c in IBANS[country]:
        if c in DIGITS:
            n += c
            continue
        bban += pick(r, {'n': DIGITS, 'a': UPPER, 'c': DIGITS + UPPER if r.random() < .3 else DIGITS}[c], int(n))
        n = ''
    return country + iban_check(country, bban) + bban


def grouped(r, s, n=4):
    return s if r.random() < .5 else ' '.join(s[i:i + n] for i in range(0, len(s), n))


def iban(r):
    return grouped(r, iban_plain(r))


def iban_bad(r):
    s = iban_plain(r)
    i = r.randrange(max(4, len(s) - 6), len(s))
    return grouped(r, s[:i] + (other_digit(r, s[i]) if s[i].isdigit() else r.choice(UPPER.replace(s[i], ''))) + s[i + 1:])


LATIN = 'akira yuki hanako taro john maria anna peter lukas emma sofia li wei chen mei omar lena jack nora ivan'.split()
FAMILY = 'sato suzuki takahashi tanaka ito smith jones brown garcia meyer rossi dubois wang kim novak silva olsen kowalski murphy weber'.split()
COMPANY = 'northwind harbor kitano aozora maple granite lumen orchid tessera halcyon minato sakura delta fjord quartz verdant cobalt juniper'.split()
TLD = 'com com com net org jp co.jp co.jp co.jp or.jp ne.jp de fr co.uk io eu info'.split()


def email(r):
    local = r.choice([f'{r.choice(LATIN)}.{r.choice(FAMILY)}{r.randint(1, 9999)}', f'{r.choice(LATIN)[0]}{r.choice(FAMILY)}{r.randint(1, 9999)}', f'{r.choice(FAMILY)}_{r.choice(LATIN)}{r.randint(1, 999)}',
                      f'{r.choice(LATIN)}+{r.choice(["news", "shop", "tag"])}{r.randint(1, 9999)}', f'{r.choice(FAMILY)}-{r.randint(1, 9999)}'])
    domain = f'{r.choice(["", "", "mail.", "eu."])}{r.choice(COMPANY)}{r.choice(["", "-" + r.choice(COMPANY), str(r.randint(1, 99))])}.{r.choice(TLD)}'
    return f'{local}@{domain}'


def email_bad(r):
    return r.choice([lambda: f'{r.choice(FAMILY)}@{r.choice(COMPANY)}', lambda: f'@{r.choice(FAMILY)}{r.randint(1, 99)}', lambda: f'@{r.choice(COMPANY)}/{r.choice(COMPANY)}@{r.randint(0, 9)}.{r.randint(0, 30)}.{r.randint(0, 30)}',
                     lambda: f'{r.choice(COMPANY)}@{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}', lambda: f'icon-{r.choice(COMPANY)}@{r.randint(2, 3)}x.png', lambda: f'{r.choice(COMPANY)}@sha256:{pick(r, "0123456789abcdef", 64)}',
                     lambda: f'{r.randint(2, 99)} pcs @ {r.randint(1, 99)}.{r.randint(10, 99)}', lambda: f'{r.choice(FAMILY)}@localhost', lambda: f'{r.choice(FAMILY)}@.com', lambda: f'{r.choice(FAMILY)} at {r.choice(COMPANY)} dot com'])()


# Area codes of the Ministry of Internal Affairs and Communications; with the local part ten digits.
AREA = '3 6 11 22 24 25 26 27 28 29 42 43 44 45 46 47 48 49 52 53 54 55 58 59 72 73 75 76 77 78 79 82 83 84 86 87 88 89 92 93 95 96 97 98 99 422 467 463 178 985 942 749 138 166'.split()


def jp_phone_parts(r):
    kind = r.random()
    if kind < .4:
        a = r.choice(AREA)
        n = 9 - len(a)
        return '0' + a, digits(r, n - 4, '23456789'), digits(r, 4)
    if kind < .8:
        return r.choice(['070', '080', '090']), digits(r, 4, '123456789'), digits(r, 4)
    if kind < .87:
        return '050', digits(r, 4, '123456789'), digits(r, 4)
    if kind < .95:
        return '0120', digits(r, 3), digits(r, 3)
    return '0800', digits(r, 3, '123456789'), digits(r, 4)


WORLD = [('+1', lambda r: [digits(r, 3, '23456789').replace('11', '13'), digits(r, 3, '23456789').replace('11', '14'), digits(r, 4)]), ('+44', lambda r: ['20', '7' + digits(r, 3), digits(r, 4)]), ('+44', lambda r: ['77' + digits(r, 2), digits(r, 6)]),
         ('+49', lambda r: ['30', digits(r, 8, '23456789')]), ('+49', lambda r: ['151', digits(r, 8, '1234567')]), ('+33', lambda r: [r.choice('123456'), *(digits(r, 2) for _ in range(4))]),
         ('+86', lambda r: ['13' + digits(r, 1), digits(r, 4), digits(r, 4)]), ('+65', lambda r: ['9' + digits(r, 3, '01234567'), digits(r, 4)]), ('+61', lambda r: ['4' + digits(r, 2, '01234'), digits(r, 3), digits(r, 3)]),
         ('+82', lambda r: ['10', digits(r, 4, '23456789'), digits(r, 4)]), ('+886', lambda r: ['9' + digits(r, 2, '123'), digits(r, 3), digits(r, 3)]), ('+41', lambda r: ['44', digits(r, 3, '234567'), digits(r, 2), digits(r, 2)]),
         ('+34', lambda r: ['91' + digits(r, 1), digits(r, 3), digits(r, 3)]), ('+31', lambda r: ['20', digits(r, 3, '234567'), digits(r, 4)])]


def phone(r, bare=False):
    """Any form but, unless the caller has context for it, a Japanese number in bare digits."""
    if r.random() < .35:
        cc, national = r.choice(WORLD)
        parts = national(r)
        return cc + r.choice([' ', ' ', '-', '']).join(['', *parts]) if r.random() < .7 else cc + ''.join(parts)
    a, b, c = jp_phone_parts(r)
    form = r.random()
    if form < .12:
        return r.choice(['+81 ', '+81-', '+81']) + f'{a[1:]}-{b}-{c}'
    if form < .2:
        return f'({a}) {b}-{c}'
    if bare and form < .45:
        return a + b + c
    return f'{a}-{b}-{c}'


def phone_bad(r):
    return r.choice([lambda: f'03-{digits(r, 3)}-{digits(r, 3)}', lambda: f'090-{digits(r, 3)}-{digits(r, 4)}', lambda: f'00-{digits(r, 4)}-{digits(r, 4)}', lambda: f'{digits(r, 2, "12")}-{digits(r, 4)}-{digits(r, 4)}',
                     lambda: f'+0{digits(r, 9)}', lambda: f'+{digits(r, 4, "123456789")}', lambda: f'090-{digits(r, 4)}-{digits(r, 5)}', lambda: f'{digits(r, 1)}-{digits(r, 3)}-{digits(r, 2)}',
                     lambda: f'+{digits(r, 17, "123456789")}'])()


def my_number(r):
    s = digits(r, 11)
    rem = sum(int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(s), 1)) % 11
    return s + str(0 if rem <= 1 else 11 - rem)


def spaced12(r, s):
    sep = r.choice(['', '', ' ', '-'])
    return sep.join((s[:4], s[4:8], s[8:]))


def corporate(r):
    s = digits(r, 12)
    return str(9 - sum(int(d) * (1 if n % 2 else 2) for n, d in enumerate(reversed(s), 1)) % 9) + s


LICENSE = '10 11 12 13 14 20 21 22 23 24 25 30 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 60 61 62 63 64 65 70 71 72 73 74 80 81 82 83 90 91 92 93 94 95 96 97'.split()


def license(r):
    s = r.choice(LICENSE) + digits(r, 8)
    rem = 11 - sum(int(d) * w for d, w in zip(s, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))) % 11
    return s + str(rem % 11 % 10) + r.choice('00000123')


def pension(r):
    return f'{digits(r, 4, "123456789")}-{digits(r, 6)}'


def passport(r):
    return r.choice([lambda: 'T' + r.choice('HJKLMNRSTZ') + digits(r, 7), lambda: 'M' + r.choice('STUVW') + digits(r, 7), lambda: 'T' + r.choice('GHKRZ') + digits(r, 7), lambda: 'A' + digits(r, 8, '0123')])()


BANKS = [('三菱UFJ銀行', '渋谷支店'), ('三井住友銀行', '梅田支店'), ('みずほ銀行', '丸の内中央支店'), ('りそな銀行', '難波支店'), ('横浜銀行', '本店'), ('千葉銀行', '柏支店'), ('福岡銀行', '天神町支店'), ('京都信用金庫', '河原町支店'), ('楽天銀行', '第一営業支店')]


def ssn(r):
    while True:
        a = r.randint(1, 899)
        if a != 666 and a not in (78, 457, 219, 123):
            return f'{a:03d}-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}'


def ssn_bad(r):
    return r.choice([lambda: f'000-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}', lambda: f'666-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}', lambda: f'{r.randint(100, 899)}-00-{r.randint(1, 9999):04d}',
                     lambda: f'{r.randint(100, 600)}-{r.randint(1, 99):02d}-0000', lambda: f'SKU-{ssn(r)}', lambda: f'{ssn(r)}-{digits(r, 2)}', lambda: f'{digits(r, 2)}{ssn(r)}', lambda: f'{ssn(r)}{digits(r, 1)}', lambda: f'{r.randint(100, 600)}-{digits(r, 3)}-{digits(r, 3)}'])()


def weighted(s, w):
    return sum(int(d) * x for d, x in zip(s, w))


def vat(r, good=True):
    """A VAT number with the member state's check digit, or with a wrong one."""
    while True:
        cc = r.choice('DE FR IT BE NL AT PL DK SE FI LU PT EL HU EE SI IE'.split())
        s, c, tail = digits(r, 8, '123456789'), None, ''
        if cc == 'DE':
            p = 10
            for d in s:
                m = (int(d) + p) % 10 or 10
                p = m * 2 % 11
            c = (11 - p) % 10
        elif cc == 'FR':
            siren = s + luhn_digit(s)
            k = (12 + 3 * (int(siren) % 97)) % 97
            return f'FR{k if good else (k + r.randint(1, 96)) % 97:02d}{siren}'
        elif cc == 'IT':
            s = digits(r, 7) + '%03d' % r.randint(1, 95)
            c = int(luhn_digit(s))
        elif cc == 'BE':
            s = '0' + digits(r, 7, '123456789')
            k = 97 - int(s) % 97
            return f'BE{s}{k if good else (k + r.randint(0, 95)) % 97 + 1:02d}' if good or k != 97 else vat(r, good)
        elif cc == 'NL':
            c, tail = weighted(s, range(9, 1, -1)) % 11, 'B0' + r.choice('123456789')
        elif cc == 'AT':
            s = digits(r, 7)
            c = (10 - (sum(int(d) if i % 2 == 0 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(s)) + 4) % 10) % 10
        elif cc == 'PL':
            s += digits(r, 1)
            c = weighted(s, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        elif cc == 'DK':
            s = s[:7]
            c = (11 - weighted(s, (2, 7, 6, 5, 4, 3, 2)) % 11) % 11
        elif cc == 'SE':
            s = r.choice(['556', '559', '716', '802']) + digits(r, 6)
            c, tail = int(luhn_digit(s)), '01'
        elif cc == 'FI':
            s = s[:7]
            c = (11 - weighted(s, (7, 9, 10, 5, 8, 4, 2)) % 11) % 11
        elif cc == 'LU':
            s = s[:6]
            k = int(s) % 89
            return f'LU{s}{k if good else (k + r.randint(1, 88)) % 89:02d}'
        elif cc == 'PT':
            s = r.choice('1256') + s[1:]
            c = 11 - weighted(s, range(9, 1, -1)) % 11
            c = 0 if c >= 10 else c
        elif cc == 'EL':
            s = '0' + s[1:] if r.random() < .5 else s
            c = weighted(s, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10
        elif cc == 'HU':
            s = s[:7]
            c = (10 - weighted(s, (9, 7, 3, 1, 9, 7, 3)) % 10) % 10
        elif cc == 'EE':
            s = '10' + s[2:]
            c = (10 - weighted(s, (3, 7, 1, 3, 7, 1, 3, 7)) % 10) % 10
        elif cc == 'SI':
            s = s[:7]
            c = 11 - weighted(s, range(8, 1, -1)) % 11
            c = {10: 0, 11: 10}.get(c, c)
        elif cc == 'IE':
            s = s[:7]
            letters = 'WABCDEFGHIJKLMNOPQRSTUV'
            k = weighted(s, range(8, 1, -1)) % 23
            return f'IE{s}{letters[k if good else (k + r.randint(1, 22)) % 23]}'
        if c is None or c >= 10:
            continue
        v = cc + ('U' if cc == 'AT' else '') + s + (str(c) if good else other_digit(r, str(c))) + tail
        if not good and cc == 'NL' and int(''.join(str(int(x, 36)) for x in v)) % 97 == 1: # right by the second way, of 2020
            continue
        return v


def ip(r):
    k = r.random()
    if k < .75:
        return '.'.join(str(x) for x in (r.choice([10, 172, 192, r.randint(11, 223)]), r.randint(0, 255), r.randint(0, 255), r.randint(1, 254)))
    h = lambda: '%x' % r.randint(1, 0xffff)
    return r.choice([lambda: f'2001:db8:{h()}::{h()}', lambda: ':'.join(['2001', 'db8', *(h() for _ in range(6))]), lambda: f'fe80::{h()}:{h()}:{h()}:{h()}', lambda: f'fd{r.randint(16, 255):02x}:{h()}:{h()}::{h()}'])()


def ip_bad(r):
    n = lambda: r.randint(0, 30)
    return r.choice([lambda: f'{r.randint(256, 999)}.{n()}.{n()}.{n()}', lambda: f'{n()}.{n()}.{n()}', lambda: f'v{r.randint(1, 30)}.{n()}.{n()}.{n()}', lambda: f'version {r.randint(1, 30)}.{n()}.{n()}.{n()}', lambda: f'1.3.6.1.4.1.{r.randint(1, 50000)}.{n()}',
                     lambda: f'10.0.{r.randint(10000, 26000)}.{r.randint(256, 9999)}', lambda: ':'.join('%02x' % r.randint(0, 255) for _ in range(6)), lambda: f'{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}',
                     lambda: f'std::{r.choice(COMPANY)}::{r.choice(FAMILY)}', lambda: f'バージョン {r.randint(1, 30)}.{n()}.{n()}.{n()}'])()


def birth(r, ja):
    y, m, d = r.randint(1940, 2006), r.randint(1, 12), r.randint(1, 28)
    month = 'January February March April May June July August September October November December'.split()[m - 1]
    if ja:
        era = f'昭和{y - 1925}年' if y < 1989 else f'平成{y - 1988}年'
        return r.choice([f'{y}年{m}月{d}日', f'{y}/{m:02d}/{d:02d}', f'{y}-{m:02d}-{d:02d}', f'{era}{m}月{d}日'])
    return r.choice([f'{y}-{m:02d}-{d:02d}', f'{d} {month} {y}', f'{month} {d}, {y}', f'{m:02d}/{d:02d}/{y}', f'{d:02d}.{m:02d}.{y}'])


def b64url(b):
    return base64.urlsafe_b64encode(b).rstrip(b'=').decode()


def base62(n, width):
    s = ''
    while n:
        n, d = divmod(n, 62)
        s = BASE62_GITHUB[d] + s
    return s.rjust(width, '0')


BASE62_GITHUB = DIGITS + UPPER + UPPER.lower()


def github(r, good=True):
    """The prefix, 30 letters, CRC32 of them in base 62 in six letters."""
    body = pick(r, BASE62, 30)
    crc = zlib.crc32(body.encode()) ^ (0 if good else r.randint(1, 0xffff))
    return r.choice(['ghp_', 'ghp_', 'gho_', 'ghs_', 'ghu_']) + body + base62(crc, 6)


def npm(r):
    body = pick(r, BASE62, 30)
    return 'npm_' + body + base62(zlib.crc32(body.encode()), 6)


def aws(r):
    return r.choice(['AKIA', 'AKIA', 'ASIA']) + pick(r, UPPER + '234567', 16)


def slack(r):
    return r.choice([lambda: f'xoxb-{digits(r, 12, "123456789")}-{digits(r, 13, "123456789")}-{pick(r, BASE62, 24)}', lambda: f'xoxp-{digits(r, 12, "123456789")}-{digits(r, 12, "123456789")}-{digits(r, 12, "123456789")}-{pick(r, "0123456789abcdef", 32)}'])()


def stripe(r):
    return r.choice(['sk_live_', 'rk_live_']) + pick(r, BASE62, r.choice([24, 24, 99]))


def gcp(r):
    return 'AIza' + pick(r, BASE62 + '-_', 34) + r.choice(BASE62)


def jwt(r):
    claims = {'sub': digits(r, 10), 'iat': r.randint(1600000000, 1760000000), 'role': r.choice(['user', 'admin'])}
    return '.'.join((b64url(json.dumps({'alg': r.choice(['HS256', 'RS256', 'ES256']), 'typ': 'JWT'}, separators=(',', ':')).encode()), b64url(json.dumps(claims, separators=(',', ':')).encode()), b64url(r.randbytes(32))))


def private_key(r):
    kind = r.choice(['RSA ', 'EC ', '', 'OPENSSH ', 'ENCRYPTED '])
    body = base64.b64encode(b'\x30\x82' + r.randbytes(r.choice([118, 160, 240]))).decode()
    return f'-----BEGIN {kind}PRIVATE KEY-----\n' + '\n'.join(body[i:i + 64] for i in range(0, len(body), 64)) + f'\n-----END {kind}PRIVATE KEY-----'


# Municipality, street, the first three figures of its postal codes (Japan Post).
PLACES = [('東京都渋谷区', '神宮前', '150'), ('東京都千代田区', '丸の内', '100'), ('東京都新宿区', '西新宿', '160'), ('東京都港区', '赤坂', '107'), ('大阪府大阪市北区', '梅田', '530'), ('大阪府堺市堺区', '翁橋町', '590'), ('京都府京都市中京区', '三条町', '604'),
          ('神奈川県横浜市西区', 'みなとみらい', '220'), ('神奈川県川崎市幸区', '堀川町', '212'), ('愛知県名古屋市中区', '栄', '460'), ('福岡県福岡市博多区', '博多駅前', '812'), ('北海道札幌市中央区', '大通西', '060'), ('宮城県仙台市青葉区', '一番町', '980'),
          ('広島県広島市中区', '紙屋町', '730'), ('兵庫県神戸市中央区', '三宮町', '650'), ('千葉県柏市', '末広町', '277'), ('埼玉県さいたま市大宮区', '桜木町', '330'), ('静岡県浜松市中央区', '砂山町', '430'), ('新潟県新潟市中央区', '万代', '950'), ('長野県松本市', '中央', '390'),
          ('岡山県倉敷市', '阿知', '710'), ('熊本県熊本市中央区', '水前寺', '862'), ('沖縄県那覇市', '久茂地', '900'), ('石川県金沢市', '広岡', '920'), ('奈良県奈良市', '三条町', '630'), ('香川県高松市', '番町', '760'), ('群馬県高崎市', '八島町', '370'), ('北海道虻田郡倶知安町', '北一条東', '044'),
          ('長野県北佐久郡軽井沢町', '軽井沢', '389'), ('茨城県つくば市', '吾妻', '305')]


def address(r):
    place, street, zone = r.choice(PLACES)
    a, b, c = r.randint(1, 9), r.randint(1, 40), r.randint(1, 30)
    return zone, place + street + r.choice([f'{a}-{b}-{c}', f'{a}丁目{b}番{c}号', f'{a}丁目{b}-{c}'])


def ean13(r, prefix):
    s = prefix + digits(r, 12 - len(prefix))
    return s + str((10 - sum(int(d) * (1 if i % 2 == 0 else 3) for i, d in enumerate(s)) % 10) % 10)
