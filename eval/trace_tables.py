"""Client lists of 50 to 5,000 rows whose neighbours share rows: a fifth of the rows, shuffled, one column kept, in another format. Which list is it from? See eval/README.md.

    eval/trace_tables.py          TABLES=320 SEED=tune
"""
import csv, html, io, math, os, zipfile
from xml.sax.saxutils import escape
import numbers_ as N
import office
from common import Work, finish, rng, write
from contacts import JA_COMPANY, JA_FAMILY, JA_GIVEN
from tracing import Score, State, ahead, right, told

SEED = os.environ.get('SEED', 'tune')
TABLES = int(os.environ.get('TABLES', '320'))
GROUP = 4 # lists that are neighbours
WANTED = .99
IDENTIFYING = ('email', 'phone', 'card', 'iban')
ONLY_TOLD = ('client',) # a client number has no form that anybody could know: told, no threshold
FORMATS = {'csv': .3, 'xlsx': .3, 'ods': .1, 'docx': .1, 'html': .1, 'txt': .1}
LEAK_FORMATS = ('csv', 'xlsx', 'ods', 'txt', 'html')
HEAD = {'client': 'Client no.', 'name': 'Name', 'company': 'Company', 'email': 'E-mail', 'phone': 'Phone', 'card': 'Card', 'iban': 'IBAN', 'turnover': 'Turnover', 'since': 'Client since'}
HEAD_JA = {'client': '顧客番号', 'name': '氏名', 'company': '会社', 'email': 'メール', 'phone': '電話番号', 'card': 'カード番号', 'iban': 'IBAN', 'turnover': '売上', 'since': '取引開始'}
ORDER = list(HEAD)


def person(r, ja, taken):
    while True:
        k = r.random()
        email = f'{r.choice(N.LATIN)}.{r.choice(N.FAMILY)}{r.randint(1, 9999)}@{r.choice(N.COMPANY)}-{r.choice(N.COMPANY)}.{"co.jp" if ja else "com"}'
        phone = (f'0{r.choice("789")}0-{N.digits(r, 4, "123456789")}-{N.digits(r, 4)}' if ja else f'+44 77{N.digits(r, 2)} {N.digits(r, 6)}')
        row = {'client': f'K-{r.randint(10_000, 9_999_999)}', 'name': r.choice(JA_FAMILY) + ' ' + r.choice(JA_GIVEN) if ja else f'{r.choice(N.LATIN)} {r.choice(N.FAMILY)}'.title(),
               'company': '株式会社' + r.choice(JA_COMPANY) if ja else r.choice(N.COMPANY).title() + ' Ltd', 'email': email, 'phone': phone, 'card': N.card(r), 'iban': N.iban_plain(r),
               'turnover': f'{r.randint(10, 99999) * 100:,}', 'since': f'{r.randint(1998, 2025)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}'}
        if k < .02: # the same address of a company's front desk in many lists
            row['email'] = f'info@{r.choice(N.COMPANY)}.{"co.jp" if ja else "com"}'
        elif not taken.isdisjoint((email, phone, row['card'], row['iban'], row['client'])):
            continue
        taken.update((email, phone, row['card'], row['iban'], row['client']))
        return row


