"""Copies that went through other programs and hands: PDF and its text, other character sets, retyped quotes, paragraphs in another order, three documents in one, quoted in mail. See eval/README.md.

    eval/trace_converted.py          DOCUMENTS=300 LEAKS=120 (of each kind) SEED=tune
"""
import email.message, email.policy, os, shutil, subprocess, textwrap, unicodedata
import office, texts
from common import Work, finish, rng, write
from tracing import Score, State, ahead, alternatives, paths, right, told

SEED = os.environ.get('SEED', 'tune')
DOCUMENTS = int(os.environ.get('DOCUMENTS', '300'))
LEAKS = int(os.environ.get('LEAKS', '120'))
WANTED = .99
OFFICE = 25 # files of one run of LibreOffice


def punctuated(r, paragraph, ja):
    """Quotes, dashes and digits, as people type them."""
    if ja:
        return paragraph.replace('当社', '「当社」' if r.random() < .5 else '当社').replace('すべて', 'ＡＬＬ' if r.random() < .3 else '"すべて"')
    words = paragraph.split(' ')
    for i in range(len(words) - 1):
        k = r.random()
        if k < .04 and words[i].isalpha():
            words[i] = f'"{words[i]}"'
        elif k < .06 and words[i].isalpha():
            words[i] += "'s"
        elif k < .08:
            words[i] += ' -'
        elif k < .09:
            words[i] += '...'
    return ' '.join(words)


KANA = {unicodedata.normalize('NFKC', chr(c)): chr(c) for c in range(0xff66, 0xff9e)}


def retyped(r, text, ja):
    """What word processors and people make of the same words: curly quotes, long dashes, an ellipsis, full-width digits, half-width kana, other spaces and line ends."""
    if ja:
        text = text.translate({ord(a): b for a, b in zip('0123456789', '０１２３４５６７８９')}) if r.random() < .6 else text
        text = ''.join(KANA.get(c, c) for c in text) if r.random() < .3 else text
        return text.replace('"', '”').replace('「', '『').replace('」', '』').replace('、', '，' if r.random() < .3 else '、')
    out, open_ = [], False
    for c in text:
        if c == '"':
            open_ = not open_
            c = '\u201c' if open_ else '\u201d'
        out.append(c)
    text = ''.join(out).replace("'", '\u2019').replace(' - ', r.choice([' \u2013 ', '\u2014', ' \u2014 '])).replace('...', '\u2026')
    if r.random() < .5:
        text = text.replace('fi', '\ufb01').replace('fl', '\ufb02')
    return text.replace('. ', '.\u00a0 ' if r.random() < .5 else '.  ')


