"""Leaks whose source is not indexed, while others like it are: forms, contracts of one template, disclaimers, laws, logs, source code, lists, other prose. Nobody may be accused. See eval/README.md.

    eval/trace_negatives.py          LEAKS=30000 SEED=tune          KINDS="form law": only these; NAMED=400 of each kind are named
"""
import collections, os
import numbers_ as N
import office, texts
from common import Work, finish, rng, table, write
from tracing import State, told

SEED = os.environ.get('SEED', 'tune')
LEAKS = int(os.environ.get('LEAKS', '30000'))
TEMPLATES = 24 # of each kind; a third of them with one instance in the index, a third with 2 to 4, a third with 8 to 30
VERBATIM = ('disclaimer', 'law', 'code') # kinds that share whole passages, with nothing filled in between
ALONE = 'one, its passages in no other' # a leak that quotes the document looks the same: told, and no threshold
OURS = {False: 'Northwind Trading Ltd, 14 Harbour Road, Tel. +44 20 7946 0155, info@northwind-trading.com', True: '北野商事株式会社　東京都千代田区丸の内1-2-3　電話 03-5555-0142　info@kitano-shoji.co.jp'}


def join(ja):
    return '' if ja else ' '


def party(r, w):
    return ('株式会社' + w.term()) if w.ja else w.term() + ' ' + r.choice(['Ltd', 'GmbH', 'Inc.', 'S.A.', 'LLC'])


def day(r, ja):
    y, m, d = r.randint(2019, 2025), r.randint(1, 12), r.randint(1, 28)
    return f'{y}年{m}月{d}日' if ja else f'{d} {("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")[m - 1]} {y}'


def money(r, ja):
    return f'金{r.randint(1, 9999)}万円' if ja else f'EUR {r.randint(1, 999)},{r.randint(0, 999):03}.00'


def mailbox(r, w):
    return f'{r.choice(N.LATIN)}.{r.choice(N.FAMILY)}{r.randint(1, 999)}@{N.pick(r, "abcdefghiklmnoprstuv", 7)}.{"co.jp" if w.ja else "com"}'


def phone(r, ja):
    return f'0{r.choice("789")}0-{N.digits(r, 4, "123456789")}-{N.digits(r, 4)}' if ja else f'+44 77{N.digits(r, 2)} {N.digits(r, 6)}'