def group(g, taken):
    """Neighbouring lists: each has rows of its own and up to two thirds of the region's; the last may be an older state of the first."""
    r = rng(SEED, 'group', g)
    ja = g % 2 == 1
    sizes = [round(50 * 100 ** r.random()) for _ in range(GROUP)]
    region = [person(r, ja, taken) for _ in range(max(sizes))]
    lists = []
    for n in sizes:
        common = int(n * r.uniform(.1, .65))
        rows = r.sample(region, common) + [person(r, ja, taken) for _ in range(n - common)]
        r.shuffle(rows)
        lists.append(rows)
    if r.random() < .3:
        old = [x for x in lists[0] if r.random() < .85] + [person(r, ja, taken) for _ in range(max(1, len(lists[0]) // 20))]
        lists[-1] = old
    return ja, lists


def ods(rows):
    o = 'urn:oasis:names:tc:opendocument:xmlns:'
    body = ''.join('<table:table-row>' + ''.join(f'<table:table-cell office:value-type="string"><text:p>{escape(c)}</text:p></table:table-cell>' for c in row) + '</table:table-row>' for row in rows)
    b = io.BytesIO()
    with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo('mimetype'), 'application/vnd.oasis.opendocument.spreadsheet')
        z.writestr('content.xml', f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{o}office:1.0" xmlns:table="{o}table:1.0" xmlns:text="{o}text:1.0" office:version="1.2">'
                   f'<office:body><office:spreadsheet><table:table table:name="Sheet1">{body}</table:table></office:spreadsheet></office:body></office:document-content>')
        z.writestr('META-INF/manifest.xml', '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" '
                   'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>')
    return b.getvalue()


def xlsx(rows):
    import openpyxl
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet('list')
    for row in rows:
        sheet.append(row)
    b = io.BytesIO()
    book.save(b)
    return b.getvalue()


def as_csv(rows, delimiter=','):
    b = io.StringIO()
    csv.writer(b, delimiter=delimiter).writerows(rows)
    return b.getvalue().encode()


MAKE = {'csv': as_csv, 'xlsx': xlsx, 'ods': ods, 'docx': lambda rows: office.docx(['List', rows]), 'txt': lambda rows: '\n'.join('\t'.join(row) for row in rows).encode(),
        'html': lambda rows: ('<!doctype html><meta charset=utf-8><table>' + ''.join('<tr>' + ''.join(f'<td>{html.escape(c)}</td>' for c in row) + '</tr>\n' for row in rows) + '</table>').encode()}


def leak(r, rows, column, others):
    """A fifth of the rows' values of one column, shuffled; no other list holds as many of them."""
    for _ in range(20):
        some = [x[column] for x in r.sample(rows, math.ceil(len(rows) / 5))]
        own = set(some)
        mine = len(own & {x[column] for x in rows})
        if all(len(own & o) < mine for o in others):
            return some
    return None


def main():
    score = Score()
    with Work() as work:
        taken, tables = set(), []
        for g in range(TABLES // GROUP):
            ja, lists = group(g, taken)
            tables += [(g, ja, rows) for rows in lists]
        sharing = 0
        truth = {}
        for i, (g, ja, rows) in enumerate(tables):
            r = rng(SEED, 'table', i)
            format = r.choices(list(FORMATS), FORMATS.values())[0]
            head = HEAD_JA if ja else HEAD
            path = os.path.join(work, 'lists', str(g), f'{i}.{format}')
            write(path, MAKE[format]([[head[c] for c in ORDER]] + [[x[c] for c in ORDER] for x in rows]))
            near = [x for j, (h, _, x) in enumerate(tables) if h == g and j != i]
            sharing += any({x['client'] for x in rows} & {x['client'] for x in o} for o in near)
            for column in IDENTIFYING + ONLY_TOLD:
                values = leak(r, rows, column, [{x[column] for x in o} for o in near])
                if values is None:
                    print(f'no leak of {column} of list {i} tells it from its neighbours: left out')
                    continue
                if column == 'phone' and r.random() < .25: # other grouping of the same number
                    values = [v.replace('-', ' ') if ja else v.replace(' ', '') for v in values]
                other = r.choice([f for f in LEAK_FORMATS if f != format])
                file = os.path.join(work, 'leaks', f'{i}-{column}.{other}')
                r.shuffle(values)
                write(file, MAKE[other](([[head[column]]] if r.random() < .5 else []) + [[v] for v in values]))
                truth[file] = path, column, f'{format}->{other}', len(rows)
        assert sharing > len(tables) * .9, 'neighbours do not share rows as said'
        sizes = sorted(len(x) for _, _, x in tables)
        print(f'{len(tables)} lists of {sizes[0]} to {sizes[-1]:,} rows, median {sizes[len(sizes) // 2]}, {sum(sizes):,} in all; {sharing} share rows with a neighbour; {len(truth):,} leaks')
        with State() as s:
            s.scan(os.path.join(work, 'lists'))
            answers = s.trace(list(truth))
        for file, (path, column, how, n) in truth.items():
            score.add(column, right(answers.get(file), path), f'{os.path.basename(file)} of {os.path.basename(path)} ({n} rows, {how}): {told(answers.get(file))}', ahead(answers.get(file), path))
    ok = score.show({c: WANTED for c in IDENTIFYING})
    score.examples()
    finish(ok)


if __name__ == '__main__':
    main()