def wrap(text, ja, width=72):
    return [text[i:i + width // 2] for i in range(0, len(text), width // 2)] if ja else textwrap.wrap(text, width)


def mail(r, paragraphs, ja):
    """An answer that quotes part of the document."""
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m['From'], m['To'], m['Subject'] = 'clerk-7@example.com', 'sales-2@example.net', 'Re: 資料' if ja else 'Re: the paper'
    m['Date'] = 'Tue, 25 Nov 2025 10:00:00 +0900'
    quoted = '\n'.join('> ' * (1 + (r.random() < .3)) + l for p in paragraphs for l in wrap(p, ja) + [''])
    body = ('ありがとうございます。下記のとおりです。\n\n' if ja else 'Thank you, see below.\n\nOn Monday clerk-7 wrote:\n') + quoted + '\n'
    if ja and r.random() < .5:
        m.set_content(body, charset='iso-2022-jp')
    else:
        m.set_content(body, cte=r.choice(['quoted-printable', 'base64']))
    return m.as_bytes()


def some(r, paragraphs):
    """A run of a fifth to all of the paragraphs."""
    n = max(3, round(len(paragraphs) * r.uniform(.2, 1)))
    at = r.randint(0, max(0, len(paragraphs) - n))
    return paragraphs[at:at + n]


def pdfs(files, to):
    """FILES (docx) as PDF in TO, by LibreOffice in a home of its own."""
    os.makedirs(to, exist_ok=True)
    home = os.path.join(to, 'home')
    for i in range(0, len(files), OFFICE):
        subprocess.run(['soffice', f'-env:UserInstallation=file://{home}', '--headless', '--convert-to', 'pdf', '--outdir', to, *files[i:i + OFFICE]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600, check=True)
    shutil.rmtree(home, ignore_errors=True)
    return [os.path.join(to, os.path.basename(f)[:-5] + '.pdf') for f in files]


def answers_of(a):
    return [x for x in [a, *(a or {}).get('parts', [])] if x and x.get('verdict')]


def right_somewhere(a, path):
    """The file or one of its parts is traced to PATH and none to another."""
    said = [x for x in answers_of(a) if x['verdict'] in ('exact', 'source')]
    return bool(said) and all(right(x, path) for x in said)


def right_three(a, three):
    """The first three matches are the three sources, in any order."""
    if not a or a.get('verdict') != 'source':
        return False
    return all(any(p in paths(m) for m in a['matches'][:3]) for p in three)


def main():
    score = Score()
    with Work() as work:
        documents, by = [], {}
        for i in range(DOCUMENTS):
            r = rng(SEED, 'document', i)
            ja = i % 2 == 1
            paragraphs = [punctuated(r, p, ja) for p in texts.document(SEED, i, ja, r.randint(3000, 20000) // (2 if ja else 1))]
            path = os.path.join(work, 'documents', f'{i}.' + ('docx' if i % 3 == 0 else 'txt'))
            write(path, office.docx(paragraphs) if path.endswith('docx') else '\n'.join(paragraphs))
            documents.append((path, ja, paragraphs))
            by[path] = paragraphs
        truth = {}

        def put(kind, k, data, source, ending='txt'):
            file = os.path.join(work, 'leaks', kind, f'{k}.{ending}')
            write(file, data)
            truth[file] = kind, source
        chosen = rng(SEED, 'converted').sample([d for d in documents if d[0].endswith('docx')], min(LEAKS, sum(d[0].endswith('docx') for d in documents)))
        for k, pdf in enumerate(pdfs([d[0] for d in chosen], os.path.join(work, 'pdf'))):
            r = rng(SEED, 'pdf', k)
            truth[pdf] = 'PDF', chosen[k][0]
            text = subprocess.run(['pdftotext', *(['-layout'] if r.random() < .5 else []), pdf, '-'], capture_output=True, timeout=60, check=True).stdout.decode()
            lines = text.split('\n')
            n = max(15, round(len(lines) * r.uniform(.2, 1)))
            at = r.randint(0, max(0, len(lines) - n))
            put('text of the PDF', k, '\n'.join(lines[at:at + n]), chosen[k][0])
        for k in range(LEAKS):
            r = rng(SEED, 'leak', k)
            path, ja, paragraphs = r.choice(documents)
            jpath, _, jparagraphs = r.choice([d for d in documents if d[1]])
            put('Shift_JIS', k, '\r\n'.join(some(r, jparagraphs)).encode('cp932', 'replace'), jpath)
            put('retyped quotes', k, '\n\n'.join('\n'.join(wrap(retyped(r, p, ja), ja, 90)) for p in some(r, paragraphs)), path)
            mixed = paragraphs[:]
            r.shuffle(mixed)
            put('paragraphs reordered', k, '\n'.join(mixed[:max(4, len(mixed) * 2 // 3)]), path)
            put('quoted in mail', k, mail(r, some(r, paragraphs), ja), path, 'eml')
            three = r.sample(documents, 3)
            pieces = [p for d in three for p in r.sample([x for x in d[2] if len(x) > 80], 3)]
            r.shuffle(pieces)
            put('three documents mixed', k, '\n'.join(pieces), [d[0] for d in three])
        print(f'{DOCUMENTS} documents, {len(truth)} copies')
        with State() as s:
            s.scan(os.path.join(work, 'documents'))
            answers = s.trace(list(truth))
        for file, (kind, source) in truth.items():
            a = answers.get(file)
            if isinstance(source, list):
                score.add(kind, right_three(a, source), f'{kind} {os.path.basename(file)} of {[os.path.basename(p) for p in source]}: {a and a.get("verdict")} {[(os.path.basename(m.get("path") or ""), m.get("coverage"), len(alternatives(m))) for m in (a or {}).get("matches", [])[:5]]}')
            else:
                score.add(kind, right_somewhere(a, source), f'{kind} {os.path.basename(file)} of {os.path.basename(source)}: ' + '; '.join(told(x) for x in answers_of(a) or [a]), any(ahead(x, source) for x in answers_of(a)))
    ok = score.show(WANTED)
    score.examples()
    finish(ok)


if __name__ == '__main__':
    main()