class Template:
    """What all instances of one template share. `instance(r)` makes one: what is filled in is its own."""
    def __init__(self, kind, t):
        self.r = r = rng(SEED, kind, 'template', t)
        self.kind, self.t, self.ja = kind, t, t % 2 == 1
        self.w = texts.Writer(rng(SEED, kind, 'words', t), self.ja)
        self.indexed = 1 if t % 3 == 0 else r.randint(2, 4) if t % 3 == 1 else r.randint(8, 30)
        self.marked = kind in VERBATIM and self.indexed == 1 and t % 6 == 0
        getattr(self, 'make_' + kind)(r, self.w)

    def public(self):
        """What is marked as of outside origin: the law, the disclaimer, the files of the free project."""
        return {'disclaimer': lambda: self.text, 'law': lambda: '\n'.join(f'第{i + 1}条　{a}' if self.ja else f'Article {i + 1}. {a}' for i, a in enumerate(self.articles)),
                'code': lambda: '\n'.join([self.licence, *self.includes, '', *self.helpers])}[self.kind]()

    def group(self):
        if self.indexed == 1 and self.kind in VERBATIM:
            return 'one, and the passages marked public' if self.marked else ALONE
        return 'one' if self.indexed == 1 else '2 to 4' if self.indexed < 5 else '8 to 30'

    def instance(self, r):
        w = texts.Writer(r, self.ja) # its own project words
        return getattr(self, 'fill_' + self.kind)(r, w)

    # A form: labels, boxes to tick, instructions of a page.
    def make_form(self, r, w):
        self.labels = [w.bare() for _ in range(r.randint(12, 35))]
        self.intro = [w.paragraph(4) for _ in range(r.randint(1, 3))]
        self.notes = [w.paragraph(r.randint(1, 3)) for _ in range(r.randint(3, 10))]

    def fill_form(self, r, w):
        def answer():
            k = r.random()
            return day(r, self.ja) if k < .15 else money(r, self.ja) if k < .3 else party(r, w) if k < .4 else mailbox(r, w) if k < .47 else phone(r, self.ja) if k < .54 else ('はい　☑　いいえ　☐' if self.ja else 'Yes [x]  No [ ]') if k < .7 else '' if k < .8 else w.number() if k < .92 else w.sentence()
        lines = [OURS[self.ja], *self.intro] + [f'{i}. {l}: {answer()}' for i, l in enumerate(self.labels, 1)] + self.notes + [('署名　' if self.ja else 'Signed, ') + day(r, self.ja)]
        return '\n'.join(lines)

    # A contract: clauses with blanks, some of them optional.
    def make_contract(self, r, w):
        def blank(s):
            for _ in range(2):
                if r.random() < .5:
                    at = r.choice([i for i, c in enumerate(s) if c == (' ' if not self.ja else 'を')] or [len(s) - 1])
                    s = s[:at] + r.choice([' {party} ', ' {day} ', ' {money} ', ' {n} ']) + s[at:]
            return s
        self.clauses = [[blank(w.sentence()) for _ in range(r.randint(2, 7))] for _ in range(r.randint(8, 30))]
        self.optional = [r.random() < .15 for _ in self.clauses]

    def fill_contract(self, r, w):
        a, b = party(r, w), party(r, w)
        out = [OURS[self.ja], ('業務委託契約書' if self.ja else 'Agreement'), (f'{a}（以下「甲」という）と{b}（以下「乙」という）は、{day(r, True)}、次のとおり契約を締結する。' if self.ja else f'This agreement is made on {day(r, False)} between {a} and {b}.')]
        n = 0
        for c, optional in zip(self.clauses, self.optional):
            if optional and r.random() < .5:
                continue
            n += 1
            body = join(self.ja).join(s.format(party=r.choice([a, b]), day=day(r, self.ja), money=money(r, self.ja), n=r.randint(2, 90)) if '{' in s else s for s in c)
            out.append((f'第{n}条　' if self.ja else f'{n}. ') + body)
        if r.random() < .3:
            out.append(('特約　' if self.ja else 'Special terms. ') + w.paragraph(2))
        return '\n'.join(out + [a + '　' + mailbox(r, w), b + '　' + mailbox(r, w)])

    # A mail: a few sentences, and a company's long disclaimer.
    def make_disclaimer(self, r, w):
        self.text = '\n'.join(w.paragraph(r.randint(3, 6)) for _ in range(r.randint(1, 3)))
        self.home = party(r, w)

    def fill_disclaimer(self, r, w):
        own = [w.paragraph(r.randint(1, 3)) for _ in range(r.randint(1, 3))]
        return '\n'.join([('お世話になっております。' if self.ja else 'Dear colleagues,'), *own, ('よろしくお願いいたします。' if self.ja else 'Kind regards,'), self.home, OURS[self.ja], '-----', self.text])

    # A paper that quotes a law, which itself is not indexed.
    def make_law(self, r, w):
        self.articles = [join(self.ja).join(w.sentence() for _ in range(r.randint(2, 6))) for _ in range(r.randint(10, 40))]

    def fill_law(self, r, w):
        out = [w.title(), w.paragraph(r.randint(1, 4))]
        n = r.randint(2, min(10, len(self.articles)))
        at = r.randint(0, len(self.articles) - n)
        for i in range(at, at + n):
            out.append((f'第{i + 1}条　' if self.ja else f'Article {i + 1}. ') + self.articles[i])
            if r.random() < .3:
                out.append(w.paragraph(r.randint(1, 3)))
        return '\n'.join(out + [w.paragraph(r.randint(1, 3))])

    # A server's log of an hour.
    def make_log(self, r, w):
        e = texts.Writer(r, False)
        self.host, self.programs = e.term().lower(), [e.term().lower() for _ in range(4)]
        self.lines = [e.clause() for _ in range(r.randint(8, 25))]
        self.users = [f'{x}-{n}' for x in ('clerk', 'engineer', 'svc') for n in range(1, 6)]

    def fill_log(self, r, w):
        d, s = f'2025-{r.randint(1, 12):02}-{r.randint(1, 28):02}', r.randint(0, 80000)
        out = []
        for _ in range(r.randint(15, 90)):
            s += r.choice([0, 0, 1, 1, 2, 7, 30])
            out.append(f'{d}T{s // 3600 % 24:02}:{s // 60 % 60:02}:{s % 60:02}.{r.randint(0, 999):03}Z {self.host} {r.choice(self.programs)}[{r.randint(300, 40000)}]: {r.choice(["INFO", "INFO", "WARN", "DEBUG"])} {r.choice(self.lines)} user={r.choice(self.users)} ip=10.{r.randint(0, 3)}.{r.randint(0, 255)}.{r.randint(1, 254)} id={N.pick(r, "0123456789abcdef", 12)}')
        return '\n'.join(out)

    # A source file: licence, includes, getters by the same generator, functions of its own.
    def make_code(self, r, w):
        e = texts.Writer(r, False)
        self.project = e.term()
        self.licence = '/*\n' + '\n'.join(' * ' + l for p in [e.paragraph(r.randint(3, 6)) for _ in range(r.randint(1, 3))] for l in __import__('textwrap').wrap(p, 76)) + '\n */'
        self.includes = [f'#include "{self.project.lower()}/{e.term().lower()}.h"' for _ in range(r.randint(5, 15))]
        self.helpers = [f'static int {self.project.lower()}_{r.choice(texts.BASE)}_{r.choice(texts.NOUN)}(struct {r.choice(texts.NOUN)} *self)\n{{\n\tif (!self || !self->{r.choice(texts.NOUN)})\n\t\treturn -EINVAL;\n\tmutex_lock(&self->{r.choice(texts.NOUN)}_lock);\n\t'
                        f'self->{r.choice(texts.NOUN)}_count++;\n\tmutex_unlock(&self->{r.choice(texts.NOUN)}_lock);\n\treturn 0;\n}}\n' for _ in range(r.randint(2, 8))]

    def fill_code(self, r, w):
        fields = r.sample(texts.NOUN, r.randint(3, 10))
        s = r.choice(texts.NOUN) + '_' + r.choice(texts.NOUN)
        own = [f'struct {s} {{\n\tstruct object base;\n' + ''.join(f'\tint {f};\n' for f in fields) + '};\n']
        own += [f'int {s}_get_{f}(const struct {s} *self)\n{{\n\treturn self->{f};\n}}\n\nvoid {s}_set_{f}(struct {s} *self, int value)\n{{\n\tself->{f} = value;\n\tobject_changed(&self->base);\n}}\n' for f in fields]
        own += [f'static void {r.choice(texts.BASE)}_{r.choice(texts.NOUN)}{r.randint(1, 99)}(struct {s} *self, int n)\n{{\n\tfor (int i = 0; i < n; i++) {{\n\t\tif (self->{r.choice(fields)} > {r.randint(1, 999)})\n\t\t\tself->{r.choice(fields)} {r.choice(["+=", "-=", "^="])} i * {r.randint(2, 99)};\n\t\t'
                f'{r.choice(texts.BASE)}_{r.choice(texts.NOUN)}(self, {r.randint(0, 9)});\n\t}}\n}}\n' for _ in range(r.randint(2, 6))]
        own += [h for h in self.helpers if r.random() < .8]
        return '\n'.join([self.licence, *self.includes, '', *own])

    # A list of clients: their own addresses, the same switchboards and front desks.
    def make_list(self, r, w):
        self.firms = [(party(r, w), f'info@{N.pick(r, "abcdefghiklmnoprstuv", 7)}.{"co.jp" if self.ja else "com"}', f'03-{N.digits(r, 4, "3456789")}-{N.digits(r, 4)}' if self.ja else f'+44 20 7{N.digits(r, 3)} {N.digits(r, 4)}') for _ in range(r.randint(5, 15))]
        self.head = ['氏名', '会社', 'メール', '代表電話', '代表メール', '携帯'] if self.ja else ['Contact', 'Company', 'E-mail', 'Switchboard', 'Front desk', 'Mobile']

    def fill_list(self, r, w):
        out = [self.head]
        for _ in range(r.randint(10, 60)):
            f = r.choice(self.firms)
            out.append([f'client {r.randint(1, 99999)}', f[0], mailbox(r, w), f[2], f[1], phone(r, self.ja)])
        return '\n'.join('\t'.join(x) for x in out)

    # Prose that only uses the same words.
    def make_prose(self, r, w):
        pass

    def fill_prose(self, r, w):
        return '\n'.join(w.text(r.choice([150, 300, 800, 2000, 5000])))


