"""Client lists: does the inventory say how many persons' contact details a document holds? See eval/README.md.

    eval/contacts.py          LISTS=200 SEED=20251125
"""
import csv, io, math, os
import numbers_ as N
import office
from common import Work, finish, rng, scan, table, verdict, write

SEED = os.environ.get('SEED', '20251125')
LISTS = int(os.environ.get('LISTS', '200'))
WANTED = .95
FORMATS = ('xlsx', 'csv', 'docx', 'pdf')
JA_FAMILY = '佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 松本 井上 木村 林 清水 斎藤 山口'.split()
JA_GIVEN = '太郎 花子 健一 美咲 翔太 陽子 直樹 由美 大輔 恵 誠 さくら 拓也 千尋 亮 葵'.split()
JA_COMPANY = '北野商事 青空物産 みなと電機 さくら製薬 大和精工 東海化学 若葉建設 日の出食品'.split()
ROLE = 'info sales support contact office'.split()


class List:
    """Rows as dicts of name, company, email, email2, tel, mobile, note; and how many persons they hold."""
    def __init__(self, i):
        self.r = r = rng(SEED, 'list', i)
        self.format = FORMATS[i % 4]
        self.ja = i // 4 % 2 == 1
        self.n = max(1, round(math.exp(r.uniform(0, math.log(5000)))))
        self.seen, self.persons, self.traps, self.rows = set(), 0, set(), []
        boards = [self.own(self.landline) for _ in range(max(1, self.n // 25))]
        users = {b: 0 for b in boards}
        for _ in range(self.n):
            self.rows.append(self.row(boards, users))
        for row in self.rows: # a switchboard of fewer than three is no switchboard that anybody could tell: taken out
            if row.get('board') and users[row['board']] < 3:
                row['tel'] = ''

    def own(self, make):
        while True:
            v = make()
            if v not in self.seen:
                self.seen.add(v)
                return v

    def landline(self):
        r = self.r
        return f'0{r.choice(["3", "6"])}-{N.digits(r, 4, "3456789")}-{N.digits(r, 4)}' if self.ja else f'+44 20 7{N.digits(r, 3)} {N.digits(r, 4)}'

    def mobile(self):
        r = self.r
        return f'0{r.choice("789")}0-{N.digits(r, 4, "123456789")}-{N.digits(r, 4)}' if self.ja else f'+44 77{N.digits(r, 2)} {N.digits(r, 6)}'

    def address(self):
        r = self.r
        return f'{r.choice(N.LATIN)}.{r.choice(N.FAMILY)}{r.choice(["", str(r.randint(1, 99))])}@{r.choice(N.COMPANY)}{r.choice(["", "-" + r.choice(N.COMPANY)])}.{r.choice(["com", "co.jp", "net"])}'

    def row(self, boards, users):
        r, k = self.r, self.r.random()
        row = {'name': r.choice(JA_FAMILY) + ' ' + r.choice(JA_GIVEN) if self.ja else f'{r.choice(N.LATIN)} {r.choice(N.FAMILY)}'.title(),
               'company': '株式会社' + r.choice(JA_COMPANY) if self.ja else r.choice(N.COMPANY).title() + ' Ltd', 'email': '', 'email2': '', 'tel': '', 'mobile': '', 'note': ''}

        def board():
            row['tel'] = row['board'] = b = r.choice(boards)
            while (row['name'], b) in self.seen: # two persons of one name behind one number: nobody could tell them apart
                row['name'] += ' ' + (r.choice(JA_GIVEN) if self.ja else r.choice(N.UPPER) + '.')
            self.seen.add((row['name'], b))
            return b
        if k < .34:
            row.update(email=self.own(self.address), mobile=self.own(self.mobile))
        elif k < .44:
            row.update(email=self.own(self.address))
        elif k < .52:
            row.update(mobile=self.own(self.mobile))
        elif k < .58:
            row.update(email=self.own(self.address), tel=self.own(self.landline))
        elif k < .76:
            row.update(email=self.own(self.address), mobile=self.own(self.mobile) if r.random() < .4 else '')
            users[board()] += 1
            self.traps.add('switchboard')
        elif k < .82:
            row.update(email=self.own(self.address), email2=self.own(self.address))
            self.traps.add('two addresses')
        elif k < .86:
            row.update(email=f'{r.choice(ROLE)}@{N.COMPANY[0]}.{"co.jp" if self.ja else "com"}', mobile=self.own(self.mobile))
            self.traps.add('info@')
        elif k < .89:
            row.update(email=f'{r.choice(ROLE)}@{N.COMPANY[1]}.{"co.jp" if self.ja else "com"}', name='代表' if self.ja else 'Front desk', tel=(b := r.choice(boards)), board=b)
            self.traps.add('only info@')
            return row
        elif k < .93:
            self.traps.add('no details')
            row['note'] = '連絡先不明' if self.ja else 'no contact details yet'
            return row
        else:
            first = [x for x in self.rows if x['email'] and x['mobile'] and x['email'].split('@')[0] not in ROLE]
            if not first:
                row.update(email=self.own(self.address))
            else:
                f = r.choice(first)
                row.update(name=f['name'], company=f['company'], note='再掲' if self.ja else 'see above')
                if r.random() < .6:
                    row['email'] = f['email']
                    self.traps.add('same address in two rows')
                else:
                    m = f['mobile']
                    row['mobile'] = '+81 ' + m[1:] if self.ja and r.random() < .5 else m
                    self.traps.add('same mobile in two rows')
                return row
        self.persons += 1
        return row

    def table(self):
        """Rows of cells with a head, notes between rows, a total."""
        r = self.r
        keys = ['name', 'company', 'email', 'email2', 'tel', 'mobile', 'note']
        head = ['氏名', '会社', 'メール', 'メール2', '代表電話', '携帯', '備考'] if self.ja else ['Name', 'Company', 'E-mail', 'E-mail 2', 'Phone', 'Mobile', 'Note']
        out = [[f'顧客名簿 {self.n}件' if self.ja else f'Client list, {self.n} rows'], head] if r.random() < .4 else [head]
        for k, row in enumerate(self.rows):
            if k and r.random() < .01:
                out.append(['― 東日本 ―' if self.ja else '-- east region --'])
            out.append([row[x] for x in keys])
        if r.random() < .3:
            out.append(['合計' if self.ja else 'Total', str(self.n)])
        return out

    def data(self):
        return {'xlsx': self.xlsx, 'csv': self.csv, 'docx': self.docx, 'pdf': self.pdf}[self.format]()

    def xlsx(self):
        import openpyxl
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet('顧客' if self.ja else 'clients')
        for row in self.table():
            sheet.append([c or None for c in row])
        b = io.BytesIO()
        book.save(b)
        return b.getvalue()

    def csv(self):
        b = io.StringIO()
        csv.writer(b, delimiter=self.r.choice(',,;\t')).writerows(self.table())
        if self.ja and self.r.random() < .4:
            return b.getvalue().encode('cp932', 'replace')
        return b.getvalue().encode('utf-8-sig' if self.r.random() < .3 else 'utf-8')

    def docx(self):
        if self.r.random() < .7:
            return office.docx(['顧客名簿' if self.ja else 'Client list', self.table()])
        self.traps.add('paragraphs')
        out = []
        for row in self.rows:
            lines = [f'{row["name"]} ({row["company"]})']
            lines += [f'{"メール" if self.ja else "e-mail"}: {row[k]}' for k in ('email', 'email2') if row[k]]
            lines += [f'{"電話" if self.ja else "phone"}: {row[k]}' for k in ('tel', 'mobile') if row[k]]
            out.append('\n'.join(lines))
        return office.docx(out)

    def pdf(self):
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfgen import canvas
        font = 'Helvetica'
        if self.ja and self.r.random() < .5:
            from reportlab.pdfbase.cidfonts import UnicodeCIDFont
            font = 'HeiseiKakuGo-W5'
            pdfmetrics.registerFont(UnicodeCIDFont(font))
        elif self.ja:
            from reportlab.pdfbase.ttfonts import TTFont
            font = 'IPAGothic'
            pdfmetrics.registerFont(TTFont(font, '/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf'))
        b = io.BytesIO()
        c = canvas.Canvas(b, pagesize=(842, 595))
        y = 0
        for row in self.table():
            if y < 40:
                if y:
                    c.showPage()
                c.setFont(font, 6)
                y = 560
            for x, cell in zip((20, 110, 220, 370, 520, 610, 700), row):
                if cell:
                    c.drawString(x, y, cell)
            y -= 11
        c.save()
        return b.getvalue()


def main():
    with Work() as top:
        lists = {}
        for i in range(LISTS):
            x = List(i)
            name = f'{i:03d}.{x.format}'
            write(os.path.join(top, name), x.data())
            lists[name] = x
        got = {os.path.basename(p): d for p, d in scan(top).items()}
    rows, wrong = [], []
    for f in FORMATS:
        for ja in (False, True):
            mine = {n: x for n, x in lists.items() if x.format == f and x.ja == ja}
            bad = [n for n, x in mine.items() if got.get(n, {}).get('contacts', 0) != x.persons or n not in got]
            wrong += bad
            rows.append((f, 'Japanese' if ja else 'English', len(mine), sum(x.n for x in mine.values()), len(mine) - len(bad)))
    right = len(lists) - len(wrong)
    ok = right >= WANTED * len(lists)
    rows.append(('all', '', len(lists), sum(x.n for x in lists.values()), f'{right} ({right / len(lists):.1%}): {verdict(ok)} (≥ {WANTED:.0%})'))
    table(('format', 'language', 'lists', 'rows', 'exact'), rows)
    for n in sorted(wrong)[:60]:
        x, d = lists[n], got.get(n, {})
        print(f'- {n}: {x.n} rows, {x.persons} persons, said {d.get("contacts", "nothing")}{" " + d["error"] if d.get("error") else ""}; traps: {", ".join(sorted(x.traps)) or "none"}')
    finish(ok)


if __name__ == '__main__':
    main()