KINDS = tuple(os.environ.get('KINDS', 'form contract disclaimer law log code list prose').split())
ENDING = {'code': 'c', 'log': 'log', 'list': 'tsv'}


def own(text, indexed):
    """How many lines of 12 characters or more stand in no indexed document."""
    return sum(len(l) >= 12 and not any(l in x for x in indexed) for l in text.split('\n')[1:-1])


def decidable(text, indexed):
    """Without the lines that exactly one of several indexed instances holds: a reader would take them for that one's."""
    return '\n'.join(l for l in text.split('\n') if len(l) < 40 or sum(l in x for x in indexed) != 1)


def fragment(r, text, indexed):
    """A quarter to half of the text, with lines that are its own: a cut that an indexed document holds as well would be from there for all that anybody can know."""
    n = max(200, len(text) // r.randint(2, 4))
    for _ in range(20):
        at = r.randint(0, max(0, len(text) - n))
        if own(text[at:at + n], indexed) >= 2:
            return text[at:at + n]
    return text


def main():
    wrong = collections.defaultdict(list)
    verdicts = collections.Counter()
    total = collections.Counter()
    with Work() as work:
        truth, indexed = {}, 0
        each = LEAKS // 8 // TEMPLATES * 9 // 8 + 1 # the ones that are only told come on top
        for kind in KINDS:
            for t in range(TEMPLATES):
                template = Template(kind, t)
                texts_in = set()
                for i in range(template.indexed):
                    text = template.instance(rng(SEED, kind, t, 'indexed', i))
                    texts_in.add(text)
                    docx = kind not in ENDING and i % 3 == 0
                    write(os.path.join(work, 'documents', kind, str(t), f'{i}.' + ('docx' if docx else ENDING.get(kind, 'txt'))), office.docx(text.split('\n')) if docx else text)
                    indexed += 1
                some = template.group()
                if template.marked:
                    write(os.path.join(work, 'public', f'{kind}-{t}.txt'), template.public())
                for i in range(each):
                    r = rng(SEED, kind, t, 'leak', i)
                    text = template.instance(r)
                    assert text not in texts_in
                    if kind in VERBATIM and template.indexed > 1:
                        text = decidable(text, texts_in)
                    if r.random() < .3:
                        text = fragment(r, text, texts_in)
                    file = os.path.join(work, 'leaks', kind, f'{t}-{i}.{ENDING.get(kind, "txt")}')
                    write(file, text)
                    truth[file] = kind, some
        print(f'{indexed:,} documents indexed, of {len(KINDS) * TEMPLATES} templates; {len(truth):,} leaks of which none is indexed')
        with State() as s:
            s.scan(os.path.join(work, 'documents'), '--public', os.path.join(work, 'public'))
            answers = s.trace(list(truth))
        for file, (kind, some) in truth.items():
            a = answers.get(file)
            v = a.get('verdict') if a else 'no answer'
            total[kind, some] += 1
            verdicts[kind, some, v] += 1
            if v not in ('none', 'shared'):
                wrong[kind, some].append(f'{os.path.relpath(file, work)}: {told(a)}')
    rows, failed = [], 0
    for kind in KINDS:
        for some in sorted({k[1] for k in total if k[0] == kind}, key=lambda x: (not x.startswith('one'), x)):
            v = {x: verdicts[kind, some, x] for x in ('none', 'shared', 'source', 'exact', 'no answer')}
            bad = total[kind, some] - v['none'] - v['shared']
            failed += bad if some != ALONE else 0
            rows.append([kind, some, total[kind, some], *v.values(), 'told' if some == ALONE else 'FAIL' if bad else 'pass'])
    table(['kind', 'indexed of its template', 'leaks', 'none', 'shared', 'source', 'exact', 'no answer', ''], rows)
    counted = sum(n for (_, some), n in total.items() if some != ALONE)
    print(f'{failed} of {counted:,} wrongly traced to a source')
    limit = int(os.environ.get('NAMED', '400'))
    for (kind, some), each_one in wrong.items():
        print(f'  {kind}, {some}: {len(each_one)}')
        for w in each_one[:limit]:
            print(f'    {w}')
    finish(failed == 0)


if __name__ == '__main__':
    main()
